"""Which laps tell a driver's pace, and what that pace is.

Clean laps as our ORP v2 score sorts them (facts on ORP, section 6, steps 1 and 2): lap 1 of a race
is left out (standing start), so are laps marked invalid, laps much too short and laps where the
loop was missed; slow laps are incidents. What is left is clean. Times are whole milliseconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

SHORT_SHARE = 0.80  # below this share of the median no car can have gone all the way round
MISSED_LOOP_SHARE = 0.05  # this close to twice or three times the median the loop was missed
SLOW_SPREADS, SLOW_FLOOR_SHARE, SLOW_CEILING_SHARE = 3, 0.02, 0.15
SPREAD_TO_SIGMA = 1.4826  # median absolute deviation of a normal distribution to its sigma

FIRST, INVALID, SHORT, MISSED_LOOP, SLOW = "first", "invalid", "short", "missed_loop", "slow"


@dataclass(frozen=True, slots=True)
class PaceLap:
    """A lap for sorting. `is_valid` is the source's word (practice marks laps out of range)."""

    number: int
    ms: int
    is_valid: bool = True


@dataclass(frozen=True, slots=True)
class SortedLaps:
    """Clean laps in driven order, and why each other lap is not clean, by lap number."""

    clean: tuple[PaceLap, ...]
    why_not: dict[int, str]

    @property
    def median_ms(self) -> int | None:
        """Race pace: the median clean lap."""
        return round(median(lap.ms for lap in self.clean)) if self.clean else None


def sort_laps(laps: Iterable[PaceLap], *, is_race: bool = True) -> SortedLaps:
    """Sort one driver's laps of one run; `is_race` leaves lap 1 out, practice keeps it."""
    why_not: dict[int, str] = {}
    kept: list[PaceLap] = []
    for lap in laps:
        if not lap.is_valid:
            why_not[lap.number] = INVALID
        elif is_race and lap.number == 1:
            why_not[lap.number] = FIRST
        else:
            kept.append(lap)
    if not kept:
        return SortedLaps(clean=(), why_not=why_not)
    slow_from, middle = slow_limit([lap.ms for lap in kept])
    clean = []
    for lap in kept:
        if lap.ms < SHORT_SHARE * middle:
            why_not[lap.number] = SHORT
        elif any(
            abs(lap.ms - times * middle) <= MISSED_LOOP_SHARE * times * middle for times in (2, 3)
        ):
            why_not[lap.number] = MISSED_LOOP
        elif lap.ms > slow_from:
            why_not[lap.number] = SLOW
        else:
            clean.append(lap)
    return SortedLaps(clean=tuple(clean), why_not=why_not)


def slow_limit(times_ms: Sequence[int]) -> tuple[float, float]:
    """From where a lap is slow, and the median m: m + min(max(3 s, 2 % of m), 15 % of m).

    The spread s is taken of the fast half alone, which crashes cannot inflate.
    """
    middle = median(times_ms)
    spread = SPREAD_TO_SIGMA * median(middle - ms for ms in times_ms if ms <= middle)
    margin = max(SLOW_SPREADS * spread, SLOW_FLOOR_SHARE * middle)
    return middle + min(margin, SLOW_CEILING_SHARE * middle), middle


def gap_to_leader(laps_by_driver: dict[str, Sequence[int]]) -> dict[str, list[int]]:
    """Milliseconds behind whoever first completed each lap, lap by lap, for every driver."""
    ends: dict[str, list[int]] = {}
    for driver, times in laps_by_driver.items():
        total, sums = 0, []
        for ms in times:
            total += ms
            sums.append(total)
        ends[driver] = sums
    longest = max((len(sums) for sums in ends.values()), default=0)
    best = [min(sums[at] for sums in ends.values() if len(sums) > at) for at in range(longest)]
    return {driver: [at - best[n] for n, at in enumerate(sums)] for driver, sums in ends.items()}
