"""The numbered facts a prompt carries. A model may write a number only if it stands here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

UNAVAILABLE: Final = "not available"
_COUNTED: Final = frozenset({"days", "stages", "points"})  # of one it is 'day', 'stage', 'point'


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known this morning.

    `names` are the words a writer would use for it; a number next to such a word must be this
    fact's. `value` None means looked for and not there: it is said, never filled in.
    """

    key: str
    label: str
    value: int | float | str | date | None
    unit: str = ""
    as_of: date | None = None
    source: str = ""
    names: tuple[str, ...] = ()
    is_stale: bool = False
    id: str = ""

    def shown(self) -> str:
        """The value as people read it: '62', '72.5 kg', 'not available'."""
        if self.value is None:
            return UNAVAILABLE
        if isinstance(self.value, date):
            return f"{self.value.isoformat()} ({self.value:%A})"
        if isinstance(self.value, float):
            text = f"{self.value:.1f}".removesuffix(".0")
        else:
            text = str(self.value)
        unit = self.unit.removesuffix("s") if text == "1" and self.unit in _COUNTED else self.unit
        return f"{text} {unit}".strip()

    def line(self) -> str:
        """'F3 Readiness: 62 of 100 [as of 2026-06-06, check-in]'."""
        about = ", ".join(
            part
            for part in (
                f"as of {self.as_of.isoformat()}" if self.as_of else "",
                self.source,
                "STALE" if self.is_stale else "",
            )
            if part
        )
        return f"{self.id} {self.label}: {self.shown()}" + (f" [{about}]" if about else "")


def number(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts with ids F1, F2, … in their order; the order is part of the prompt's hash."""
    return tuple(replace(fact, id=f"F{index}") for index, fact in enumerate(facts, start=1))


def as_data(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Facts as JSON data, for the row of the run and for the page."""
    return [
        {
            "id": fact.id,
            "key": fact.key,
            "label": fact.label,
            "value": fact.value.isoformat() if isinstance(fact.value, date) else fact.value,
            "is_date": isinstance(fact.value, date),
            "unit": fact.unit,
            "as_of": fact.as_of.isoformat() if fact.as_of else None,
            "source": fact.source,
            "names": list(fact.names),
            "is_stale": fact.is_stale,
        }
        for fact in facts
    ]


def from_data(rows: Iterable[dict[str, Any]]) -> tuple[Fact, ...]:
    return tuple(
        Fact(
            id=row["id"],
            key=row["key"],
            label=row["label"],
            value=date.fromisoformat(row["value"]) if row.get("is_date") else row["value"],
            unit=row.get("unit", ""),
            as_of=date.fromisoformat(row["as_of"]) if row.get("as_of") else None,
            source=row.get("source", ""),
            names=tuple(row.get("names", ())),
            is_stale=bool(row.get("is_stale")),
        )
        for row in rows
    )


def find(facts: Iterable[Fact], key: str) -> Fact | None:
    return next((fact for fact in facts if fact.key == key), None)
