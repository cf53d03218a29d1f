"""What a strategist settled of single stints, and how it lasts while the plan around them changes.

A pinned driver stays in his stint; a pinned stop stays after that many laps of the race. Both at once
hold the stint as it is. A backup is who drives if the planned one cannot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from strategy.domain.stints.instance import Instance, Stint


@dataclass(frozen=True, slots=True)
class StintMark:
    """What is settled of one stint. `pinned_lap`: laps of the race driven when it stops."""

    is_driver_pinned: bool = False
    pinned_lap: int | None = None
    backup: int | None = None

    @property
    def is_pinned(self) -> bool:
        return self.is_driver_pinned or self.pinned_lap is not None

    @property
    def is_held(self) -> bool:
        """Nothing of the stint may change."""
        return self.is_driver_pinned and self.pinned_lap is not None


NO_MARK = StintMark()
Marks = Mapping[int, StintMark]  # by number of the stint, from 1


def carried(
    before: Sequence[Stint], marks: Marks, after: Sequence[Stint], *, with_tyres: bool = True
) -> tuple[dict[int, StintMark], list[int]]:
    """The marks by number in the changed plan, and the numbers (before) of stints whose pins broke.

    A stint is known again by its pinned stop, else by the lap in its middle: numbers may change.
    """
    old, new = _spans(before), _spans(after)
    found: dict[int, StintMark] = {}
    broken = []
    for number, mark in marks.items():
        start, end = old[number - 1]
        place = _place(new, mark, (start + end) // 2)
        stint = before[number - 1]
        if place is None or not _is_kept(mark, stint, after[place], with_tyres=with_tyres) or (
            mark.is_held and new[place] != (start, end)
        ):  # fmt: skip
            broken.append(number)
            continue
        backup = None if mark.backup == after[place].driver else mark.backup
        found[place + 1] = replace(mark, backup=backup)
    return found, broken


def _spans(plan: Sequence[Stint]) -> list[tuple[int, int]]:
    """First lap and the lap after the last, by place."""
    ends = list(accumulate(stint.laps for stint in plan))
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _place(spans: Sequence[tuple[int, int]], mark: StintMark, middle: int) -> int | None:
    if mark.pinned_lap is not None:
        return next((n for n, (_, end) in enumerate(spans) if end == mark.pinned_lap), None)
    return next((n for n, (start, end) in enumerate(spans) if start <= middle < end), None)


def _is_kept(mark: StintMark, was: Stint, stint: Stint, *, with_tyres: bool) -> bool:
    if mark.is_held and with_tyres:
        return was == stint
    return not mark.is_driver_pinned or was.driver == stint.driver


def as_rules(plan: Sequence[Stint], marks: Marks) -> list[dict]:
    """The pins as the optimiser's rules (`rules.pins` of the instance)."""
    spans = _spans(plan)
    rules = []
    for number, mark in sorted(marks.items()):
        if not mark.is_pinned:
            continue
        start, end = spans[number - 1]
        stops = [] if mark.pinned_lap is None else [mark.pinned_lap]
        rules.append({
            "name": f"pinned stint {number} (laps {start + 1} to {end})",
            "driver": plan[number - 1].driver if mark.is_driver_pinned else None,
            "from_lap": start, "to_lap": end, "stops": [start, *stops] if mark.is_held else stops,
            "is_unbroken": mark.is_held,
        })  # fmt: skip
    return rules


def with_pins(instance: Instance, pins: list[dict]) -> dict:
    """The instance's data with these pins among its rules."""
    data = instance.model_dump()
    data["rules"] = data["rules"] | {"pins": pins}
    return data
