"""A race that was driven before anybody opened it on the wall: told afterwards, and it counts."""

from datetime import timedelta

import pytest

from racecontrol.shared.errors import InvalidInput
from strategy.domain.live.transitions import WrongMove
from strategy.models import LiveRun
from strategy.queries import analytics, live
from strategy.services import analytics as measuring
from strategy.services.live import feed, notes, race, stints, undo
from strategy.services.live.frame import Order
from strategy.tests.builders import START, make_strategy
from strategy.tests.live_builders import fresh, laps_told

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(user):
    row = make_strategy(user)
    opened = race.open_race(strategy_id=row.pk, by=user, is_retold=True)
    race.set_state(Order(row.pk, user), state="racing")
    return fresh(opened)


def test_it_begins_at_its_planned_start_and_stands_at_the_newest_moment_told(run, user):
    feed.tell(strategy_id=run.strategy_id, source="bridge", events=laps_told(1, 2, 3), by=user)

    state = live.wall_of(fresh(run))

    assert state.run.green_at == START
    assert (state.wall.clock.now_ms, state.wall.finish.laps_done) == (3 * 154_000, 3)
    assert not state.is_stale
    assert state.run.rate == 0


def test_a_command_with_a_moment_takes_the_race_there(run, user):
    order = Order(run.strategy_id, user, at_ms=3_700_000)

    stints.update_stint_progress(order, stint=1, status="completed")

    assert live.wall_of(fresh(run)).wall.clock.now_ms == 3_700_000


def test_a_moment_told_by_mistake_is_taken_back_with_its_command(run, user):
    feed.tell(strategy_id=run.strategy_id, source="bridge", events=laps_told(1, 2, 3), by=user)
    notes.change_weather(Order(run.strategy_id, user, at_ms=360_000_000), is_wet=True)

    undo.undo_last(Order(run.strategy_id, user))

    assert live.wall_of(fresh(run)).wall.clock.now_ms == 3 * 154_000


def test_it_counts_for_the_next_race(run, user):
    feed.tell(strategy_id=run.strategy_id, source="bridge", events=laps_told(*range(1, 9)), by=user)
    race.set_state(Order(run.strategy_id, user, at_ms=8 * 154_000), state="finished")

    measuring.measure(run_id=run.pk, seconds=0.5)

    people = run.strategy.team.members.all()
    assert [row.laps for who in people for row in analytics.results_of(who) if row.laps] == [8]


def test_it_may_have_begun_at_another_moment_but_not_in_the_future(user):
    row = make_strategy(user)
    opened = race.open_race(strategy_id=row.pk, by=user, is_retold=True)
    late = START + timedelta(minutes=7)

    race.set_state(Order(row.pk, user, at=late), state="racing")

    assert fresh(opened).green_at == late


def test_training_is_no_race_that_was_driven(user):
    row = make_strategy(user)

    with pytest.raises(InvalidInput, match="not both"):
        race.open_race(strategy_id=row.pk, by=user, is_retold=True, is_training=True)

    assert not LiveRun.objects.exists()


def test_laps_before_the_green_flag_are_refused_as_ever(user):
    row = make_strategy(user)
    race.open_race(strategy_id=row.pk, by=user, is_retold=True)

    with pytest.raises(WrongMove):
        feed.tell(strategy_id=row.pk, source="bridge", events=laps_told(1), by=user)
