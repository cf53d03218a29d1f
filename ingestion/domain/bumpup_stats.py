"""How those who moved up fare against those who qualified directly."""

from dataclasses import dataclass
from math import sqrt

FEWEST_RACES = 5
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval; no interval from fewer than five mains."""

    share: float
    low: float | None
    high: float | None
    races: int

    @property
    def text(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.share:.0%}"
        return f"{self.share:.0%} ({self.low:.0%} to {self.high:.0%})"


def beat_rate(
    *,
    races: int,
    beaten: int,
    pairs: int,
    beaten_squared: int,
    pairs_squared: int,
    beaten_pairs: int,
) -> Rate | None:
    """Share of (bumped, direct) pairs of one main in which the bumped driver finished in front.

    Pairs of one main are not independent, so the interval treats the main as the unit: the ratio
    estimator for clusters of unequal size, var = k/(k-1) · Σ(b-pn)² / (Σn)² (Cochran, Sampling
    Techniques, 3rd ed., 6.4 and 9A). Given are the sums over mains of b, n, b², n² and b·n.
    """
    if pairs < 1:
        return None
    share = beaten / pairs
    if races < FEWEST_RACES:
        return Rate(share, None, None, races)
    squares = beaten_squared - 2 * share * beaten_pairs + share**2 * pairs_squared
    error = sqrt(max(squares, 0.0) * races / (races - 1)) / pairs
    return Rate(share, max(share - Z95 * error, 0.0), min(share + Z95 * error, 1.0), races)
