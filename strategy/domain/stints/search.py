"""Label setting: chains of turns grown lap by lap, with true costs and all rules.

A label is a chain that reaches a boundary. It is dropped when its cost so far plus a lower bound
for the rest (from `relaxation`) exceeds the ceiling, or when another label at the same boundary with the
same driver in the car is no worse in cost, in rests owed and in every total. Without a cap on
labels that is an exact method; with one it is a beam search with the same pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from strategy.domain.stints.dominance import skyline
from strategy.domain.stints.labels import Labels, Steps, join
from strategy.domain.stints.ledger import Counted
from strategy.domain.stints.relaxation import NEVER, Bound, Path, Relaxation
from strategy.domain.stints.rolling import Memory

SLACK = 1e-3  # ms; bounds are float sums, costs are whole ms
BROAD = 1_000  # from this cap on a second look at the bounds pays for itself
PORTION = 100_000  # chains looked at together


@dataclass(slots=True)
class Found:
    """The best plan below the ceiling, if any, and whether nothing was thrown away unseen."""

    path: Path | None
    is_exact: bool
    labels: int


def _turn(row: np.ndarray) -> tuple[int, int, int, int]:
    d, start, length, stints = (int(x) for x in row)
    return d, start, length, stints


class Search:
    """Label setting over one instance with the bounds of one set of prices."""

    def __init__(
        self,
        relaxation: Relaxation,
        bound: Bound,
        others: Sequence[Bound] = (),
        counted: Sequence[Counted] = (),
    ):
        self.relaxation, self.bound, self.others = relaxation, bound, list(others)
        self.counted = list(counted)
        self.columns = columns = relaxation.columns
        self.track = track = columns.track
        self.n, self.reach, self.drivers = track.laps, columns.length, relaxation.drivers
        totals = [t for t in relaxation.totals if t.name != "rolling"]
        self.prices = bound.prices[: len(totals)]
        self.totals = totals
        self.least = np.array([t.least for t in totals], dtype=np.int64)
        self.upto = (
            np.stack([t.upto for t in totals])
            if totals
            else np.zeros((0, self.drivers, self.n + 1), dtype=np.int64)
        )
        layers = range(len(columns.cost))
        self.per_layer = np.array(
            [[t.amount(k) for k in layers] for t in totals], dtype=np.int64
        ).reshape(len(totals), len(layers))
        self.could_add, self.could_cost = self._futures()
        rolling = columns.instance.rules.rolling
        self.memory = Memory(track, rolling) if rolling else None

    def _futures(self) -> tuple[np.ndarray, np.ndarray]:
        """[total, boundary]: the most the rest of the race can add to it, or take from it."""
        add = np.zeros((len(self.totals), self.n + 1), dtype=np.int64)
        take = np.zeros_like(add)
        for c, total in enumerate(self.totals):
            each = np.where(self.track.can_drive, np.diff(total.upto, axis=1), 0)
            best, worst = each.max(axis=0), each.min(axis=0)
            add[c, :-1] = np.cumsum(np.maximum(best, 0)[::-1])[::-1]
            take[c, :-1] = np.cumsum(np.maximum(-worst, 0)[::-1])[::-1]
            if total.per_layer:
                laps = np.arange(self.n, -1, -1)
                add[c] += max(*total.per_layer, 0) * laps
                take[c] += max(*(-a for a in total.per_layer), 0) * laps
        return add, take

    # -- the search

    def run(
        self,
        *,
        ceiling: float,
        cap: int,
        keep_going: Callable[[], bool] = lambda: True,
        passed: Callable[[int, int], None] = lambda lap, labels: None,
    ) -> Found:
        """The cheapest plan costing at most `ceiling`; at most `cap` labels live per boundary."""
        self.ceiling = ceiling
        self.log: list[tuple[int, np.ndarray, np.ndarray]] = []
        self.waiting: list[list[Labels]] = [[] for _ in range(self.n + 1)]
        self.best: tuple[int, int, int] | None = None
        self.ids, self.cap, self.is_exact = 0, cap, True
        self._expand_start()
        for i in range(1, self.n):
            chunks, self.waiting[i] = self.waiting[i], []
            if not chunks:
                continue
            labels = join(chunks)
            labels = labels.take(np.flatnonzero(labels.bound <= self.ceiling + SLACK))
            if len(labels) > 8 * cap:
                self.is_exact = False
                labels = labels.take(np.argpartition(labels.bound, 8 * cap)[: 8 * cap])
            if cap >= BROAD:
                labels = self._second_look(labels, i)
            labels = self._undominated(labels, i)
            if len(labels) > cap:
                self.is_exact = False
                labels = labels.take(np.argpartition(labels.bound, cap)[:cap])
            if not len(labels):
                continue
            ids = self._remember(labels)
            self._expand(labels, ids, i)
            passed(i, len(labels))
            if not keep_going():
                self.is_exact = False
                break
        path = self._finish()
        return Found(path, self.is_exact, self.ids)

    def _remember(self, labels: Labels) -> np.ndarray:
        ids = np.arange(self.ids, self.ids + len(labels))
        self.log.append((self.ids, labels.parent, labels.turn))
        self.ids += len(labels)
        return ids

    def _expand_start(self) -> None:
        bound, reach = self.bound, self.reach
        z = bound.reduced[:, 0, 1:] + bound.free[:, 1 : reach + 1]
        q, at = np.nonzero(z + bound.offset <= self.ceiling + SLACK)
        root = Labels(
            np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1), np.full(1, -1, dtype=np.int8),
            np.zeros((1, self.drivers), dtype=np.int32),
            np.zeros((1, len(self.totals)), dtype=np.int64),
            np.full(1, -1, dtype=np.int64), np.zeros((1, 4), dtype=np.int32),
            self.memory.empty() if self.memory else None,
        )  # fmt: skip
        who = np.zeros(len(q), dtype=np.int64)
        self._arrive(root, np.full(1, -1), Steps(who, q, at + 1, z[q, at] + bound.offset), 0)

    def _expand(self, labels: Labels, ids: np.ndarray, i: int) -> None:
        """All turns from boundary i that could still end below the ceiling."""
        bound, reach = self.bound, self.reach
        lengths = np.arange(1, reach + 1)
        rested = self.track.rested
        found = []
        for d in range(self.drivers):
            mine = np.flatnonzero(labels.last == d)
            if not len(mine):
                continue
            still = (i + lengths) < rested[d, i]
            z = bound.reduced[:, i, 1:] + np.where(
                still[None, :], bound.tired[d, :, i + 1 : i + reach + 1],
                bound.free[:, i + 1 : i + reach + 1],
            )  # fmt: skip
            z[d] = NEVER
            room = self.ceiling + SLACK - bound.offset - labels.red[mine]
            for q in range(self.drivers):
                if q == d:
                    continue
                rows = np.flatnonzero(labels.rest[mine, q] <= i)
                if not len(rows):
                    continue
                order = np.argsort(z[q], kind="stable")
                counts = np.searchsorted(z[q][order], room[rows], side="right")
                total = int(counts.sum())
                if not total:
                    continue
                who = np.repeat(mine[rows], counts)
                first = np.repeat(np.cumsum(counts) - counts, counts)
                at = order[np.arange(total) - first]
                through = labels.red[who] + z[q][at] + bound.offset
                found.append((who, np.full(total, q), at + 1, through))
        if not found:
            return
        steps = Steps(*(np.concatenate(column) for column in zip(*found, strict=True)))
        most = (200 if self.counted else 12) * self.cap
        if len(steps) > most:
            self.is_exact = False
            steps = steps.take(np.argpartition(steps.through, most)[:most])
        for begin in range(0, len(steps), PORTION):
            self._arrive(labels, ids, steps.take(slice(begin, begin + PORTION)), i)

    def _arrive(self, labels: Labels, ids: np.ndarray, steps: Steps, i: int) -> None:
        """Make the labels at the ends of these turns and let them wait there."""
        columns = self.columns
        if len(columns.cost) == 1:
            self._arrive_with(labels, ids, steps, i, 0)
            return
        for layer, table in enumerate(columns.cost):
            good = np.flatnonzero(table[steps.seat, i, steps.length] < NEVER)
            if len(good):
                self._arrive_with(labels, ids, steps.take(good), i, layer)

    def _arrive_with(
        self, labels: Labels, ids: np.ndarray, steps: Steps, i: int, layer: int
    ) -> None:
        """The same where all turns are of one table."""
        steps, used = self._within_reach(labels, steps, i, layer)
        if not len(steps):
            return
        who, q, length = steps.who, steps.seat, steps.length
        end = i + length
        cost = self.columns.cost[layer][q, i, length]
        red, through = self._at_prices(steps, i, layer, cost, used - labels.used[who])
        rest = self._rests(labels, who, end, i)
        spent = labels.cost[who] + cost
        for other in self.counted:
            through = np.maximum(through, other.bound_of(spent, q, rest, used, end))
        keep = through <= self.ceiling + SLACK
        recent = None
        if self.memory:
            assert labels.recent is not None
            some = np.flatnonzero(keep)
            keep[some] = self.memory.allows(labels.recent, who[some], q[some], end[some], i)
            recent = self.memory.after(labels.recent[who], q, length)
        new = Labels(
            spent, labels.red[who] + red, through, q.astype(np.int8), rest, used,
            ids[who], np.stack((q, np.full_like(q, i), length, np.full_like(q, layer)), 1).astype(np.int32),
            recent,
        )  # fmt: skip
        if not keep.all():
            new, end = new.take(np.flatnonzero(keep)), end[keep]
        if len(new):
            self._let_wait(new, end)

    def _within_reach(
        self, labels: Labels, steps: Steps, i: int, layer: int
    ) -> tuple[Steps, np.ndarray]:
        """The turns after which every total can still be met, and the totals after them."""
        end, q = i + steps.length, steps.seat
        used = labels.used[steps.who] + (self.upto[:, q, end] - self.upto[:, q, i]).T
        used += self.per_layer[:, layer]
        good = (used + self.could_add[:, end].T >= self.least).all(axis=1)
        return (steps, used) if good.all() else (steps.take(good), used[good])

    def _at_prices(
        self, steps: Steps, i: int, layer: int, cost: np.ndarray, added: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What each turn costs at the bound's prices, and the bound of any plan through it."""
        if len(self.bound.prices) == len(self.prices) and len(self.columns.cost) == 1:
            return cost - added @ self.prices, steps.through
        # rolling windows are priced too: the reduced table knows their share
        dearer = self._layer_price(layer, steps.seat, i, steps.length)
        return self.bound.reduced[steps.seat, i, steps.length] + dearer, steps.through + dearer

    def _layer_price(self, layer: int, q: np.ndarray, i: int, length: np.ndarray) -> np.ndarray:
        """How much dearer than the cheapest table's turn this one is, at the prices."""
        if len(self.columns.cost) == 1:
            return np.zeros(len(q))
        each = self.prices @ self.per_layer
        costs = [c[q, i, length] - off for c, off in zip(self.columns.cost, each, strict=True)]
        return costs[layer] - np.minimum.reduce(costs)

    def _rests(self, labels: Labels, who: np.ndarray, end: np.ndarray, i: int) -> np.ndarray:
        """Who still rests at the end of these turns, the driver they relieved among them."""
        rest = labels.rest[who]
        if i:
            last = labels.last[who]
            rest[np.arange(len(who)), last] = self.track.rested[last, i]
        rest[rest <= end[:, None]] = 0
        return rest

    def _let_wait(self, new: Labels, end: np.ndarray) -> None:
        """Put labels where they end; those at the finish are whole plans."""
        done = end == self.n
        if done.any():
            self._arrive_home(new, np.flatnonzero(done))
        order = np.argsort(end, kind="stable")
        ends = end[order]
        cuts = np.flatnonzero(np.diff(ends)) + 1
        for part in np.split(order, cuts):
            at = int(end[part[0]])
            if at < self.n:
                self.waiting[at].append(new.take(part))

    def _arrive_home(self, new: Labels, rows: np.ndarray) -> None:
        met = (new.used[rows] >= self.least).all(axis=1)
        rows = rows[met]
        if not len(rows):
            return
        row = int(rows[new.cost[rows].argmin()])
        cost = int(new.cost[row])
        if cost <= self.ceiling + SLACK and (self.best is None or cost < self.best[0]):
            self.home = new.turn[row].copy()
            self.best = (cost, int(new.parent[row]), row)
            self.ceiling = min(self.ceiling, cost - 1.0)

    def _finish(self) -> Path | None:
        if self.best is None:
            return None
        cost, parent, _ = self.best
        turns = [_turn(self.home)]
        starts = np.array([base for base, _, _ in self.log])
        while parent >= 0:
            base, parents, turn = self.log[int(np.searchsorted(starts, parent, side="right")) - 1]
            turns.append(_turn(turn[parent - base]))
            parent = int(parents[parent - base])
        return Path(turns[::-1], cost)

    # -- other prices

    def _second_look(self, labels: Labels, i: int) -> Labels:
        """Raise the labels' bounds with the costs-to-go at other prices; drop what is too dear."""
        for other in self.others:
            if not len(labels):
                break
            to_go = other.free[:, i][labels.last]
            for e in range(self.drivers):
                resting = labels.rest[:, e] > i
                if resting.any():
                    tired = other.tired[e, :, i][labels.last]
                    to_go = np.where(resting, np.maximum(to_go, tired), to_go)
            owed = (self.least - labels.used) @ other.prices[: len(self.totals)]
            labels = self._raise(labels, labels.cost + to_go + owed)
        return labels

    def _raise(self, labels: Labels, bound: np.ndarray) -> Labels:
        np.maximum(labels.bound, bound, out=labels.bound)
        good = labels.bound <= self.ceiling + SLACK
        return labels if good.all() else labels.take(np.flatnonzero(good))

    # -- dominance

    def _undominated(self, labels: Labels, i: int) -> Labels:
        need = self.least - labels.used  # > 0: still owed; for limits: minus what is left
        is_limit = self.least < 0
        bad = np.where(is_limit, need + self.could_cost[:, i], need)
        bad = np.maximum(bad, 0)
        keep = []
        for d in range(self.drivers):
            mine = np.flatnonzero(labels.last == d)
            if not len(mine):
                continue
            rest = labels.rest[mine]
            rest[:, d] = 0
            table = np.concatenate((rest, bad[mine]), axis=1)
            varies = (table != table[0]).any(axis=0)
            table = table[:, varies].astype(np.int32)
            history = None
            if self.memory and labels.recent is not None:
                history = np.concatenate(
                    [
                        self.memory.driven(labels.recent[mine], np.full(len(mine), q), i)
                        for q in range(self.drivers)
                    ],
                    axis=1,
                ).astype(np.int32)
                history = history[:, (history != history[0]).any(axis=0)]
            keep.append(mine[skyline(labels.cost[mine], table, history)])
        return labels.take(np.concatenate(keep)) if keep else labels
