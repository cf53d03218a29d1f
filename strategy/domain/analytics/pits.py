"""What each stop cost against what its work should have cost, and where the rest went."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from strategy.domain.analytics.record import Record, Stop
from strategy.domain.stints.instance import Instance
from strategy.domain.stints.scoring import stop_ms


@dataclass(frozen=True, slots=True)
class StopFacts:
    """One stop in ms: lane + service + driver_change + delay is what it took.

    Lane and service are the reference's unless the time in the box was logged. Delay may be
    negative: the crew was quicker than the numbers of the car.
    """

    stop: Stop
    reference_ms: int
    lane_ms: int
    service_ms: int
    driver_change_ms: int
    delay_ms: int

    @property
    def loss_ms(self) -> int:
        return self.stop.ms - self.reference_ms


@dataclass(frozen=True, slots=True)
class PitWork:
    """Stops together, in ms. `efficiency` is reference over actual time: above 1 beats the numbers."""

    stops: list[StopFacts]
    median_ms: float | None
    p90_ms: float | None
    loss_ms: int
    efficiency: float | None


def facts_of(instance: Instance, stop: Stop) -> StopFacts:
    """A stop against the reference for the same fuel, tyres and driver change."""
    fuel, tyres = stop.added_ml, stop.new_tyres
    reference = stop_ms(instance, fuel_ml=fuel, new_tyres=tyres, swap=stop.swap)
    without = stop_ms(instance, fuel_ml=fuel, new_tyres=tyres, swap=False)
    lane = instance.pit.lane_ms
    change, service = reference - without, without - lane
    if stop.box_ms is not None:
        lane = stop.ms - stop.box_ms
    delay = stop.ms - lane - service - change
    return StopFacts(stop, reference, lane, service, change, delay)


def measure(instance: Instance, stops: Sequence[Stop]) -> PitWork:
    """The stops given, taken together."""
    facts = [facts_of(instance, stop) for stop in stops]
    times = [stop.ms for stop in stops]
    actual = sum(times)
    return PitWork(
        stops=facts,
        median_ms=median(times) if times else None,
        p90_ms=float(np.percentile(times, 90)) if times else None,
        loss_ms=sum(f.loss_ms for f in facts),
        efficiency=sum(f.reference_ms for f in facts) / actual if actual else None,
    )


def split(record: Record) -> tuple[PitWork, PitWork]:
    """Stops under green, and those under a caution, which are another trade."""
    green = [s for s in record.stops if not s.neutral]
    neutral = [s for s in record.stops if s.neutral]
    return measure(record.instance, green), measure(record.instance, neutral)
