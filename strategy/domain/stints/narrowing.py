"""Ledgers one after another: each raises the bound and strikes turns no better plan can use.

Single rules first (a tenth of a second each), then pairs and triples of those that gained most, as
far as time and memory allow.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from strategy.domain.stints.ledger import Counted, Ledger, account_of
from strategy.domain.stints.relaxation import NEVER, Bound, Relaxation

MOST_NUMBERS = 30_000_000  # of a ledger's table, 8 bytes each
SECONDS_A_NUMBER = 1.2e-8
MOST_SINGLES, MOST_IN_SEARCH = 10, 3
UNEVEN = 0.02  # laps that differ by more are counted in parts
TINY_MS = 1e-3


class Narrowing:
    """What is known about plans cheaper than the best one: a bound, and the turns they may use."""

    def __init__(self, relaxation: Relaxation, bound: Bound):
        self.relaxation, self.base = relaxation, bound
        self.price = bound.prices
        self.floor = relaxation.through(bound)  # [d, start, length], only ever raised
        self.value = bound.value
        self.counted: list[Counted] = []
        self.gains: dict[tuple[int, ...], float] = {}
        nominal = relaxation.columns.track.nominal
        self.parts = 4 if nominal.max() > (1 + UNEVEN) * nominal.min() else 1
        self._bound: tuple[int, Bound] = (-1, bound)

    def alive(self, best: int) -> np.ndarray:
        """The turns a plan cheaper than `best` may use."""
        return np.asarray(self.floor <= best - 1 + TINY_MS)

    def bound(self, best: int) -> Bound:
        """The relaxation without the turns struck."""
        alive = self.alive(best)
        size = int(alive.sum())
        if size != self._bound[0]:
            bound = self.relaxation.evaluate(self.price, allowed=alive, want_path=False)
            self._bound = (size, bound)
        return self._bound[1]

    def advance(self, best: int, left: Callable[[], float]) -> bool:
        """Try the next sets of rules while `left()` seconds allow; False: nothing left to try."""
        tried = False
        for accounts in self._agenda():
            ledger = Ledger(self.relaxation, accounts)
            alive = self.alive(best)
            if self._cost(ledger, int(alive.sum())) > left() and (tried or len(accounts) > 1):
                continue
            tried = True
            self._use(ledger, alive, best)
            if self.value >= best or left() <= 0:
                break
        return tried

    def _use(self, ledger: Ledger, alive: np.ndarray, best: int) -> None:
        key = tuple(account.at for account in ledger.accounts)
        found = ledger.evaluate(self.price[ledger.priced], allowed=alive)
        value = min(found.value, float(best))
        self.gains[key] = value - self.base.value
        self.value = max(self.value, value)
        if value >= best:
            return
        self.floor = np.maximum(self.floor, np.where(alive, found.through(), NEVER))
        kept = [c for c in self.counted if not _holds(key, c)]
        self.counted = sorted([*kept, found], key=lambda c: -c.value)[:MOST_IN_SEARCH]

    def _cost(self, ledger: Ledger, turns: int) -> float:
        """About how many seconds this ledger takes; infinite beyond the memory it may use."""
        relaxation = self.relaxation
        size, n = relaxation.drivers, relaxation.n + relaxation.length
        if ledger.states * (size + size * size) * n > MOST_NUMBERS:
            return float("inf")
        return SECONDS_A_NUMBER * ledger.states * (size * turns + n * size**3)

    def _agenda(self) -> list[list]:
        """Sets of rules not tried yet, the most promising first."""
        totals = self.relaxation.totals
        binding = [
            at
            for at, total in enumerate(totals)
            if total.name != "rolling" and not total.per_layer and self.price[at] > 0
        ]
        worth = sorted(binding, key=lambda at: -self.price[at] * totals[at].scale)[:MOST_SINGLES]
        sets: list[tuple[int, ...]] = [(at,) for at in worth]
        if all(key in self.gains for key in sets):
            sets += sorted(combinations(worth, 2), key=self._hope)
            if any(len(key) == 2 for key in self.gains):
                sets += sorted(combinations(worth, 3), key=self._hope)[:6]
        return [
            [account_of(self.relaxation, at, self.parts) for at in key]
            for key in sets
            if key not in self.gains
        ]

    def _hope(self, key: tuple[int, ...]) -> float:
        """Minus what the set may gain: what its single rules gained."""
        return -sum(self.gains.get((at,), 0.0) for at in key)


def _holds(key: tuple[int, ...], counted: Counted) -> bool:
    """Whether the new set makes an older one needless."""
    return {account.at for account in counted.ledger.accounts} < set(key)
