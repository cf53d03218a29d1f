"""Every turn a driver could do, with its cheapest cost: the columns the optimiser chooses from.

A turn is one driver's unbroken run over laps start..start + length. What happens inside it (where
it stops, which tyres) does not depend on who drives, so the inside is solved once for all drivers;
a driver adds his own lap times and his own limits. Costs are whole ms; a turn's cost includes the
stop that begins it, except at the start of the race.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.track import Track, prefix_sums

FAR = np.int64(1) << 50  # "cannot be done"; sums of a few stay inside 64 bits
FIRST, SWAP, INNER = 0, 1, 2  # how a tyre set begins: race start, driver change, same driver


@dataclass(frozen=True, order=True, slots=True)
class Kind:
    """What a turn's inside counts: stints, sets of tyres, and stops made for each pit window."""

    stints: int = 0
    sets: int = 0
    windows: tuple[int, ...] = ()


class Columns:
    """Turn costs: `cost[k][d, start, length]`, one table for each kind of turn told apart.

    `by_stints` and `by_sets` tell turns apart by their stints and sets of tyres, for rules that
    count these over the race; stops for a pit window are always told apart.
    """

    def __init__(self, instance: Instance, *, by_stints: bool = False, by_sets: bool = False):
        self.track = track = Track(instance)
        self.instance = instance
        self.by_stints, self.by_sets = by_stints, by_sets
        self.windows = instance.rules.pit_windows
        self._stint_tables()
        longest = self._longest_turn()
        self.length = longest
        n = track.laps
        self.grid = np.minimum(np.arange(n + 1)[:, None] + np.arange(longest + 1)[None, :], n)
        self._inside = (
            np.arange(n + 1)[:, None] + np.arange(longest + 1)[None, :] <= n
        )  # the turn ends by the finish
        self.max_stints = self._most_stints_a_turn()
        self._runs = self._tyre_runs()
        self._inner = {begin: self._turn_insides(begin) for begin in (FIRST, SWAP)}
        self.layers = sorted({self._layer_of(kind) for kind in self._inner[SWAP]})
        self.cost = self._driver_turns()

    # -- one stint

    def _stint_tables(self) -> None:
        instance, track = self.instance, self.track
        rules, car = instance.rules, instance.car
        usable, n = car.tank_ml - car.reserve_ml, track.laps
        ends = np.arange(n + 1)
        cap = min(rules.max_stint_laps or n, car.tyre.life_laps, n)
        lowest = max(min(getattr(car.burn_ml, c) for c in set(track.letters)), 1)
        cap = max(min(cap, usable // lowest), 0)
        self.stint_cap = cap
        starts = ends[:, None] - np.arange(1, cap + 1)[None, :]
        fuel = track.burn_upto[ends][:, None] - track.burn_upto[np.maximum(starts, 0)]
        weight = (car.reserve_ml + fuel) * car.fuel_us_per_ml // 1000
        weight = np.cumsum(weight, axis=1)
        allowed = (starts >= 0) & (fuel <= usable)
        if rules.max_stint_ms:
            run = track.nominal_upto[ends][:, None] - track.nominal_upto[np.maximum(starts, 0)]
            allowed &= run <= rules.max_stint_ms
        inside = track.must_stop_upto[ends][:, None]
        inside = inside - track.must_stop_upto[np.maximum(starts, 0) + 1]
        allowed &= inside <= 0  # no pinned stop is driven past
        # by start: [start, laps]
        self.fuel = np.full((n + 1, cap + 1), FAR)
        self.weight = np.full((n + 1, cap + 1), FAR)
        for laps in range(max(rules.min_stint_laps, 1), cap + 1):
            good = allowed[laps:, laps - 1]
            rows = np.arange(n + 1 - laps)
            self.fuel[rows, laps] = np.where(good, fuel[laps:, laps - 1], FAR)
            self.weight[rows, laps] = np.where(good, weight[laps:, laps - 1], FAR)

    def _stop(self, *, new: bool, swap: bool, window: int | None = None) -> np.ndarray:
        """Cost of the stop before the stint [start, laps]; FAR where the pit lane is closed.

        `window`: a stop made for this pit window, inside it and as long as it demands.
        """
        pit = self.instance.pit
        possible = self.fuel < FAR
        refuel = -(-np.where(possible, self.fuel, 0) * 1000 // pit.refuel_ml_per_s)
        refuel = np.maximum(refuel, pit.min_refuel_ms)
        tyres, change = (pit.tyre_ms if new else 0), (pit.swap_ms if swap else 0)
        if pit.mode == "parallel":
            service = np.maximum(refuel, max(tyres, change))
        elif pit.mode == "fuel_then_tyres":
            service = np.maximum(refuel, change) + tyres
        else:
            service = refuel + tyres + change
        cost = np.maximum(pit.lane_ms + np.maximum(service, pit.min_service_ms), pit.min_total_ms)
        if window is not None:
            asked = self.windows[window]
            inside = (asked.from_ms <= self.track.clock) & (self.track.clock <= asked.to_ms)
            cost = np.maximum(cost, asked.min_total_ms)
            possible = possible & inside[:, None]
        return np.where(possible & ~self.track.closed[:, None], cost, FAR)

    # -- one set of tyres

    def _longest_turn(self) -> int:
        """Laps of the longest turn any driver may do."""
        track, longest = self.track, 0
        for who in self.instance.drivers:
            ends = np.searchsorted(
                track.nominal_upto, track.nominal_upto + who.max_continuous_ms, side="right"
            )
            reach = int((ends - 1 - np.arange(track.laps + 1)).max())
            longest = max(longest, min(reach, who.max_consecutive * self.stint_cap))
        return max(min(longest, track.laps), 0)

    def _most_stints_a_turn(self) -> int:
        allowed = max(d.max_consecutive for d in self.instance.drivers)
        return max(min(allowed, self.length // max(self.instance.rules.min_stint_laps, 1)), 1)

    def _empty(self) -> np.ndarray:
        return np.full((self.track.laps + 1, self.length + 1), FAR)

    def _widen(self, table: np.ndarray) -> np.ndarray:
        wide = self._empty()
        width = min(table.shape[1], self.length + 1)
        wide[:, :width] = table[:, :width]
        return wide

    def _append(self, head: np.ndarray, tail: np.ndarray, laps: int) -> np.ndarray:
        """head[start, x] + tail[start + x, laps], as [start, x]."""
        reach = self.length + 1 - laps
        ends = self.grid[:, :reach]
        cost = head[:, :reach] + tail[ends, laps]
        return np.where(self._inside[:, :reach], cost, FAR)

    def _stops(self, *, new: bool, swap: bool) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """The ways to stop: (stops made for each window, cost)."""
        none = (0,) * len(self.windows)
        ways = [(none, self._stop(new=new, swap=swap))]
        for at in range(len(self.windows)):
            one = tuple(int(at == other) for other in range(len(self.windows)))
            ways.append((one, self._stop(new=new, swap=swap, window=at)))
        return ways

    def _together(self, some: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
        """Stops made for the windows; more than a window asks for count as what it asks for."""
        return tuple(
            min(a + b, window.count) for a, b, window in zip(some, more, self.windows, strict=True)
        )

    def _tyre_runs(self) -> list[dict[Kind, np.ndarray]]:
        """One set of tyres over one or more stints, from each way it can begin."""
        none = (0,) * len(self.windows)
        begins = [
            [(none, self.weight)],
            [(w, self.weight + cost) for w, cost in self._stops(new=True, swap=True)],
            [(w, self.weight + cost) for w, cost in self._stops(new=True, swap=False)],
        ]
        optional = self.instance.rules.tyre_policy == "optional"
        most = self.max_stints if optional else 1
        kept = [
            (w, np.minimum(self.weight + cost, FAR))
            for w, cost in self._stops(new=False, swap=False)
        ]
        wear = self._wear()
        runs = []
        for ways in begins:
            found = {Kind(1, 1, w): self._widen(np.minimum(table, FAR)) for w, table in ways}
            for m in range(1, most):
                for kind in [k for k in found if k.stints == m]:
                    for w, table in kept:
                        longer = Kind(m + 1, 1, self._together(kind.windows, w))
                        into = found.setdefault(longer, self._empty())
                        self._extend(found[kind], table, self.stint_cap, into)
            runs.append({kind: np.minimum(table + wear, FAR) for kind, table in found.items()})
        return runs

    def _extend(self, head: np.ndarray, tail: np.ndarray, longest: int, into: np.ndarray) -> None:
        """Into [start, length]: the cheapest head followed by a tail of at most `longest` laps."""
        for laps in range(1, min(longest, self.length) + 1):
            if (tail[:, laps] < FAR).any():
                step = self._append(head, tail, laps)
                np.minimum(into[:, laps:], step, out=into[:, laps:])

    def _wear(self) -> np.ndarray:
        """Cost of wear and of the better compound for a set of tyres: [start, length]."""
        tyre, n = self.instance.car.tyre, self.track.laps
        ages = np.arange(self.length, dtype=np.int64)
        each = tyre.deg_ms * ages + tyre.deg2_us * ages * ages // 1000
        total = prefix_sums(each) + np.where(np.arange(self.length + 1) > 0, tyre.cold_ms, 0)
        wet = self.track.wet_upto[self.grid] - self.track.wet_upto[np.arange(n + 1)][:, None]
        dry = np.arange(self.length + 1)[None, :] - wet
        cost = total[None, :] + np.minimum(wet, dry) * tyre.wrong_ms
        cost[:, tyre.life_laps + 1 :] = FAR
        return np.where(self._inside, cost, FAR)

    # -- one turn

    def _turn_insides(self, begin: int) -> dict[Kind, np.ndarray]:
        """Driver-independent cost of a turn of each kind; sets are counted only where they must."""
        found: dict[Kind, np.ndarray] = {}

        def table_of(stints: int, sets: int, windows: tuple[int, ...]) -> np.ndarray:
            kind = Kind(stints, sets if self.by_sets else 0, windows)
            return found.setdefault(kind, self._empty())

        for k in range(1, self.max_stints + 1):
            for run, table in self._runs[begin].items():
                if run.stints == k:
                    into = table_of(k, 1, run.windows)
                    np.minimum(into, table, out=into)
            for run, table in self._runs[INNER].items():
                for kind in [kind for kind in found if kind.stints == k - run.stints]:
                    windows = self._together(kind.windows, run.windows)
                    into = table_of(k, kind.sets + 1, windows)
                    self._extend(found[kind], table, self.length, into)
        for table in found.values():
            np.minimum(table, FAR, out=table)
        return found

    def _layer_of(self, kind: Kind) -> Kind:
        """The table a turn of this kind belongs to."""
        return Kind(kind.stints if self.by_stints else 0, kind.sets, kind.windows)

    def sums(self) -> list[tuple[str, int, tuple[int, ...]]]:
        """Rules that count stints, sets or stops over the race: (name, least, by table)."""
        rules, found = self.instance.rules, []
        if self.by_stints:
            stints = tuple(layer.stints for layer in self.layers)
            found.append(("min_stops", rules.min_stops + 1, stints))
        if self.by_sets and rules.tyre_sets:
            found.append(("tyre_sets", -rules.tyre_sets, tuple(-k.sets for k in self.layers)))
        for at, window in enumerate(self.windows):
            stops = tuple(layer.windows[at] for layer in self.layers)
            found.append(("pit_window", window.count, stops))
        return found

    def _driver_turns(self) -> list[np.ndarray]:
        """Cost by driver, a table for each layer."""
        track, n = self.track, self.track.laps
        drivers = self.instance.drivers
        feasible = np.stack([self._may_do(d) for d in range(len(drivers))])
        pace = track.pace_upto[:, self.grid] - track.pace_upto[:, : n + 1, None]
        tables = []
        for layer in self.layers:
            table = np.full((len(drivers), n + 1, self.length + 1), FAR)
            for d in range(len(drivers)):
                kinds = self._kinds(layer, d)
                if not kinds:
                    continue
                inside = np.minimum.reduce([self._inner[SWAP][kind] for kind in kinds])
                at_start = [self._inner[FIRST][k][0] for k in kinds if k in self._inner[FIRST]]
                inside[0] = np.minimum.reduce(at_start) if at_start else FAR
                table[d] = np.where(feasible[d] & (inside < FAR), inside + pace[d], FAR)
            tables.append(table)
        return tables

    def _kinds(self, layer: Kind, driver: int) -> list[Kind]:
        """The kinds of turn in this table that the driver may do."""
        top = self.instance.drivers[driver].max_consecutive
        return [k for k in self._inner[SWAP] if k.stints <= top and self._layer_of(k) == layer]

    def _may_do(self, d: int) -> np.ndarray:
        track, rules, n = self.track, self.instance.rules, self.track.laps
        who = self.instance.drivers[d]
        blocked = prefix_sums(~track.can_drive[d])
        good = self._inside & (blocked[self.grid] == blocked[: n + 1, None])
        run = track.nominal_upto[self.grid] - track.nominal_upto[: n + 1, None]
        good &= (run <= who.max_continuous_ms) & (run <= who.max_drive_ms)
        good[:, 0] = False
        if rules.start_drivers is not None and d not in rules.start_drivers:
            good[0] = False
        if rules.finish_drivers is not None and d not in rules.finish_drivers:
            good &= self.grid < n
        if rules.rolling:
            good &= self.grid < self._first_rolling_breach()[: n + 1, None]
        return good

    def _first_rolling_breach(self) -> np.ndarray:
        """For each start the first end at which the turn alone breaks the rolling limit."""
        track, rolling = self.track, self.instance.rules.rolling
        assert rolling is not None
        upto = track.nominal_upto
        breach = np.searchsorted(upto, upto[:-1] + rolling.max_ms, side="right")
        breach = np.where(breach <= track.window_end, breach, track.laps + 1)
        suffix = np.minimum.accumulate(breach[::-1])[::-1]
        return np.concatenate((suffix, [track.laps + 1]))

    # -- back to stints

    def stints_of(self, driver: int, start: int, length: int, layer: int) -> list[Stint]:
        """The stints of a turn at its cost in this table."""
        begin = FIRST if start == 0 else SWAP
        inside = self._inner[begin]
        kinds = [k for k in self._kinds(self.layers[layer], driver) if k in inside]
        kind = min(kinds, key=lambda kind: inside[kind][start, length])
        plan: list[Stint] = []
        while True:
            target = inside[kind][start, length]
            whole = self._whole(begin, kind, start, length, target)
            if whole is not None:
                return self._set_of_tyres(begin, whole, driver, start, length) + plan
            before, run, laps = self._last_set(kind, begin, start, length, target)
            at = start + length - laps
            plan = self._set_of_tyres(INNER, run, driver, at, laps) + plan
            kind, length = before, length - laps

    def _whole(self, begin: int, kind: Kind, start: int, length: int, target: int) -> Kind | None:
        """The single set of tyres that does this turn at this cost, if one does."""
        if kind.sets > 1:
            return None
        for run, table in self._runs[begin].items():
            same = run.stints == kind.stints and run.windows == kind.windows
            if same and table[start, length] == target:
                return run
        return None

    def _last_set(
        self, kind: Kind, begin: int, start: int, length: int, target: int
    ) -> tuple[Kind, Kind, int]:
        """What comes before the last set of tyres, that set, and its laps."""
        for run, table in self._runs[INNER].items():
            for before, head in self._inner[begin].items():
                if before.stints + run.stints != kind.stints:
                    continue
                if self.by_sets and before.sets + 1 != kind.sets:
                    continue
                if self._together(before.windows, run.windows) != kind.windows:
                    continue
                for laps in range(1, length):
                    tail = table[start + length - laps, laps]
                    if tail < FAR and head[start, length - laps] + tail == target:
                        return before, run, laps
        raise AssertionError("A turn lost its inside.")

    def _set_of_tyres(
        self, begin: int, run: Kind, driver: int, start: int, length: int
    ) -> list[Stint]:
        wet = int(self.track.wet_upto[start + length] - self.track.wet_upto[start])
        compound: Literal[0, 1] = 1 if wet > length - wet else 0
        lengths = self._split(begin, run, start, length)
        return [
            Stint(driver=driver, laps=n, tyres="new" if at == 0 else "keep", compound=compound)
            for at, n in enumerate(lengths)
        ]

    def _split(self, begin: int, run: Kind, start: int, length: int) -> list[int]:
        """Cheapest split of one tyre set's laps into its stints; a tiny search, done once a plan."""
        none = (0,) * len(self.windows)
        firsts = (
            [(none, np.zeros_like(self.weight))]
            if begin == FIRST
            else self._stops(new=True, swap=begin == SWAP)
        )
        kept = self._stops(new=False, swap=False)
        top = min(self.stint_cap, length)
        best: dict[tuple[int, tuple[int, ...]], tuple[int, list[int]]] = {}
        for w, cost in firsts:
            for n in range(1, top + 1):
                _keep(best, (n, w), int(self.weight[start, n] + cost[start, n]), [n])
        for _ in range(run.stints - 1):
            longer: dict[tuple[int, tuple[int, ...]], tuple[int, list[int]]] = {}
            for (done, before), (so_far, parts) in best.items():
                for n in range(1, min(top, length - done) + 1):
                    for w, cost in kept:
                        more = int(self.weight[start + done, n] + cost[start + done, n])
                        key = (done + n, self._together(before, w))
                        _keep(longer, key, so_far + more, [*parts, n])
            best = longer
        return best[length, run.windows][1]


def _keep(best: dict, key: tuple, cost: int, parts: list[int]) -> None:
    """Remember the cheapest way to each key that can be done."""
    if cost < FAR and (key not in best or cost < best[key][0]):
        best[key] = (cost, parts)
