"""Lines over laps or time: lap times, fuel, pace. Unusual values leave a gap and a sign at the edge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from racecontrol.shared.charts.chart import Chart, chart_of, empty_chart
from racecontrol.shared.charts.drawing import (
    Box,
    Drawing,
    Place,
    Scale,
    clean,
    number,
    path_of,
)
from racecontrol.shared.charts.labels import fit, fit_names, is_clock, lap_clock, spread, text_width
from racecontrol.shared.charts.looks import look_of
from racecontrol.shared.charts.ticks import round_ticks, usual_range, whole_ticks

# Kind of mark -> the sign of the legend and its meaning. The shapes differ, not only the colours.
SIGNS = {
    "best": ("◆", "best lap"),
    "slow": ("■", "slow lap"),
    "invalid": ("×", "does not count"),
    "pit": ("○", "pit stop"),
    "over": ("▲", "above the scale"),
    "under": ("▼", "below the scale"),
}
LINE_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign at the point with this x: best, slow, invalid or pit; `text` is told on hover."""

    x: float
    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A level to compare with, such as the target lap."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Series:
    """One line. None as y leaves a gap. `look` keeps colour and dash across charts and swaps."""

    label: str
    points: Sequence[tuple[float, float | None]]
    marks: Sequence[Mark] = ()
    look: int | None = None
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Axes:
    """Ranges, ticks and words of both axes, whatever the place. `flip`: low values on top."""

    low: float
    high: float
    x_low: float
    x_high: float
    y_ticks: Sequence[tuple[float, str]]
    x_ticks: Sequence[tuple[float, str]]
    x_label: str = ""
    flip: bool = False
    references: Sequence[Reference] = field(default=())


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str = "Lap",
    y_format: Callable[[float], str] = lap_clock,
    x_format: Callable[[float], str] = lambda x: f"{x:g}",
    x_ticks: Sequence[tuple[float, str]] | None = None,
    references: Sequence[Reference] = (),
    clip: bool = True,
    from_zero: bool = False,
    description: str = "",
    slug: str = "",
) -> Chart:
    """Lines over one axis. With the default `y_format` values are milliseconds.

    `clip` keeps crash laps and stops from flattening the rest: they get a ▲ at the edge instead.
    """
    xs = sorted({x for one in series for x, _ in one.points})
    values = [y for one in series for _, y in one.points if y is not None]
    header = [x_label or "", *(one.label for one in series)]
    if not values:
        return empty_chart(kind="lines", title=title, header=header, slug=slug)

    levels = [reference.y for reference in references]
    low, high = _y_range(series, levels, clip=clip, from_zero=from_zero)
    ticks = round_ticks(low, high, is_time=is_clock(y_format))
    axes = Axes(
        low=low,
        high=high,
        x_low=xs[0],
        x_high=xs[-1],
        y_ticks=[(y, y_format(y)) for y in ticks],
        x_ticks=x_ticks if x_ticks is not None else _x_ticks(xs, x_format),
        x_label=x_label,
        references=references,
    )
    told = description or (
        f"{len(series)} lines from {y_format(min(values))} to {y_format(max(values))}"
    )
    return chart_of(
        lambda place: draw_lines(place, series, axes, xs, title=title, description=told),
        kind="lines",
        title=title,
        header=header,
        rows=table_of(series, xs, x_format=x_format, y_format=y_format),
        legend=_legend(series, axes),
        slug=slug,
    )


def _y_range(
    series: Sequence[Series], levels: Sequence[float], *, clip: bool, from_zero: bool
) -> tuple[float, float]:
    """From where to where the y axis reaches: all values (or the usual ones), levels, a margin."""
    values = [[y for _, y in one.points if y is not None] for one in series]
    every = [y for ys in values for y in ys]
    low, high = usual_range(values) if clip else (min(every), max(every))
    low, high = min([low, *levels]), max([high, *levels])
    if from_zero:
        low = min(low, 0)
    pad = (high - low) * 0.05 or abs(high) * 0.01 or 1
    return (low if from_zero and low == 0 else low - pad), high + pad


def draw_lines(
    place: Place,
    series: Sequence[Series],
    axes: Axes,
    xs: Sequence[float],
    *,
    title: str,
    description: str,
) -> Drawing:
    """The drawing for one place; position charts use it as well."""
    names = fit_names([one.label for one in series], place.label_width, place.font)
    tick_width = max(text_width(words, place.font) for _, words in axes.y_ticks or [(0, "")])
    name_width = max(text_width(name, place.font) for name in names)
    height = max(place.height, len(series) * LINE_HEIGHT + 70)
    box = Box(tick_width + 12, 14, place.width - name_width - 16, height - 44)
    drawing = Drawing(place, title=title, description=description, height=height)
    x_at = Scale(axes.x_low, axes.x_high, box.left, box.right)
    y_at = Scale(
        axes.low, axes.high, *((box.top, box.bottom) if axes.flip else (box.bottom, box.top))
    )

    drawing.x_axis(box, [(x_at(x), words) for x, words in axes.x_ticks], axes.x_label)
    drawing.y_axis(box, [(y_at(y), words) for y, words in axes.y_ticks])
    for reference in axes.references:
        y = y_at(reference.y)
        drawing.add(
            "path", d=f"M{number(box.left)} {number(y)}H{number(box.right)}", class_="reference"
        )
        words = fit(reference.label, box.right - box.left - 12, place.font)
        above = y - 8 if y - 16 > box.top else y + 9
        drawing.add("text", x=box.right - 6, y=above, class_="reference-label at-end", text=words)

    ends = [_draw_series(drawing, i, one, axes, x_at, y_at, box) for i, one in enumerate(series)]
    places = spread([end[1] for end in ends], gap=LINE_HEIGHT, low=box.top, high=box.bottom)
    for i, (one, name, end, y) in enumerate(zip(series, names, ends, places, strict=True)):
        colour, dash = look_of(i if one.look is None else one.look)
        strong = " strong" if one.is_strong else ""
        group = drawing.add("g", class_=f"series-label {colour}{strong}", data_column=i + 1)
        drawing.titled(group, one.label)
        leader = [end, (box.right + 3, end[1]), (box.right + 7, y)]
        drawing.add("path", group, d=path_of(leader), class_="leader", stroke_dasharray=dash)
        drawing.add("text", group, x=box.right + 10, y=y, text=name)

    drawing.root.set("data-left", number(box.left))
    drawing.root.set("data-top", number(box.top))
    drawing.root.set("data-bottom", number(box.bottom))
    drawing.root.set("data-xs", " ".join(number(x_at(x)) for x in xs))
    return drawing


def _draw_series(
    drawing: Drawing, index: int, one: Series, axes: Axes, x_at: Scale, y_at: Scale, box: Box
) -> tuple[float, float]:
    """Draw one line with its marks; returns where it ends, for the name beside it."""
    colour, dash = look_of(index if one.look is None else one.look)
    strong = " strong" if one.is_strong else ""
    group = drawing.add("g", class_=f"series {colour}{strong}", data_column=index + 1)
    drawing.titled(group, one.label)
    end = (box.right, (box.top + box.bottom) / 2)
    places: dict[float, tuple[float, float]] = {}
    runs: list[list[tuple[float, float]]] = [[]]
    marked = {mark.x for mark in one.marks}
    for x, y in one.points:
        if y is None:
            runs.append([])
        elif axes.low <= y <= axes.high:
            places[x] = end = (x_at(x), y_at(y))
            runs[-1].append(end)
        else:
            runs.append([])
            is_up = (y > axes.high) != axes.flip
            places[x] = (x_at(x), box.top - 4 if is_up else box.bottom + 4)
            if x not in marked:
                _draw_mark(drawing, group, "over" if is_up else "under", *places[x])

    line = "".join(path_of(run) for run in runs if len(run) > 1)
    if line:
        drawing.add("path", group, d=line, class_="hit")
        drawing.add("path", group, d=line, class_="line", stroke_dasharray=dash)
    for run in runs:
        if len(run) == 1:
            drawing.add("circle", group, cx=run[0][0], cy=run[0][1], r=2.4, class_="dot")
    for mark in one.marks:
        at = places.get(mark.x, (x_at(mark.x), box.top - 4))
        if axes.x_low <= mark.x <= axes.x_high:
            _draw_mark(drawing, group, mark.kind, *at, text=mark.text)
    return end


def _draw_mark(
    drawing: Drawing, group: Element, kind: str, x: float, y: float, *, text: str = ""
) -> None:
    shapes: dict[str, list[tuple[float, float]]] = {
        "best": [(0, -5), (5, 0), (0, 5), (-5, 0), (0, -5)],
        "slow": [(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5), (-3.5, -3.5)],
        "over": [(-4.5, 3.5), (4.5, 3.5), (0, -4.5), (-4.5, 3.5)],
        "under": [(-4.5, -3.5), (4.5, -3.5), (0, 4.5), (-4.5, -3.5)],
    }
    if kind in shapes:
        outline = path_of([(x + dx, y + dy) for dx, dy in shapes[kind]])
        element = drawing.add("path", group, d=outline, class_=f"mark mark-{kind}")
    elif kind == "invalid":
        cross = path_of([(x - 4, y - 4), (x + 4, y + 4)]) + path_of(
            [(x - 4, y + 4), (x + 4, y - 4)]
        )
        element = drawing.add("path", group, d=cross, class_="mark mark-invalid")
    else:
        element = drawing.add("circle", group, cx=x, cy=y, r=3.6, class_="mark mark-pit")
    if text:
        drawing.titled(element, text)


def _x_ticks(xs: Sequence[float], x_format: Callable[[float], str]) -> list[tuple[float, str]]:
    if all(float(x).is_integer() for x in xs):
        return [(x, x_format(x)) for x in whole_ticks(int(xs[0]), int(xs[-1]))]
    return [(x, x_format(x)) for x in round_ticks(xs[0], xs[-1], at_most=8)]


def table_of(
    series: Sequence[Series],
    xs: Sequence[float],
    *,
    x_format: Callable[[float], str],
    y_format: Callable[[float], str],
) -> list[list[str]]:
    """One row per x, one column per series; marks follow the figure in words."""
    columns = []
    for one in series:
        figures = {x: "–" if y is None else y_format(y) for x, y in one.points}
        for mark in one.marks:
            if mark.x in figures:
                words = mark.text or SIGNS.get(mark.kind, ("", mark.kind))[1]
                figures[mark.x] = f"{figures[mark.x]} ({words})"
        columns.append(figures)
    return [[x_format(x), *(clean(column.get(x, "")) for column in columns)] for x in xs]


def _legend(series: Sequence[Series], axes: Axes) -> list[tuple[str, str]]:
    kinds = {mark.kind for one in series for mark in one.marks}
    values = [y for one in series for _, y in one.points if y is not None]
    kinds |= {"over"} if max(values) > axes.high else set()
    kinds |= {"under"} if min(values) < axes.low else set()
    return [sign for kind, sign in SIGNS.items() if kind in kinds]
