"""The problem to solve (`stintopt/1`) of one car in one race, from its rules, car and drivers.

Times in milliseconds; the rule set has them in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from racecontrol.shared.errors import ImpossiblePlan, InvalidInput
from strategy.domain.regulations import LONGEST_LAPS, Regulations


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
