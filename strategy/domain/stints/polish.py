"""Improves a plan by exact search among the turns close to it, one neighbourhood after another.

Each neighbourhood keeps most of the plan and frees the rest: a stretch of the race, two stretches,
a few drivers, or the laps of the stops. Which ones pay is learnt along the way; the random numbers have a
fixed seed, so the same problem is polished the same way.
"""

from collections.abc import Callable

import numpy as np

from strategy.domain.stints.relaxation import Bound, Path, Relaxation, best_prices
from strategy.domain.stints.search import Search

CAP = 400


class Polisher:
    def __init__(self, relaxation: Relaxation, bound: Bound):
        self.relaxation, self.bound = relaxation, bound
        self.columns = relaxation.columns
        self.n = self.columns.track.laps
        self.rng = np.random.default_rng(8)
        self.kinds = [self._stretch, self._two_stretches, self._some_drivers, self._shift]
        self.worth = np.ones(len(self.kinds))
        self.size = np.array([0.2, 0.12, 2.0, 2.0])

    def run(self, best: Path, left: Callable[[], float]) -> Path:
        """The best plan reached before time is up."""
        while left() > 0:
            kind = int(self.rng.choice(len(self.kinds), p=self.worth / self.worth.sum()))
            allowed = self.kinds[kind](best, self.size[kind])
            better, was_exact = self._search(best, allowed, left)
            if better:
                best = better
                self.worth[kind] += 1.0
            else:
                self.worth[kind] = max(self.worth[kind] * 0.93, 0.25)
                grow = (1.06 if was_exact else 0.94) if kind < 2 else (1.03 if was_exact else 0.97)
                low, high = ((0.08, 0.7), (0.06, 0.4), (2.0, 6.0), (1.0, 6.0))[kind]
                self.size[kind] = float(np.clip(self.size[kind] * grow, low, high))
        return best

    def _search(
        self, best: Path, allowed: np.ndarray, left: Callable[[], float]
    ) -> tuple[Path | None, bool]:
        local = best_prices(
            self.relaxation, first=self.bound.prices, allowed=allowed, rounds=6, close_enough_ms=200
        )
        if local.path is None or local.value >= best.cost:
            return None, True
        search = Search(self.relaxation, local)
        found = search.run(ceiling=best.cost - 1.0, cap=CAP, keep_going=lambda: left() > 0)
        return found.path, found.is_exact

    # -- neighbourhoods: which turns [driver, start, length] may be used

    def _own(self, best: Path) -> np.ndarray:
        allowed = np.zeros(self.columns.cost[0].shape, dtype=bool)
        for d, i, length, _ in best.turns:
            allowed[d, i, length] = True
        return allowed

    def _free(self, allowed: np.ndarray, best: Path, wide: int) -> None:
        start = int(self.rng.integers(0, max(self.n - wide, 1)))
        low = max((i for _, i, _, _ in best.turns if i <= start), default=0)
        ends = [i + m for _, i, m, _ in best.turns if i + m >= start + wide]
        high = min(ends, default=self.n)
        at = np.arange(self.n + 1)[:, None]
        allowed |= ((at >= low) & (self.columns.grid <= high))[None]

    def _stretch(self, best: Path, size: float) -> np.ndarray:
        allowed = self._own(best)
        self._free(allowed, best, max(int(size * self.n), 2))
        return allowed

    def _two_stretches(self, best: Path, size: float) -> np.ndarray:
        allowed = self._own(best)
        for _ in range(2):
            self._free(allowed, best, max(int(size * self.n), 2))
        return allowed

    def _some_drivers(self, best: Path, size: float) -> np.ndarray:
        """A few drivers share the laps they have now anew; stops may move by a lap."""
        allowed = self._near(best, 1)
        count = min(int(size), self.relaxation.drivers)
        some = self.rng.choice(self.relaxation.drivers, size=count, replace=False)
        theirs = np.zeros(self.n + 1, dtype=np.int64)  # laps not theirs, added up
        foreign = np.ones(self.n, dtype=np.int64)
        for d, i, length, _ in best.turns:
            if d in some:
                foreign[max(i - 1, 0) : i + length + 1] = 0
        theirs[1:] = np.cumsum(foreign)
        inside = theirs[self.columns.grid] == theirs[: self.n + 1, None]
        allowed[some] |= inside[None]
        return allowed

    def _shift(self, best: Path, size: float) -> np.ndarray:
        """The same drivers in the same order, every change of driver moved by a few laps."""
        return self._near(best, int(size))

    def _near(self, best: Path, reach: int) -> np.ndarray:
        allowed = np.zeros(self.columns.cost[0].shape, dtype=bool)
        for d, i, length, _ in best.turns:
            end = i + length
            starts = [0] if i == 0 else range(max(i - reach, 1), min(i + reach, self.n - 1) + 1)
            ends = (
                [end] if end == self.n else range(max(end - reach, 1), min(end + reach, self.n) + 1)
            )
            for a in starts:
                for b in ends:
                    if 0 < b - a <= self.columns.length:
                        allowed[d, a, b - a] = True
        return allowed
