"""A plan by taking turns: whoever owes most drives next. Found in milliseconds, never the fastest."""

import numpy as np

from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.track import Track


def rotation(instance: Instance, *, spare_laps: int = 0) -> list[Stint]:
    """Stints over the whole race; empty where nobody may get in.

    Keeps hours, rests, tank, tyres and the limits of a stint and of a turn. What adds up over the
    race is aimed at and not promised: ask `score` which rules the plan breaks. `spare_laps` are kept
    for each driver with a least drive time, who drives the last lap of it whole.
    """
    turns = _Turns(instance, spare_laps)
    while turns.lap < turns.track.laps:
        if not turns.go_on():
            return []
    return turns.plan


class _Turns:
    """A plan as far as it goes, and what each driver has done of his share."""

    def __init__(self, instance: Instance, spare_laps: int):
        self.instance, self.track = instance, Track(instance)
        self.plan: list[Stint] = []
        self.owed, self.is_least = _shares(instance, self.track, spare_laps)
        self.room = np.array([who.max_drive_ms for who in instance.drivers], dtype=np.int64)
        self.lap, self.turn_began, self.stints_in_turn = 0, 0, 0
        self.out_at: dict[int, int] = {}

    def go_on(self) -> bool:
        """One more stint; False where no driver can."""
        for driver in np.argsort(-self.owed, kind="stable").tolist():
            laps = self._laps(driver) if self._may_get_in(driver) else 0
            if laps:
                self._drive(driver, laps)
                return True
        return False

    def _may_get_in(self, driver: int) -> bool:
        who, start = self.instance.drivers[driver], self.instance.rules.start_drivers
        if not self.plan:
            return start is None or driver in start
        if driver == self.plan[-1].driver:
            return self.stints_in_turn < who.max_consecutive
        is_fresh = driver not in self.out_at
        return is_fresh or int(self.track.rested[driver, self.out_at[driver]]) <= self.lap

    def _laps(self, driver: int) -> int:
        """How many laps he drives from here; 0 where a stint would be too short."""
        instance, track, at = self.instance, self.track, self.lap
        rules, car, who = instance.rules, instance.car, instance.drivers[driver]
        least, left = rules.min_stint_laps, track.laps - at
        is_going_on = bool(self.plan) and driver == self.plan[-1].driver
        began = self.turn_began if is_going_on else at
        upto = track.nominal_upto
        away = np.flatnonzero(~track.can_drive[driver, at:])
        most = min(
            left,
            int(away[0]) if len(away) else left,
            car.tyre.life_laps,
            rules.max_stint_laps or left,
            _within(track.burn_upto, at, car.tank_ml - car.reserve_ml),
            _within(upto, at, int(upto[began] - upto[at]) + who.max_continuous_ms),
            _within(upto, at, int(self.room[driver])),
            _within(upto, at, rules.max_stint_ms) if rules.max_stint_ms else left,
        )
        laps = most
        if self.owed[driver] > 0:
            # whoever has no more than he must drives the last lap of it whole, the others leave it
            still = _within(upto, at, int(self.owed[driver]) - int(self.is_least[driver]))
            still += int(self.is_least[driver])
            laps = min(laps, max(still, least))
            if laps < left and 0 < still - laps < least:  # the rest of it must be a stint, too
                laps = min(laps, max(still - least, least))
        if 0 < left - laps < least:
            laps = left if left <= most else min(laps, left - least)
        while laps >= least and at + laps < track.laps and track.closed[at + laps]:
            laps -= 1
        return laps if laps >= least else 0

    def _drive(self, driver: int, laps: int) -> None:
        track, end = self.track, self.lap + laps
        if self.plan and self.plan[-1].driver == driver:
            self.stints_in_turn += 1
        else:
            self.stints_in_turn, self.turn_began = 1, self.lap
        is_wet = 2 * int(track.wet_upto[end] - track.wet_upto[self.lap]) > laps
        self.plan.append(Stint(driver=driver, laps=laps, compound=1 if is_wet else 0))
        driven = int(track.nominal_upto[end] - track.nominal_upto[self.lap])
        self.owed[driver] -= driven
        self.room[driver] -= driven
        self.out_at[driver] = self.lap = end


def _within(upto: np.ndarray, at: int, most: int) -> int:
    """How many laps from a boundary on come to at most so much."""
    return int(np.searchsorted(upto, upto[at] + most, side="right")) - 1 - at


def _shares(instance: Instance, track: Track, spare_laps: int) -> tuple[np.ndarray, np.ndarray]:
    """What each is aimed at, ms, as even as the limits allow; and who is aimed at his least only."""
    whole, lap = int(track.nominal_upto[-1]), int(track.nominal.max())
    fair = instance.fair_share_laps() * lap
    least = np.array([max(who.min_drive_ms, fair) for who in instance.drivers], dtype=np.int64)
    kept = least + np.where(least > 0, spare_laps * lap, 0)
    most = np.array([who.max_drive_ms for who in instance.drivers], dtype=np.int64)
    low, high = 0, whole
    while high - low > 1:
        level = (low + high) // 2
        if int(np.clip(level, kept, most).sum()) < whole:
            low = level
        else:
            high = level
    even = np.clip(high, kept, most)
    is_least = even == kept
    return np.where(is_least, least, even), is_least
