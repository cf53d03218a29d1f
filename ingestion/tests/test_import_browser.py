"""From the search to a race, as a person goes: LiveRC is asked, an import runs, its race is looked at."""

import re

import pglock
import pytest

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.liverc import addresses
from ingestion.liverc.client import url_of
from ingestion.models import Event, Race
from ingestion.tests.ways import ask_liverc
from racecontrol.testing import workers
from racecontrol.testing.browser import DESK, PHONE, axe_faults, overflow_faults, take_picture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]
PATIENT_MS = 120_000


def look(page, name: str) -> None:
    assert overflow_faults(page) == []
    assert axe_faults(page) == []
    take_picture(page, f"{name}-{page.viewport_size['width']}")


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"]
)
def test_search_import_with_progress_and_a_race(open_page, user, site, size, scheme):
    meeting = site.world.meeting(site.world.track(DEMO), DEMO_EVENT_ID)
    # The fourth race waits for a lock of ours, so there is a middle to be seen however slow we are.
    held = url_of(DEMO, addresses.race_path(str(meeting.races[3].id)))
    site.fail("view_race_result", "slow", value=0.3, times=3)
    page = open_page(user, viewport=size, color_scheme=scheme)
    page.set_default_timeout(PATIENT_MS)
    page.goto("/timing/")

    ask_liverc(page, meeting.first_day, meeting.last_day)
    row = page.locator("#events-found tbody tr").filter(has_text=meeting.name)
    row.wait_for()
    assert "not imported" in row.inner_text()
    look(page, "event-found")

    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Import the ticked events").click()
    page.locator("#imports .job-queued").wait_for()
    with pglock.advisory(f"fetch:{held}"):
        worker = workers.start(workers.DRAIN)
        try:
            progress = page.locator("#imports .job-running")
            progress.get_by_text(re.compile(rf"[1-3] of {len(meeting.races)}")).wait_for()
            assert progress.get_by_role("progressbar").get_attribute("max") == str(
                len(meeting.races)
            )
            assert 2 <= Race.objects.filter(state=Race.State.IMPORTED).count() <= 3
            look(page, "import-running")
        except BaseException:
            workers.end(worker)
            raise
    try:
        ended = page.locator("#imports .feed li").filter(has_text=meeting.name)
        ended.get_by_text("done", exact=True).wait_for()
    finally:
        workers.end(worker)
    event = Event.objects.get(source_event_id=str(DEMO_EVENT_ID))
    assert event.state == Event.State.IMPORTED

    ended.get_by_role("link").click()
    page.get_by_role("heading", name=event.name).wait_for()
    last = event.races.order_by("-run_order").first()
    page.locator("#event-races").get_by_role("link", name=last.label).first.click()
    page.get_by_role("heading", name="Results").wait_for()
    winner = last.results.get(position=1)
    assert page.locator("tbody tr").first.get_by_role("link").inner_text().casefold() == (
        winner.driver_name.casefold()
    )
    assert page.locator("figure.chart-figure").count() == 3
    look(page, "imported-race")
