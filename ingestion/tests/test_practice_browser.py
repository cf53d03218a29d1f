"""Practice as a person meets it, on a phone and on a desk: search, discover, import, compare."""

import pytest
from django.urls import reverse

from ingestion.models import Event, Race, RaceResult
from ingestion.tests.practice_days import DAY, DAY_ID, do_import
from ingestion.tests.ways import ask_liverc
from racecontrol.testing.browser import DESK, PHONE, assert_fine, axe_faults, overflow_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_from_the_search_to_the_comparison(open_page, user, site, practice_on, run_jobs, size):
    page = open_page(user, viewport=size)
    page.goto(reverse("ingestion:home"))
    page.get_by_role("link", name="Practice days", exact=True).click()

    ask_liverc(page, DAY)
    page.get_by_text("Asking LiveRC").wait_for()
    run_jobs()
    page.get_by_text("LiveRC was asked").wait_for()  # the page looks by itself

    page.get_by_role("button", name=f"Import {DAY.day} {DAY:%b %Y} at").click()
    page.get_by_text("being imported").wait_for()
    run_jobs()
    row = page.locator("tr", has=page.get_by_role("link", name=f"{DAY:%a} {DAY.day} {DAY:%b %Y}"))
    row.get_by_text("imported", exact=True).wait_for()
    row.get_by_role("link").first.click()

    leaders = page.locator("#practice-leaders")
    leaders.get_by_role("heading", name="Leaderboard").wait_for()
    assert page.locator("#practice-sessions tbody tr").count() > 1
    assert overflow_faults(page) == []
    assert axe_faults(page) == []
    leaders.get_by_role("link", name="Compare the sessions of").first.click()

    page.get_by_role("heading", name="Side by side").wait_for()
    assert page.locator("svg.chart:visible").count() >= 1
    page.locator("tbody th a").first.click()
    page.get_by_role("heading", name="Lap by lap").wait_for()
    assert page.get_by_text("best lap").first.is_visible()
    assert Event.objects.get(source_event_id=DAY_ID).state == "imported"


@pytest.fixture
def day(site, practice_on):
    do_import()
    return Event.objects.get(source_event_id=DAY_ID)


def test_every_practice_page_fits_in_both_colours(open_page, staff, day):
    result = (
        RaceResult.objects.filter(race__source=Race.Source.PRACTICE, driver__is_unknown=False)
        .select_related("race")
        .order_by("-laps")
        .first()
    )
    addresses = {
        "practice": reverse("ingestion:practice"),
        "day": reverse("ingestion:practice-day", args=[day.pk]),
        "session": reverse("ingestion:practice-session", args=[result.race_id]),
        "driver-day": reverse("ingestion:practice-driver-day", args=[day.pk, result.driver_id]),
        "driver-days": reverse(
            "ingestion:practice-driver-days", args=[result.driver_id, day.track_id]
        ),
        "class-day": reverse(
            "ingestion:practice-class-day", args=[day.pk, result.race.race_class_id]
        ),
    }
    page = open_page(staff)
    for name, address in addresses.items():
        assert_fine(page, address, name=f"practice-{name}")
