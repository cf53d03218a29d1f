"""A stint problem as data: the `stintopt/1` format, checked on the way in.

Times are whole milliseconds, volumes whole millilitres, distances whole laps.
Lap `l` runs from boundary `l` to boundary `l + 1`.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from racecontrol.shared.errors import InvalidInput

SCHEMA = "stintopt/1"
BATCH_SCHEMA = "stintopt-batch/1"
LONGEST_RACE_LAPS = 5_000
# Sums of costs stay far below what 64 bits hold.
LARGEST_NUMBER = 10**12

Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
Positive = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
Letter = Literal["D", "N", "W", "X"]
NIGHT, WET = frozenset("NX"), frozenset("WX")


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class ByCondition(Shape):
    """One number for dry day, dry night, wet day and wet night."""

    D: Count
    N: Count
    W: Count
    X: Count


class Race(Shape):
    laps: Annotated[int, Field(ge=1, le=LONGEST_RACE_LAPS)]
    clock_ms: list[Count]
    lap_nominal_ms: list[Positive]

    def nominal_ms(self, start: int, end: int) -> int:
        """What laps start..end (end not included) count as drive time."""
        return sum(self.lap_nominal_ms[start:end])


class Conditions(Shape):
    by_lap: list[Letter] | str


class Tyre(Shape):
    life_laps: Positive
    deg_ms: Count = 0
    deg2_us: Count = 0
    cold_ms: Count = 0
    wrong_ms: Count = 0


class Car(Shape):
    tank_ml: Positive
    reserve_ml: Count = 0
    burn_ml: ByCondition
    fuel_us_per_ml: Count = 0
    tyre: Tyre


class Pit(Shape):
    lane_ms: Count
    refuel_ml_per_s: Positive
    tyre_ms: Count = 0
    swap_ms: Count = 0
    mode: Literal["parallel", "fuel_then_tyres", "sequential"] = "parallel"
    min_service_ms: Count = 0
    min_refuel_ms: Count = 0  # a refuelling takes at least this
    min_total_ms: Count = 0  # a stop takes at least this from pit in to pit out
    closed_laps: list[Count] = []


class Group(Shape):
    name: str = "group"
    drivers: list[Count]
    min_drive_ms: Count


class Rolling(Shape):
    max_ms: Count
    window_ms: Positive


class PitWindow(Shape):
    """At least `count` stops at boundaries whose clock is in from..to, each of at least min_total."""

    name: str = "pit window"
    from_ms: Count
    to_ms: Count
    count: Positive = 1
    min_total_ms: Count = 0


class Span(Shape):
    """What these drivers together drive of the laps that start in from..to (`to` not included)."""

    name: str = "span"
    drivers: list[Count]
    from_ms: Count
    to_ms: Count
    min_drive_ms: Count = 0
    max_drive_ms: Count | None = None


class Pin(Shape):
    """What the team has settled: `driver` does the laps from..to (`to` not included), and there is a
    stop at each of `stops` (laps driven by then); with `is_unbroken` none between from and to."""

    name: str = "pin"
    driver: Count | None = None
    from_lap: Count = 0
    to_lap: Count = 0
    stops: list[Count] = []
    is_unbroken: bool = False


class Rules(Shape):
    min_stint_laps: Positive = 1
    max_stint_laps: Positive | None = None
    max_stint_ms: Positive | None = None
    tyre_sets: Positive | None = None
    pit_windows: list[PitWindow] = []
    spans: list[Span] = []
    pins: list[Pin] = []
    tyre_policy: Literal["every_stop", "optional"] = "every_stop"
    fair_share_pct: Annotated[int, Field(ge=0, le=100)] = 0
    groups: list[Group] = []
    start_drivers: list[Count] | None = None
    finish_drivers: list[Count] | None = None
    min_stops: Count = 0
    rolling: Rolling | None = None
    fresh_ms: Count = 0
    balance_tolerance_ms: Count = 0


class Driver(Shape):
    id: str
    lap_ms: ByCondition
    available_ms: list[tuple[int, int]]
    no_night: bool = False
    no_wet: bool = False
    min_drive_ms: Count = 0
    max_drive_ms: Count = LARGEST_NUMBER
    max_continuous_ms: Count = LARGEST_NUMBER
    max_consecutive: Positive = LONGEST_RACE_LAPS
    min_rest_ms: Count = 0


class Instance(Shape):
    """One car's race: what is known before the plan is made."""

    id: str = "instance"
    race: Race
    conditions: Conditions
    car: Car
    pit: Pit
    rules: Rules
    drivers: Annotated[list[Driver], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Self:
        laps = self.race.laps
        _must(len(self.race.clock_ms) == laps + 1, "race.clock_ms needs one value per boundary")
        _must(len(self.race.lap_nominal_ms) == laps, "race.lap_nominal_ms needs one value per lap")
        _must(len(self.conditions.by_lap) == laps, "conditions.by_lap needs one letter per lap")
        _must(set(self.conditions.by_lap) <= set("DNWX"), "conditions.by_lap knows D, N, W and X")
        clock = self.race.clock_ms
        _must(all(a < b for a, b in pairwise(clock)), "race.clock_ms must rise")
        _must(self.car.reserve_ml <= self.car.tank_ml, "car.reserve_ml must not exceed car.tank_ml")
        known = range(len(self.drivers))
        named = [d for group in self.rules.groups for d in group.drivers]
        named += [d for span in self.rules.spans for d in span.drivers]
        named += [pin.driver for pin in self.rules.pins if pin.driver is not None]
        windows = sorted(self.rules.pit_windows, key=lambda w: w.from_ms)
        _must(
            all(w.from_ms <= w.to_ms for w in windows),
            "rules.pit_windows must end after they start",
        )
        _must(
            all(a.to_ms < b.from_ms for a, b in pairwise(windows)),
            "rules.pit_windows must not overlap",
        )
        named += (self.rules.start_drivers or []) + (self.rules.finish_drivers or [])
        _must(all(d in known for d in named), "rules name a driver who is not in drivers")
        return self

    def fair_share_laps(self) -> int:
        """The fewest laps each driver must do under the fair-share rule, rounded up."""
        return -(-self.rules.fair_share_pct * self.race.laps // (100 * len(self.drivers)))


class Stint(Shape):
    """A run between two stops; `driver` counts the drivers of the instance from 0."""

    driver: Count
    laps: Positive
    tyres: Literal["new", "keep"] = "new"
    compound: Literal[0, 1] = 0


def _must(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)


def read_instance(data: object) -> Instance:
    """The instance in parsed JSON; raises InvalidInput naming each wrong field."""
    if isinstance(data, dict) and data.get("schema", SCHEMA) not in (SCHEMA, BATCH_SCHEMA):
        raise InvalidInput(
            f"This file says it is {data['schema']!r}; we read {SCHEMA}.",
            fields={"schema": [f"Must be {SCHEMA}."]},
        )
    try:
        return Instance.model_validate(data)
    except ValidationError as error:
        raise _refusal("The instance cannot be used", error) from error


def read_instances(data: object) -> list[Instance]:
    """One instance, or each entry of a batch file in its order."""
    if isinstance(data, dict) and data.get("schema") == BATCH_SCHEMA:
        entries = data.get("entries")
        if not isinstance(entries, list) or not entries:
            raise InvalidInput(
                "The batch has no entries.", fields={"entries": ["Must be a filled list."]}
            )
        return [read_instance(entry) for entry in entries]
    return [read_instance(data)]


def read_plan(data: object) -> list[Stint]:
    """A plan in parsed JSON: a list of stints; raises InvalidInput."""
    if not isinstance(data, list):
        raise InvalidInput("A plan is a list of stints.", fields={"plan": ["Must be a list."]})
    plan = []
    for number, item in enumerate(data):
        try:
            plan.append(Stint.model_validate(item))
        except ValidationError as error:
            raise _refusal(f"Stint {number + 1} cannot be read", error, f"plan.{number}.") from None
    return plan


def write_plan(plan: list[Stint]) -> list[dict]:
    return [
        {"driver": s.driver, "laps": s.laps, "tyres": s.tyres, "compound": s.compound} for s in plan
    ]


def _refusal(what: str, error: ValidationError, prefix: str = "") -> InvalidInput:
    fields: dict[str, list[str]] = {}
    for item in error.errors():
        name = prefix + ".".join(str(part) for part in item["loc"]) if item["loc"] else "instance"
        fields.setdefault(name, []).append(item["msg"].removeprefix("Value error, "))
    first = next(iter(fields))
    return InvalidInput(f"{what}: {first}: {fields[first][0]}", fields=fields)
