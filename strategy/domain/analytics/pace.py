"""Pace and its consistency: lap = a + b * tyre age + c * fuel on clean green laps.

Within one stint fuel falls as the tyres age, so age and fuel often cannot be told apart. Then the
car's own fuel effect is taken for c and only a and b are fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from strategy.domain.analytics.record import Lap, Record, clean_laps
from strategy.domain.stints.instance import Instance
from strategy.domain.stints.scoring import lap_ms

# Of a normal distribution the median distance times this is the standard deviation.
MAD_TO_SIGMA = 1.4826
FEWEST_TO_FIT = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """Pace over some laps, in ms; drop is ms a lap of tyre age, fuel is us per ml on board."""

    laps: int
    clean: int
    median_ms: float | None = None
    best_ms: int | None = None
    base_ms: float | None = None
    drop_ms: float | None = None
    fuel_us: float | None = None
    is_fuel_fitted: bool = False
    consistency_ms: float | None = None
    to_plan_ms: float | None = None
    to_class_ms: float | None = None

    @property
    def consistency_percent(self) -> float | None:
        if self.consistency_ms is None or not self.median_ms:
            return None
        return 100 * self.consistency_ms / self.median_ms


def spread_of(residuals: Sequence[float]) -> float:
    """1.4826 times the median distance from the median."""
    values = np.asarray(residuals, dtype=float)
    return float(MAD_TO_SIGMA * np.median(np.abs(values - np.median(values))))


def measure(laps: Sequence[Lap], instance: Instance) -> Pace:
    """Pace of the clean laps among these; with fewer than four only the plain figures."""
    clean = clean_laps(laps)
    if not clean:
        return Pace(laps=len(laps), clean=0)
    times = [lap.ms for lap in clean]
    classes = [lap.ms - lap.class_ms for lap in clean if lap.class_ms is not None]
    plain = Pace(
        laps=len(laps), clean=len(clean), median_ms=float(median(times)), best_ms=min(times),
        to_plan_ms=sum(lap.ms - model_ms(instance, lap) for lap in clean) / len(clean),
        to_class_ms=float(median(classes)) if classes else None,
    )  # fmt: skip
    if len(clean) < FEWEST_TO_FIT:
        return plain
    base, drop, fuel, is_fitted, residuals = fit(clean, instance.car.fuel_us_per_ml)
    return replace(
        plain, base_ms=base, drop_ms=drop, fuel_us=fuel, is_fuel_fitted=is_fitted,
        consistency_ms=spread_of(residuals.tolist()),
    )  # fmt: skip


def fit(laps: Sequence[Lap], fuel_us: int) -> tuple[float, float, float, bool, np.ndarray]:
    """a in ms, b in ms a lap, c in us per ml, whether c is fitted, and the residuals in ms."""
    y = np.array([lap.ms for lap in laps], dtype=float)
    age = np.array([lap.age for lap in laps], dtype=float)
    litres = np.array([lap.fuel_ml for lap in laps], dtype=float) / 1000
    whole = np.column_stack([np.ones_like(age), age, litres])
    centred = whole[:, 1:] - whole[:, 1:].mean(axis=0)
    # 2 % of play between the two is what flow-meter noise alone would give
    can_split = len(laps) > FEWEST_TO_FIT and np.linalg.cond(_scaled(centred)) < 50
    if can_split:
        (a, b, c), *_ = np.linalg.lstsq(whole, y, rcond=None)
        return float(a), float(b), float(c), True, y - whole @ np.array([a, b, c])
    lighter = y - litres * fuel_us
    part = whole[:, :2]
    (a, b), *_ = np.linalg.lstsq(part, lighter, rcond=None)
    return float(a), float(b), float(fuel_us), False, lighter - part @ np.array([a, b])


def _scaled(columns: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(columns, axis=0)
    return columns / np.where(size > 0, size, 1) if (size > 0).all() else np.zeros((2, 2))


def model_ms(instance: Instance, lap: Lap) -> int:
    """What the plan's numbers say this very lap takes: driver, weather, tyres and fuel as they were."""
    last = instance.race.laps - 1
    planned = instance.conditions.by_lap[min(lap.number, last)]
    base = lap_ms(instance, lap=min(lap.number, last), driver=lap.seat, age=lap.age,
                  fuel_ml=lap.fuel_ml, compound=lap.compound)  # fmt: skip
    if planned == lap.letter:
        return base
    pace, tyre = instance.drivers[lap.seat].lap_ms, instance.car.tyre
    base += getattr(pace, lap.letter) - getattr(pace, planned)
    base += tyre.wrong_ms * (_is_wrong(lap.letter, lap.compound) - _is_wrong(planned, lap.compound))
    return base


def _is_wrong(letter: str, compound: int) -> int:
    return int((letter in "WX") != (compound == 1))


def by_stint(record: Record) -> list[Pace]:
    return [measure(record.laps_of(n), record.instance) for n in range(len(record.stints))]


def by_driver(record: Record) -> list[Pace]:
    """A driver's figures; consistency is the median over the stints, each fitted for itself."""
    out = []
    for seat in range(record.drivers):
        stints = [n for n, s in enumerate(record.stints) if s.seat == seat]
        laps = [lap for n in stints for lap in record.laps_of(n)]
        clean = [lap for n in stints for lap in clean_laps(record.laps_of(n))]
        paces = [measure(record.laps_of(n), record.instance) for n in stints]
        if not clean:
            out.append(Pace(laps=len(laps), clean=0))
            continue
        out.append(Pace(
            laps=len(laps), clean=len(clean), median_ms=float(median(lap.ms for lap in clean)),
            best_ms=min(lap.ms for lap in clean),
            drop_ms=_middle([p.drop_ms for p in paces]),
            consistency_ms=_middle([p.consistency_ms for p in paces]),
            to_plan_ms=sum(lap.ms - model_ms(record.instance, lap) for lap in clean) / len(clean),
            to_class_ms=_middle([p.to_class_ms for p in paces]),
        ))  # fmt: skip
    return out


def _middle(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(median(known)) if known else None
