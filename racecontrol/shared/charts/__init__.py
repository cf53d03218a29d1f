"""Charts drawn by the server as SVG, one module per kind, each with a table that says the same.

Every chart is drawn twice, for a wide and for a narrow place; the stylesheet shows one of them.
Pages include `components/_chart.html` with the Chart; static/js/charts.js adds cursor and pins.
"""

from racecontrol.shared.charts.bars import Amount, bars
from racecontrol.shared.charts.box_strip import Group, box_strip
from racecontrol.shared.charts.chart import Chart
from racecontrol.shared.charts.ladder import Rung, Tier, ladder
from racecontrol.shared.charts.lines import Mark, Reference, Series, line_chart
from racecontrol.shared.charts.looks import looks_of
from racecontrol.shared.charts.positions import position_chart
from racecontrol.shared.charts.stint_bars import Bar, Row, stint_bars

__all__ = [
    "Amount",
    "Bar",
    "Chart",
    "Group",
    "Mark",
    "Reference",
    "Row",
    "Rung",
    "Series",
    "Tier",
    "bars",
    "box_strip",
    "ladder",
    "line_chart",
    "looks_of",
    "position_chart",
    "stint_bars",
]
