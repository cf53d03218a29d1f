"""The ladder and a correction as a person meets them, on a phone and on a desk."""

import pytest

from ingestion.services import bumpups as services
from ingestion.tests.bumpup_builders import make_event, make_night, save_demo
from racecontrol.testing.browser import DESK, PHONE, assert_fine_here, overflow_faults, take_picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def demo():
    event = save_demo()
    services.detect_for_event(event.pk)
    return event


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_ladder_is_drawn_and_fits(open_page, user, demo, size):
    page = open_page(user, viewport=size)
    page.goto(f"/timing/events/{demo.pk}/bump-ups/")

    drawing = page.locator("svg.chart:visible").first
    assert drawing.locator("path.climb").count() == 8
    assert drawing.locator(".tier-title").all_inner_texts() != []
    assert page.get_by_text("8 moved up").is_visible()
    assert_fine_here(page, name="bump-ups")


def test_a_correction_redraws_the_ladder_in_place(open_page, staff, demo):
    page = open_page(staff)
    page.goto(f"/timing/events/{demo.pk}/bump-ups/")
    row = demo.bump_ups.filter(target_race__main="A").order_by("source_position").first()

    assert_fine_here(page, name="bump-ups-staff")
    line = page.locator(f"#move-{row.pk}")
    line.get_by_role("textbox").fill("Drove for a friend")
    line.get_by_role("button", name="Reject").click()

    page.get_by_text("7 moved up").wait_for()
    assert "rejected" in page.locator(f"#move-{row.pk}").inner_text()
    assert "Drove for a friend" in page.locator(f"#move-{row.pk}").inner_text()
    assert page.locator("svg.chart:visible").first.locator("path.climb").count() == 7
    row.refresh_from_db()
    assert (row.status, row.decided_by) == ("rejected", staff)

    page.locator(f"#move-{row.pk}").get_by_role("button", name="Undo").click()
    page.get_by_text("8 moved up").wait_for()


def test_a_move_is_added_without_javascript(open_page, staff):
    event = make_night(make_event())
    services.detect_for_event(event.pk)
    page = open_page(staff, java_script_enabled=False, viewport=PHONE)
    page.goto(f"/timing/events/{event.pk}/bump-ups/")

    assert overflow_faults(page) == []
    take_picture(page, "bump-ups-staff-plain")
    page.get_by_label("From").select_option(label="Buggy B-Main")
    page.get_by_label("Into").select_option(label="Buggy A-Main")
    page.get_by_label("Driver", exact=True).select_option(label="Driver d")
    page.get_by_role("button", name="Add").click()

    assert "5 moved up" in page.inner_text("main")
    assert "The bump-up was added." in page.inner_text("#notices")


def test_the_statistics_fit(open_page, user, demo):
    for n in range(5):
        services.detect_for_event(make_night(make_event(source_event_id=f"n{n}")).pk)
    page = open_page(user)
    page.goto("/timing/bump-ups/")

    assert page.get_by_role("heading", name="Who bumps often").is_visible()
    assert_fine_here(page, name="bump-up-statistics")
