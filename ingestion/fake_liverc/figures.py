"""The statistics a timing page publishes, and how it writes numbers."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import sqrt


@dataclass(frozen=True, slots=True)
class Figures:
    """Published figures in milliseconds; σ and consistency with three decimals. None is left blank."""

    fast_ms: int | None = None
    fast_lap: int | None = None
    avg_ms: int | None = None
    top_ms: dict[int, int | None] | None = None
    two_ms: int | None = None
    three_ms: int | None = None
    deviation: Decimal | None = None
    consistency: Decimal | None = None


def half_up(value: Decimal | float, places: int) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def mean_ms(laps: list[int]) -> int:
    return (2 * sum(laps) + len(laps)) // (2 * len(laps))


def figures(laps_ms: tuple[int, ...], *, skips_first: bool) -> Figures:
    """Figures over all laps, or over all but lap 1 where the club's settings leave it out."""
    laps = list(laps_ms[1:] if skips_first else laps_ms)
    if not laps:
        return Figures()
    best = sorted(laps)
    fast = best[0]
    mean = sum(laps) / len(laps)
    deviation = sqrt(sum((ms - mean) ** 2 for ms in laps) / len(laps))
    return Figures(
        fast_ms=fast,
        fast_lap=laps.index(fast) + (2 if skips_first else 1),
        avg_ms=mean_ms(laps),
        top_ms={n: mean_ms(best[:n]) if len(best) >= n else None for n in (5, 10, 15)},
        two_ms=least_consecutive([laps], 2),
        three_ms=least_consecutive([laps], 3),
        deviation=half_up(deviation / 1000, 3),
        consistency=half_up(100 * (1 - deviation / mean), 3),
    )


def least_consecutive(stretches: list[list[int]], count: int) -> int | None:
    """The least time for `count` laps in a row, never across a gap between stretches."""
    sums = [sum(laps[n : n + count]) for laps in stretches for n in range(len(laps) - count + 1)]
    return min(sums, default=None)


def seconds(ms: int | None) -> str:
    """42996 -> '42.996', 117615 -> '117.615', None -> ''."""
    return "" if ms is None else f"{ms // 1000}.{ms % 1000:03}"


def trimmed(ms: int) -> str:
    """As the script writes lap times: 38170 -> '38.17', 41000 -> '41'."""
    return seconds(ms).rstrip("0").rstrip(".")


def clock(ms: int | None) -> str:
    """117615 -> '1:57.615'; below a minute bare seconds."""
    if ms is None:
        return ""
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}" if minutes else seconds(ms)


def minutes(whole_seconds: int) -> str:
    """508 -> '8:28', 55 -> '55'."""
    return (
        f"{whole_seconds // 60}:{whole_seconds % 60:02}"
        if whole_seconds >= 60
        else f"{whole_seconds}"
    )


def laps_and_time(laps: int, ms: int) -> str:
    return f"{laps}/{clock(ms)}" if laps else "0"
