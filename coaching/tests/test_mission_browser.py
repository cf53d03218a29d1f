"""From the wizard to the wrap-up in a real browser, on the scripted replies and a stepped clock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from coaching.models import Mission, MissionRun
from racecontrol.shared import jobs
from racecontrol.testing.browser import PHONE, assert_fine_here

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def demo(transactional_db, django_user_model):
    return django_user_model.objects.create_user(
        username="demo", email="demo@example.org", password="demo"
    )


def work() -> None:
    """The worker: every due job, until none is left."""
    while job := jobs.Job.objects.filter(state="queued", run_at__lte=timezone.now()).first():
        jobs.run_now(job)


def story(page) -> None:
    def look(name: str) -> None:
        assert_fine_here(page, name=f"mission-{name}")

    today = timezone.now().date()
    first, last = today + timedelta(days=3), today + timedelta(days=4)
    page.goto("/coaching/missions/")
    page.get_by_role("link", name="New mission").first.click()
    page.get_by_label("Event", exact=True).fill("Harbour Tour")
    page.get_by_label("First event day").fill(first.isoformat())
    page.get_by_label("Last event day").fill(last.isoformat())
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_label("What do you want from it?").fill("Finish both days.")
    look("wizard")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Stages").fill(f"{first} flat Harbour\n{last} mountain Top")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Monday (min)").fill("75")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("FTP (W)").fill("205")
    page.get_by_role("button", name="Next").click()
    look("limits")
    page.get_by_role("button", name="Review").click()
    look("review")
    page.get_by_role("button", name="Ask for a draft").click()
    page.get_by_text("is writing your draft").wait_for()
    work()
    page.get_by_text("Your draft is here").wait_for()  # with the form, by itself
    look("draft")
    page.get_by_label("Name", exact=True).fill("My harbour")
    page.get_by_role("button", name="Save the mission").click()
    work()
    page.reload()
    look("mission")
    page.get_by_role("button", name="Start the mission").click()
    page.get_by_text("is now training").wait_for()
    page.get_by_role("button", name="Next morning").click()
    work()
    page.locator("#guidance h2", has_text="DEMO").wait_for()
    assert page.get_by_text("Demonstration replies, not coaching").first.is_visible()
    look("today")
    page.get_by_label("done", exact=True).check()
    page.locator("#guidance").get_by_role("button", name="Tell").click()
    page.get_by_text("You said:").wait_for()
    page.get_by_role("button", name="To the event").click()
    work()
    page.locator("#guidance").get_by_text("ride mode:").wait_for()
    page.get_by_role("link", name="Board").click()
    page.get_by_label("Ridden as").select_option("breakaway")
    page.get_by_role("button", name="Save").click()
    page.locator("#board .badge", has_text="done").first.wait_for()
    look("board")
    page.get_by_role("button", name="Next morning").click()
    work()
    page.get_by_role("link", name="Board").click()
    page.get_by_label("Stage", exact=True).select_option("2")
    page.get_by_label("Ridden as").select_option("breakaway")
    page.get_by_role("button", name="Save").click()
    page.locator("#board .badge", has_text="earned").first.wait_for()
    page.get_by_role("button", name="Next morning").click()
    work()
    page.get_by_role("link", name="Calendar").click()
    look("calendar")
    page.get_by_role("link", name="Mission", exact=True).click()
    page.get_by_role("heading", name="DEMO: looking back").wait_for()
    assert page.get_by_text("33 points").first.is_visible()
    look("wrapup")


def test_the_whole_story_in_a_browser(open_page, demo, mailoutbox):
    page = open_page(demo)
    story(page)

    mission = Mission.objects.get()
    assert (mission.state, mission.is_demo) == ("MISSION_COMPLETE", True)
    assert set(MissionRun.objects.values_list("provider", flat=True)) <= {"scripted", ""}
    assert len(mailoutbox) >= 4
    assert page.problems == []


def test_the_wizard_works_without_javascript_on_a_phone(open_page, demo):
    page = open_page(demo, java_script_enabled=False, viewport=PHONE)
    today = timezone.now().date()
    page.goto("/coaching/missions/new/")
    page.get_by_label("Event", exact=True).fill("Sunday ride")
    page.get_by_label("Kind of event").select_option("one_day")
    page.get_by_label("First event day").fill((today + timedelta(days=9)).isoformat())
    page.get_by_label("Last event day").fill((today + timedelta(days=9)).isoformat())
    page.get_by_role("button", name="Next").click()
    for _ in range(3):
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Ask for a draft").click()
    work()
    page.get_by_role("link", name="look now").click()
    page.get_by_role("button", name="Save the mission").click()
    page.get_by_role("button", name="Start the mission").click()

    assert Mission.objects.get().state == "TRAINING"
    assert page.get_by_text("is now training").is_visible()
