"""The rules of a race as checked data (`ruleset/1`), and from them the problem to solve.

Times in seconds in the rule set (people read it), milliseconds everywhere inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from racecontrol.shared.errors import ImpossiblePlan, InvalidInput

Seconds = Annotated[int, Field(ge=0, le=10_000_000)]
LONGEST_LAPS = 4_000


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ByCategory(Shape):
    """Drive time for drivers of some categories; it wins over the general numbers."""

    category: list[str]
    min_s: Seconds | None = None
    max_s: Seconds | None = None
    continuous_max_s: Seconds | None = None


class GroupRule(Shape):
    """Drivers of these categories together drive at least this long.

    With `block_s` also at least `block_min_s` in every whole block of that length.
    """

    name: str = "group"
    category: list[str]
    min_s: Seconds
    block_s: Annotated[int, Field(ge=600, le=10_000_000)] | None = None
    block_min_s: Seconds = 0


class RollingRule(Shape):
    max_s: Seconds
    window_s: Annotated[int, Field(ge=1, le=10_000_000)]


class WindowRule(Shape):
    """Stops that must begin within a span of race time, each at least so long from in to out."""

    name: str = "pit window"
    from_s: Seconds
    to_s: Seconds
    stops: Annotated[int, Field(ge=1, le=50)] = 1
    min_total_s: Seconds = 0


class PartRule(Shape):
    """What each driver of these categories (none named: every driver) drives in a part of the race."""

    name: str = "second half"
    category: list[str] = []
    from_pct: Annotated[int, Field(ge=0, le=100)] = 50
    to_pct: Annotated[int, Field(ge=0, le=100)] = 100
    min_s: Seconds = 0
    max_s: Seconds | None = None


class HeatRule(Shape):
    """Shorter running and longer rest, as soon as the race director puts it in force."""

    is_on: bool = False
    continuous_max_s: Annotated[int, Field(ge=60, le=10_000_000)] = 4_800
    rest_s: Seconds = 1_800


class Regulations(Shape):
    """What a race demands. Everything is optional: no number, no rule."""

    key: str = "house"
    source: str = ""
    min_drive_s: Seconds = 0
    max_drive_s: Seconds | None = None
    continuous_max_s: Seconds | None = None
    max_stints_in_a_row: Annotated[int, Field(ge=1, le=50)] = 2
    rest_s: Seconds = 0
    rolling: RollingRule | None = None
    fair_share_pct: Annotated[int, Field(ge=0, le=100)] = 0
    by_category: list[ByCategory] = []
    groups: list[GroupRule] = []
    mandatory_stops: Annotated[int, Field(ge=0, le=500)] = 0
    min_stint_laps: Annotated[int, Field(ge=1, le=500)] = 3
    max_stint_laps: Annotated[int, Field(ge=1, le=2000)] | None = None
    pit_lane_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    min_service_s: Seconds = 0
    refuel_ml_per_s: Annotated[int, Field(ge=1, le=100_000)] = 2_500
    tyre_change_s: Seconds = 20
    driver_change_s: Seconds = 25
    service_order: Literal["parallel", "fuel_then_tyres", "sequential"] = "fuel_then_tyres"
    tyres: Literal["every_stop", "optional"] = "every_stop"
    pit_closed_laps: list[Annotated[int, Field(ge=0, le=LONGEST_LAPS)]] = []
    start_drivers: list[str] | None = None
    finish_drivers: list[str] | None = None
    max_share_pct: Annotated[int, Field(ge=1, le=100)] | None = None
    fewest_drivers: Annotated[int, Field(ge=1, le=64)] | None = None
    most_drivers: Annotated[int, Field(ge=1, le=64)] | None = None
    tyre_sets: Annotated[int, Field(ge=1, le=500)] | None = None
    pit_windows: Annotated[list[WindowRule], Field(max_length=4)] = []
    parts: Annotated[list[PartRule], Field(max_length=20)] = []
    heat: HeatRule | None = None
    max_stint_s: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    min_refuel_s: Seconds = 0
    min_stop_s: Seconds = 0
    no_night_categories: list[str] = []
    no_wet_categories: list[str] = []

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Self:
        """Raises ValueError where two numbers cannot both hold."""
        _ordered("max_drive_s", self.min_drive_s, self.max_drive_s)
        _ordered("max_stint_laps", self.min_stint_laps, self.max_stint_laps)
        if self.fewest_drivers:
            _ordered("most_drivers", self.fewest_drivers, self.most_drivers)
        for window in self.pit_windows:
            _ordered("pit_windows.to_s", window.from_s + 1, window.to_s)
        windows = sorted(self.pit_windows, key=lambda w: w.from_s)
        for window, later in pairwise(windows):
            _ordered("pit_windows.from_s", window.to_s + 1, later.from_s)
        for part in self.parts:
            _ordered("parts.to_pct", part.from_pct + 1, part.to_pct)
            _ordered("parts.max_s", part.min_s, part.max_s)
        return self


def _ordered(field: str, least: int, most: int | None) -> None:
    if most is not None and most < least:
        raise ValueError(f"{field} is {most}, below {least}")


def read_regulations(data: object) -> Regulations:
    """The rule set in parsed JSON; raises InvalidInput naming each wrong field."""
    try:
        return Regulations.model_validate(data)
    except ValidationError as error:
        fields: dict[str, list[str]] = {}
        for item in error.errors():
            name = ".".join(["regulations", *(str(part) for part in item["loc"])])
            fields.setdefault(name, []).append(item["msg"])
        first = next(iter(fields))
        raise InvalidInput(
            f"The regulations cannot be used: {first}: {fields[first][0]}", fields=fields
        ) from error


# A start for each series, from public pages of the year named: check before use, rules change.
PRESETS: dict[str, dict] = {
    "house": {"key": "house", "rest_s": 3600, "continuous_max_s": 9000},
    "iracing-team": {
        "key": "iracing-team",
        "source": "iRacing team driving FAQ, 2015; check before use",
        "fair_share_pct": 25,
    },
    "le-mans-24": {
        "key": "le-mans-24",
        "source": "FIA WEC and ACO pages, 2017-2024; check before use",
        "min_drive_s": 21_600,
        "max_drive_s": 50_400,
        "rolling": {"max_s": 14_400, "window_s": 21_600},
        "heat": {"is_on": False},
    },
    "spa-24": {
        "key": "spa-24",
        "source": "gt-world-challenge-europe.com 2023, endurance-info 2020; check before use",
        "min_drive_s": 7_200,
        "max_drive_s": 39_600,
        "continuous_max_s": 11_700,
        "rest_s": 3_600,
        "max_stint_s": 3_900,
        "min_refuel_s": 40,
        "pit_windows": [
            {"name": "technical stop", "from_s": 43_200, "to_s": 79_200, "min_total_s": 240}
        ],
    },
    "bathurst-12": {
        "key": "bathurst-12",
        "source": "bathurst12hour.com.au 2023; check before use",
        "max_drive_s": 20_400,
        "continuous_max_s": 9_000,
        "rest_s": 3_600,
        "by_category": [{"category": ["Bronze"], "continuous_max_s": 4_800}],
        "parts": [{"category": ["Bronze"], "from_pct": 50, "min_s": 3_600}],
    },
    "kart-6h": {
        "key": "kart-6h",
        "source": "a common club rule; check before use",
        "continuous_max_s": 3_600,
        "rest_s": 1_200,
        "mandatory_stops": 6,
        "min_service_s": 60,
        "tyres": "optional",
    },
}


@dataclass(frozen=True, slots=True)
class Entrant:
    """A driver as the problem needs him. Windows in ms on the race clock."""

    name: str
    lap_ms: int
    wet_lap_ms: int
    windows: Sequence[tuple[int, int]]
    category: str = ""
    no_night: bool = False
    no_wet: bool = False


@dataclass(frozen=True, slots=True)
class CarNumbers:
    tank_ml: int
    reserve_ml: int
    burn_ml: int
    wet_burn_percent: int
    fuel_us_per_ml: int
    tyre_life_laps: int
    tyre_deg_ms: int
    tyre_deg2_us: int
    tyre_cold_ms: int
    tyre_wrong_ms: int


def race_laps(
    *, duration_ms: int, lap_ms: int, laps_per_tank: int, stop_ms: int
) -> tuple[int, list[int]]:
    """Laps started before the flag with a nominal stop at each empty tank, and the clock at each boundary."""
    if min(duration_ms, lap_ms, laps_per_tank) < 1:
        raise ImpossiblePlan("Race length, lap time and laps on a tank must be above zero.")
    clock = [0]
    while clock[-1] < duration_ms:
        laps = len(clock) - 1
        stop = stop_ms if laps and laps % laps_per_tank == 0 else 0
        clock.append(clock[-1] + stop + lap_ms)
        if len(clock) > LONGEST_LAPS:
            raise ImpossiblePlan(f"The race has more than {LONGEST_LAPS} laps: check the lap time.")
    return len(clock) - 1, clock


def letters_of(clock: Sequence[int], conditions: Sequence[Sequence]) -> str:
    """One letter a lap from spans [from_ms, to_ms, "N" | "W" | "X"]; what is not said is a dry day."""
    letters = []
    for at in clock[:-1]:
        night = any(a <= at < b and kind in ("N", "X") for a, b, kind in conditions)
        wet = any(a <= at < b and kind in ("W", "X") for a, b, kind in conditions)
        letters.append("DNWX"[night + 2 * wet])
    return "".join(letters)


def build_problem(
    *,
    name: str,
    duration_ms: int,
    lap_ms: int,
    conditions: Sequence[Sequence],
    car: CarNumbers,
    rules: Regulations,
    drivers: Sequence[Entrant],
) -> dict:
    """The stint problem (`stintopt/1`) of one car in one race.

    A timed race has as many laps as start before the flag at the typical lap and nominal stops. Laps
    at night burn what dry laps by day burn, wet ones the car's wet share.
    """
    _check_crew(rules, len(drivers))
    laps_per_tank = _laps_per_tank(car, rules)
    laps, clock = race_laps(
        duration_ms=duration_ms, lap_ms=lap_ms, laps_per_tank=laps_per_tank,
        stop_ms=_nominal_stop_ms(car, rules, laps_per_tank),
    )  # fmt: skip
    letters = letters_of(clock, conditions)
    wet_lap = min(d.wet_lap_ms for d in drivers)
    far = clock[-1] + 1
    return {
        "schema": "stintopt/1",
        "id": name,
        "race": {
            "laps": laps,
            "clock_ms": clock,
            "lap_nominal_ms": [
                max(wet_lap, lap_ms) if letter in "WX" else lap_ms for letter in letters
            ],
        },
        "conditions": {"by_lap": letters},
        "car": _car_out(car),
        "pit": _pit_out(rules, laps),
        "rules": _rules_out(rules, drivers, duration_ms, far),
        "drivers": [_driver_out(who, rules, duration_ms, far) for who in drivers],
    }


def _laps_per_tank(car: CarNumbers, rules: Regulations) -> int:
    """The most laps of a nominal stint: fuel, tyres, the rules. Raises ImpossiblePlan if too few."""
    usable = car.tank_ml - car.reserve_ml
    laps = min(usable // max(car.burn_ml, 1), car.tyre_life_laps)
    if rules.max_stint_laps:
        laps = min(laps, rules.max_stint_laps)
    if laps < rules.min_stint_laps:
        raise ImpossiblePlan(
            f"A tank lasts {laps} laps, but a stint takes at least {rules.min_stint_laps}."
        )
    return laps


def _nominal_stop_ms(car: CarNumbers, rules: Regulations, laps: int) -> int:
    """Lane and service of a stop that refuels so many laps."""
    refuel_ms = -(-laps * car.burn_ml * 1000 // rules.refuel_ml_per_s)
    service_ms = max(refuel_ms, rules.min_refuel_s * 1000, rules.min_service_s * 1000)
    return max(round(rules.pit_lane_s * 1000) + service_ms, rules.min_stop_s * 1000)


def _car_out(car: CarNumbers) -> dict:
    wet_burn = max(car.burn_ml * car.wet_burn_percent // 100, 1)
    return {
        "tank_ml": car.tank_ml, "reserve_ml": car.reserve_ml,
        "burn_ml": {"D": car.burn_ml, "N": car.burn_ml, "W": wet_burn, "X": wet_burn},
        "fuel_us_per_ml": car.fuel_us_per_ml,
        "tyre": {"life_laps": car.tyre_life_laps, "deg_ms": car.tyre_deg_ms,
                 "deg2_us": car.tyre_deg2_us, "cold_ms": car.tyre_cold_ms,
                 "wrong_ms": car.tyre_wrong_ms},
    }  # fmt: skip


def _pit_out(rules: Regulations, laps: int) -> dict:
    return {
        "lane_ms": round(rules.pit_lane_s * 1000), "refuel_ml_per_s": rules.refuel_ml_per_s,
        "tyre_ms": rules.tyre_change_s * 1000, "swap_ms": rules.driver_change_s * 1000,
        "mode": rules.service_order, "min_service_ms": rules.min_service_s * 1000,
        "min_refuel_ms": rules.min_refuel_s * 1000, "min_total_ms": rules.min_stop_s * 1000,
        "closed_laps": [n for n in rules.pit_closed_laps if n < laps],
    }  # fmt: skip


def _rules_out(rules: Regulations, drivers: Sequence[Entrant], duration_ms: int, far: int) -> dict:
    """The rules of the whole car; `far` is a moment (ms) after the last lap."""
    seat = {who.name: n for n, who in enumerate(drivers)}
    return {
        "min_stint_laps": rules.min_stint_laps, "max_stint_laps": rules.max_stint_laps,
        "max_stint_ms": rules.max_stint_s * 1000 if rules.max_stint_s else None,
        "tyre_sets": rules.tyre_sets,
        "pit_windows": [
            {"name": w.name, "from_ms": w.from_s * 1000, "to_ms": w.to_s * 1000,
             "count": w.stops, "min_total_ms": w.min_total_s * 1000}
            for w in rules.pit_windows
        ],
        "spans": _spans(rules, drivers, duration_ms, far),
        "tyre_policy": rules.tyres, "fair_share_pct": rules.fair_share_pct,
        "groups": [
            {"name": g.name, "min_drive_ms": g.min_s * 1000,
             "drivers": [n for n, who in enumerate(drivers) if who.category in g.category]}
            for g in rules.groups
        ],
        "start_drivers": _seats(rules.start_drivers, seat, "start_drivers"),
        "finish_drivers": _seats(rules.finish_drivers, seat, "finish_drivers"),
        "min_stops": rules.mandatory_stops,
        "rolling": None if rules.rolling is None else {
            "max_ms": rules.rolling.max_s * 1000, "window_ms": rules.rolling.window_s * 1000},
        "fresh_ms": 4_200_000, "balance_tolerance_ms": 30_000,
    }  # fmt: skip


def _driver_out(who: Entrant, rules: Regulations, duration_ms: int, far: int) -> dict:
    """A driver with the limits that hold for them: the race's, their category's, the heat's."""
    special = next((r for r in rules.by_category if who.category in r.category), None)
    least, most = rules.min_drive_s, rules.max_drive_s
    running, rest = rules.continuous_max_s, rules.rest_s
    if special:
        least = special.min_s if special.min_s is not None else least
        most = special.max_s if special.max_s is not None else most
        running = special.continuous_max_s if special.continuous_max_s is not None else running
    if rules.max_share_pct is not None:
        share = duration_ms * rules.max_share_pct // 100_000  # seconds
        most = share if most is None else min(most, share)
    if rules.heat is not None and rules.heat.is_on:
        running = min(running or rules.heat.continuous_max_s, rules.heat.continuous_max_s)
        rest = max(rest, rules.heat.rest_s)
    return {
        "id": who.name,
        "category": who.category,
        "lap_ms": {"D": who.lap_ms, "N": who.lap_ms, "W": who.wet_lap_ms, "X": who.wet_lap_ms},
        # the nominal clock runs a little past the flag: free to the end means to the last lap
        "available_ms": [[a, far if b >= duration_ms else b] for a, b in who.windows],
        "no_night": who.no_night or who.category in rules.no_night_categories,
        "no_wet": who.no_wet or who.category in rules.no_wet_categories,
        "min_drive_ms": least * 1000,
        "max_drive_ms": far if most is None else most * 1000,
        "max_continuous_ms": far if running is None else running * 1000,
        "max_consecutive": rules.max_stints_in_a_row,
        "min_rest_ms": rest * 1000,
    }


def _check_crew(rules: Regulations, size: int) -> None:
    if not size:
        raise ImpossiblePlan("Nobody drives: put drivers into the plan.")
    least, most = rules.fewest_drivers or 1, rules.most_drivers or size
    if not least <= size <= most:
        raise ImpossiblePlan(
            f"The rules ask for {least} to {most} drivers; there are {size}.",
            fields={"drivers": [f"{least} to {most} drivers."]},
        )


def _spans(
    rules: Regulations, drivers: Sequence[Entrant], duration_ms: int, far: int
) -> list[dict]:
    """Parts of the race, driver by driver, and the blocks of groups, on the race clock."""
    spans = []
    for part in rules.parts:
        for n, who in enumerate(drivers):
            if not part.category or who.category in part.category:
                spans.append({
                    "name": part.name, "drivers": [n],
                    "from_ms": duration_ms * part.from_pct // 100,
                    # the nominal clock runs a little past the flag
                    "to_ms": duration_ms * part.to_pct // 100 if part.to_pct < 100 else far,
                    "min_drive_ms": part.min_s * 1000,
                    "max_drive_ms": None if part.max_s is None else part.max_s * 1000,
                })  # fmt: skip
    for group in rules.groups:
        members = [n for n, who in enumerate(drivers) if who.category in group.category]
        block_ms = (group.block_s or 0) * 1000
        for at in range(duration_ms // block_ms if block_ms and group.block_min_s else 0):
            spans.append({
                "name": f"{group.name}, block {at + 1}", "drivers": members,
                "from_ms": at * block_ms, "to_ms": (at + 1) * block_ms,
                "min_drive_ms": group.block_min_s * 1000,
            })  # fmt: skip
    return spans


def _seats(names: list[str] | None, seat: dict[str, int], field: str) -> list[int] | None:
    if names is None:
        return None
    known = [seat[name] for name in names if name in seat]
    if not known:  # the rule names people of every team; one's own must be among them
        told = f"None of {', '.join(names) or 'nobody'} is among the drivers."
        raise InvalidInput(told, fields={f"regulations.{field}": [told]})
    return known
