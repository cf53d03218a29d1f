"""Charts of named rows: the names on the left, one axis below, something beside each name."""

from collections.abc import Sequence

from racecontrol.shared.charts.drawing import Box, Drawing, Place
from racecontrol.shared.charts.labels import fit_names, text_width


class RowFrame:
    """An empty drawing with its box; `beside` is the room kept free at the right edge."""

    def __init__(
        self,
        place: Place,
        labels: Sequence[str],
        *,
        height: int,
        beside: float,
        title: str,
        description: str,
    ):
        self.names = fit_names(labels, place.label_width, place.font)
        left = max(text_width(name, place.font) for name in self.names) + 14
        self.height = height
        self.box = Box(left, 10, place.width - beside, 10 + height * len(labels))
        self.drawing = Drawing(
            place, title=title, description=description, height=self.box.bottom + 42
        )

    def begin(self, row: int) -> float:
        """Write a row's name; gives the row's middle."""
        middle = self.box.top + (row + 0.5) * self.height
        self.drawing.add(
            "text", x=self.box.left - 8, y=middle, class_="row-label at-end", text=self.names[row]
        )
        return middle
