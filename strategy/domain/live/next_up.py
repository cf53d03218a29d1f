"""Who gets in next, and who was named to do so if he cannot: both held to the same limits.

Times are ms since the green flag; laps count completed laps.
"""

from dataclasses import dataclass

from strategy.domain.live.fuel import to_add_ml
from strategy.domain.live.limits import get_in
from strategy.domain.live.log import Race
from strategy.domain.live.projection import Ahead, Projection
from strategy.domain.stints.instance import NIGHT, WET


@dataclass(frozen=True, slots=True)
class Backup:
    """Who was named to get in if the planned driver cannot; held to the same limits.

    `is_called`: the planned one is kept out or has not said that he is ready, and this one may drive.
    """

    seat: int
    name: str
    may_in_ms: int | None
    is_eligible: bool
    why_not: str
    is_called: bool


@dataclass(frozen=True, slots=True)
class NextUp:
    """The driver of the next stint; whoever stays in is ready. `why_not` says what keeps him out at the expected moment."""

    number: int
    seat: int
    name: str
    is_ready: bool
    is_confirmed: bool
    in_ms: int
    in_lap: int
    plus_minus_laps: int
    may_in_ms: int | None
    why_not: str
    add_ml: int
    backup: Backup | None = None


def to_add(projection: Projection, ahead: Ahead) -> int:
    """Fuel the stop before `ahead` has to put in, as expected now."""
    fuel, race = projection.fuel, projection.race
    if fuel is None:
        return 0
    burn = fuel.burn_ml
    until = max(ahead.start_lap - race.laps_done, 0)
    left = max(fuel.left_ml - until * burn, race.instance.car.reserve_ml)
    return to_add_ml(race, left_ml=left, next_laps=ahead.laps, burn_ml=burn)


def next_up(projection: Projection, who: list[str]) -> NextUp | None:
    race = projection.race
    ahead = next((a for a in projection.stints if race.running is None
                  or a.number != race.running.number), None)  # fmt: skip
    if ahead is None:
        return None
    stint = next(s for s in race.driven if s.number == ahead.number)
    stays = race.running is not None and race.running.seat == ahead.seat
    may_in, why = _may_take(race, ahead, ahead.seat, who)
    before = next((a for a in projection.stints if a.end_lap == ahead.start_lap), None)
    give = 0 if before is not None and before.is_pinned else 1
    is_ready, is_confirmed = stays or stint.status == "ready", stays or stint.plan.is_ready
    is_missing = bool(why) or not (is_ready or is_confirmed)
    return NextUp(
        ahead.number, ahead.seat, who[ahead.seat], is_ready, is_confirmed, ahead.start_ms,
        ahead.start_lap, give, may_in, why, to_add(projection, ahead),
        _backup(race, ahead, who, is_missing=is_missing),
    )  # fmt: skip


def _may_take(race: Race, ahead: Ahead, seat: int, who: list[str]) -> tuple[int | None, str]:
    """From when the driver may take this stint, and what keeps him out as it begins."""
    stays = race.running is not None and race.running.seat == seat
    may_in = ahead.start_ms if stays else get_in(race, seat)
    if may_in is None:
        return None, f"{who[seat]} has no driving time or no hours left."
    if may_in > ahead.start_ms:
        return may_in, f"{who[seat]} is not rested or not free before then."
    driver, letter = race.instance.drivers[seat], race.letter(ahead.start_lap)
    if driver.no_night and letter in NIGHT:
        return may_in, f"{who[seat]} may not drive at night."
    if driver.no_wet and letter in WET:
        return may_in, f"{who[seat]} may not drive in the wet."
    return may_in, ""


def _backup(race: Race, ahead: Ahead, who: list[str], *, is_missing: bool) -> Backup | None:
    seat = ahead.mark.backup
    if seat is None or seat == ahead.seat or seat >= len(who):
        return None
    may_in, why = _may_take(race, ahead, seat, who)
    return Backup(seat, who[seat], may_in, not why, why, is_missing and not why)
