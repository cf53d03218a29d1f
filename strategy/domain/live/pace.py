"""How fast the car really is against the plan, and how much it really burns.

Only clean laps count: no lap out of or into the pits, none under a flag, none more than 7 % slower
than expected. Figures of a race just begun lean on the plan until three laps are there.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from strategy.domain.live.log import Driven, Race
from strategy.domain.stints.scoring import lap_ms

SLOW_PERCENT = 107
PACE_LAPS, BURN_LAPS, ENOUGH_LAPS = 10, 5, 3
# What a lap under a flag burns of a green one; an assumption until readings say otherwise.
NEUTRAL_BURN = {"fcy": 0.5, "sc": 0.4, "red": 0.0}
MAD = 1.4826  # median absolute deviation -> standard deviation of a normal spread


@dataclass(frozen=True, slots=True)
class Pace:
    """Drift by seat in ms a lap (above 0: slower than planned) and the spread of clean laps, ms."""

    drift_ms: tuple[int, ...]
    spread_ms: int
    clean_laps: int


@dataclass(frozen=True, slots=True)
class Burn:
    """Share of the planned burn a lap really takes, and its spread (one deviation, as a share)."""

    ratio: float
    spread: float
    laps: int


def tyre_ages(race: Race) -> dict[int, int]:
    """Age of the tyres at the start of each stint that was begun, by stint number."""
    ages: dict[int, int] = {}
    age = 0
    for stint in race.driven:
        if stint.start_ms is None:
            continue
        age = 0 if stint.plan.tyres == "new" or not ages else age
        ages[stint.number] = age
        age += stint.laps
    return ages


def planned_lap_ms(
    race: Race, letter: str, seat: int, age: int, fuel_ml: int, compound: int
) -> int:
    """The plan's time for a lap in these conditions, whether or not the plan has such a lap."""
    letters = "".join(race.instance.conditions.by_lap)
    lap, instance = letters.find(letter), race.instance
    if lap < 0:
        conditions = instance.conditions.model_copy(update={"by_lap": letter})
        lap, instance = 0, instance.model_copy(update={"conditions": conditions})
    return lap_ms(instance, lap=lap, driver=seat, age=age, fuel_ml=fuel_ml, compound=compound)


def clean_laps(race: Race) -> list[tuple[Driven, int, int, int]]:
    """(stint, lap from 0, ms, expected ms) of every clean lap, in order."""
    found = []
    ages = tyre_ages(race)
    for stint in race.driven:
        if stint.start_ms is None or stint.start_lap is None:
            continue
        last = stint.start_lap + stint.laps - (1 if stint.is_closed else 0)
        fuel = stint.plan.fuel_in_ml
        for lap in range(stint.start_lap, last):
            letter = race.letter(lap)
            here, before = race.crossings.get(lap + 1), race.crossings.get(lap)
            burn = getattr(race.instance.car.burn_ml, letter)
            fuel_now, fuel = fuel, max(fuel - burn, 0)
            if here is None or before is None or lap == stint.start_lap:
                continue
            ms = here.lap_ms or here.at_ms - before.at_ms
            expected = planned_lap_ms(
                race, letter, stint.seat, ages[stint.number] + lap - stint.start_lap, fuel_now,
                stint.plan.compound,
            )  # fmt: skip
            if race.touches_neutral(before.at_ms, here.at_ms) or ms * 100 > expected * SLOW_PERCENT:
                continue
            found.append((stint, lap, ms, expected))
    return found


def pace_of(race: Race) -> Pace:
    """Drift of each driver: the median of his last clean laps; of the team where he has none."""
    by_seat: dict[int, list[int]] = {}
    for stint, _, ms, expected in clean_laps(race):
        by_seat.setdefault(stint.seat, []).append(ms - expected)
    every = [drift for drifts in by_seat.values() for drift in drifts[-PACE_LAPS:]]
    team = _leaning(every)
    seats = range(len(race.instance.drivers))
    drift = tuple(
        round(_leaning(by_seat[seat][-PACE_LAPS:])) if seat in by_seat else round(team)
        for seat in seats
    )
    spread = MAD * median(abs(d - median(every)) for d in every) if len(every) > 2 else 500
    return Pace(drift, round(spread), len(every))


def _leaning(values: list[int]) -> float:
    """The median, mixed with "as planned" (0) while there are fewer than three."""
    if not values:
        return 0.0
    return median(values) * min(len(values), ENOUGH_LAPS) / ENOUGH_LAPS


def known_fuel(race: Race) -> list[tuple[int, int, int]]:
    """(laps completed, moment, ml) wherever somebody or the feed told the fuel on board."""
    told = [(r.lap, r.at_ms, r.fuel_ml) for r in race.readings]
    told += [(n.lap, n.at_ms, n.fuel_ml) for n in race.crossings.values() if n.fuel_ml is not None]
    return sorted(told)


def burn_of(race: Race) -> Burn:
    """Burn against plan from pairs of readings within a stint, laps under flags left out."""
    ratios: list[float] = []
    known = known_fuel(race)
    for stint in race.driven:
        if stint.start_ms is None or stint.start_lap is None:
            continue
        end = stint.end_ms if stint.end_ms is not None else race.now_ms
        here = [k for k in known if stint.start_ms <= k[1] <= end]
        for (lap, at, ml), (next_lap, next_at, next_ml) in pairwise(here):
            laps = next_lap - lap
            planned = sum(
                getattr(race.instance.car.burn_ml, race.letter(n)) for n in range(lap, next_lap)
            )
            if laps < 1 or next_ml >= ml or not planned or race.touches_neutral(at, next_at):
                continue
            ratios += [(ml - next_ml) / planned] * min(laps, BURN_LAPS)
    last = ratios[-BURN_LAPS:]
    if not last:
        return Burn(1.0, 0.03, 0)
    middle, sure = median(last), min(len(last), ENOUGH_LAPS) / ENOUGH_LAPS
    spread = MAD * median(abs(r - middle) for r in last)
    return Burn(1.0 + (middle - 1.0) * sure, max(spread, 0.01 if sure == 1 else 0.03), len(last))
