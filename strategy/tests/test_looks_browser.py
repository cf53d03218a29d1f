"""Plans and races in trouble, as people look at them: every badge, alert and colour the calm ones lack."""

import pytest

from racecontrol.testing.browser import assert_fine
from strategy.models import LiveRun, StrategyEvent
from strategy.services import plans
from strategy.services.live import notes, race
from strategy.services.live.frame import Order
from strategy.tests.builders import make_strategy
from strategy.tests.live_builders import make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broken(user):
    """A plan with a stint that is too short and one that is held, its sign-up closed."""
    row = make_strategy(user, drivers=3)
    laps = row.current.stints.get(number=1).laps
    plans.lock_stint(strategy_id=row.pk, base_version=1, stint=2, is_locked=True, by=user)
    plans.edit_stint(strategy_id=row.pk, base_version=2, change="split", stint=1, value=laps - 1,
                     note="Fuel is short.", by=user)  # fmt: skip
    StrategyEvent.objects.filter(pk=row.event_id).update(is_signup_open=False)
    return row


def test_a_plan_that_breaks_rules(open_page, user, broken):
    page = open_page(user)
    for name in ("", "compare/1/", "schedule/", "print/"):
        assert_fine(
            page, f"/strategy/{broken.pk}/{name}", name=f"broken-{name.strip('/') or 'board'}"
        )
    assert_fine(page, f"/strategy/events/{broken.event_id}/", name="broken-event")


@pytest.mark.parametrize("flag", ["red", "sc"])
def test_a_wall_in_trouble(open_page, user, flag):
    """Too long in the car, in the rain, with a penalty to serve, under a flag."""
    run = make_run(user, laps=26, minutes=70)
    order = {"strategy_id": run.strategy_id, "by": user}
    race.set_flag(Order(**order), flag=flag)
    notes.change_weather(Order(**order), is_wet=True)
    notes.give_penalty(Order(**order), kind="time", amount=10_000, reason="speeding in the pits")
    page = open_page(user)
    for way in ("", "?screen=1", "me/"):
        name = way.strip("?/") or "desk"
        assert_fine(page, f"/strategy/{run.strategy_id}/wall/{way}", name=f"trouble-{flag}-{name}")


@pytest.mark.parametrize("state", [LiveRun.State.SCHEDULED, LiveRun.State.GRID])
def test_a_wall_before_the_start(open_page, user, state):
    run = make_run(user, state=state, green_at=None, heard_at=None)

    assert_fine(open_page(user), f"/strategy/{run.strategy_id}/wall/", name=f"wall-{state}")
