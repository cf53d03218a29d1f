"""Amounts side by side, one bar per name: laps by class, for example."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from racecontrol.shared.charts.chart import Chart, chart_of
from racecontrol.shared.charts.drawing import Box, Drawing, Place, Scale
from racecontrol.shared.charts.labels import fit_names, text_width
from racecontrol.shared.charts.looks import colour_of
from racecontrol.shared.charts.ticks import round_ticks

ROW_HEIGHT, BAR_HEIGHT = 28, 18


@dataclass(frozen=True, slots=True)
class Amount:
    """One bar. `detail` is told on hover and in the table."""

    label: str
    value: float
    detail: str = ""


def bars(
    amounts: Sequence[Amount],
    *,
    title: str,
    x_label: str = "",
    x_format: Callable[[float], str] = lambda value: f"{value:g}",
    description: str = "",
    slug: str = "",
) -> Chart:
    """Bars from zero; amounts below zero are drawn as nothing."""
    drawn = [amount for amount in amounts if amount.value > 0]
    told = description or f"{len(drawn)} bars"

    def draw(place: Place) -> Drawing:
        names = fit_names([amount.label for amount in drawn], place.label_width, place.font)
        left = max(text_width(name, place.font) for name in names) + 14
        words = [x_format(amount.value) for amount in drawn]
        beside = max(text_width(word, place.font) for word in words) + 12
        box = Box(left, 10, place.width - beside, 10 + ROW_HEIGHT * len(drawn))
        drawing = Drawing(place, title=title, description=told, height=box.bottom + 42)
        most = max(amount.value for amount in drawn)
        x_at = Scale(0, most, box.left, box.right)
        ticks = [x for x in round_ticks(0, most, at_most=5) if x <= most]
        drawing.x_axis(box, [(x_at(x), x_format(x)) for x in ticks], x_label)
        for i, (amount, name, word) in enumerate(zip(drawn, names, words, strict=True)):
            top = box.top + i * ROW_HEIGHT
            middle = top + ROW_HEIGHT / 2
            drawing.add("text", x=left - 8, y=middle, class_="row-label at-end", text=name)
            group = drawing.add("g", class_=f"bar driven {colour_of(i)}")
            drawing.titled(group, ": ".join(filter(None, (amount.label, word, amount.detail))))
            drawing.add(
                "rect",
                group,
                x=box.left,
                y=top + (ROW_HEIGHT - BAR_HEIGHT) / 2,
                width=max(x_at(amount.value) - box.left, 1.5),
                height=BAR_HEIGHT,
                rx=3,
            )
            drawing.add("text", x=x_at(amount.value) + 6, y=middle, class_="row-label", text=word)
        return drawing

    return chart_of(
        draw,
        kind="bars",
        title=title,
        header=["Name", x_label or "Amount", "Of it"],
        rows=[[amount.label, x_format(amount.value), amount.detail] for amount in drawn],
        slug=slug,
    )
