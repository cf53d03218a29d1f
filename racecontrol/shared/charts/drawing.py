"""An SVG being drawn: its place on the page, scales, shapes and axes.

Only classes and presentation attributes, never `style`: the site's policy forbids inline styles.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from racecontrol.shared.charts.labels import text_width

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a drawing will stand: its width and letter size in user units, about CSS pixels."""

    name: str
    width: int
    height: int
    font: float
    label_width: float  # the widest a name may be


WIDE = Place("wide", width=820, height=380, font=12, label_width=150)
NARROW = Place("narrow", width=360, height=340, font=12, label_width=86)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values low … high onto pixels start … end; a single value lands in the middle."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return round((self.start + self.end) / 2, 1)
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True, slots=True)
class Box:
    """The part of the drawing inside the axes."""

    left: float
    top: float
    right: float
    bottom: float


class Drawing:
    def __init__(self, place: Place, *, title: str, description: str, height: float):
        self.place, self.width, self.height = place, place.width, round(height)
        self.root = Element(
            "svg",
            {
                "class": f"chart chart-{place.name}",
                "viewBox": f"0 0 {self.width} {self.height}",
                "font-size": number(place.font),
                "role": "img",
                "aria-label": clean(f"{title}. {description}"),
            },
        )
        SubElement(self.root, "title").text = clean(title)
        SubElement(self.root, "desc").text = clean(description)

    def add(
        self, tag: str, parent: Element | None = None, /, *, text: str = "", **attributes: object
    ) -> Element:
        """One shape. `class_` and `stroke_width` become class and stroke-width."""
        element = SubElement(
            self.root if parent is None else parent,
            tag,
            {
                name.rstrip("_").replace("_", "-"): number(value)
                if isinstance(value, int | float)
                else clean(str(value))
                for name, value in attributes.items()
                if value is not None and value != ""
            },
        )
        if text:
            element.text = clean(text)
        return element

    def titled(self, parent: Element, text: str) -> None:
        """What a pointer at rest, or a screen reader, is told about a shape."""
        self.add("title", parent, text=text)

    def x_axis(
        self, box: Box, ticks: Iterable[tuple[float, str]], label: str = "", *, lines: bool = True
    ) -> None:
        """Ticks are pixels and words; words that would touch the ones before them are left out."""
        free_from = float("-inf")
        for x, words in ticks:
            if lines:
                self.add(
                    "path",
                    d=f"M{number(x)} {number(box.top)}V{number(box.bottom)}",
                    class_="grid-line",
                )
            half = text_width(words, self.place.font) / 2
            at = min(max(x, half), self.width - half)
            if at - half < free_from:
                continue
            free_from = at + half + 6
            self.add("text", x=at, y=box.bottom + 13, class_="at-middle", text=words)
        if label:
            middle = (box.left + box.right) / 2
            self.add("text", x=middle, y=box.bottom + 30, class_="at-middle", text=label)

    def y_axis(self, box: Box, ticks: Iterable[tuple[float, str]]) -> None:
        for y, words in ticks:
            self.add(
                "path", d=f"M{number(box.left)} {number(y)}H{number(box.right)}", class_="grid-line"
            )
            self.add("text", x=box.left - 7, y=y, class_="at-end", text=words)

    def markup(self) -> str:
        return tostring(self.root, encoding="unicode")


def number(value: float) -> str:
    """At most one decimal, and none where it is zero: pages stay small."""
    return f"{value:.1f}".removesuffix(".0")


def clean(text: str) -> str:
    """Text that XML can hold; what it cannot is dropped. Escaping is ElementTree's."""
    return CONTROL.sub("", text)


def path_of(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
