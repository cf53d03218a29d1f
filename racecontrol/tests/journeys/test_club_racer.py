"""A club racer's weekend: from signing up to a printed run plan, by page and by API."""

import os
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from playwright.sync_api import expect

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_DAY, DEMO_EVENT_ID
from ingestion.services.imports import import_event
from ingestion.tests.ways import ask_liverc
from racecontrol.shared import flags
from racecontrol.testing.browser import DESK, PHONE, axe_faults, overflow_faults, take_picture
from racecontrol.testing.people import switch_on
from racecontrol.tests.journeys.ways import Api, make_account, program_of_newcomer

pytestmark = pytest.mark.django_db(transaction=True)

PRACTICE_DAY = DEMO_DAY - timedelta(days=1)
CLASS = "1/8 Nitro Buggy"
# Won nothing on the stand-in's big meeting, but moved up: second of the B-Main, fourth of the final.
NAME, TRANSPONDER, CLUB_DAY = "Harlan Underhill", "6683287", "102482"
PASSWORD = "five-lap-Heat-9"
SCREENSHOTS = os.environ.get("SCREENSHOTS")


@pytest.fixture
def weekend(site, staff):
    """Rooms that have a flag are open; a club day of October is here; he practised on Friday."""
    switch_on(flags.ENABLE_PRACTICE_DAYS, flags.RUN_PLANS_V1)
    import_event(source_event_id=CLUB_DAY, track_slug=DEMO, by=staff)
    like = site.world.sessions(site.world.track(DEMO), PRACTICE_DAY)[0]
    for number, pace in enumerate((39_000, 38_600, 38_200), start=1):
        laps = tuple(pace + 70 * (lap % 5) for lap in range(14))
        session = replace(
            like, id=like.id + 500 + number, driver_name=NAME, transponder=TRANSPONDER,
            class_name=CLASS, laps_ms=laps,
            started_at=datetime.combine(PRACTICE_DAY, datetime.min.time())
            + timedelta(hours=13 + number),
        )  # fmt: skip
        site.world.put_session(DEMO, session)
    return site


def look(page, name: str) -> None:
    """What this journey meets on its way fits a phone and is accessible; with SCREENSHOTS both ways."""
    for way, scheme in ((DESK, "dark"), (PHONE, "light")) if SCREENSHOTS else ((PHONE, "light"),):
        page.set_viewport_size(way)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert overflow_faults(page) == []
        assert axe_faults(page) == []
        take_picture(page, f"racer-{name}-{way['width']}")
    page.set_viewport_size(DESK)


def claim_the_driver(page, run_jobs):
    """The club day of October is here already: claiming it logs it, without another press."""
    page.get_by_role("link", name="Timing").first.click()
    page.get_by_role("link", name="Drivers").first.click()
    page.get_by_role("searchbox").fill("underhill")
    page.get_by_role("link", name=NAME).click()
    page.get_by_role("link", name="This is me").click()
    look(page, "4-claim")
    page.get_by_label("Transponder").fill(TRANSPONDER)
    page.get_by_role("button", name="This is me").click()
    sessions = page.locator("#garage-sessions")
    expect(sessions).to_contain_text(f"Laps of {NAME}")
    run_jobs()
    expect(sessions.get_by_role("link", name="1/8 Nitro Truggy")).to_be_visible()


def import_practice_and_race(page, run_jobs):
    """Friday's practice, then the big meeting: found on LiveRC, imported."""
    page.get_by_role("link", name="Timing").first.click()
    page.get_by_role("link", name="Practice days", exact=True).click()
    ask_liverc(page, PRACTICE_DAY)
    run_jobs()
    page.get_by_role("button", name=f"Import {PRACTICE_DAY.day}").click()
    expect(page.get_by_text("being imported").first).to_be_visible()
    run_jobs()
    page.get_by_role("link", name="Events", exact=True).click()
    ask_liverc(page, DEMO_DAY)
    row = page.locator("#events-found tbody tr").filter(has_text="Harvest Cup")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Import the ticked events").click()
    expect(page.locator("#imports .job")).to_be_visible()
    run_jobs()


def find_both_scored(page):
    """Both are sessions with a score, and nobody pressed anything for it."""
    page.get_by_role("link", name="Coaching").first.click()
    sessions = page.locator("#garage-sessions")
    for name in ("Practice Day", f"Harvest Cup · {CLASS}", "Foreman's Trophy"):
        row = sessions.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text(re.compile(r"\d\d\.\d \(\d"))
    sessions.get_by_role("link", name=f"Harvest Cup · {CLASS}").click()
    expect(page.get_by_role("heading", name="Harvest Cup")).to_be_visible()


def compare_them(page) -> str:
    """Practice beside the race, with the way up from the B-Main. The pace of the final."""
    page.get_by_role("link", name="In timing").click()
    page.get_by_role("link", name=f"{CLASS} A-Main").first.click()
    results = page.get_by_role("region", name="Results, wide table")
    expect(results.get_by_role("row").filter(has_text=NAME)).to_contain_text("from B-Main (2nd)")
    page.get_by_role("link", name="Beside my practice").click()
    final = page.locator("tbody tr").filter(has=page.get_by_role("link", name="A-Main", exact=True))
    expect(final).to_contain_text("from B-Main (2nd)")
    for kind in ("practice", "qualifying", "race"):
        expect(page.get_by_text(f"Pace in {kind}")).to_be_visible()
    look(page, "9-beside")
    return final.locator("[data-label=Pace]").inner_text()


def plan_a_run_and_print_it(page, pace):
    """A run at that pace, and on paper."""
    page.get_by_role("link", name="Plan a run at race pace").click()
    expect(page.get_by_label("Pace a lap")).to_have_value(pace)
    page.fill("[name=required_laps]", "45")
    page.select_option("[name=unit]", "ml")
    page.fill("[name=burn]", "4")
    page.fill("[name=tank]", "125")
    page.get_by_role("button", name="Save the plan").click()
    page.wait_for_url(re.compile(r"/run-plans/[0-9a-f-]{36}/$"))
    page.get_by_role("link", name="Clipboard sheet").click()
    expect(page.get_by_role("heading", name="Run plan")).to_be_visible()
    look(page, "10-sheet")
    page.emulate_media(media="print")
    for screen_only in (".top", "nav", ".actions"):
        expect(page.locator(screen_only).first).to_be_hidden()
    expect(page.get_by_text(f"{pace} a lap")).to_be_visible()
    assert page.locator("tbody tr").count() == 2  # 45 laps at 4 ml: one stop
    assert page.pdf(format="A5").count(b"/Type /Page\n") == 1


@pytest.mark.browser
def test_a_club_racers_weekend(page, weekend, run_jobs):
    page.goto("/")
    page.locator("#main").get_by_role("link", name="Make an account").click()
    make_account(page, "harlan", PASSWORD)
    expect(page.get_by_role("heading", name="Hello harlan")).to_be_visible()
    claim_the_driver(page, run_jobs)
    import_practice_and_race(page, run_jobs)
    find_both_scored(page)
    pace = compare_them(page)
    plan_a_run_and_print_it(page, pace)


def test_the_same_weekend_over_the_api(weekend, run_jobs):
    """Import first, claim later: the other order than in the browser. An account is made on its page."""
    harlan = Client()
    api = Api(program_of_newcomer(harlan, "harlan", PASSWORD))

    span = {"track": DEMO, "from": PRACTICE_DAY.isoformat(), "to": DEMO_DAY.isoformat()}
    api.post("practice-days/discover", **span)
    run_jobs()
    days = api.post("practice-days/discover", **span)["days"]
    day_id = next(day["source_event_id"] for day in days if day["date"] == span["from"])
    api.post(f"practice-days/{day_id}/import")
    found = api.get("events/discover", **span)["events"]
    assert str(DEMO_EVENT_ID) in [event["source_event_id"] for event in found]
    api.post(f"events/{DEMO_EVENT_ID}/import")
    run_jobs()
    assert api.get("sessions")["items"] == []

    [driver] = api.get("drivers", q=TRANSPONDER)["items"]
    racer = api.post("racers", name="Harlan", transponder=TRANSPONDER)
    assert api.post(f"racers/{racer['id']}/claim", driver_id=driver["id"])["state"] == "approved"
    run_jobs()
    sessions = {row["name"]: row["id"] for row in api.get("sessions")["items"]}
    practised = next(pk for name, pk in sessions.items() if "Practice Day" in name)
    raced = next(pk for name, pk in sessions.items() if name.endswith(f"Harvest Cup · {CLASS}"))
    scores = [api.get(f"sessions/{pk}/orp") for pk in (practised, raced)]
    assert all(40 < score["score"] <= 100 for score in scores)

    event = api.get("events/search", q="Harvest")["items"][0]
    beside = api.get(f"drivers/{driver['id']}/events/{event['id']}/practice", **{"class": CLASS})
    assert beside["day"] == day_id
    assert [one["kind"] for one in beside["totals"]] == ["practice", "qualifying", "race"]
    final = beside["runs"][-1]
    assert (final["label"], final["position"], final["bumped_from"]) == ("A-Main", 4, "B-Main")
    [move] = api.get("bump-ups", driver=driver["id"], track=DEMO)["items"]
    assert move["target"]["race_id"] == final["race_id"]

    plan = api.post(
        "run-plans", target_pace_s=final["pace_ms"] / 1000, required_laps=45,
        fuel_burn_l_per_lap=0.004, tank_capacity_l=0.125,
    )  # fmt: skip
    assert api.get(f"run-plans/{plan['id']}") == plan
    assert plan["result"]["pit_stops_required"] == 1
    assert f"/run-plans/{plan['id']}/print/" in harlan.get(f"/run-plans/{plan['id']}/").text
