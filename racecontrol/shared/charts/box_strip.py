"""How laps spread, one row per driver: box from quarter to quarter, every lap as a dot."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from racecontrol.shared.charts.chart import Chart, chart_of
from racecontrol.shared.charts.drawing import Drawing, Place, Scale, number, path_of
from racecontrol.shared.charts.labels import is_clock, lap_clock
from racecontrol.shared.charts.looks import colour_of
from racecontrol.shared.charts.row_frame import RowFrame
from racecontrol.shared.charts.ticks import round_ticks, usual_range

ROW_HEIGHT, BOX_HEIGHT = 30, 18
WHISKER = 1.5  # interquartile ranges; Tukey's box plot


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    values: Sequence[float]
    look: int | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """Five numbers of a group. Quartiles interpolate between laps (numpy's and Excel's default)."""

    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        both = [*values, *values] if len(values) == 1 else values  # a single lap is all five
        quarter, median, three_quarters = statistics.quantiles(both, n=4, method="inclusive")
        return cls(min(values), quarter, median, three_quarters, max(values))


def box_strip(
    groups: Sequence[Group],
    *,
    title: str,
    x_label: str = "Lap time",
    x_format: Callable[[float], str] = lap_clock,
    description: str = "",
    slug: str = "",
) -> Chart:
    """Whiskers reach to the last value within 1.5 box widths; values off the scale are counted."""
    drawn = [group for group in groups if group.values]
    spreads = [Spread.of(group.values) for group in drawn]
    told = description or f"{len(drawn)} groups"

    def draw(place: Place) -> Drawing:
        frame = RowFrame(
            place,
            [group.label for group in drawn],
            height=ROW_HEIGHT,
            beside=22,
            title=title,
            description=told,
        )
        low, high = usual_range([group.values for group in drawn])
        pad = (high - low) * 0.04 or abs(high) * 0.01 or 1
        x_at = Scale(low - pad, high + pad, frame.box.left, frame.box.right)
        ticks = round_ticks(x_at.low, x_at.high, at_most=6, is_time=is_clock(x_format))
        frame.drawing.x_axis(frame.box, [(x_at(x), x_format(x)) for x in ticks], x_label)
        for i, (group, spread) in enumerate(zip(drawn, spreads, strict=True)):
            _draw_group(frame.drawing, i, group, spread, x_at, frame.begin(i), x_format)
        return frame.drawing

    return chart_of(
        draw,
        kind="box-strip",
        title=title,
        header=["Name", "Count", "Lowest", "Quarter", "Median", "Three quarters", "Highest"],
        rows=[
            [
                group.label,
                str(len(group.values)),
                *map(x_format, (s.low, s.quarter, s.median, s.three_quarters, s.high)),
            ]
            for group, s in zip(drawn, spreads, strict=True)
        ],
        slug=slug,
    )


def _draw_group(
    drawing: Drawing,
    index: int,
    group: Group,
    spread: Spread,
    x_at: Scale,
    y: float,
    words: Callable[[float], str],
) -> None:
    colour = colour_of(index if group.look is None else group.look)
    shape = drawing.add("g", class_=f"box {colour}")
    reach = WHISKER * (spread.three_quarters - spread.quarter)
    near = [v for v in group.values if spread.quarter - reach <= v <= spread.three_quarters + reach]
    inside = [v for v in group.values if x_at.low <= v <= x_at.high]
    off = len(group.values) - len(inside)
    drawing.titled(
        shape,
        f"{group.label}: median {words(spread.median)}, half of {len(group.values)} from "
        f"{words(spread.quarter)} to {words(spread.three_quarters)}"
        + (f", {off} off the scale" if off else ""),
    )

    def clamped(value: float) -> float:
        return x_at(min(max(value, x_at.low), x_at.high))

    half = BOX_HEIGHT / 2
    left, right = clamped(spread.quarter), clamped(spread.three_quarters)
    whisker = [(clamped(min(near)), y), (clamped(max(near)), y)]
    drawing.add("path", shape, d=path_of(whisker), class_="whisker")
    drawing.add(
        "rect", shape, x=left, y=y - half, width=max(right - left, 1), height=BOX_HEIGHT, rx=2
    )
    median = clamped(spread.median)
    drawing.add("path", shape, d=path_of([(median, y - half), (median, y + half)]), class_="median")
    for n, value in enumerate(inside):
        jitter = (n * 37) % 15 - 7  # the same dots at every drawing
        drawing.add("circle", shape, cx=x_at(value), cy=y + jitter, r=1.7)
    if off:
        edge = x_at.end + 4
        outline = path_of([(edge, y - 4.5), (edge + 7, y), (edge, y + 4.5), (edge, y - 4.5)])
        element = drawing.add("path", shape, d=outline, class_="mark-over")
        drawing.titled(element, f"{off} of {number(len(group.values))} off the scale")
