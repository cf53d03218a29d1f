"""Rows of races under way."""

from datetime import timedelta

from django.utils.timezone import now

from strategy.models import LapEvent, LiveRun
from strategy.queries import live
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
    fresh = live.run_with_all(strategy.pk)
    assert fresh is not None
    return fresh
