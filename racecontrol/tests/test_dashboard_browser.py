"""The dashboard stays true while somebody looks at it."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from coaching.models import Mission
from coaching.services import missions
from coaching.tests.mission_builders import make_mission
from racecontrol.shared import jobs, live
from racecontrol.testing.browser import PHONE, assert_fine_here
from strategy.models import RaceStrategy, StintPlan
from strategy.tests.builders import make_strategy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_next_stint_and_imports_follow_what_happens(open_page, user):
    row = make_strategy(user, starts_at=[now() + timedelta(days=3)])
    RaceStrategy.objects.filter(pk=row.pk).update(status=RaceStrategy.Status.ACTIVE)
    StintPlan.objects.filter(plan=row.current, number=1).update(driver=user, laps=17)
    job = jobs.enqueue("racecontrol.tests.work.count", 1, owner=user, key="import:a", title="Cup")
    mine = jobs.Job.objects.filter(pk=job.pk)
    mine.update(state="running", done=1, total=32)
    page = open_page(user, viewport=PHONE)
    page.goto("/")
    stint, cup = page.locator("#card-stint"), page.get_by_role("region", name="Cup")

    expect(stint).to_contain_text("17 laps")
    expect(cup).to_contain_text("1 of 32")
    assert_fine_here(page, name="dashboard-live")

    mine.update(done=20)
    StintPlan.objects.filter(plan=row.current, number=1).update(laps=21)
    live.publish(f"strategy:{row.pk}", {"version": 2})
    expect(stint).to_contain_text("21 laps")
    expect(cup).to_contain_text("20 of 32")

    mine.update(state="done", result={"url": "/timing/"})
    RaceStrategy.objects.filter(pk=row.pk).update(status=RaceStrategy.Status.ARCHIVED)
    live.publish(f"strategy:{row.pk}", {"version": 3})
    expect(stint).to_have_count(0)
    expect(cup.get_by_role("link", name="Open")).to_be_visible()


def test_todays_guidance_follows_the_mission(open_page, user):
    mission = make_mission(user)
    Mission.objects.filter(pk=mission.pk).update(state="TRAINING", started_at=now())
    page = open_page(user)
    page.goto("/")
    card = page.locator("#card-mission")
    expect(card).to_contain_text("comes at")
    expect(page.locator("html[data-live-state=open]")).to_be_attached(timeout=20_000)

    Mission.objects.filter(pk=mission.pk).update(name="Hill Tour")
    missions.tell(mission.pk, state="TRAINING")

    expect(card).to_contain_text("Hill Tour", timeout=20_000)
