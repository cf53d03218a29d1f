"""Quick proofs that no plan can exist: too little driving there is for what is to be driven.

The most a driver can drive between two boundaries follows from his own hours, turns and rests. All
drivers together must fill every part of the race, and nobody can owe more than he can drive. These
conditions are necessary and not sufficient: finding nothing here proves nothing.
"""

import numpy as np

from strategy.domain.stints.instance import Driver, Instance
from strategy.domain.stints.track import Track

NEVER = -(1 << 50)
MOST_STARTS = 600  # of parts of the race looked at: memory grows with it


class Shortage:
    """Asks about one race under changing rules; what a driver can do is kept between questions."""

    def __init__(self) -> None:
        self.known: dict[object, np.ndarray] = {}

    def is_proven(self, instance: Instance) -> bool:
        """True: no plan keeps these rules. False: not found out here."""
        track = Track(instance)
        starts = np.arange(0, track.laps, -(-track.laps // MOST_STARTS))
        can = [self._most(instance, track, starts, d) for d in range(len(instance.drivers))]
        if instance.rules.rolling:
            windows = _within_windows(track, starts)
            can = [np.minimum(one, windows) for one in can]
        can = [
            np.minimum(one, who.max_drive_ms)
            for one, who in zip(can, instance.drivers, strict=True)
        ]
        asked = track.nominal_upto[None, :] - track.nominal_upto[starts][:, None]
        return bool((sum(can) < asked).any()) or self._owes_too_much(instance, track, can)

    def _owes_too_much(self, instance: Instance, track: Track, can: list[np.ndarray]) -> bool:
        """Least drive times against what each, and all of them, can drive in the whole race."""
        whole = [int(one[0, -1]) for one in can]
        fair = instance.fair_share_laps()
        least = []
        for who, free in zip(instance.drivers, track.can_drive, strict=True):
            laps = np.sort(track.nominal[free])
            if len(laps) < fair:
                return True
            least.append(max(who.min_drive_ms, int(laps[:fair].sum())))
        return (
            any(owed > most for owed, most in zip(least, whole, strict=True))
            or sum(least) > int(track.nominal_upto[-1])
            or any(sum(whole[d] for d in g.drivers) < g.min_drive_ms for g in instance.rules.groups)
        )

    def _most(self, instance: Instance, track: Track, starts: np.ndarray, d: int) -> np.ndarray:
        who, cap = instance.drivers[d], _stint_cap(instance)
        own = (
            tuple(who.available_ms), who.no_night, who.no_wet, who.max_continuous_ms,
            min(who.max_consecutive * cap, track.laps), who.min_rest_ms, instance.rules.min_stint_laps,
            tuple((p.from_lap, p.to_lap) for p in instance.rules.pins if p.driver not in (None, d)),
        )  # fmt: skip
        if own not in self.known:
            self.known[own] = _most_driven(instance, track, starts, d, most_laps=own[4])
        return self.known[own]


def _stint_cap(instance: Instance) -> int:
    """More laps than any stint can have: by tank, tyres and the longest stint."""
    car, rules = instance.car, instance.rules
    lowest = max(min(getattr(car.burn_ml, c) for c in set(instance.conditions.by_lap)), 1)
    return min(
        rules.max_stint_laps or instance.race.laps,
        car.tyre.life_laps,
        (car.tank_ml - car.reserve_ml) // lowest,
    )


def _most_driven(
    instance: Instance, track: Track, starts: np.ndarray, d: int, *, most_laps: int
) -> np.ndarray:
    """[start, boundary]: the most ms this driver can drive between them, rested at the start."""
    who: Driver = instance.drivers[d]
    n, upto = track.laps, track.nominal_upto
    # the next boundary at which he may begin again: rested, and another's stint in between
    ready = np.maximum(track.rested[d], np.arange(n + 1) + instance.rules.min_stint_laps)
    back: list[list[int]] = [[] for _ in range(n + 1)]
    for end in range(1, n + 1):
        if ready[end] <= n:
            back[int(ready[end])].append(end)
    blocked = np.flatnonzero(~track.can_drive[d])
    ended = np.full((len(starts), n + 1), NEVER, dtype=np.int64)
    free = np.full(len(starts), NEVER, dtype=np.int64)
    ended[np.arange(len(starts)), starts] = 0
    rows = {int(start): row for row, start in enumerate(starts)}
    for at in range(n):
        if back[at]:
            np.maximum(free, ended[:, back[at]].max(axis=1), out=free)
        if at in rows:
            free[rows[at]] = max(free[rows[at]], 0)
        hole = int(np.searchsorted(blocked, at))
        last = int(blocked[hole]) if hole < len(blocked) else n
        by_time = int(np.searchsorted(upto, upto[at] + who.max_continuous_ms, side="right")) - 1
        last = min(last, at + most_laps, by_time)
        if last > at:
            part = ended[:, at + 1 : last + 1]
            np.maximum(part, free[:, None] + (upto[at + 1 : last + 1] - upto[at]), out=part)
    return np.maximum(np.maximum.accumulate(ended, axis=1), 0)


def _within_windows(track: Track, starts: np.ndarray) -> np.ndarray:
    """[start, boundary]: the most ms anybody may drive between them under the rolling window."""
    rolling = track.instance.rules.rolling
    assert rolling is not None
    n, upto = track.laps, track.nominal_upto
    most = np.full((len(starts), n + 1), -NEVER, dtype=np.int64)
    for row, start in enumerate(starts):
        at, before = int(start), 0
        while at < n:
            end = max(int(track.window_end[at]), at + 1)
            inside = upto[at : min(end, n) + 1] - upto[at]
            most[row, at : min(end, n) + 1] = before + np.minimum(inside, rolling.max_ms)
            before, at = int(most[row, min(end, n)]), end
    return most
