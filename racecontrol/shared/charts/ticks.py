"""Round numbers for axes, and what counts as off the scale."""

import math
import statistics
from collections.abc import Sequence

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
TIME_STEPS = (
    *(n * SECOND for n in (10, 15, 20, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 12, 24)),
)
# A value this many interquartile ranges beyond the quartiles is another kind of lap: a crash, a stop.
FENCE = 3


def round_ticks(low: float, high: float, *, at_most: int = 6, is_time: bool = False) -> list[float]:
    """Round values from low to high, at most about `at_most` of them. `is_time`: milliseconds."""
    if high <= low:
        return [low]
    step = _step((high - low) / max(at_most - 1, 1), is_time=is_time)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(n * step, 9) for n in range(first, last + 1)]


def whole_ticks(low: int, high: int, *, at_most: int = 8) -> list[int]:
    """Laps or places: the first, then round ones."""
    if high <= low:
        return [low]
    step = max(round(_step((high - low) / max(at_most - 1, 1))), 1)
    rounds = range((low // step + 1) * step, high + 1, step)
    return [low, *(n for n in rounds if n - low > step / 2)]  # not right beside the first


def _step(at_least: float, *, is_time: bool = False) -> float:
    if is_time and at_least > 5 * SECOND:
        return next(
            (step for step in TIME_STEPS if step >= at_least),
            24 * HOUR * math.ceil(at_least / 24 / HOUR),
        )
    size = 10 ** math.floor(math.log10(at_least))
    return next(size * m for m in (1, 2, 5, 10) if size * m >= at_least * (1 - 1e-9))


def usual_range(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Lowest and highest of the usual values of all groups; each group is judged by its own spread.

    Usual: within Tukey's outer fences of the group, at least 2 % of its median wide. In a group of
    fewer than four values nothing can be called unusual. There must be a value.
    """
    lows, highs = [], []
    for values in groups:
        if not values:
            continue
        if len(values) < 4:
            low, high = min(values), max(values)
        else:
            low, high = _within_fences(values)
        lows.append(low)
        highs.append(high)
    return min(lows), max(highs)


def _within_fences(values: Sequence[float]) -> tuple[float, float]:
    low_quarter, median, high_quarter = statistics.quantiles(values, n=4, method="inclusive")
    reach = max(FENCE * (high_quarter - low_quarter), abs(median) * 0.02)
    usual = [v for v in values if low_quarter - reach <= v <= high_quarter + reach]
    return min(usual), max(usual)
