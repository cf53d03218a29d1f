"""Race time first, then an even share of driving, then freshness.

Fairness is asked as a band: everybody's drive time within the mean ± so much. The band is narrowed
until the plan would cost more than the tolerance; what each band costs is told on the way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from strategy.domain.stints.instance import Instance, read_instance
from strategy.domain.stints.scoring import score
from strategy.domain.stints.solve import Solution, solve


@dataclass(frozen=True, slots=True)
class Trade:
    """One point of the front: this spread of drive time for this much race time (ms)."""

    spread_ms: int
    extra_ms: int


def within_band(instance: Instance, band_ms: int) -> Instance | None:
    """The same race with every driver's total within the mean ± band; None where rules forbid it."""
    mean = sum(instance.race.lap_nominal_ms) // len(instance.drivers)
    data = instance.model_dump()
    for driver in data["drivers"]:
        driver["min_drive_ms"] = max(driver["min_drive_ms"], mean - band_ms, 0)
        driver["max_drive_ms"] = min(driver["max_drive_ms"], mean + band_ms)
        if driver["min_drive_ms"] > driver["max_drive_ms"]:
            return None
    return read_instance(data)


def balance(
    instance: Instance,
    best: Solution,
    *,
    tolerance_ms: int | None = None,
    seconds: float = 20.0,
    is_cancelled: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = monotonic,
) -> tuple[Solution, list[Trade]]:
    """The evenest plan found that costs at most `tolerance_ms` more than the best race time."""
    if best.score is None:
        return best, []
    allowed = instance.rules.balance_tolerance_ms if tolerance_ms is None else tolerance_ms
    started, fastest = clock(), best.score.z1_ms
    chosen, front = best, [Trade(best.score.z2_ms, 0)]
    low, high = 0, best.score.z2_ms
    while high - low > 60_000 and clock() - started < seconds and not is_cancelled():
        band = (low + high) // 2
        trial = within_band(instance, band // 2)
        found = (
            None
            if trial is None
            else solve(
                trial, time_limit=max(seconds / 8, 1.0), is_cancelled=is_cancelled, clock=clock
            )
        )
        if found is None or found.score is None:
            low = band
            continue
        judged = score(instance, found.plan)
        front.append(Trade(judged.z2_ms, judged.z1_ms - fastest))
        if judged.z1_ms > fastest + allowed or not judged.is_valid:
            low = band
            continue
        if chosen.score is None or (judged.z2_ms, judged.z3_ms) < (
            chosen.score.z2_ms,
            chosen.score.z3_ms,
        ):
            chosen = Solution(
                "feasible" if judged.z1_ms > best.bound_ms else best.status,
                found.plan, judged, best.bound_ms, found.seconds, "balanced",
            )  # fmt: skip
        high = min(band, judged.z2_ms)
    return chosen, sorted(front, key=lambda t: t.spread_ms)
