"""Importing a race event over real HTTP from the stand-in: whole, again, broken, limited, at once.

Tests that watch what a broken import leaves behind run without an outer transaction: pglock would
roll back to a savepoint that only exists inside one.
"""

import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connections
from django.utils.timezone import now

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.liverc.errors import UnexpectedPage
from ingestion.models import Driver, Event, FetchLog, HostBlock, Lap, Race, RaceResult, StoredPage
from ingestion.services import fetching, imports
from ingestion.services.fetching import BudgetExhausted, HostRests
from ingestion.services.imports import AlreadyImporting
from ingestion.tests.builders import EVENT, import_demo
from racecontrol.models import Job
from racecontrol.shared import jobs

pytestmark = pytest.mark.django_db


def rows() -> dict:
    """Every row of the event as it stands, ids and moments of change included."""
    return {
        "event": list(Event.objects.values("pk", "name", "state", "parsed_hash", "updated_at")),
        "races": list(
            Race.objects.order_by("pk").values("pk", "source_race_id", "parsed_hash", "updated_at")
        ),
        "results": list(
            RaceResult.objects.order_by("pk").values("pk", "row_key", "total_ms", "updated_at")
        ),
        "drivers": list(Driver.objects.order_by("pk").values("pk", "name", "updated_at")),
        "laps": Lap.objects.count(),
    }


def race_pages(site) -> int:
    return sum(count for path, count in site.hits.items() if "view_race_result" in path)


def test_an_event_arrives_whole(site):
    summary = import_demo()

    event = Event.objects.get(source_event_id=EVENT)
    meeting = site.world.meeting(site.world.track(DEMO), DEMO_EVENT_ID)
    assert event.state == "imported"
    assert event.races.count() == summary.races == len(meeting.races)
    laps = sum(len(run.laps_ms) for race in meeting.races for run in race.runs)
    assert Lap.objects.count() == laps == summary.laps
    assert summary.failed == []


# -- again


def test_importing_again_changes_nothing_and_asks_for_no_race(site):
    import_demo()
    before, pages = rows(), race_pages(site)
    FetchLog.objects.all().delete()

    summary = import_demo()

    assert rows() == before
    assert race_pages(site) == pages
    assert (summary.fetched, summary.changed, summary.has_drift) == (0, 0, False)


def test_a_refresh_that_finds_the_same_changes_nothing_either(site):
    import_demo()
    before = rows()

    summary = import_demo(refresh=True)

    assert summary.fetched == summary.unchanged == summary.races
    assert rows() == before


def test_a_page_that_differs_in_bytes_only_is_no_drift(site):
    import_demo()
    before = rows()
    real = site.site.body_of
    site.site.body_of = lambda path: (body := real(path)) and body + "<!-- ?1272 -->"

    summary = import_demo(refresh=True)

    assert summary.changed == 0
    assert rows() == before
    assert StoredPage.objects.filter(kind="race_result").count() > summary.races


# -- what the club changes


def test_a_race_that_vanishes_is_marked_and_comes_back(site):
    import_demo()
    gone = Race.objects.order_by("pk").first()
    laps = Lap.objects.count()
    StoredPage.objects.update(fresh_until=now())
    real = site.site.body_of

    def without(path):
        body = real(path)
        if body and "view_event" in path:
            lines = [line for line in body.splitlines() if f"id={gone.source_race_id}" not in line]
            assert len(lines) < len(body.splitlines())
            return "\n".join(lines)
        return body

    site.site.body_of = without
    summary = import_demo()

    gone.refresh_from_db()
    assert gone.missing_since is not None
    assert summary.missing == 1
    assert summary.has_drift
    assert Lap.objects.count() == laps

    site.site.body_of = real
    StoredPage.objects.update(fresh_until=now())
    import_demo()
    gone.refresh_from_db()
    assert gone.missing_since is None


# -- trouble


def test_one_race_that_fails_does_not_stop_the_rest_and_is_retried_alone(site, user, run_jobs):
    site.fail("view_race_result", "changed", times=1, skip=3)

    summary = import_demo()

    [failed] = summary.failed
    race = Race.objects.get(source_race_id=failed["source_race_id"])
    event = Event.objects.get()
    assert race.state == "failed"
    assert race.failure
    assert event.state == "partial"
    assert Race.objects.filter(state="imported").count() == summary.races - 1

    pages = race_pages(site)
    imports.request_race_retry(race_id=race.pk, by=user)
    run_jobs()

    race.refresh_from_db()
    event.refresh_from_db()
    assert (race.state, race.failure, event.state) == ("imported", "", "imported")
    assert race_pages(site) == pages + 1


@pytest.mark.parametrize("kind", ["500", "503", "cut"])
def test_a_passing_fault_is_tried_again(site, kind):
    site.fail("view_race_result", kind, times=2)

    summary = import_demo()

    assert summary.failed == []


def test_a_fault_that_stays_fails_its_race_after_three_tries(site):
    first = f"view_race_result&id={first_race(site)}$"
    site.fail(first, "500", times=None)

    summary = import_demo()

    assert len(summary.failed) == 1
    assert "500" in summary.failed[0]["reason"]
    assert (
        sum(count for path, count in site.hits.items() if path.endswith(f"id={first_race(site)}"))
        == 3
    )


def first_race(site) -> int:
    return site.world.meeting(site.world.track(DEMO), DEMO_EVENT_ID).races[0].id


def test_retries_spend_the_same_budget(site):
    site.fail("view_race_result", "500", times=2)
    import_demo()

    asked = sum(site.hits.values())
    assert FetchLog.objects.count() == asked


@pytest.mark.django_db(transaction=True)
def test_a_bot_check_stops_everything_is_not_stored_and_is_shown_to_staff(site, staff, client):
    site.fail("view_race_result", "bot", times=1, skip=2)

    with pytest.raises(fetching.BotCheck):
        import_demo()

    asked = sum(site.hits.values())
    with pytest.raises(HostRests, match="nothing is asked"):
        import_demo()
    assert sum(site.hits.values()) == asked
    block = HostBlock.objects.get()
    assert timedelta(minutes=29) < block.until - now() <= timedelta(minutes=30)
    assert not any(b"Just a moment" in page.html for page in StoredPage.objects.all())
    client.force_login(staff)
    assert "asked to prove we are human" in client.get("/ops/").text


@pytest.mark.django_db(transaction=True)
def test_retry_after_is_honoured(site):
    site.fail("view_race_result", "429", value=90, times=1)

    with pytest.raises(HostRests) as rest:
        import_demo()

    assert timedelta(seconds=80) < rest.value.retry_at - now() <= timedelta(seconds=90)


def test_the_page_of_an_event_that_is_none_is_a_typed_error_with_an_excerpt(site):
    site.fail("view_event", "changed", times=1)

    with pytest.raises(UnexpectedPage) as error:
        import_demo()

    assert error.value.page == "event"
    assert error.value.selector
    assert error.value.excerpt
    assert Event.objects.count() == 0


# -- limits


@pytest.mark.django_db(transaction=True)
def test_a_job_waits_for_the_minute_and_goes_on_where_it_was(site, settings, user):
    settings.LIVERC_PER_MINUTE = 12
    job = imports.request_import(source_event_id=EVENT, by=user, track_slug=DEMO)
    jobs.run_now(job)

    assert job.state == "paused"
    assert "spent" in job.message
    some = Race.objects.filter(state="imported").count()
    assert 0 < some < 28

    turns = 0
    while job.state == "paused" and turns < 12:
        FetchLog.objects.update(at=now() - timedelta(minutes=2))  # a minute goes by
        jobs.run_now(job)
        turns += 1

    assert job.state == "done"
    assert Event.objects.get().state == "imported"
    assert race_pages(site) == Race.objects.count()  # nothing was asked for twice
    assert job.result["fetched"] == Race.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_job_pauses_until_tomorrow_when_the_day_is_spent(site, settings, user):
    settings.LIVERC_PER_DAY = 9
    job = jobs.run_now(imports.request_import(source_event_id=EVENT, by=user, track_slug=DEMO))

    assert job.state == "paused"
    assert "tomorrow" in job.message
    assert job.run_at.date() == (now() + timedelta(days=1)).date()


@pytest.mark.django_db(transaction=True)
def test_the_budget_holds_across_connections(settings):
    settings.LIVERC_PER_MINUTE = 10
    settings.LIVERC_PER_DAY = 100
    spent, refused = [], []

    def spend_many():
        try:
            for _ in range(8):
                try:
                    spent.append(fetching.spend("redgum", "http://x/"))
                except BudgetExhausted as limit:
                    refused.append(limit)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=spend_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(spent), len(refused)) == (10, 22)
    assert FetchLog.objects.count() == 10


# -- at once, and killed


@pytest.mark.django_db(transaction=True)
def test_two_workers_import_an_event_once(site):
    outcomes = []

    def work():
        try:
            outcomes.append(import_demo().races)
        except AlreadyImporting as busy:
            outcomes.append(str(busy))
        finally:
            connections.close_all()

    site.fail("view_event", "slow", value=0.5, times=1)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(type, outcomes), key=str) == [int, str]
    assert race_pages(site) == Race.objects.count()


def test_asking_twice_gives_the_running_import(user, site):
    first = imports.request_import(source_event_id=EVENT, by=user, track_slug=DEMO)
    second = imports.request_import(source_event_id=EVENT, by=user, track_slug=DEMO)

    assert first.pk == second.pk


@pytest.mark.django_db(transaction=True)
def test_an_import_that_died_resumes_without_asking_twice(site, user, monkeypatch):
    class Killed(BaseException):
        """Stands for SIGKILL: nothing between here and the process may clean up."""

    real, saved = imports.save_race, []

    def dies_at_the_tenth(race, *args, **kwargs):
        if len(saved) == 10:
            raise Killed
        saved.append(race.pk)
        return real(race, *args, **kwargs)

    monkeypatch.setattr(imports, "save_race", dies_at_the_tenth)
    with pytest.raises(Killed):
        import_demo()
    monkeypatch.setattr(imports, "save_race", real)
    assert Race.objects.filter(state="imported").count() == 10
    assert Event.objects.get().state == "partial"

    import_demo()

    assert Event.objects.get().state == "imported"
    # the tenth page was fetched and lies in the store: even that one is not asked for again
    assert race_pages(site) == Race.objects.count()
    assert not Job.objects.filter(func__startswith="ingestion.tasks.run_import").exists()


# -- clocks


def test_completions_are_moments_of_the_tracks_zone(site):
    import_demo()
    meeting = site.world.meeting(site.world.track(DEMO), DEMO_EVENT_ID)
    zone = ZoneInfo(Event.objects.get().timezone)

    stored = {race.source_race_id: race.completed_at for race in Race.objects.all()}
    for race in meeting.races:
        local = stored[str(race.id)].astimezone(zone).replace(tzinfo=None)
        assert abs(local - race.completed_at) < timedelta(minutes=1)


def test_a_young_event_is_looked_at_again_and_an_old_one_is_left_alone(site):
    import_demo()
    pages = race_pages(site)

    with time_machine.travel(now() + timedelta(days=60), tick=True):
        import_demo()

    assert race_pages(site) == pages


def test_an_import_makes_few_queries_however_large_a_race_is(site, django_assert_max_num_queries):
    import_demo()
    race = Race.objects.order_by("-pk").first()

    with django_assert_max_num_queries(40):
        imports.import_race(race_id=race.pk)
