"""Training load, fitness, fatigue and form, from what was done each day.

Loads are dimensionless points (100 = one hour at threshold). CTL (fitness), ATL (fatigue) and TSB
(form) follow Banister's impulse-response model in its exponential form, as intervals.icu computes
it: k = 1 − e^(−1/N) with N = 42 and 7 days, over the whole history, starting from nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp

FITNESS_DAYS = 42
FATIGUE_DAYS = 7
# A load above this is a broken file, not a ride: 24 hours at threshold.
MOST_LOAD = 2_400.0


@dataclass(frozen=True, slots=True)
class Load:
    """Points of one activity, with the formula it came from and that formula's inputs."""

    points: float
    method: str  # power, heart_rate, perceived, given
    formula: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the series. `ctl`, `atl` and `tsb` are closing values: today's load is in them."""

    on: date
    load: float
    ctl: float
    atl: float

    @property
    def tsb(self) -> float:
        """Form: fitness less fatigue, both at the end of this day."""
        return self.ctl - self.atl


def power_load(*, seconds: int, normalised_w: float, threshold_w: float) -> Load:
    """TSS of Coggan: hours · IF² · 100 with IF = normalised power / threshold power."""
    _positive(seconds=seconds, threshold_w=threshold_w)
    intensity = normalised_w / threshold_w
    points = seconds / 3600 * intensity**2 * 100
    return _load(points, "power", f"{seconds} s at {normalised_w:.0f} W of {threshold_w:.0f} W")


def heart_rate_load(
    *, seconds: int, average_bpm: float, resting_bpm: float, max_bpm: float, threshold_bpm: float
) -> Load:
    """hrTSS: Banister's TRIMP of the activity over the TRIMP of one hour at threshold, times 100.

    TRIMP = minutes · r · 0.64 · e^(1.92 r), r = share of the heart-rate reserve (Banister 1991).
    """
    _positive(seconds=seconds)
    if not resting_bpm < threshold_bpm < max_bpm:
        raise ValueError("Heart rates must rise from resting over threshold to maximum.")

    def weight(bpm: float) -> float:
        share = min(max((bpm - resting_bpm) / (max_bpm - resting_bpm), 0.0), 1.0)
        return share * 0.64 * exp(1.92 * share)

    points = seconds / 3600 * weight(average_bpm) / weight(threshold_bpm) * 100
    words = f"{seconds} s at {average_bpm:.0f} of {resting_bpm:.0f}–{max_bpm:.0f} bpm"
    return _load(points, "heart_rate", f"{words}, threshold {threshold_bpm:.0f}")


def perceived_load(*, seconds: int, effort: int) -> Load:
    """Foster's session RPE: minutes · effort (1–10), scaled so that an hour at 7 is 100 points."""
    _positive(seconds=seconds)
    if not 1 <= effort <= 10:
        raise ValueError("Effort goes from 1 to 10.")
    return _load(seconds / 60 * effort / (60 * 7) * 100, "perceived", f"{seconds} s at {effort}/10")


def normalised_power(watts: list[int | None]) -> float | None:
    """Normalised power (Coggan) of one sample a second: 4th root of the mean 4th power of 30 s means.

    Missing samples count as zero, as a stopped wheel does. None for less than 30 seconds.
    """
    if len(watts) < 30:
        return None
    values = [value or 0 for value in watts]
    window = sum(values[:30])
    total, count = (window / 30) ** 4, 1
    for index in range(30, len(values)):
        window += values[index] - values[index - 30]
        total += (window / 30) ** 4
        count += 1
    return (total / count) ** 0.25


def series(
    loads: Mapping[date, float], *, until: date, start_ctl: float = 0.0, start_atl: float = 0.0
) -> list[Day]:
    """Every day from the first load to `until`, gaps as days of rest. Empty without loads.

    `start_ctl` and `start_atl` are closing values of the day before the first load.
    """
    if not loads or until < min(loads):
        return []
    keep_ctl, keep_atl = exp(-1 / FITNESS_DAYS), exp(-1 / FATIGUE_DAYS)
    ctl, atl, day, days = start_ctl, start_atl, min(loads), []
    while day <= until:
        load = loads.get(day, 0.0)
        ctl = ctl * keep_ctl + load * (1 - keep_ctl)
        atl = atl * keep_atl + load * (1 - keep_atl)
        days.append(Day(on=day, load=load, ctl=ctl, atl=atl))
        day += timedelta(days=1)
    return days


def building(days: list[Day]) -> int | None:
    """How many of the 42 days the history has while it is too short to trust; None once it is not."""
    return len(days) if len(days) < FITNESS_DAYS else None


def _positive(**values: float) -> None:
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"{name} must be above zero.")


def _load(points: float, method: str, formula: str) -> Load:
    return Load(points=min(points, MOST_LOAD), method=method, formula=formula)
