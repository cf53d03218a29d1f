"""Amounts side by side, one bar per name: laps by class, for example."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from racecontrol.shared.charts.chart import Chart, chart_of
from racecontrol.shared.charts.drawing import Drawing, Place, Scale
from racecontrol.shared.charts.labels import text_width
from racecontrol.shared.charts.looks import colour_of
from racecontrol.shared.charts.row_frame import RowFrame
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
        words = [x_format(amount.value) for amount in drawn]
        frame = RowFrame(
            place,
            [amount.label for amount in drawn],
            height=ROW_HEIGHT,
            beside=max(text_width(word, place.font) for word in words) + 12,
            title=title,
            description=told,
        )
        most = max(amount.value for amount in drawn)
        x_at = Scale(0, most, frame.box.left, frame.box.right)
        ticks = [x for x in round_ticks(0, most, at_most=5) if x <= most]
        frame.drawing.x_axis(frame.box, [(x_at(x), x_format(x)) for x in ticks], x_label)
        for i, (amount, word) in enumerate(zip(drawn, words, strict=True)):
            _draw_amount(frame, i, amount, word, x_at)
        return frame.drawing

    return chart_of(
        draw,
        kind="bars",
        title=title,
        header=["Name", x_label or "Amount", "Of it"],
        rows=[[amount.label, x_format(amount.value), amount.detail] for amount in drawn],
        slug=slug,
    )


def _draw_amount(frame: RowFrame, row: int, amount: Amount, word: str, x_at: Scale) -> None:
    middle, end = frame.begin(row), x_at(amount.value)
    group = frame.drawing.add("g", class_=f"bar driven {colour_of(row)}")
    frame.drawing.titled(group, ": ".join(filter(None, (amount.label, word, amount.detail))))
    frame.drawing.add(
        "rect",
        group,
        x=frame.box.left,
        y=middle - BAR_HEIGHT / 2,
        width=max(end - frame.box.left, 1.5),
        height=BAR_HEIGHT,
        rx=3,
    )
    frame.drawing.add("text", x=end + 6, y=middle, class_="row-label", text=word)
