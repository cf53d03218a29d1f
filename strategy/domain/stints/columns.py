"""Every turn a driver could do, with its cheapest cost: the columns the optimiser chooses from.

A turn is one driver's unbroken run over laps start..start + length. What happens inside it (where
it stops, which tyres) does not depend on who drives, so the inside is solved once for all drivers;
a driver adds his own lap times and his own limits. Costs are whole ms; a turn's cost includes the
stop that begins it, except at the start of the race.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from strategy.domain.stints.instance import NIGHT, WET, Instance, Stint

FAR = np.int64(1) << 50  # "cannot be done"; sums of a few stay inside 64 bits
FIRST, SWAP, INNER = 0, 1, 2  # how a tyre set begins: race start, driver change, same driver


def _prefix(values: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(values, dtype=np.int64)))


class Track:
    """The instance as arrays over laps, shared by everything that computes."""

    def __init__(self, instance: Instance):
        self.instance = instance
        self.laps = n = instance.race.laps
        self.letters = letters = list(instance.conditions.by_lap)
        self.clock = np.array(instance.race.clock_ms, dtype=np.int64)
        self.nominal = np.array(instance.race.lap_nominal_ms, dtype=np.int64)
        self.nominal_upto = _prefix(self.nominal)
        burn = instance.car.burn_ml
        self.burn_upto = _prefix(np.array([getattr(burn, c) for c in letters], dtype=np.int64))
        self.wet_upto = _prefix(np.array([c in WET for c in letters], dtype=np.int64))
        pace = [[getattr(d.lap_ms, c) for c in letters] for d in instance.drivers]
        self.pace_upto = np.array([_prefix(np.array(row, dtype=np.int64)) for row in pace])
        self.can_drive = np.array([self._can_drive(d) for d in instance.drivers])
        # the first boundary at which a driver who got out at boundary b may get in again
        self.rested = np.array(
            [np.searchsorted(self.clock, self.clock + d.min_rest_ms) for d in instance.drivers]
        )
        self.closed = np.zeros(n + 1, dtype=bool)
        self.closed[[b for b in instance.pit.closed_laps if b <= n]] = True

    def _can_drive(self, driver) -> np.ndarray:
        free = np.zeros(self.laps, dtype=bool)
        for start, end in driver.available_ms:
            free |= (start <= self.clock[:-1]) & (self.clock[1:] <= end)
        if driver.no_night:
            free &= np.array([c not in NIGHT for c in self.letters])
        if driver.no_wet:
            free &= np.array([c not in WET for c in self.letters])
        return free

    @cached_property
    def window_end(self) -> np.ndarray:
        """For each lap the first lap outside the rolling window that opens with it."""
        rolling = self.instance.rules.rolling
        width = rolling.window_ms if rolling else 0
        return np.searchsorted(self.clock[:-1], self.clock[:-1] + width)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Cost of one tyre set from `start` over `length` laps in `m` stints: [begin][m][start, length]."""

    cost: list[list[np.ndarray]]
    most_stints: int


class Columns:
    """Turn costs: `cost[k][d, start, length]` with k stints, or with any allowed number."""

    def __init__(self, instance: Instance, *, by_stints: bool = False):
        self.track = track = Track(instance)
        self.instance = instance
        self.by_stints = by_stints
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
        self.cost, self.stints = self._driver_turns()

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
        # by start: [start, laps]
        self.fuel = np.full((n + 1, cap + 1), FAR)
        self.weight = np.full((n + 1, cap + 1), FAR)
        for laps in range(max(rules.min_stint_laps, 1), cap + 1):
            good = allowed[laps:, laps - 1]
            rows = np.arange(n + 1 - laps)
            self.fuel[rows, laps] = np.where(good, fuel[laps:, laps - 1], FAR)
            self.weight[rows, laps] = np.where(good, weight[laps:, laps - 1], FAR)

    def _stop(self, *, new: bool, swap: bool) -> np.ndarray:
        """Cost of the stop before the stint [start, laps]; FAR where the pit lane is closed."""
        pit = self.instance.pit
        possible = self.fuel < FAR
        refuel = -(-np.where(possible, self.fuel, 0) * 1000 // pit.refuel_ml_per_s)
        tyres, change = (pit.tyre_ms if new else 0), (pit.swap_ms if swap else 0)
        if pit.mode == "parallel":
            service = np.maximum(refuel, max(tyres, change))
        elif pit.mode == "fuel_then_tyres":
            service = np.maximum(refuel, change) + tyres
        else:
            service = refuel + tyres + change
        cost = pit.lane_ms + np.maximum(service, pit.min_service_ms)
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

    def _tyre_runs(self) -> _Runs:
        """One set of tyres over one or more stints, from each way it can begin."""
        begins = {
            FIRST: np.where(self.weight < FAR, self.weight, FAR),
            SWAP: np.minimum(self.weight + self._stop(new=True, swap=True), FAR),
            INNER: np.minimum(self.weight + self._stop(new=True, swap=False), FAR),
        }
        optional = self.instance.rules.tyre_policy == "optional"
        kept = np.minimum(self.weight + self._stop(new=False, swap=False), FAR)
        most = self.max_stints if optional else 1
        wear = self._wear()
        cost = []
        for begin in (FIRST, SWAP, INNER):
            chain = [self._empty(), self._widen(begins[begin])]
            for _ in range(2, most + 1):
                longer = self._empty()
                for laps in range(1, min(self.stint_cap, self.length) + 1):
                    step = self._append(chain[-1], kept, laps)
                    np.minimum(longer[:, laps:], step, out=longer[:, laps:])
                chain.append(longer)
            cost.append([np.minimum(table + wear, FAR) for table in chain])
        return _Runs(cost, most)

    def _wear(self) -> np.ndarray:
        """Cost of wear and of the better compound for a set of tyres: [start, length]."""
        tyre, n = self.instance.car.tyre, self.track.laps
        ages = np.arange(self.length, dtype=np.int64)
        each = tyre.deg_ms * ages + tyre.deg2_us * ages * ages // 1000
        total = _prefix(each) + np.where(np.arange(self.length + 1) > 0, tyre.cold_ms, 0)
        wet = self.track.wet_upto[self.grid] - self.track.wet_upto[np.arange(n + 1)][:, None]
        dry = np.arange(self.length + 1)[None, :] - wet
        cost = total[None, :] + np.minimum(wet, dry) * tyre.wrong_ms
        cost[:, tyre.life_laps + 1 :] = FAR
        return np.where(self._inside, cost, FAR)

    # -- one turn

    def _turn_insides(self, begin: int) -> list[np.ndarray]:
        """Driver-independent cost of a turn with exactly k stints, k = 0..max."""
        runs = self._runs
        best = [self._empty() for _ in range(self.max_stints + 1)]
        for k in range(1, self.max_stints + 1):
            if k <= runs.most_stints:
                np.minimum(best[k], runs.cost[begin][k], out=best[k])
            for m in range(1, min(k - 1, runs.most_stints) + 1):
                tail = runs.cost[INNER][m]
                usable = np.flatnonzero((tail < FAR).any(axis=0))
                for laps in usable:
                    step = self._append(best[k - m], tail, int(laps))
                    np.minimum(best[k][:, laps:], step, out=best[k][:, laps:])
            np.minimum(best[k], FAR, out=best[k])
        return best

    def _driver_turns(self) -> tuple[list[np.ndarray], list[int]]:
        """Cost by driver; one table for any number of stints, or one per number."""
        track, n = self.track, self.track.laps
        drivers = self.instance.drivers
        feasible = np.stack([self._may_do(d) for d in range(len(drivers))])
        tables, counts = [], []
        pace = track.pace_upto[:, self.grid] - track.pace_upto[:, : n + 1, None]
        layers = (
            [(k, k) for k in range(1, self.max_stints + 1)]
            if self.by_stints
            else [(1, self.max_stints)]
        )
        for low, high in layers:
            table = np.full((len(drivers), n + 1, self.length + 1), FAR)
            for d, who in enumerate(drivers):
                top = min(high, who.max_consecutive)
                if top < low:
                    continue
                inside = np.minimum.reduce(self._inner[SWAP][low : top + 1])
                inside[0] = np.minimum.reduce(self._inner[FIRST][low : top + 1])[0]
                table[d] = np.where(feasible[d] & (inside < FAR), inside + pace[d], FAR)
            tables.append(table)
            counts.append(low if self.by_stints else 0)
        return tables, counts

    def _may_do(self, d: int) -> np.ndarray:
        track, rules, n = self.track, self.instance.rules, self.track.laps
        who = self.instance.drivers[d]
        blocked = _prefix(~track.can_drive[d])
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

    def stints_of(self, driver: int, start: int, length: int, stints: int = 0) -> list[Stint]:
        """The stints of a turn at its cost; `stints` fixes their number (0: any)."""
        begin = FIRST if start == 0 else SWAP
        top = self.instance.drivers[driver].max_consecutive
        inside = self._inner[begin]
        counts = [stints] if stints else range(1, min(self.max_stints, top) + 1)
        k = min(counts, key=lambda count: inside[count][start, length])
        plan: list[Stint] = []
        while k:
            target = inside[k][start, length]
            for m in range(1, min(k, self._runs.most_stints) + 1):
                if m == k:
                    if self._runs.cost[begin][m][start, length] == target:
                        return self._set_of_tyres(begin, m, driver, start, length) + plan
                    continue
                laps = self._last_set(k, m, begin, start, length, target)
                if laps:
                    at = start + length - laps
                    plan = self._set_of_tyres(INNER, m, driver, at, laps) + plan
                    k, length = k - m, length - laps
                    break
            else:
                raise AssertionError("A turn lost its inside.")
        return plan

    def _last_set(
        self, k: int, m: int, begin: int, start: int, length: int, target: int
    ) -> int | None:
        for laps in range(1, length):
            tail = self._runs.cost[INNER][m][start + length - laps, laps]
            if tail < FAR and self._inner[begin][k - m][start, length - laps] + tail == target:
                return laps
        return None

    def _set_of_tyres(
        self, begin: int, m: int, driver: int, start: int, length: int
    ) -> list[Stint]:
        wet = int(self.track.wet_upto[start + length] - self.track.wet_upto[start])
        compound: Literal[0, 1] = 1 if wet > length - wet else 0
        lengths = self._split(begin, m, start, length)
        return [
            Stint(driver=driver, laps=n, tyres="new" if at == 0 else "keep", compound=compound)
            for at, n in enumerate(lengths)
        ]

    def _split(self, begin: int, m: int, start: int, length: int) -> list[int]:
        """Cheapest split of one tyre set's laps into m stints; a tiny search, done once a plan."""
        new = self.weight + (
            0 if begin == FIRST else self._stop(new=True, swap=begin == SWAP)
        )  # fmt: skip
        kept = self.weight + self._stop(new=False, swap=False)
        top = min(self.stint_cap, length)
        best: dict[int, tuple[int, list[int]]] = {
            n: (int(new[start, n]), [n]) for n in range(1, top + 1) if new[start, n] < FAR
        }
        for _ in range(m - 1):
            longer: dict[int, tuple[int, list[int]]] = {}
            for done, (cost, parts) in best.items():
                for n in range(1, min(top, length - done) + 1):
                    more = int(kept[start + done, n])
                    if more < FAR and cost + more < longer.get(done + n, (int(FAR), []))[0]:
                        longer[done + n] = (cost + more, [*parts, n])
            best = longer
        return best[length][1]
