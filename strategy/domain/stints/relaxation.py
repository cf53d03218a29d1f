"""A true lower bound: rules about totals become prices, the rest is solved exactly.

The state of the dynamic programme is (boundary, last driver, driver before him while he still has
to rest), so alternation, closed pits, availability and the usual rests hold exactly. Every rule
that adds something up over the race (drive time, fair share, groups, rolling windows, stops) is
priced instead; any prices >= 0 give a bound (Lagrangian duality), `best_prices` climbs to good ones
with a bundle of cutting planes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from strategy.domain.stints.columns import FAR, Columns
from strategy.domain.stints.instance import Span

NEVER = float(FAR)


@dataclass(frozen=True, slots=True)
class Total:
    """A rule "the contributions of the turns add up to at least `least`".

    A turn of driver d over laps i..j contributes `upto[d, j] - upto[d, i]`, and `per_layer` by the
    table of turns it is from. `scale` turns a contribution into about a millisecond of driving, for step sizes.
    """

    name: str
    least: int
    upto: np.ndarray
    per_layer: tuple[int, ...] = ()
    scale: float = 1.0
    driver: int | None = None

    def amount(self, layer: int) -> int:
        """What a turn of this table adds whoever drives it."""
        return self.per_layer[layer] if self.per_layer else 0


@dataclass(frozen=True, slots=True)
class Path:
    """A chain of turns (driver, start, length, table of turns) with its true cost in ms."""

    turns: list[tuple[int, int, int, int]]
    cost: int


@dataclass(slots=True)
class Bound:
    """Prices, the bound they give, and the tables of costs-to-go they need."""

    value: float
    prices: np.ndarray
    offset: float  # sum of price * least
    reduced: np.ndarray  # [d, start, length], cheapest over the tables
    free: np.ndarray  # [last driver, boundary]
    tired: np.ndarray  # [driver before, last driver, boundary]
    path: Path | None = field(default=None)


def totals_of(columns: Columns) -> list[Total]:
    """The instance's rules about sums, without those that cannot bind."""
    instance, track = columns.instance, columns.track
    drivers, n = instance.drivers, track.laps
    nominal, mean = track.nominal_upto, float(track.nominal.mean())
    totals = []

    def alone(d: int, row: np.ndarray) -> np.ndarray:
        table = np.zeros((len(drivers), n + 1), dtype=np.int64)
        table[d] = row
        return table

    fair = instance.fair_share_laps()
    for d, who in enumerate(drivers):
        most = int(track.nominal[track.can_drive[d]].sum())
        if who.min_drive_ms > 0:
            totals.append(Total("min_drive", who.min_drive_ms, alone(d, nominal), driver=d))
        if who.max_drive_ms < most:
            totals.append(Total("max_drive", -who.max_drive_ms, alone(d, -nominal), driver=d))
        if fair > 0:
            laps = np.arange(n + 1, dtype=np.int64)
            totals.append(Total("fair_share", fair, alone(d, laps), scale=mean, driver=d))
    for group in instance.rules.groups:
        if group.min_drive_ms > 0:
            table = np.zeros((len(drivers), n + 1), dtype=np.int64)
            for d in group.drivers:
                table[d] += nominal
            totals.append(Total("group", group.min_drive_ms, table))
    for span in instance.rules.spans:
        totals += _span_totals(columns, span)
    for name, least, amounts in columns.sums():
        nothing = np.zeros((len(drivers), n + 1), dtype=np.int64)
        totals.append(Total(name, least, nothing, per_layer=amounts, scale=10 * mean))
    return totals


def _span_totals(columns: Columns, span: Span) -> list[Total]:
    track = columns.track
    first, end = np.searchsorted(track.clock[:-1], (span.from_ms, span.to_ms))
    row = np.clip(track.nominal_upto, track.nominal_upto[first], track.nominal_upto[end])
    table = np.zeros((len(columns.instance.drivers), track.laps + 1), dtype=np.int64)
    table[sorted(set(span.drivers))] = row - row[0]
    found = []
    if span.min_drive_ms > 0:
        found.append(Total("part_min", span.min_drive_ms, table))
    if span.max_drive_ms is not None:
        found.append(Total("part_max", -span.max_drive_ms, -table))
    return found


def rolling_total(columns: Columns, d: int, lap: int) -> Total:
    """The rolling limit of one driver for the window that opens with `lap`."""
    track, rolling = columns.track, columns.instance.rules.rolling
    assert rolling is not None
    end = int(track.window_end[lap])
    row = np.clip(track.nominal_upto, track.nominal_upto[lap], track.nominal_upto[end])
    table = np.zeros((len(columns.instance.drivers), track.laps + 1), dtype=np.int64)
    table[d] = -(row - row[0])
    return Total("rolling", -rolling.max_ms, table, driver=d)


class Relaxation:
    """The dynamic programme for one instance; evaluate it at any prices."""

    def __init__(self, columns: Columns):
        self.columns = columns
        self.totals = totals_of(columns)
        track = columns.track
        self.drivers = len(columns.instance.drivers)
        self.n, self.length = track.laps, columns.length
        self.cost = [
            np.where(table < FAR, table.astype(np.float64), NEVER) for table in columns.cost
        ]
        size = self.drivers
        same = np.eye(size, dtype=bool)
        # excluded[e, d, q]: q may not follow d when e still rests
        self.excluded = np.where(same[:, None, :] | same[None, :, :], NEVER, 0.0)
        self.not_same = np.where(same, NEVER, 0.0)

    def contribution(self, total: Total, turns: list[tuple[int, int, int, int]]) -> int:
        return sum(
            int(total.upto[d, i + n] - total.upto[d, i]) + total.amount(k) for d, i, n, k in turns
        )

    def reduced(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Reduced cost of each turn, and which table of turns gives it."""
        worth = np.zeros((self.drivers, self.n + 1))
        each = np.zeros(len(self.cost))
        for price, total in zip(prices, self.totals, strict=True):
            if price:
                worth += price * total.upto
                each += [price * total.amount(k) for k in range(len(self.cost))]
        if len(self.cost) == 1:
            best, which = self.cost[0], None
        else:
            stack = np.stack([c - off for c, off in zip(self.cost, each, strict=True)])
            which = stack.argmin(axis=0)
            best = np.take_along_axis(stack, which[None], axis=0)[0]
        grid = self.columns.grid
        return best - (worth[:, grid] - worth[:, :, None]), which

    def cheapest_layer(self, d: int, start: int, length: int, prices: np.ndarray) -> int:
        """Which table of turns is cheapest for this one at these prices."""
        costs = [
            float(c[d, start, length])
            - sum(p * t.amount(k) for p, t in zip(prices, self.totals, strict=True))
            for k, c in enumerate(self.cost)
        ]
        return int(np.argmin(costs))

    def evaluate(
        self, prices: np.ndarray, *, allowed: np.ndarray | None = None, want_path: bool = True
    ) -> Bound:
        """The bound at these prices; float64 is exact to far below a millisecond here.

        `allowed` [d, start, length] leaves out turns: then it bounds the plans without them.
        """
        reduced, which = self.reduced(prices)
        if allowed is not None:
            reduced = np.where(allowed, reduced, NEVER)
        offset = float(prices @ np.array([t.least for t in self.totals], dtype=np.float64))
        n, reach, size = self.n, self.length, self.drivers
        free = np.full((size, n + reach + 1), NEVER)
        tired = np.full((size, size, n + reach + 1), NEVER)
        free[:, n] = 0.0
        tired[:, :, n] = 0.0
        lengths = np.arange(1, reach + 1)
        rested = self.columns.track.rested
        for i in range(n - 1, 0, -1):
            still = (i + lengths)[None, :] < rested[:, i, None]  # [d, length]
            step = reduced[:, i, 1:]
            after = np.where(
                still[:, None, :],
                tired[:, :, i + 1 : i + reach + 1],
                free[:, i + 1 : i + reach + 1],
            )
            after = (after + step).min(axis=2)  # [d, q]
            free[:, i] = (after + self.not_same).min(axis=1)
            tired[:, :, i] = (after[None] + self.excluded).min(axis=2)
        value = float((reduced[:, 0, 1:] + free[:, 1 : reach + 1]).min())
        bound = Bound(value + offset, prices, offset, reduced, free, tired)
        if want_path and value < NEVER / 2:
            bound.path = self._path(bound, which)
        return bound

    def _path(self, bound: Bound, which: np.ndarray | None) -> Path:
        """The cheapest chain at these prices, walked forward through the tables."""
        rested, reach = self.columns.track.rested, self.length
        lengths = np.arange(1, reach + 1)
        turns: list[tuple[int, int, int]] = []
        before, last, i = -1, -1, 0
        while i < self.n:
            after = bound.free[:, i + 1 : i + reach + 1]
            if last >= 0:
                still = (i + lengths) < rested[last, i]
                after = np.where(still[None, :], bound.tired[last, :, i + 1 : i + reach + 1], after)
            after = after + bound.reduced[:, i, 1:]
            if last >= 0:
                after[last] = NEVER
            if before >= 0:
                after[before] = NEVER
            q, at = np.unravel_index(int(after.argmin()), after.shape)
            turns.append((int(q), i, int(at) + 1))
            end = i + int(at) + 1
            before = last if last >= 0 and end < rested[last, i] else -1
            last, i = int(q), end
        full = []
        cost = 0
        for d, i, n in turns:
            layer = 0 if which is None else int(which[d, i, n])
            full.append((d, i, n, layer))
            cost += int(self.columns.cost[layer][d, i, n])
        return Path(full, cost)

    def through(self, bound: Bound) -> np.ndarray:
        """[d, start, length]: a lower bound of every plan that contains this turn."""
        n, reach, size = self.n, self.length, self.drivers
        rested = self.columns.track.rested
        lengths = np.arange(1, reach + 1)
        free = np.full((size, n + reach + 1), NEVER)  # cheapest way to a boundary, by last driver
        tired = np.full((size, size, n + reach + 1), NEVER)  # [driver before, last driver, ...]
        out = np.full_like(bound.reduced, NEVER)
        for i in range(n):
            step = bound.reduced[:, i, 1:]
            ends = slice(i + 1, i + reach + 1)
            if i == 0:
                out[:, 0, 1:] = step + bound.free[:, ends]
                free[:, ends] = step
                continue
            # so_far[d, q]: cheapest way to stand here with d just out and q allowed in
            so_far = np.minimum(
                free[:, i, None], (tired[:, :, i][:, :, None] + self.excluded).min(axis=0)
            )
            so_far = so_far + self.not_same
            still = (i + lengths)[None, :] < rested[:, i, None]
            went = so_far[:, :, None] + step[None]  # [d, q, length]
            after = np.where(still[:, None, :], bound.tired[:, :, ends], bound.free[None, :, ends])
            out[:, i, 1:] = (went + after).min(axis=0)
            free[:, ends] = np.minimum(
                free[:, ends], np.where(still[:, None, :], NEVER, went).min(axis=0)
            )
            tired[:, :, ends] = np.minimum(
                tired[:, :, ends], np.where(still[:, None, :], went, NEVER)
            )
        return np.minimum(out, NEVER) + bound.offset

    def rolling_breaches(self, path: Path) -> list[Total]:
        """The worst broken window of each driver on the path, as rules to price."""
        rolling, track = self.columns.instance.rules.rolling, self.columns.track
        if rolling is None:
            return []
        found = []
        for d in range(self.drivers):
            driven = np.zeros(self.n, dtype=np.int64)
            for who, i, length, _ in path.turns:
                if who == d:
                    driven[i : i + length] = track.nominal[i : i + length]
            upto = np.concatenate(([0], np.cumsum(driven)))
            inside = upto[track.window_end] - upto[:-1]
            worst = int(inside.argmax())
            if inside[worst] > rolling.max_ms:
                found.append(rolling_total(self.columns, d, worst))
        return found


def best_prices(
    relaxation: Relaxation,
    *,
    first: np.ndarray | None = None,
    allowed: np.ndarray | None = None,
    rounds: int = 80,
    close_enough_ms: float = 20.0,
    keep_going: Callable[[], bool] = lambda: True,
    seen: Callable[[Bound], None] = lambda bound: None,
) -> Bound:
    """Climb to the best bound: a bundle of cuts, a box around the best prices that breathes."""
    totals = relaxation.totals
    best = relaxation.evaluate(np.zeros(len(totals)) if first is None else first, allowed=allowed)
    if best.path is None:
        return best
    cuts: list[Path] = []
    box = 0.05 if first is None else 0.01
    trial = best
    for _ in range(rounds):
        assert trial.path is not None
        seen(trial)
        cuts.append(trial.path)
        for total in relaxation.rolling_breaches(trial.path) if allowed is None else ():
            totals.append(total)
            best.prices = np.append(best.prices, 0.0)
        if not totals or not keep_going():
            break
        slacks = np.array(
            [[t.least - relaxation.contribution(t, p.turns) for t in totals] for p in cuts]
        )
        prices, promised = _next_prices(
            np.array([p.cost for p in cuts]), slacks, best.prices,
            np.array([box * t.scale for t in totals]),
        )  # fmt: skip
        if promised - best.value < close_enough_ms and box >= 0.05:
            break
        trial = relaxation.evaluate(prices, allowed=allowed)
        if trial.path is None:
            best = trial
            break
        gained, hoped = trial.value - best.value, promised - best.value
        if gained > 0:
            best = trial
        if gained > 0.5 * hoped:
            box = min(box * 2.0, 2.0)
        elif gained <= 0.05 * hoped:
            box = max(box * 0.6, 1e-5)
        if hoped < close_enough_ms:
            box = max(box, 0.05)
    return relaxation.evaluate(best.prices, allowed=allowed)


def _next_prices(
    costs: np.ndarray, slacks: np.ndarray, centre: np.ndarray, box: np.ndarray
) -> tuple[np.ndarray, float]:
    """Maximise the cutting-plane model within a box (a small linear programme for GLOP)."""
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("GLOP")
    low = np.maximum(centre - box, 0.0)
    unit = box  # variables in boxes: well scaled whatever the unit of the price
    steps = [
        solver.NumVar(float((a - c) / u), 1.0, "")
        for a, c, u in zip(low, centre, unit, strict=True)
    ]
    base = float(costs.min())
    top = solver.NumVar(-solver.infinity(), solver.infinity(), "")
    for cost, row in zip(costs, slacks, strict=True):
        at_centre = float(cost) - base + float(row @ centre)
        line = solver.Constraint(-solver.infinity(), at_centre)
        line.SetCoefficient(top, 1.0)
        for step, slack, u in zip(steps, row, unit, strict=True):
            line.SetCoefficient(step, -float(slack) * float(u))
    solver.Maximize(top)
    solver.Solve()
    move = np.array([s.solution_value() for s in steps])
    return np.maximum(centre + move * unit, 0.0), top.solution_value() + base
