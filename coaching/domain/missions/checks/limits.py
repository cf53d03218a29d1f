"""Hard limits: what no answer may recommend, whatever its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from coaching.domain.missions.checks.said import Day, Problem, Said
from coaching.domain.missions.facts import find

EASY_ACTIONS: Final = ("recover",)
HARD_ACTIONS: Final = ("push",)


@dataclass(frozen=True, slots=True)
class Injury:
    """What to spare: no workout of these types, nothing above `max_zone`."""

    area: str
    avoid_types: tuple[str, ...] = ()
    max_zone: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The athlete's own limits; a missing one is None and limits nothing."""

    minutes_by_weekday: Mapping[int, int] = field(default_factory=dict)
    max_minutes: int | None = None
    blocked_days: frozenset[date] = frozenset()
    injuries: tuple[Injury, ...] = ()
    min_readiness: float | None = None
    min_tsb: float | None = None
    max_rhr: float | None = None
    force_rest_readiness: float | None = None
    force_rest_tsb: float | None = None
    ride_modes: tuple[str, ...] = ()


def check_limits(said: Said, day: Day, limits: Limits) -> list[Problem]:
    problems: list[Problem] = []
    workout = said.workout
    if workout is not None and workout.type != "rest":
        problems += _workout_problems(said, day, limits)
    if workout is not None:
        total = sum(block.minutes for block in workout.blocks)
        if total != workout.minutes:
            problems.append(
                Problem(
                    "minutes_do_not_add_up",
                    "workout.blocks",
                    f"The blocks add up to {total} min, the workout says {workout.minutes} min.",
                )
            )
        if workout.type == "rest" and workout.minutes:
            problems.append(
                Problem("minutes_on_rest", "workout.minutes", "A rest day has 0 minutes.")
            )
    for name in forced_rest_reasons(day, limits):
        if said.action not in EASY_ACTIONS or said.intensity != "low":
            problems.append(
                Problem(
                    "rest_is_forced",
                    "action",
                    f"{name}: only action 'recover' with intensity 'low' is allowed.",
                )
            )
        if said.ride_mode and said.ride_mode != "rest" and "rest" in limits.ride_modes:
            problems.append(
                Problem("rest_is_forced", "ride_mode", f"{name}: the ride mode must be 'rest'.")
            )
    for name in caution_reasons(day, limits):
        if said.action in HARD_ACTIONS or said.intensity == "high":
            problems.append(
                Problem("below_threshold", "action", f"{name}: no push and no high intensity.")
            )
    if limits.ride_modes and said.ride_mode not in limits.ride_modes:
        listed = ", ".join(limits.ride_modes)
        problems.append(Problem("ride_mode", "ride_mode", f"Today's stage offers only: {listed}."))
    return problems


def _workout_problems(said: Said, day: Day, limits: Limits) -> list[Problem]:
    workout = said.workout
    assert workout is not None
    problems = []
    if day.today in limits.blocked_days:
        problems.append(
            Problem("blocked_day", "workout.type", "Today is blocked: the workout must be 'rest'.")
        )
    caps = [limits.minutes_by_weekday.get(day.today.weekday()), limits.max_minutes]
    cap = min((c for c in caps if c is not None), default=None)
    if cap is not None and workout.minutes > cap:
        problems.append(
            Problem(
                "too_long",
                "workout.minutes",
                f"{workout.minutes} min, but the athlete has {cap} min today.",
            )
        )
    for injury in limits.injuries:
        if workout.type in injury.avoid_types:
            problems.append(
                Problem(
                    "injury", "workout.type",
                    f"The athlete's {injury.area} rules out {workout.type}.",
                )
            )  # fmt: skip
        worst = max(workout.zones, default=0)
        if injury.max_zone is not None and worst > injury.max_zone:
            problems.append(
                Problem(
                    "injury", "workout.blocks",
                    f"The athlete's {injury.area} allows nothing above zone {injury.max_zone}.",
                )
            )  # fmt: skip
    return problems


def forced_rest_reasons(day: Day, limits: Limits) -> list[str]:
    """Why today must be a recovery day; empty when nothing forces it."""
    return [
        f"{label} {_shown(value)} is below {_shown(limit)}"
        for label, value, limit in (
            ("Readiness", _value(day, "readiness"), limits.force_rest_readiness),
            ("Form", _value(day, "tsb"), limits.force_rest_tsb),
        )
        if value is not None and limit is not None and value < limit
    ]


def caution_reasons(day: Day, limits: Limits) -> list[str]:
    reasons = [
        f"{label} {_shown(value)} is below {_shown(limit)}"
        for label, value, limit in (
            ("Readiness", _value(day, "readiness"), limits.min_readiness),
            ("Form", _value(day, "tsb"), limits.min_tsb),
        )
        if value is not None and limit is not None and value < limit
    ]
    rhr = _value(day, "resting_hr")
    if rhr is not None and limits.max_rhr is not None and rhr > limits.max_rhr:
        reasons.append(f"Resting heart rate {_shown(rhr)} is above {_shown(limits.max_rhr)}")
    return reasons


def _value(day: Day, key: str) -> float | None:
    fact = find(day.facts, key)
    if (
        fact is None
        or fact.is_stale
        or isinstance(fact.value, bool)
        or not isinstance(fact.value, int | float)
    ):
        return None
    return float(fact.value)


def _shown(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
