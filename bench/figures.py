"""One measured number against what was asked of it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured on this machine just now; `measured` None: not reached at all.

    `limit` is the most that is allowed, or with `more_is_better` the least that is asked; without a
    limit the figure is only shown. Where the limit comes from a peer, the note names it.
    """

    name: str
    measured: float | None
    unit: str
    limit: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        if self.limit is None:
            return None
        if self.measured is None:
            return False
        return self.measured >= self.limit if self.more_is_better else self.measured <= self.limit

    @property
    def ratio(self) -> float | None:
        """How many times better than asked: below 1 it is missed."""
        if not self.measured or not self.limit or self.measured < 0:
            return None
        better = self.measured / self.limit
        return better if self.more_is_better else 1 / better

    def cells(self) -> dict[str, str]:
        sign = ">=" if self.more_is_better else "<="
        return {
            "figure": self.name,
            "target": "" if self.limit is None else f"{sign} {number(self.limit)} {self.unit}",
            "measured": "-" if self.measured is None else f"{number(self.measured)} {self.unit}",
            "ratio": "" if self.ratio is None else f"{number(min(self.ratio, 999))}x",
            "verdict": {None: "", True: "met", False: "MISSED"}[self.is_met],
            "note": self.note,
        }

    def data(self) -> dict[str, Any]:
        return asdict(self)


def number(value: float) -> str:
    """Three digits that count: 0.0123, 4.56, 37,400."""
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def table(rows: list[dict[str, str]], columns: tuple[str, ...]) -> list[str]:
    """The rows as lines of a Markdown table with even columns."""
    cells = [[row.get(column, "").replace("|", "/") for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [list(columns), *cells]) for i in range(len(columns))]

    def line(values: list[str]) -> str:
        return "| " + " | ".join(v.ljust(w) for v, w in zip(values, widths, strict=True)) + " |"

    return [line(list(columns)), line(["-" * w for w in widths]), *map(line, cells)]
