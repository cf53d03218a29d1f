"""Lap entry and the closing audit with a thumb: a phone, htmx, a strict policy."""

import pytest

from coaching.models import RunLog, Session, SetupChange
from coaching.tests.builders import STEADY, drive, make_session
from racecontrol.testing.browser import PHONE, assert_fine, assert_fine_here

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def session(user) -> Session:
    return make_session(user, name="Saturday")


def test_laps_are_typed_one_after_another_on_a_phone(open_page, user, session):
    page = open_page(user, viewport=PHONE, has_touch=True)
    page.goto(f"/coaching/sessions/{session.pk}/")
    page.get_by_label("Heat", exact=True).first.fill("Practice 1")

    for n, time in enumerate(("58.12", "58.03", "1:02.345", "57.95", "58.31", "58.08"), start=1):
        field = page.get_by_label("Lap time", exact=True)
        field.fill(time)
        field.press("Enter")
        page.get_by_label(f"Flag of lap {n}", exact=True).wait_for()
        # the next lap can be typed at once: the field is empty and has the focus
        assert page.evaluate("document.activeElement.id") == "lap_lap_time"
        assert page.get_by_label("Lap time", exact=True).input_value() == ""

    assert [lap.lap_ms for lap in RunLog.objects.order_by("lap_number")] == [
        58_120, 58_030, 62_345, 57_950, 58_310, 58_080,
    ]  # fmt: skip
    assert "quality C" in page.locator("#orp-v2").inner_text()
    assert page.locator("td .badge", has_text="slow: costs as an incident").count() == 1
    assert_fine_here(page, name="laps-typed")


def test_a_typing_mistake_says_so_and_keeps_what_was_typed(open_page, user, session):
    page = open_page(user, viewport=PHONE)
    page.goto(f"/coaching/sessions/{session.pk}/")

    page.get_by_label("Lap time", exact=True).fill("fast")
    page.get_by_label("Lap time", exact=True).press("Enter")

    page.get_by_text("is not a lap time").wait_for()
    assert_fine_here(page, name="lap-mistyped")
    assert page.get_by_label("Lap time", exact=True).input_value() == "fast"
    assert not RunLog.objects.exists()
    page.problems.clear()  # the browser notes the 422


def test_a_column_is_pasted_and_a_lap_flagged(open_page, user, session):
    page = open_page(user, viewport=PHONE)
    page.goto(f"/coaching/sessions/{session.pk}/")

    page.get_by_text("Paste a column of times").click()
    page.get_by_label("Lap times").fill("75.2\n58.1\n58.2\n58.0\n58.3\n58.1\n58.2")
    page.get_by_role("button", name="Add these laps").click()
    page.get_by_label("Flag of lap 1").select_option("out")
    page.locator("tr", has=page.get_by_label("Flag of lap 1")).get_by_role(
        "button", name="Set"
    ).click()

    page.locator("td .badge", has_text="out-lap: not counted").wait_for()
    assert RunLog.objects.get(lap_number=1).flag == "out"


def test_a_change_and_the_audit_that_closes_the_session(open_page, user, session):
    page = open_page(user, viewport=PHONE, has_touch=True)
    page.goto(f"/coaching/sessions/{session.pk}/")

    page.get_by_text("Propose a change").click()
    page.get_by_label("What").select_option("DF")
    page.get_by_label("To", exact=True).fill("7000")
    page.get_by_role("button", name="Propose").click()
    page.get_by_role("button", name="Apply", exact=True).click()
    page.get_by_role("button", name="Apply it anyway").wait_for()
    assert_fine_here(page, name="change-warned")
    page.get_by_role("button", name="Apply it anyway").click()
    page.get_by_text("in spite of a warning").wait_for()
    page.problems.clear()  # asking first is a 422

    page.get_by_role("button", name="Close with an audit").click()
    page.get_by_label("4 – better").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Corner Exit").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("What did you see and feel?").fill("Calm on power.")
    page.get_by_label("Best lap").fill("57.9")
    assert_fine_here(page, name="audit")
    page.get_by_role("button", name="Finish and close").click()

    page.get_by_role("button", name="Reopen").wait_for()
    assert page.get_by_text("Calm on power.").is_visible()
    assert_fine_here(page, name="session-closed")
    assert not page.get_by_label("Lap time", exact=True).count()
    session.refresh_from_db()
    assert (session.status, SetupChange.objects.get().result) == ("closed", "success")


def test_two_sessions_side_by_side_and_their_history(open_page, user, session):
    later = make_session(user, name="Sunday")
    drive(session, confidence=3)
    drive(later, times=[time * 1.01 for time in STEADY] + [75.2], kind="race")
    page = open_page(user)

    assert_fine(page, f"/coaching/compare/?a={session.pk}&b={later.pk}", name="compared")
    assert page.get_by_text("Best clean lap").is_visible()
    assert_fine(page, f"/coaching/sessions/{later.pk}/", name="session-raced")
    assert_fine(page, "/coaching/history/", name="history")


def test_it_works_without_javascript(open_page, user, session):
    page = open_page(user, viewport=PHONE, java_script_enabled=False)
    page.goto(f"/coaching/sessions/{session.pk}/")

    for time in ("58.1", "58.2"):
        page.get_by_label("Lap time", exact=True).fill(time)
        page.get_by_role("button", name="Add lap").click()

    assert [lap.lap_ms for lap in RunLog.objects.order_by("lap_number")] == [58_100, 58_200]
    assert "heat=" in page.url
