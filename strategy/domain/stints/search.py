"""Label setting: chains of turns grown lap by lap, with true costs and all rules.

A label is a chain that reaches a boundary. It is dropped when its cost so far plus a lower bound
for the rest (from `relaxation`) exceeds the ceiling, or when another label at the same boundary with the
same driver in the car is no worse in cost, in rests owed and in every total. Without a cap on
labels that is an exact method; with one it is a beam search with the same pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from strategy.domain.stints.ledger import Counted
from strategy.domain.stints.relaxation import NEVER, Bound, Path, Relaxation

SLACK = 1e-3  # ms; bounds are float sums, costs are whole ms
CHUNK = 192
BROAD = 1_000  # from this cap on a second look at the bounds pays for itself
PORTION = 100_000  # chains looked at together


@dataclass(slots=True)
class Found:
    """The best plan below the ceiling, if any, and whether nothing was thrown away unseen."""

    path: Path | None
    is_exact: bool
    labels: int


@dataclass(slots=True)
class _Labels:
    cost: np.ndarray  # int64
    red: np.ndarray  # float64: cost at the bound's prices
    bound: np.ndarray  # float64: lower bound of any plan through the label
    last: np.ndarray  # int8
    rest: np.ndarray  # [label, driver] int32: boundary from which he may drive again, 0: now
    used: np.ndarray  # [label, total] int64
    parent: np.ndarray  # int64 id of the label before
    turn: np.ndarray  # [label, 4] int32: driver, start, length, table
    recent: np.ndarray | None  # [label, laps] int8: who drove the last laps (rolling windows only)

    def take(self, index: np.ndarray) -> "_Labels":
        return _Labels(
            self.cost[index], self.red[index], self.bound[index], self.last[index],
            self.rest[index], self.used[index], self.parent[index], self.turn[index],
            None if self.recent is None else self.recent[index],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.cost)


def _join(chunks: list[_Labels]) -> _Labels:
    if len(chunks) == 1:
        return chunks[0]
    columns: list[Any] = [
        None
        if getattr(chunks[0], name) is None
        else np.concatenate([getattr(c, name) for c in chunks])
        for name in _Labels.__dataclass_fields__
    ]
    return _Labels(*columns)


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
        self.rolling = rolling
        self.memory = 0
        if rolling:
            self.memory = int((track.window_end - np.arange(self.n)).max())

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
        self.waiting: list[list[_Labels]] = [[] for _ in range(self.n + 1)]
        self.best: tuple[int, int, int] | None = None
        self.ids, self.cap, self.is_exact = 0, cap, True
        self._expand_start()
        for i in range(1, self.n):
            chunks, self.waiting[i] = self.waiting[i], []
            if not chunks:
                continue
            labels = _join(chunks)
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

    def _remember(self, labels: _Labels) -> np.ndarray:
        ids = np.arange(self.ids, self.ids + len(labels))
        self.log.append((self.ids, labels.parent, labels.turn))
        self.ids += len(labels)
        return ids

    def _expand_start(self) -> None:
        bound, reach = self.bound, self.reach
        z = bound.reduced[:, 0, 1:] + bound.free[:, 1 : reach + 1]
        q, at = np.nonzero(z + bound.offset <= self.ceiling + SLACK)
        root = _Labels(
            np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1), np.full(1, -1, dtype=np.int8),
            np.zeros((1, self.drivers), dtype=np.int32),
            np.zeros((1, len(self.totals)), dtype=np.int64),
            np.full(1, -1, dtype=np.int64), np.zeros((1, 4), dtype=np.int32),
            np.full((1, self.memory), -1, dtype=np.int8) if self.rolling else None,
        )  # fmt: skip
        who = np.zeros(len(q), dtype=np.int64)
        self._arrive(root, np.full(1, -1), who, q, at + 1, 0, z[q, at] + bound.offset)

    def _expand(self, labels: _Labels, ids: np.ndarray, i: int) -> None:
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
        who, seat, length, through = (np.concatenate(c) for c in zip(*found, strict=True))
        most = (200 if self.counted else 12) * self.cap
        if len(who) > most:
            self.is_exact = False
            best = np.argpartition(through, most)[:most]
            who, seat, length, through = who[best], seat[best], length[best], through[best]
        for begin in range(0, len(who), PORTION):
            part = slice(begin, begin + PORTION)
            self._arrive(labels, ids, who[part], seat[part], length[part], i, through[part])

    def _arrive(
        self,
        labels: _Labels,
        ids: np.ndarray,
        who: np.ndarray,
        q: np.ndarray,
        length: np.ndarray,
        i: int,
        through: np.ndarray,
    ) -> None:
        """Make the labels at the ends of these turns and let them wait there."""
        columns = self.columns
        if len(columns.cost) == 1:
            self._arrive_with(labels, ids, who, q, length, i, through, 0)
            return
        for layer, table in enumerate(columns.cost):
            good = np.flatnonzero(table[q, i, length] < NEVER)
            if len(good):
                self._arrive_with(
                    labels, ids, who[good], q[good], length[good], i, through[good], layer
                )

    def _arrive_with(
        self,
        labels: _Labels,
        ids: np.ndarray,
        who: np.ndarray,
        q: np.ndarray,
        length: np.ndarray,
        i: int,
        through: np.ndarray,
        layer: int,
    ) -> None:
        end = i + length
        used = labels.used[who] + (self.upto[:, q, end] - self.upto[:, q, i]).T
        used += self.per_layer[:, layer]
        good = (used + self.could_add[:, end].T >= self.least).all(axis=1)
        if not good.all():
            who, q, length, end, used, through = (
                x[good] for x in (who, q, length, end, used, through)
            )
        if not len(who):
            return
        cost = self.columns.cost[layer][q, i, length]
        red = cost - (used - labels.used[who]) @ self.prices
        if len(self.bound.prices) > len(self.prices) or len(self.columns.cost) > 1:
            # rolling windows are priced too: the reduced table knows their share
            red = self.bound.reduced[q, i, length] + self._layer_price(layer, q, i, length)
            through = through + self._layer_price(layer, q, i, length)
        rest = labels.rest[who].copy()
        last = labels.last[who]
        if i:
            rest[np.arange(len(who)), last] = self.track.rested[last, i]
        rest[rest <= end[:, None]] = 0
        spent = labels.cost[who] + cost
        for other in self.counted:
            through = np.maximum(through, other.bound_of(spent, q, rest, used, end))
        keep = through <= self.ceiling + SLACK
        if self.rolling:
            some = np.flatnonzero(keep)
            keep[some] = self._keeps_rolling(labels, who[some], q[some], end[some], i)
        new = _Labels(
            spent, labels.red[who] + red, through, q.astype(np.int8), rest, used,
            ids[who], np.stack((q, np.full_like(q, i), length, np.full_like(q, layer)), 1).astype(np.int32),
            self._recent(labels, who, q, length),
        )  # fmt: skip
        if not keep.all():
            new, end = new.take(np.flatnonzero(keep)), end[keep]
            if not len(new):
                return
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

    def _layer_price(self, layer: int, q: np.ndarray, i: int, length: np.ndarray) -> np.ndarray:
        """How much dearer than the cheapest table's turn this one is, at the prices."""
        if len(self.columns.cost) == 1:
            return np.zeros(len(q))
        each = self.prices @ self.per_layer
        costs = [c[q, i, length] - off for c, off in zip(self.columns.cost, each, strict=True)]
        return costs[layer] - np.minimum.reduce(costs)

    def _recent(
        self, labels: _Labels, who: np.ndarray, q: np.ndarray, length: np.ndarray
    ) -> np.ndarray | None:
        if labels.recent is None:
            return None
        at = np.arange(self.memory)[None, :] + length[:, None]
        old = np.take_along_axis(labels.recent[who], np.minimum(at, self.memory - 1), axis=1)
        return np.where(at < self.memory, old, q[:, None]).astype(np.int8)

    def _recent_drive(self, recent: np.ndarray, q: np.ndarray, i: int) -> np.ndarray:
        """[label, x]: what driver q drove of the last memory - x laps before boundary i."""
        laps = np.arange(i - self.memory, i)
        nominal = np.where(laps >= 0, self.track.nominal[np.maximum(laps, 0)], 0)
        driven = np.where(recent == q[:, None], nominal[None, :], 0)
        return np.cumsum(driven[:, ::-1], axis=1)[:, ::-1]

    def _keeps_rolling(
        self, labels: _Labels, who: np.ndarray, q: np.ndarray, end: np.ndarray, i: int
    ) -> np.ndarray:
        assert self.rolling is not None
        assert labels.recent is not None
        track = self.track
        good = np.ones(len(who), dtype=bool)
        laps = np.maximum(np.arange(i - self.memory, i), 0)
        closes = track.window_end[laps]
        for part in np.array_split(np.arange(len(who)), max(len(who) // 4096, 1)):
            if not len(part):
                continue
            before = self._recent_drive(labels.recent[who[part]], q[part], i)
            shut = np.minimum(closes[None, :], end[part, None])
            ahead = track.nominal_upto[np.maximum(shut, i)] - track.nominal_upto[i]
            total = np.where(closes[None, :] > i, before + ahead, 0)
            good[part] = (total <= self.rolling.max_ms).all(axis=1)
        return good

    def _arrive_home(self, new: _Labels, rows: np.ndarray) -> None:
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

    def _second_look(self, labels: _Labels, i: int) -> _Labels:
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

    def _raise(self, labels: _Labels, bound: np.ndarray) -> _Labels:
        np.maximum(labels.bound, bound, out=labels.bound)
        good = labels.bound <= self.ceiling + SLACK
        return labels if good.all() else labels.take(np.flatnonzero(good))

    # -- dominance

    def _undominated(self, labels: _Labels, i: int) -> _Labels:
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
            if labels.recent is not None:
                history = np.concatenate(
                    [
                        self._recent_drive(labels.recent[mine], np.full(len(mine), q), i)
                        for q in range(self.drivers)
                    ],
                    axis=1,
                ).astype(np.int32)
                history = history[:, (history != history[0]).any(axis=0)]
            keep.append(mine[skyline(labels.cost[mine], table, history)])
        return labels.take(np.concatenate(keep)) if keep else labels


def skyline(cost: np.ndarray, table: np.ndarray, more: np.ndarray | None = None) -> np.ndarray:
    """Indices of the rows no other row beats in cost and in every column (of `more` too)."""
    if table.shape[1] == 0 and (more is None or more.shape[1] == 0):
        return np.array([int(cost.argmin())])
    keys = tuple(table[:, c] for c in range(table.shape[1] - 1, -1, -1))
    order = np.lexsort((*keys, cost)) if keys else np.argsort(cost, kind="stable")
    table = table[order]
    more = more[order] if more is not None else None
    kept = np.zeros(0, dtype=np.int64)
    for start in range(0, len(order), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(order)))
        if len(kept):
            rows = rows[~_beaten(table, more, kept, rows, strict=False)]
        if len(rows):
            rows = rows[~_beaten(table, more, rows, rows, strict=True)]
        kept = np.concatenate((kept, rows))
    return order[kept]


def _beaten(
    table: np.ndarray,
    more: np.ndarray | None,
    by: np.ndarray,
    rows: np.ndarray,
    *,
    strict: bool,
) -> np.ndarray:
    """Which of `rows` some row of `by` (all cheaper or equal) is no worse than, column by column.

    `strict`: by and rows are the same ordered chunk; only an earlier row may beat a later one.
    """
    beats = np.ones((len(rows), len(by)), dtype=bool)
    if strict:
        beats = np.tri(len(rows), len(by), -1, dtype=bool)
    for c in range(table.shape[1]):
        beats &= table[by, c][None, :] <= table[rows, c][:, None]
    if more is None or not more.shape[1]:
        return np.asarray(beats.any(axis=1))
    hit = np.zeros(len(rows), dtype=bool)
    at, other = np.nonzero(beats)
    for part in np.array_split(np.arange(len(at)), max(len(at) // 4096, 1)):
        good = (more[by[other[part]]] <= more[rows[at[part]]]).all(axis=1)
        hit[at[part][good]] = True
    return hit
