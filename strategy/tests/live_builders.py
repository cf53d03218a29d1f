"""Rows of races under way."""

from datetime import timedelta

from django.utils.timezone import now

from strategy.models import LapEvent, LiveRun
from strategy.queries import live
from strategy.services.live import feed
from strategy.services.live.frame import Order
from strategy.tests.builders import make_strategy


def make_run(
    owner, *, laps: int = 0, lap_ms: int = 154_000, minutes: float | None = None, **values
):
    """A race under way with so many equal laps in the first stint; three hours, two drivers."""
    strategy = values.pop("strategy", None) or make_strategy(owner, **values.pop("event", {}))
    gone = timedelta(milliseconds=laps * lap_ms) if minutes is None else timedelta(minutes=minutes)
    values = {"state": LiveRun.State.RACING, "green_at": now() - gone, "heard_at": now(),
              "first_plan": strategy.current} | values  # fmt: skip
    run = LiveRun.objects.create(strategy=strategy, **values)
    LapEvent.objects.bulk_create(
        LapEvent(run=run, source="test", key=f"lap-{n}", kind="lap", lap=n, at_ms=n * lap_ms)
        for n in range(1, laps + 1)
    )
    return fresh(run)


def fresh(run: LiveRun) -> LiveRun:
    """The race as the database has it now."""
    found = live.run_with_all(run.strategy_id)
    assert found is not None
    return found


def status_of(run: LiveRun, number: int) -> str:
    """The state of the stint of that number now."""
    return fresh(run).strategy.current.stints.get(number=number).status


def order(run: LiveRun, by, **values) -> Order:
    return Order(strategy_id=run.strategy_id, by=by, **values)


def laps_told(*numbers: int, **values) -> list[feed.Told]:
    """Crossings every 154 s, as a timing feed tells them."""
    return [feed.Told(key=f"l{n}", kind="lap", lap=n, at_ms=n * 154_000, **values) for n in numbers]
