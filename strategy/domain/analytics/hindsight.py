"""The best race that was there to be driven, and where the rest of the time went."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from strategy.domain.analytics.pits import facts_of
from strategy.domain.analytics.record import Lap, Record, clean_laps
from strategy.domain.analytics.replay import Replay, replay
from strategy.domain.stints.instance import Instance, Stint, read_instance
from strategy.domain.stints.solve import Solution, solve

LETTERS = "DNWX"


@dataclass(frozen=True, slots=True)
class Loss:
    """Actual time minus the best, in ms; the parts add up to `total_ms` exactly.

    plan: driven as planned by hindsight instead of the best plan. pit: stops over what they
    should have cost. pace: clean laps over the driver's own usual lap. neutral: laps under cautions
    over the model. incident: slow laps, penalties and whatever is left.
    """

    total_ms: int
    plan_ms: int
    pit_ms: int
    pace_ms: int
    neutral_ms: int
    incident_ms: int


@dataclass(frozen=True, slots=True)
class Hindsight:
    """`best` is the fastest plan for what really came; `status` as the optimiser proved it."""

    status: str
    best: list[Stint]
    best_ms: int | None
    driven_ms: int
    bound_ms: int | None
    loss: Loss | None


def hindsight_instance(record: Record) -> Instance:
    """The problem as it turned out: laps, clock, weather, pace, burn and stops as they really were.

    Pace is each driver's median clean lap after taking the car's fuel and tyre effects off; where
    none was driven in some weather, the plan's is scaled by what the driver's others showed. Burn
    is scaled as a whole; the lane costs the median of what green stops took above their work.
    """
    old = record.instance
    data = old.model_dump()
    laps = sorted(record.laps, key=lambda lap: lap.number)
    count = len(laps)
    clock = [0]
    for lap in laps:
        clock.append(max(lap.end_ms, clock[-1] + 1))
    data["race"] = {
        "laps": count, "clock_ms": clock, "lap_nominal_ms": [max(lap.ms, 1) for lap in laps],
    }  # fmt: skip
    data["conditions"]["by_lap"] = "".join(lap.letter for lap in laps)
    data["pit"]["closed_laps"] = [n for n in old.pit.closed_laps if n < count]
    usual = [
        stop.ms - facts_of(old, stop).reference_ms for stop in record.stops if not stop.neutral
    ]
    if usual:
        data["pit"]["lane_ms"] = max(round(old.pit.lane_ms + median(usual)), 0)
    _burn(record, data)
    old_end, far = old.race.clock_ms[-1], clock[-1] + 1
    for seat, who in enumerate(data["drivers"]):
        who["lap_ms"] = pace_table(record, seat)
        who["available_ms"] = [(a, max(b, far) if b >= old_end else b)
                               for a, b in who["available_ms"]]  # fmt: skip
        for name in ("max_drive_ms", "max_continuous_ms"):
            if who[name] >= old_end:
                who[name] = max(who[name], far)
    return read_instance(data)


def _burn(record: Record, data: dict) -> None:
    burn, letters = record.instance.car.burn_ml, [lap.letter for lap in record.laps]
    planned = sum(getattr(burn, letter) for letter in letters)
    used = sum(s.used_ml for s in record.stints)
    if planned and used > 0:
        for letter in LETTERS:
            data["car"]["burn_ml"][letter] = max(round(getattr(burn, letter) * used / planned), 1)


def pace_table(record: Record, seat: int) -> dict[str, int]:
    """A driver's usual lap by weather in ms, on empty tank and fresh tyres."""
    planned = record.instance.drivers[seat].lap_ms
    known = measured_pace(record, seat)
    scale = (
        median(value / getattr(planned, letter) for letter, value in known.items()) if known else 1
    )
    return {n: max(round(known.get(n, getattr(planned, n) * scale)), 1) for n in LETTERS}


def measured_pace(record: Record, seat: int) -> dict[str, float]:
    """The same, only for the weather the driver really had clean laps in."""
    bare: dict[str, list[float]] = defaultdict(list)
    for n, stint in enumerate(record.stints):
        if stint.seat != seat:
            continue
        for lap in clean_laps(record.laps_of(n)):
            bare[lap.letter].append(lap.ms - _effects(record.instance, lap))
    return {letter: median(values) for letter, values in bare.items()}


def _effects(instance: Instance, lap: Lap) -> int:
    tyre = instance.car.tyre
    ms = lap.fuel_ml * instance.car.fuel_us_per_ml // 1000
    ms += tyre.deg_ms * lap.age + tyre.deg2_us * lap.age * lap.age // 1000
    ms += tyre.cold_ms if lap.age == 0 else 0
    return ms + (tyre.wrong_ms if (lap.letter in "WX") != (lap.compound == 1) else 0)


def look_back(
    record: Record,
    *,
    seconds: float = 20.0,
    instance: Instance | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Hindsight:
    """The best plan for the race as it came, and the loss against it by cause.

    The driven plan counts as best where it keeps the rules and is faster through the real cautions.
    """
    after = instance or hindsight_instance(record)
    driven = replay(after, record.as_plan(), neutrals=record.neutrals)
    found = solve(after, time_limit=seconds, is_cancelled=is_cancelled)
    best, best_ms = _best(found, driven, record, after)
    if best_ms is None:
        return Hindsight(found.status, [], None, driven.finish_ms, None, None)
    return Hindsight(
        status=found.status, best=best, best_ms=best_ms, driven_ms=driven.finish_ms,
        bound_ms=found.bound_ms or None, loss=loss_of(record, driven, best_ms),
    )  # fmt: skip


def _best(
    found: Solution, driven: Replay, record: Record, after: Instance
) -> tuple[list[Stint], int | None]:
    ways: list[tuple[int, list[Stint]]] = []
    if found.score is not None:
        theirs = replay(after, found.plan, neutrals=record.neutrals)
        ways.append((theirs.finish_ms, list(found.plan)))
    if not driven.broken:
        ways.append((driven.finish_ms, record.as_plan()))
    if not ways:
        return [], None
    ms, plan = min(ways, key=lambda way: way[0])
    return plan, ms


def loss_of(record: Record, driven: Replay, best_ms: int) -> Loss:
    """The parts of actual - best; `driven` is the race as driven by the model."""
    actual = record.finish_ms + record.penalty_ms
    clean = {lap.number for n in range(len(record.stints)) for lap in clean_laps(record.laps_of(n))}
    pace = neutral = 0
    for lap in record.laps:
        over = lap.ms - driven.lap_ms[lap.number]
        if lap.neutral:
            neutral += over
        elif lap.number in clean:
            pace += over
    ordered: Sequence[int] = [n for n, s in enumerate(record.stints) if s.laps > 0]
    model = dict(zip(ordered, driven.stop_ms, strict=False))
    pit = sum(stop.ms - model.get(stop.stint, 0) for stop in record.stops)
    plan = driven.finish_ms - best_ms
    total = actual - best_ms
    return Loss(total, plan, pit, pace, neutral, total - plan - pit - pace - neutral)
