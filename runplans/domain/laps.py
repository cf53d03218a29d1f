"""How many laps a timed run holds, and how many stops a number of laps needs.

All times share one unit, all volumes another; nothing here is a float.
"""

from collections.abc import Callable
from enum import StrEnum


class FinishRule(StrEnum):
    """What happens when the clock of a timed run reaches zero."""

    FLOOR = "floor"  # only laps finished in time count
    FINISH_LAP = "finish_lap"  # the lap under way is finished and counts
    PLUS_ONE = "plus_one"  # that lap is finished, and one more is driven


def laps_within(
    *, duration: int, pace: int, rule: FinishRule, time_lost: Callable[[int], int] | None = None
) -> int:
    """Laps of a run of `duration` at `pace`; `time_lost(laps)` is what its stops cost.

    floor: the most laps whose time fits the duration; finish_lap: the fewest whose time reaches
    it (the checkered flag waits for whoever is on a lap when time is up); plus_one: one more.
    With stops, each lap more costs at least `pace` and never saves a stop, so time grows with
    laps and halving finds the count at which laps and stops agree. Repeating "laps for these
    stops, stops for these laps" until both are stable gives the same where it settles.
    """
    if time_lost is None:
        floor, rest = divmod(duration, pace)
        reach = floor + (rest > 0)
    else:
        low, high = 0, duration // pace + 1  # high laps take longer even without a stop
        while high - low > 1:
            middle = (low + high) // 2
            if middle * pace + time_lost(middle) <= duration:
                low = middle
            else:
                high = middle
        floor = low
        reach = floor if floor * pace + time_lost(floor) == duration else floor + 1
    return {FinishRule.FLOOR: floor, FinishRule.FINISH_LAP: reach, FinishRule.PLUS_ONE: reach + 1}[
        rule
    ]


def stops_for(*, laps: int, first: int, per_stint: int | None) -> int:
    """Stops of a run whose first stint holds `first` laps and each later one `per_stint`.

    `per_stint` None is a tank of unknown size: whatever is left fits after one stop.
    """
    left = laps - first
    if left <= 0:
        return 0
    return 1 if per_stint is None else -(-left // per_stint)
