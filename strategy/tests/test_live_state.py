"""The wall as a query: rows in, one dataclass out."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from strategy.models import FlagPeriod, LapEvent, LiveRun, StintPlan
from strategy.queries import live
from strategy.tests.live_builders import make_run

pytestmark = pytest.mark.django_db


def test_the_wall_knows_who_is_in_and_what_comes(user):
    run = make_run(user, laps=5)

    state = live.wall_of(run, at=run.green_at + timedelta(milliseconds=5 * 154_000 + 10_000))

    wall = state.wall
    assert wall.in_car is not None
    first = run.strategy.current.stints.get(number=1)
    assert (wall.in_car.name, wall.in_car.laps) == (str(first.driver), 5)
    assert wall.in_car.in_stint_ms == 5 * 154_000 + 10_000
    assert wall.next_up is not None
    assert state.moment(0) == run.green_at
    assert state.seat_of(user) == 0
    assert not state.is_stale


def test_the_wall_takes_a_fixed_number_of_queries(user, django_assert_num_queries):
    few, many = make_run(user, laps=2), 30
    with django_assert_num_queries(10):
        live.wall_of(live.run_with_all(few.strategy_id))
    LapEvent.objects.bulk_create(
        LapEvent(run=few, source="test", key=f"more-{n}", kind="lap", lap=n, at_ms=n * 154_000)
        for n in range(3, many)
    )

    with django_assert_num_queries(10):
        live.wall_of(live.run_with_all(few.strategy_id))


def test_a_feed_that_fell_silent_is_told(user):
    run = make_run(user, laps=5)

    assert not live.wall_of(run, at=run.heard_at + timedelta(seconds=150)).is_stale
    assert live.wall_of(run, at=run.heard_at + timedelta(seconds=170)).is_stale


def test_a_training_race_follows_its_feed(user):
    run = make_run(user, laps=5, is_training=True, speed=60, heard_ms=770_000)

    assert live.now_ms(run, run.heard_at) == 770_000
    assert live.now_ms(run, run.heard_at + timedelta(seconds=0.5)) == 800_000
    # not further than a minute past what was heard
    assert live.now_ms(run, run.heard_at + timedelta(hours=1)) == 830_000


def test_a_race_before_the_start_shows_the_plan(user):
    run = make_run(user, state=LiveRun.State.SCHEDULED, green_at=None, heard_at=None)

    state = live.wall_of(run)

    assert state.wall.in_car is None
    assert state.wall.clock.left_ms == run.strategy.event.duration_ms
    assert state.moment(0) == run.strategy.instance.starts_at
    assert [line.status for line in state.wall.stints] == ["planned"] * len(state.wall.stints)


def test_the_database_holds_one_flag_one_event_and_one_version(user):
    run = make_run(user, laps=1)
    FlagPeriod.objects.create(run=run, kind="sc", from_ms=1_000)

    for make in (
        lambda: FlagPeriod.objects.create(run=run, kind="fcy", from_ms=2_000),
        lambda: LapEvent.objects.create(run=run, source="test", key="lap-1", kind="lap", lap=1,
                                        at_ms=5),
        lambda: LapEvent.objects.create(run=run, source="x", key="1", kind="lap", at_ms=5),
        lambda: FlagPeriod.objects.create(run=run, kind="fcy", from_ms=9, to_ms=8),
        lambda: LiveRun.objects.create(strategy=run.strategy),
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            make()


def test_stints_of_other_plans_do_not_disturb(user):
    run = make_run(user, laps=3)
    StintPlan.objects.filter(plan=run.strategy.current, number=2).update(status="skipped")

    statuses = [line.status for line in live.wall_of(run, at=now()).wall.stints]

    assert statuses[:3] == ["in_progress", "skipped", "planned"]
