"""Bars over time, one row per car or driver: stints as planned and as driven."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from racecontrol.shared.charts.chart import Chart, chart_of
from racecontrol.shared.charts.drawing import Box, Drawing, Place, Scale, number
from racecontrol.shared.charts.labels import fit
from racecontrol.shared.charts.looks import colour_of
from racecontrol.shared.charts.row_frame import RowFrame
from racecontrol.shared.charts.ticks import round_ticks

ROW_HEIGHT, BAR_HEIGHT = 28, 20


@dataclass(frozen=True, slots=True)
class Bar:
    """From `start` to `end` (milliseconds unless the chart's x_format says otherwise).

    `kind`: driven, planned (dashed outline), idle (a stop) or alert. `text` stands in the bar,
    `detail` is told on hover and in the table. `look` picks the colour, one per driver for example.
    """

    start: float
    end: float
    text: str
    detail: str = ""
    kind: str = "driven"
    look: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    bars: Sequence[Bar]


def race_clock(ms: float) -> str:
    """3725000 -> '1:02:05'."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def stint_bars(
    rows: Sequence[Row],
    *,
    title: str,
    x_label: str = "Race time",
    x_format: Callable[[float], str] = race_clock,
    x_ticks: Sequence[tuple[float, str]] | None = None,
    end: float | None = None,
    now: float | None = None,
    description: str = "",
    slug: str = "",
) -> Chart:
    """`end` is where the axis ends at least (the length of the race), `now` a line across all rows."""
    bars = [bar for row in rows for bar in row.bars]
    told = description or f"{len(bars)} stints in {len(rows)} rows"

    def draw(place: Place) -> Drawing:
        first = min(0, *(bar.start for bar in bars))
        last = max(end or 0, first + 1, *(max(bar.start, bar.end) for bar in bars))
        frame = RowFrame(
            place,
            [row.label for row in rows],
            height=ROW_HEIGHT,
            beside=14,
            title=title,
            description=told,
        )
        drawing, box = frame.drawing, frame.box
        x_at = Scale(first, last, box.left, box.right)
        ticks = x_ticks or [(x, x_format(x)) for x in round_ticks(first, last, is_time=True)]
        drawing.x_axis(box, [(x_at(x), words) for x, words in ticks if first <= x <= last], x_label)
        for i, row in enumerate(rows):
            middle = frame.begin(i)
            for n, bar in enumerate(row.bars):
                _draw_bar(drawing, row, bar, n, x_at, middle)
        if now is not None and first <= now <= last:
            _draw_now(drawing, box, x_at(now), f"Now: {x_format(now)}")
        return drawing

    return chart_of(
        draw,
        kind="stint-bars",
        title=title,
        header=["Row", "Stint", "From", "To", "Length"],
        rows=_table(rows, x_format),
        slug=slug,
    )


def _table(rows: Sequence[Row], x_format: Callable[[float], str]) -> list[list[str]]:
    return [
        [
            row.label,
            " · ".join(filter(None, (bar.text, bar.detail))),
            x_format(bar.start),
            x_format(bar.end),
            x_format(bar.end - bar.start),
        ]
        for row in rows
        for bar in row.bars
    ]


def _draw_now(drawing: Drawing, box: Box, x: float, words: str) -> None:
    line = f"M{number(x)} {number(box.top - 4)}V{number(box.bottom + 4)}"
    drawing.titled(drawing.add("path", d=line, class_="now"), words)


def _draw_bar(drawing: Drawing, row: Row, bar: Bar, n: int, x_at: Scale, middle: float) -> None:
    x, until = x_at(bar.start), x_at(bar.end)
    width = max(until - x, 1.5)
    colour = colour_of(n if bar.look is None else bar.look)
    group = drawing.add("g", class_=f"bar {bar.kind} {colour}")
    drawing.titled(group, ": ".join(filter(None, (row.label, bar.text, bar.detail))))
    drawing.add(
        "rect",
        group,
        x=x,
        y=middle - BAR_HEIGHT / 2,
        width=width,
        height=BAR_HEIGHT,
        rx=4,
    )
    words = fit(bar.text, width - 10, drawing.place.font)
    if len(words) > 2 or words == bar.text:
        drawing.add("text", group, x=x + 6, y=middle, text=words)
