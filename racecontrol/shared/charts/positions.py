"""Places over laps: who was where at the end of each lap, the leader on top."""

from collections.abc import Sequence

from racecontrol.shared.charts.chart import Chart, chart_of, empty_chart
from racecontrol.shared.charts.lines import Axes, Series, draw_lines, table_of
from racecontrol.shared.charts.ticks import whole_ticks


def position_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str = "Lap",
    description: str = "",
    slug: str = "",
) -> Chart:
    """Points are (lap, place). A lap 0 is the grid. A car that stopped ends where it was last seen."""
    xs = sorted({x for one in series for x, _ in one.points})
    places = [y for one in series for _, y in one.points if y is not None]
    header = [x_label, *(one.label for one in series)]
    if not places:
        return empty_chart(kind="positions", title=title, header=header, slug=slug)

    last = int(max(places))
    laps = whole_ticks(int(xs[0]), int(xs[-1]))
    axes = Axes(
        low=1,
        high=last,
        x_low=xs[0],
        x_high=xs[-1],
        y_ticks=[(n, str(n)) for n in whole_ticks(1, last, at_most=7)],
        x_ticks=[(lap, _lap(lap)) for lap in laps],
        x_label=x_label,
        flip=True,
    )
    told = description or f"Places of {len(series)} cars over {len(xs)} laps"
    return chart_of(
        lambda place: draw_lines(place, series, axes, xs, title=title, description=told),
        kind="positions",
        title=title,
        header=header,
        rows=table_of(series, xs, x_format=_lap, y_format=lambda y: f"{y:g}"),
        slug=slug,
    )


def _lap(lap: float) -> str:
    return "grid" if lap == 0 else f"{lap:g}"
