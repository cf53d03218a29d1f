"""Races under way from numbers: driven exactly as planned unless a test says otherwise."""

from dataclasses import replace

from strategy.domain.live.log import LapDone, Mark, Planned, Race
from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.scoring import lap_ms, score
from strategy.tests.stint_problems import problem

PLAN = [Stint(driver=0, laps=8), Stint(driver=1, laps=8), Stint(driver=0, laps=8)]


def planned(instance: Instance, plan: list[Stint]) -> tuple[Planned, ...]:
    return tuple(
        Planned(
            n, stint.driver, stint.laps, f.start_lap, f.start_ms, f.drive_ms, f.stop_ms,
            f.fuel_in_ml, f.fuel_out_ml, stint.tyres, stint.compound,
        )
        for n, (stint, f) in enumerate(
            zip(plan, score(instance, plan).stints, strict=True), start=1)
    )  # fmt: skip


def exact_race(
    *,
    laps: int,
    plan: list[Stint] | None = None,
    instance: Instance | None = None,
    slower_ms: int = 0,
    **changes,
) -> Race:
    """A race in which so many laps were driven to the millisecond of the plan (or `slower_ms` off)."""
    instance, plan = instance or problem(), plan or PLAN
    stints = planned(instance, plan)
    at, crossings, marks = 0, [], []
    for stint, facts in zip(stints, score(instance, plan).stints, strict=True):
        if stint.number > 1 and len(crossings) < laps:
            marks += [Mark("pit_in", at, stint.start_lap), Mark("pit_out", at + facts.stop_ms)]
            at += facts.stop_ms
        fuel = facts.fuel_in_ml
        for n in range(stint.laps):
            if len(crossings) == laps:
                break
            lap = stint.start_lap + n
            at += slower_ms + lap_ms(
                instance, lap=lap, driver=stint.seat, age=facts.tyre_age + n, fuel_ml=fuel,
                compound=stint.compound,
            )  # fmt: skip
            fuel -= getattr(instance.car.burn_ml, instance.conditions.by_lap[lap])
            crossings.append(LapDone(lap + 1, at))
    race = Race(
        # the clock runs out in the middle of the last planned lap
        instance=instance, duration_ms=score(instance, plan).z1_ms - 90_000, stints=stints,
        state="racing", now_ms=at, marks=tuple(marks), laps=tuple(crossings),
    )  # fmt: skip
    return replace(race, **changes)
