"""Rules of a race the stint format has no field for: pit windows, parts of the race, sets of tyres.

They travel in the problem as `race_rules` and are judged on every plan. The optimiser does not look
for them: a plan it proves best may break one, and then says so like any other broken rule.
Times are ms on the race clock.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.scoring import Score, Violation, score

Ms = Annotated[int, Field(ge=0, le=10**12)]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PitWindow(Shape):
    """At least `stops` stops, each of at least `min_ms`, begin from `from_ms` to `to_ms`."""

    name: str
    from_ms: Ms
    to_ms: Ms
    stops: int = 1
    min_ms: Ms = 0


class Part(Shape):
    """What each of these drivers (seats) drives between two moments, by the nominal lap."""

    name: str
    drivers: list[int]
    from_ms: Ms
    to_ms: Ms
    min_ms: Ms = 0
    max_ms: Ms | None = None


class RaceRules(Shape):
    tyre_sets: int | None = None
    pit_windows: list[PitWindow] = []
    parts: list[Part] = []


def race_rules_of(instance: Instance) -> RaceRules:
    return RaceRules.model_validate((instance.model_extra or {}).get("race_rules") or {})


def judge(instance: Instance, plan: Sequence[Stint]) -> Score:
    """The score of a plan with the rules beyond the stint format among its violations."""
    judged = score(instance, list(plan))
    rules = race_rules_of(instance)
    broken = [
        *_tyre_sets(rules, judged),
        *_pit_windows(rules, judged),
        *_parts(instance, rules, judged),
    ]
    return replace(judged, violations=[*judged.violations, *broken]) if broken else judged


def _tyre_sets(rules: RaceRules, judged: Score) -> list[Violation]:
    if rules.tyre_sets is None or judged.tyre_sets <= rules.tyre_sets:
        return []
    return [
        Violation("tyre_sets", "Uses more sets of tyres than there are.", None, None,
                  judged.tyre_sets, rules.tyre_sets, "sets")
    ]  # fmt: skip


def _pit_windows(rules: RaceRules, judged: Score) -> list[Violation]:
    broken = []
    for window in rules.pit_windows:
        made = sum(
            1
            for facts in judged.stints[1:]
            if window.from_ms <= facts.start_ms - facts.stop_ms <= window.to_ms
            and facts.stop_ms >= window.min_ms
        )
        if made < window.stops:
            broken.append(
                Violation("pit_window", f"Too few stops in the window {window.name}.", None, None,
                          made, window.stops, "stops")
            )  # fmt: skip
    return broken


def _parts(instance: Instance, rules: RaceRules, judged: Score) -> list[Violation]:
    clock, nominal = instance.race.clock_ms, instance.race.lap_nominal_ms
    broken = []
    for part in rules.parts:
        inside = [part.from_ms <= at < part.to_ms for at in clock[:-1]]
        for seat in part.drivers:
            driven = sum(
                nominal[lap]
                for turn in judged.turns
                if turn.driver == seat
                for lap in range(turn.start, turn.end)
                if inside[lap]
            )
            name = instance.drivers[seat].id
            if driven < part.min_ms:
                broken.append(
                    Violation("part_min", f"{name} drives too little in {part.name}.", None, seat,
                              driven, part.min_ms, "ms")
                )  # fmt: skip
            if part.max_ms is not None and driven > part.max_ms:
                broken.append(
                    Violation("part_max", f"{name} drives too much in {part.name}.", None, seat,
                              driven, part.max_ms, "ms")
                )  # fmt: skip
    return broken
