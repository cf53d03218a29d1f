"""Fuel on board now, how sure that is, and what it is good for. Volumes in ml."""

from dataclasses import dataclass

from strategy.domain.live.log import Driven, Race
from strategy.domain.live.pace import NEUTRAL_BURN, Burn, known_fuel

# How wrong the plan's fill may be where nobody read the gauge; an assumption.
FILL_SPREAD = 0.01
SIGMAS = 2.0


@dataclass(frozen=True, slots=True)
class Fuel:
    """Fuel after the last lap; `low` and `high` hold it in about 19 of 20 cases.

    `laps`: whole laps until the reserve is touched, at the burn of the conditions now.
    """

    left_ml: int
    low_ml: int
    high_ml: int
    burn_ml: int
    laps: int
    laps_low: int
    laps_high: int
    is_read: bool
    table: tuple[tuple[int, int], ...]  # fuel needed for 1..10 laps, reserve included


def burn_at(race: Race, lap: int, burn: Burn) -> float:
    """What lap `lap` (from 0) takes, flags counted where they were out for most of it."""
    ml = getattr(race.instance.car.burn_ml, race.letter(lap)) * burn.ratio
    here, before = race.crossings.get(lap + 1), race.crossings.get(lap)
    if here is not None and before is not None:
        under = race.neutral_at((here.at_ms + before.at_ms) // 2)
        ml *= NEUTRAL_BURN[under.kind] if under else 1.0
    return ml


def fuel_at_start(race: Race, stint: Driven, burn: Burn) -> float:
    """Fuel as the stint began: what was left and added where that is known, else as planned."""
    fill = next(
        (f for f in race.fills if f.fuel_added_ml is not None and stint.start_ms is not None
         and f.in_ms <= stint.start_ms and f.in_ms > _end_before(race, stint) - 1),
        None,
    )  # fmt: skip
    before = [s for s in race.driven if s.end_ms is not None and s.number < stint.number]
    if fill is None or fill.fuel_added_ml is None or not before:
        return stint.plan.fuel_in_ml
    left = fuel_of(race, before[-1], burn).left_ml
    return min(left + fill.fuel_added_ml, race.instance.car.tank_ml)


def _end_before(race: Race, stint: Driven) -> int:
    ends = [s.end_ms for s in race.driven if s.end_ms is not None and s.number < stint.number]
    return ends[-1] if ends else 0


def fuel_of(race: Race, stint: Driven, burn: Burn) -> Fuel:
    """Fuel at the end of the last lap of a stint that was begun."""
    first = stint.start_lap or 0
    last = first + stint.laps
    start = stint.start_ms or 0
    end = stint.end_ms if stint.end_ms is not None else race.now_ms
    known = [k for k in known_fuel(race) if start <= k[1] <= end and k[0] <= last]
    if known:
        lap, _, ml = known[-1]
        left, sure = float(ml), 0.0
    else:
        lap, left = first, float(fuel_at_start(race, stint, burn))
        sure = FILL_SPREAD * left
    used = sum(burn_at(race, n, burn) for n in range(lap, last))
    # a wrong estimate of the burn is wrong in every lap alike
    spread = SIGMAS * ((used * burn.spread) ** 2 + sure**2) ** 0.5
    left -= used
    car = race.instance.car
    now_burn = max(getattr(car.burn_ml, race.letter(last)) * burn.ratio, 1.0)

    def laps(ml: float) -> int:
        return max(int((ml - car.reserve_ml) // now_burn), 0)

    return Fuel(
        max(round(left), 0), max(round(left - spread), 0), min(round(left + spread), car.tank_ml),
        round(now_burn), laps(left), laps(left - spread), laps(left + spread), bool(known),
        tuple((n, round(n * now_burn) + car.reserve_ml) for n in range(1, 11)),
    )  # fmt: skip


def to_add_ml(race: Race, *, left_ml: int, next_laps: int, burn_ml: int) -> int:
    """What the stop has to put in: the next stint and the reserve, as far as the tank goes."""
    car = race.instance.car
    return max(min(car.tank_ml - left_ml, next_laps * burn_ml + car.reserve_ml - left_ml), 0)
