"""Practice pages that reach over many days: a whole range at once, and days that were put away."""

from datetime import date

import pytest
from django.utils.timezone import now

from ingestion.models import Event, PracticeDay
from ingestion.tests.builders import make_driver, make_track
from ingestion.tests.practice_builders import make_practice_day, make_practice_session
from ingestion.tests.practice_days import DAY, DEMO
from ingestion.tests.test_practice_pages import text, url
from racecontrol.shared.jobs import Job

pytestmark = pytest.mark.django_db


def test_a_range_nobody_looked_at_is_asked_for_and_imported(
    client, site, practice_on, settings, run_jobs
):
    make_track(DEMO)
    settings.LIVERC_PER_DAY = 10_000
    range_ = f"track={DEMO}&first={DAY}&last={DAY}"
    here = f"{url('practice')}?{range_}"
    page = client.get(here).content.decode()
    assert "Ask LiveRC and import every day" in page
    assert f'name="range" value="{range_.replace("&", "&amp;")}"' in page

    sent = {"range": range_, "next": here}
    assert client.post(url("practice-import"), sent).headers["Location"] == here
    assert "Asking LiveRC" in text(client, here)
    run_jobs()

    assert Event.objects.get().state == "imported"
    assert "1 of 1 days" in text(client, url("imports"))


def test_a_range_that_strains_the_budget_asks_first(client, practice_on, settings):
    settings.LIVERC_PER_DAY = 1
    make_track("here")
    sent = {"range": "track=here&first=2026-10-01&last=2026-10-31"}
    page = client.post(url("practice-import"), sent).content.decode()
    assert "Import every practice day of the range?" in page
    assert not Job.objects.exists()

    client.post(url("practice-import"), {**sent, "confirmed": "1"})

    assert Job.objects.get().args[2] == ["here", "2026-10-01", "2026-10-31"]


def test_archived_days_of_a_driver_are_one_press_away(client, practice_on):
    track, driver = make_track("here"), make_driver("ANA ROSSI")
    made = {}
    for n, archived_at in ((1, now()), (8, None)):
        event = make_practice_day(
            track=track, day=date(2026, 10, n), figures={"archived_at": archived_at}
        )
        made[n] = make_practice_session(event, [41_000 - n, 41_300], driver=driver)
    for page in (url("driver", driver.pk), url("practice-driver-days", driver.pk, track.pk)):
        shown = client.get(page).content.decode()
        assert "8 Oct 2026" in shown
        assert "1 Oct 2026" not in shown
        assert 'href="?archived=1"' in shown
        shown = client.get(f"{page}?archived=1").content.decode()
        assert "8 Oct 2026" in shown
        assert "1 Oct 2026" in shown
        assert "Without archived days" in shown

    PracticeDay.objects.update(archived_at=now())
    for page in (url("driver", driver.pk), url("practice-driver-days", driver.pk, track.pk)):
        assert "Archived days, too (2 sessions)" in " ".join(text(client, page).split())
    PracticeDay.objects.update(archived_at=None)
    for page in (url("driver", driver.pk), url("practice-driver-days", driver.pk, track.pk)):
        assert "rchived" not in text(client, page)


def test_a_refresh_that_strains_the_budget_asks_first(client, practice_on, settings):
    settings.LIVERC_PER_DAY = 10
    event = make_practice_day()
    for _ in range(3):
        make_practice_session(event, [41_000, 41_300])
    address, shown = url("practice-refresh", event.pk), "This import takes about"
    assert shown not in client.post(address, follow=True).content.decode()
    Job.objects.all().delete()
    for _ in range(5):
        make_practice_session(event, [41_000, 41_300])

    asked = client.post(address).content.decode()

    assert f"{shown} 9 requests" in asked
    assert f'action="{address}"' in asked
    assert event.name in asked
    assert not Job.objects.exists()
    assert client.post(address, {"confirmed": "1"}).status_code == 302
    assert Job.objects.get().args == [event.source_event_id, True]
