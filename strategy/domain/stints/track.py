"""The instance as arrays over laps, shared by everything that computes."""

from functools import cached_property

import numpy as np

from strategy.domain.stints.instance import NIGHT, WET, Instance


def prefix_sums(values: np.ndarray) -> np.ndarray:
    """[0, a, a + b, …]: what the laps before each boundary come to."""
    return np.concatenate(([0], np.cumsum(values, dtype=np.int64)))


class Track:
    """Clock, burn, weather and each driver's pace and hours, lap by lap."""

    def __init__(self, instance: Instance):
        self.instance = instance
        self.laps = n = instance.race.laps
        self.letters = letters = list(instance.conditions.by_lap)
        self.clock = np.array(instance.race.clock_ms, dtype=np.int64)
        self.nominal = np.array(instance.race.lap_nominal_ms, dtype=np.int64)
        self.nominal_upto = prefix_sums(self.nominal)
        burn = instance.car.burn_ml
        self.burn_upto = prefix_sums(np.array([getattr(burn, c) for c in letters], dtype=np.int64))
        self.wet_upto = prefix_sums(np.array([c in WET for c in letters], dtype=np.int64))
        pace = [[getattr(d.lap_ms, c) for c in letters] for d in instance.drivers]
        self.pace_upto = np.array([prefix_sums(np.array(row, dtype=np.int64)) for row in pace])
        self.can_drive = np.array([self._can_drive(d) for d in instance.drivers])
        # the first boundary at which a driver who got out at boundary b may get in again
        self.rested = np.array(
            [np.searchsorted(self.clock, self.clock + d.min_rest_ms) for d in instance.drivers]
        )
        self.closed = np.zeros(n + 1, dtype=bool)
        self.closed[[b for b in instance.pit.closed_laps if b <= n]] = True
        self.must_stop_upto = self._pin()

    def _pin(self) -> np.ndarray:
        """Keep the pins: laps of one driver, no stop inside a held stint; pinned stops, summed up."""
        must_stop = np.zeros(self.laps + 1, dtype=np.int64)
        for pin in self.instance.rules.pins:
            if pin.driver is not None:
                others = np.arange(len(self.instance.drivers)) != pin.driver
                self.can_drive[others, pin.from_lap : pin.to_lap] = False
            if pin.is_unbroken:
                self.closed[pin.from_lap + 1 : pin.to_lap] = True
            must_stop[[b for b in pin.stops if 0 < b < self.laps]] = 1
        return prefix_sums(must_stop)

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
