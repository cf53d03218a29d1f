"""The demo race, the card on the dashboard, one's own stints over all teams."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now
from icalendar import Calendar

from racecontrol.testing.pages import Page
from racecontrol.testing.people import signed_in
from strategy import demo, queries
from strategy.models import Membership, RaceStrategy, Role, StrategyEvent
from strategy.services import plans
from strategy.tests.builders import make_strategy

pytestmark = pytest.mark.django_db


def active(user, *, days: float = 2):
    """An active strategy whose race starts some days from now."""
    start = (now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    row = make_strategy(user, starts_at=[start])
    return plans.set_state(strategy_id=row.pk, base_version=1, status="active", by=user)


def test_the_demo_has_teams_and_an_active_plan_that_keeps_every_rule_and_loads_once(user):
    for _ in range(2):
        demo.load_demo(by=user)

    event = StrategyEvent.objects.get()
    row = RaceStrategy.objects.get()
    assert event.signups.filter(status="team_assigned").count() == 8
    assert len({s.user.time_zone for s in event.signups.all()}) >= 6
    assert row.status == "active"
    assert row.current.broken_rules == 0
    assert queries.upcoming_stints(user, now())


def test_the_card_tells_the_next_stint_in_ones_own_time(client, user):
    row = active(user)
    user.time_zone = "Asia/Tokyo"
    user.save()
    turn = queries.upcoming_stints(user, now())[0]

    page = client.get(reverse("home"))

    told = Page(page).text("main")
    assert "Your next stint" in told
    assert "JST" in told
    assert f"stint {turn.stint.number}" in told
    assert turn.starts_at == row.instance.starts_at + timedelta(
        milliseconds=turn.stint.planned_start_ms
    )


@pytest.mark.parametrize("days", [-2, 2])
def test_what_is_over_drafts_and_other_peoples_stints_do_not_count(user, days):
    row = active(user, days=days)
    assert bool(queries.upcoming_stints(user, now())) == (days > 0)

    plans.set_state(strategy_id=row.pk, base_version=row.version, status="draft", by=user)
    assert queries.upcoming_stints(user, now()) == []


def test_who_left_the_team_has_no_stints(user):
    row = active(user)
    mate = row.team.members.get(username="mate1")
    assert queries.upcoming_stints(mate, now())

    Membership.objects.filter(team=row.team, user=mate).delete()

    assert queries.upcoming_stints(mate, now()) == []


def test_my_calendar_and_the_strategys_calendar_agree_on_uids(client, user):
    row = active(user)
    mine = Calendar.from_ical(client.get(reverse("strategy:my-ics")).content)
    theirs = Calendar.from_ical(client.get(reverse("strategy:ics", args=[row.pk])).content)
    uids = {str(e["uid"]): e["dtstart"].dt for e in theirs.walk("VEVENT")}

    found = {str(e["uid"]): e["dtstart"].dt for e in mine.walk("VEVENT")}

    assert found
    assert found.items() <= uids.items()
    one = client.get(reverse("strategy:ics", args=[row.pk]), {"driver": user.pk}).content
    assert {str(e["uid"]) for e in Calendar.from_ical(one).walk("VEVENT")} == found.keys()


def test_a_viewer_without_stints_reads_an_empty_page(other, user):
    row = active(user)
    Membership.objects.create(team=row.team, user=other, role=Role.VIEWER)
    theirs = signed_in(other)

    assert "No stint ahead" in theirs.get(reverse("strategy:my-schedule")).text
