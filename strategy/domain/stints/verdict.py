"""What judging a plan comes to: numbers of each stint, turns, broken rules."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule. `stint` counts from 0; `measured` and `limit` are in `unit`."""

    rule: str
    message: str
    stint: int | None = None
    driver: int | None = None
    measured: int | None = None
    limit: int | None = None
    unit: str = ""
    severity: str = "error"


@dataclass(frozen=True, slots=True)
class StintFacts:
    """What one stint comes to. Fuel in ml at its start and end, times in ms."""

    start_lap: int
    end_lap: int
    start_ms: int
    stop_ms: int
    drive_ms: int
    fuel_in_ml: int
    fuel_added_ml: int
    fuel_out_ml: int
    tyre_age: int
    compound: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A driver's unbroken run of stints over laps start..end (end not included)."""

    driver: int
    start: int
    end: int
    stints: int
    first_stint: int


@dataclass(frozen=True, slots=True)
class Score:
    """z1: race time, z2: spread of drive time, z3: tiredness; all ms. Valid when nothing is broken."""

    z1_ms: int
    z2_ms: int
    z3_ms: int
    stops: int
    tyre_sets: int
    drive_ms: list[int]
    laps: list[int]
    stints: list[StintFacts]
    turns: list[Turn]
    violations: list[Violation]

    @property
    def is_valid(self) -> bool:
        return not self.violations
