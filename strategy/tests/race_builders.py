"""Races driven to the end for tests: the plan to the millisecond, unless laps or stops are made longer."""

from datetime import UTC, datetime, timedelta

from strategy.domain.stints.instance import read_instance
from strategy.domain.stints.scoring import lap_ms, score
from strategy.models import LapEvent, LiveRun, PitStop
from strategy.services.plans import plan_of
from strategy.tests.builders import make_strategy
from strategy.tests.live_builders import fresh

GREEN = datetime(2026, 6, 13, 14, 0, tzinfo=UTC)


def drive(owner, *, laps=None, slower_ms=0, slow_stop_ms=0, strategy=None, **values) -> LiveRun:
    """A race over the plan's laps (or so many of them, then it is still running)."""
    strategy = strategy or make_strategy(owner, **values.pop("event", {}))
    instance, plan = read_instance(strategy.problem), plan_of(strategy.current)
    facts = score(instance, plan).stints
    most = laps or instance.race.laps
    run = LiveRun.objects.create(
        strategy=strategy, first_plan=strategy.current, state="racing", green_at=GREEN, **values
    )
    at, events, done = 0, [], 0
    for stint, was in zip(plan, facts, strict=True):
        if done == most:
            break
        if was.stop_ms:
            events.append(LapEvent(kind="pit_in", lap=was.start_lap, at_ms=at))
            PitStop.objects.create(run=run, in_ms=at, out_ms=at + was.stop_ms + slow_stop_ms,
                                   lap=was.start_lap, fuel_added_ml=was.fuel_added_ml,
                                   tyres=stint.tyres)  # fmt: skip
            at += was.stop_ms + slow_stop_ms
            events.append(LapEvent(kind="pit_out", lap=was.start_lap, at_ms=at))
        fuel = was.fuel_in_ml
        for step, lap in enumerate(range(was.start_lap, was.end_lap)):
            if done == most:
                break
            at += slower_ms + lap_ms(instance, lap=lap, driver=stint.driver, fuel_ml=fuel,
                                     age=was.tyre_age + step, compound=was.compound)  # fmt: skip
            fuel -= getattr(instance.car.burn_ml, instance.conditions.by_lap[lap])
            done = lap + 1
            events.append(LapEvent(kind="lap", lap=done, at_ms=at))
    for n, event in enumerate(events):
        event.run, event.source, event.key = run, "test", str(n)
    LapEvent.objects.bulk_create(events)
    run.heard_ms, run.heard_at = at, GREEN + timedelta(milliseconds=at)
    if laps is None:
        run.state, run.finished_ms = "finished", at
    run.save()
    return fresh(run)
