"""How closely a plan was followed: when stints ended, who drove, which stops nobody had planned."""

from collections.abc import Sequence
from dataclasses import dataclass

from strategy.domain.analytics.record import Driven, Planned, Record


@dataclass(frozen=True, slots=True)
class StintDrift:
    """One stint beside its plan; what one of them lacks is None. Positive: later, longer, more."""

    number: int
    planned: Planned | None
    driven: Driven | None
    end_laps: int | None = None
    time_ms: int | None = None
    fuel_ml: int | None = None
    is_planned_driver: bool = False


@dataclass(frozen=True, slots=True)
class Adherence:
    """`timing` 1: every stint ended on the lap planned. `driver_share`: laps by the driver planned."""

    timing: float | None
    driver_share: float | None
    unplanned_stops: int
    missed_stops: int
    stints: list[StintDrift]


def measure(record: Record, planned: Sequence[Planned]) -> Adherence:
    """The race against one plan: the one from before the race, or for each stint the one then valid."""
    driven = list(record.stints)
    unplanned, missed = stops_off_plan(planned, driven)
    return Adherence(
        timing=timing(planned, driven),
        driver_share=driver_share(planned, driven),
        unplanned_stops=unplanned,
        missed_stops=missed,
        stints=drifts(planned, driven),
    )


def timing(planned: Sequence[Planned], driven: Sequence[Driven]) -> float | None:
    """1 - mean over stints of min(1, |end lap - planned end lap| / planned laps).

    A planned stint nobody drove counts as wholly missed.
    """
    if not planned:
        return None
    by_number = {s.number: s for s in driven}
    off = 0.0
    for stint in planned:
        done = by_number.get(stint.number)
        if done is None:
            off += 1.0
        else:
            off += min(1.0, abs(done.end_lap - stint.end_lap) / max(stint.laps, 1))
    return 1.0 - off / len(planned)


def driver_share(planned: Sequence[Planned], driven: Sequence[Driven]) -> float | None:
    """Laps driven by whom the plan had on that lap, as a share of all laps driven."""
    total = sum(s.laps for s in driven)
    if not total:
        return None
    right = sum(
        max(min(a.end_lap, b.end_lap) - max(a.start_lap, b.start_lap), 0)
        for a in planned
        for b in driven
        if a.seat == b.seat
    )
    return right / total


def stops_off_plan(planned: Sequence[Planned], driven: Sequence[Driven]) -> tuple[int, int]:
    """Stops without a planned one near, and planned ones never made.

    A stop belongs to the nearest planned stop that lies within half its stint.
    """
    wanted = [(s.end_lap, max(s.laps / 2, 1.0)) for s in planned[:-1]]
    made = [s.end_lap for s in driven[:-1]]
    pairs = sorted(
        (abs(lap - target), i, k)
        for i, lap in enumerate(made)
        for k, (target, near) in enumerate(wanted)
        if abs(lap - target) <= near
    )
    stops: set[int] = set()
    targets: set[int] = set()
    for _, i, k in pairs:
        if i not in stops and k not in targets:
            stops.add(i)
            targets.add(k)
    return len(made) - len(stops), len(wanted) - len(targets)


def drifts(planned: Sequence[Planned], driven: Sequence[Driven]) -> list[StintDrift]:
    """Planned beside actual by number of the stint; fuel is measured for the laps really driven."""
    plan, done = {s.number: s for s in planned}, {s.number: s for s in driven}
    out = []
    for number in sorted(plan.keys() | done.keys()):
        a, b = plan.get(number), done.get(number)
        if a is None or b is None:
            out.append(StintDrift(number, a, b))
            continue
        per_lap = a.used_ml / max(a.laps, 1)
        out.append(
            StintDrift(number, a, b, end_laps=b.end_lap - a.end_lap, time_ms=b.end_ms - a.end_ms,
                       fuel_ml=round(b.used_ml - per_lap * b.laps),
                       is_planned_driver=a.seat == b.seat)
        )  # fmt: skip
    return out
