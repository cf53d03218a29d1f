"""The relaxation with a ledger: a few rules about totals are counted exactly, not priced.

Prices cannot see that drive time comes in whole turns: the cheapest mixture of turns meets a minimum
to the millisecond, a real plan overshoots it. A ledger keeps, for a few such rules, what is still
owed as part of the state. What a turn pays in is rounded in the plan's favour, so the bound stays true.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from strategy.domain.stints.relaxation import NEVER, Path, Relaxation, Total

PORTION = 8_000  # numbers looked at together: what stays near the processor
MANY = 300  # states: beyond, one look-up after another is faster


@dataclass(frozen=True, slots=True)
class Account:
    """One rule on the ledger, in units of about a lap.

    A floor ("at least") is paid off down to 0 and stays there; a ceiling ("at most", `total.least`
    below 0) may not go below 0. `pays[d, j] - pays[d, i]` would not be exact after rounding, so
    the amounts come from the turn's own sum.
    """

    at: int  # position among the relaxation's totals
    total: Total
    unit: int
    owed: int  # in units, at the start
    is_floor: bool

    def units(self, amount: np.ndarray) -> np.ndarray:
        """What a turn pays in, rounded in the plan's favour."""
        if self.is_floor:
            return np.asarray(-(-amount // self.unit))
        return np.asarray(-amount // self.unit)

    def still_owed(self, used: np.ndarray) -> np.ndarray:
        """Units owed after `used` (in the rule's own measure), rounded in the plan's favour."""
        if self.is_floor:
            return np.maximum(-(-(self.total.least - used) // self.unit), 0)
        return np.asarray((used - self.total.least) // self.unit)


def account_of(relaxation: Relaxation, at: int, parts: int = 1) -> Account:
    """The rule as an account; its unit is the lap that rounds least, or a part of it."""
    total = relaxation.totals[at]
    each = np.abs(np.diff(total.upto, axis=1)).max(axis=0)
    each = each[each > 0]
    is_floor = total.least >= 0
    typical = np.median(each)
    close = each[np.abs(each - typical) <= 0.02 * typical]
    lap = int(close.max() if is_floor else close.min())
    unit = max(-(-lap // parts) if is_floor else lap // parts, 1)
    owed = -(-total.least // unit) if is_floor else -total.least // unit
    return Account(at, total, unit, int(owed), is_floor)


@dataclass(frozen=True, slots=True)
class _Move:
    """What a payment does to the states; the last place is the impossible one."""

    to: np.ndarray  # for each state the state after it
    fro: np.ndarray  # for each state the worst state from which it is reached


class Ledger:
    """The dynamic programme of `Relaxation` with some rules counted; it offers the same methods.

    `totals` are the rules still priced: neither those on the ledger nor rolling windows.
    """

    def __init__(self, relaxation: Relaxation, accounts: Sequence[Account]):
        self.relaxation, self.accounts = relaxation, list(accounts)
        counted = {account.at for account in accounts}
        self.priced = [
            at
            for at, total in enumerate(relaxation.totals)
            if at not in counted and total.name != "rolling"
        ]
        self.totals = [relaxation.totals[at] for at in self.priced]
        self.contribution = relaxation.contribution
        self.shape = tuple(account.owed + 1 for account in accounts)
        self.states = int(np.prod(self.shape))
        self.places = np.indices(self.shape).reshape(len(self.shape), -1)
        self._moves: dict[tuple[int, ...], _Move] = {}
        self._pays = [self._payments(q) for q in range(relaxation.drivers)]

    def _payments(self, q: int) -> np.ndarray | None:
        """[account, start, length] in units; None: this driver pays into no account."""
        grid = self.relaxation.columns.grid
        each = []
        for account in self.accounts:
            upto = account.total.upto[q]
            each.append(account.units(upto[grid] - upto[: len(grid), None]))
        pays = np.stack(each)
        return pays if pays.any() else None

    def moves(self, q: int, start: int, lengths: np.ndarray) -> list[_Move] | None:
        """What these turns do to the state; None: nothing."""
        pays = self._pays[q]
        if pays is None:
            return None
        return [self._move(tuple(row)) for row in pays[:, start, lengths].T.tolist()]

    def _move(self, pays: tuple[int, ...]) -> _Move:
        known = self._moves.get(pays)
        if known is None:
            paid = np.array(pays)[:, None]
            to = self._flat(self.places - paid)
            known = self._moves[pays] = _Move(to, self._flat(self.places + paid))
        return known

    def _flat(self, places: np.ndarray) -> np.ndarray:
        """Places on the accounts as states; a floor takes what is too much, a ceiling does not."""
        good = np.ones(self.states, dtype=bool)
        for row, account in zip(places, self.accounts, strict=True):
            if not account.is_floor:
                good &= (row >= 0) & (row <= account.owed)
            np.clip(row, 0, account.owed, out=row)
        flat = np.where(good, np.ravel_multi_index(tuple(places), self.shape), self.states)
        return np.append(flat, self.states)

    def state_of(self, used: np.ndarray) -> np.ndarray:
        """The state of chains that have used [chain, total of the relaxation]; `states`: impossible."""
        left, good = [], np.ones(len(used), dtype=bool)
        for account in self.accounts:
            owed = account.still_owed(used[:, account.at])
            good &= owed >= 0
            left.append(np.clip(owed, 0, account.owed))
        return np.where(good, np.ravel_multi_index(tuple(left), self.shape), self.states)

    def rolling_breaches(self, path: Path) -> list[Total]:
        """None: rolling windows are not priced here."""
        return []

    def full_prices(self, prices: np.ndarray) -> np.ndarray:
        """The prices by the relaxation's totals; 0 for what is counted."""
        full = np.zeros(len(self.relaxation.totals))
        full[self.priced] = prices
        return full

    def evaluate(self, prices: np.ndarray, *, allowed: np.ndarray | None = None) -> "Counted":
        """The bound at these prices (of `totals`), with every table it needs."""
        relaxation = self.relaxation
        reduced, _ = relaxation.reduced(self.full_prices(prices))
        if allowed is not None:
            reduced = np.where(allowed, reduced, NEVER)
        least = np.array([t.least for t in self.totals], dtype=np.float64)
        n, reach, size = relaxation.n, relaxation.length, relaxation.drivers
        free = np.full((size, n + reach + 1, self.states + 1), NEVER)
        tired = np.full((size, size, n + reach + 1, self.states + 1), NEVER)
        home = np.ones(self.states, dtype=bool)
        for row, account in zip(self.places, self.accounts, strict=True):
            if account.is_floor:
                home &= row == 0
        free[:, n, :-1][:, home] = 0.0
        tired[:, :, n, :-1][:, :, home] = 0.0
        for i in range(n - 1, 0, -1):
            after = self._best_next(i, reduced, free, tired)
            free[:, i] = (after + relaxation.not_same[:, :, None]).min(axis=1)
            for e in range(size):
                tired[e, :, i] = (after + relaxation.excluded[e][:, :, None]).min(axis=1)
        counted = Counted(self, NEVER, prices, float(prices @ least), reduced, free, tired)
        counted.find_path()
        return counted

    def _best_next(
        self, i: int, reduced: np.ndarray, free: np.ndarray, tired: np.ndarray
    ) -> np.ndarray:
        """[driver just out, driver in next, state]: the cheapest rest of the race."""
        size = self.relaxation.drivers
        rested = self.relaxation.columns.track.rested[:, i]
        after = np.full((size, size, self.states + 1), NEVER)
        for q in range(size):
            for lengths in self.portions(reduced[q, i]):
                ahead = _ahead(free, tired, q, i + lengths, rested)
                moves = self.moves(q, i, lengths)
                if moves is not None:
                    ahead = _gather(ahead, [m.to for m in moves])
                ahead = (ahead + reduced[q, i, lengths][:, None]).min(axis=1)
                np.minimum(after[:, q], ahead, out=after[:, q])
        return after

    def portions(self, reduced: np.ndarray) -> list[np.ndarray]:
        """The lengths that can be driven, in portions that fit into memory."""
        lengths = np.flatnonzero(reduced[1:] < NEVER / 2) + 1
        if not len(lengths):
            return []
        width = max(PORTION // (self.relaxation.drivers * self.states), 1)
        return np.array_split(lengths, -(-len(lengths) // width))


def _ahead(
    free: np.ndarray, tired: np.ndarray, q: int, ends: np.ndarray, rested: np.ndarray
) -> np.ndarray:
    """[driver just out, end, state]: costs from these ends on with q just out of the car."""
    still = ends[None, :] < rested[:, None]
    if not still.any():
        return np.broadcast_to(free[q, ends][None], (len(rested), len(ends), free.shape[2]))
    return np.where(still[:, :, None], tired[:, q, ends], free[q, ends][None])


def _gather(table: np.ndarray, index: list[np.ndarray]) -> np.ndarray:
    """table[d, x, index[x]] for every d and x."""
    if table.shape[2] < MANY:
        return np.asarray(table[:, np.arange(len(index))[:, None], np.stack(index)])
    out = np.empty(table.shape)
    for x, at in enumerate(index):
        np.take(table[:, x], at, axis=1, out=out[:, x], mode="clip")
    return out


@dataclass(slots=True)
class Counted:
    """A ledger's bound at its prices, the costs-to-go by state, and the chain that attains it."""

    ledger: Ledger
    value: float
    prices: np.ndarray
    offset: float
    reduced: np.ndarray
    free: np.ndarray  # [last driver, boundary, state]
    tired: np.ndarray  # [driver before, last driver, boundary, state]
    path: Path | None = None

    def find_path(self) -> None:
        """Walk the cheapest chain forward through the tables; sets value and path."""
        ledger, relaxation = self.ledger, self.ledger.relaxation
        track = relaxation.columns.track
        turns: list[tuple[int, int, int, int]] = []
        before, last, i, state, cost = -1, -1, 0, ledger.states - 1, 0
        prices = ledger.full_prices(self.prices)
        while i < relaxation.n:
            rested = track.rested[last : last + 1, i] if last >= 0 else np.zeros(1, dtype=np.int64)
            best: tuple[float, int, int, int] = (NEVER, -1, 0, 0)
            for q in set(range(relaxation.drivers)) - {last, before}:
                lengths = np.flatnonzero(self.reduced[q, i, 1:] < NEVER / 2) + 1
                if not len(lengths):
                    continue
                tired = self.tired[last : last + 1] if last >= 0 else self.tired[:1]
                ahead = _ahead(self.free, tired, q, i + lengths, rested)[0]
                moves = ledger.moves(q, i, lengths)
                to = [
                    state if moves is None else int(moves[x].to[state]) for x in range(len(lengths))
                ]
                total = ahead[np.arange(len(lengths)), to] + self.reduced[q, i, lengths]
                at = int(total.argmin())
                if total[at] < best[0]:
                    best = (float(total[at]), q, int(lengths[at]), to[at])
            if best[0] >= NEVER / 2:
                return
            if i == 0:
                self.value = best[0] + self.offset
            _, q, length, state = best
            layer = relaxation.cheapest_layer(q, i, length, prices)
            turns.append((q, i, length, layer))
            cost += int(relaxation.columns.cost[layer][q, i, length])
            before = last if last >= 0 and i + length < track.rested[last, i] else -1
            last, i = q, i + length
        self.path = Path(turns, cost)

    def through(self) -> np.ndarray:
        """[driver, start, length]: a lower bound of every plan that contains this turn.

        Going forward a state means "at most so much owed" (of a ceiling: at least so much left),
        which makes paying a look-up.
        """
        ledger, relaxation = self.ledger, self.ledger.relaxation
        n, reach, size = relaxation.n, relaxation.length, relaxation.drivers
        free = np.full((size, n + reach + 1, ledger.states + 1), NEVER)
        tired = np.full((size, size, n + reach + 1, ledger.states + 1), NEVER)
        out = np.full_like(self.reduced, NEVER)
        for i in range(n):
            stands, rest = self._stands(i, free, tired)
            for q in range(size):
                for lengths in ledger.portions(self.reduced[q, i]):
                    ends = i + lengths
                    there = stands[:, q, None] + self.reduced[q, i, lengths][:, None]
                    ahead = _ahead(self.free, self.tired if i else self.tired[:1], q, ends, rest)
                    moves = ledger.moves(q, i, lengths)
                    if moves is not None:
                        ahead = _gather(ahead, [m.to for m in moves])
                    out[q, i, lengths] = (there + ahead).min(axis=(0, 2))
                    if moves is not None:
                        there = _gather(there, [m.fro for m in moves])
                    still = (ends[None, :] < rest[:, None])[:, :, None]
                    fresh = np.where(still, NEVER, there).min(axis=0)
                    free[q, ends] = np.minimum(free[q, ends], fresh)
                    if i and still.any():
                        weary = np.where(still, there, NEVER)
                        tired[:, q, ends] = np.minimum(tired[:, q, ends], weary)
        return np.minimum(out + self.offset, NEVER)

    def _stands(self, i: int, free: np.ndarray, tired: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[driver just out, driver in next, state] at boundary i, and when each is rested."""
        ledger, relaxation = self.ledger, self.ledger.relaxation
        size = relaxation.drivers
        if i == 0:
            stands = np.full((1, size, ledger.states + 1), NEVER)
            begin = np.ones(ledger.states, dtype=bool)
            for row, account in zip(ledger.places, ledger.accounts, strict=True):
                if account.is_floor:
                    begin &= row == account.owed
            stands[:, :, :-1][:, :, begin] = 0.0
            return stands, np.zeros(1, dtype=np.int64)
        stands = np.stack([
            np.minimum(
                free[d, i][None],
                (tired[:, d, i][:, None] + relaxation.excluded[:, d, :, None]).min(axis=0),
            ) + relaxation.not_same[d][:, None]
            for d in range(size)
        ])  # fmt: skip
        return stands, relaxation.columns.track.rested[:, i]

    def bound_of(
        self, cost: np.ndarray, last: np.ndarray, rest: np.ndarray, used: np.ndarray, at: np.ndarray
    ) -> np.ndarray:
        """A lower bound of every plan through chains that stand at the boundaries `at`."""
        ledger = self.ledger
        state = ledger.state_of(used)
        ahead = self.free[last, at, state]
        for e in range(ledger.relaxation.drivers):
            resting = np.flatnonzero(rest[:, e] > at)
            if len(resting):
                tired = self.tired[e, last[resting], at[resting], state[resting]]
                ahead[resting] = np.maximum(ahead[resting], tired)
        owed = (np.array([t.least for t in ledger.totals]) - used[:, ledger.priced]) @ self.prices
        return np.asarray(cost + ahead + owed)
