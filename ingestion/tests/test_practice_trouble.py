"""Imports of practice days in trouble: two at once, killed, paused, broken while writing.

Tests that watch what a broken import leaves behind run without an outer transaction: pglock would
roll back to a savepoint that only exists inside one.
"""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils.timezone import now

from ingestion.models import (
    Event,
    HostBlock,
    Lap,
    PracticeDay,
    PracticeRun,
    PracticeSession,
    Race,
    RaceResult,
)
from ingestion.services.fetching import BudgetExhausted, HostRests
from ingestion.services.imports import AlreadyImporting
from ingestion.services.practice import importing, saving
from ingestion.services.practice.requests import request_import
from ingestion.tests.practice_days import (
    DAY_ID,
    a_minute_goes_by,
    age_pages,
    do_import,
    session_pages,
    sessions_of,
)
from racecontrol.models import Job
from racecontrol.shared import jobs

pytestmark = pytest.mark.django_db(transaction=True)


def nothing_is_written() -> bool:
    tables = (Event, PracticeDay, PracticeSession, Race, RaceResult, Lap)
    return not any(table.objects.exists() for table in tables)


def test_two_at_once_import_once(site, monkeypatch):
    """The second caller is turned away while the first one reads; afterwards the day is there once."""
    inside, go_on = threading.Event(), threading.Event()
    real = importing.read_listing

    def slowly(*args, **more):
        inside.set()
        assert go_on.wait(60)
        return real(*args, **more)

    monkeypatch.setattr(importing, "read_listing", slowly)
    ended: list[object] = []

    def first():
        try:
            ended.append(do_import())
        finally:
            connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert inside.wait(60)
        with pytest.raises(AlreadyImporting):
            do_import()
    finally:
        go_on.set()
        thread.join(120)

    assert len(ended) == 1
    assert Event.objects.count() == 1
    assert Race.objects.count() == len(sessions_of(site))


def test_a_job_that_meets_a_running_import_waits_for_it(site, user, monkeypatch):
    def busy(**more):
        raise AlreadyImporting("busy")

    monkeypatch.setattr("ingestion.tasks.practice.import_day", busy)
    job = jobs.run_now(request_import(source_event_id=DAY_ID, by=user))

    assert (job.state, job.message) == ("paused", "busy")


def test_a_write_that_breaks_leaves_nothing(site, monkeypatch):
    real, calls = saving._save_result, []

    def breaks(*args):
        calls.append(1)
        if len(calls) == 5:
            raise ConnectionError("the database went away")
        real(*args)

    monkeypatch.setattr(saving, "_save_result", breaks)
    with pytest.raises(ConnectionError):
        do_import()
    assert nothing_is_written()
    assert PracticeRun.objects.get().outcome == "failed"
    pages = session_pages(site)

    monkeypatch.setattr(saving, "_save_result", real)
    do_import()

    assert session_pages(site) == pages  # everything was in the store
    assert Race.objects.filter(state="imported").count() == len(sessions_of(site))


def test_a_killed_worker_goes_on_where_it_was(site, user, monkeypatch):
    class Killed(BaseException):
        pass

    real, calls = importing.read_session, []

    def dies(*args, **more):
        calls.append(1)
        if len(calls) == 6:
            raise Killed
        return real(*args, **more)

    job = request_import(source_event_id=DAY_ID, by=user)
    monkeypatch.setattr(importing, "read_session", dies)
    with pytest.raises(Killed):
        jobs.run_now(job)
    assert nothing_is_written()
    run = PracticeRun.objects.get()
    assert run.outcome == "running"

    monkeypatch.setattr(importing, "read_session", real)
    age_pages()  # it took longer to notice than pages stay fresh
    job = jobs.run_now(Job.objects.get())

    assert job.state == "done"
    assert session_pages(site) == len(sessions_of(site))  # nothing was asked for twice
    run.refresh_from_db()
    assert (PracticeRun.objects.count(), run.outcome) == (1, "done")


def test_a_spent_day_writes_what_there_is_and_goes_on_tomorrow(site, user, settings):
    settings.LIVERC_PER_DAY = 9
    job = jobs.run_now(request_import(source_event_id=DAY_ID, by=user))

    assert job.state == "paused"
    assert "tomorrow" in job.message
    some = Race.objects.filter(state="imported").count()
    assert 0 < some < len(sessions_of(site))
    assert Event.objects.get().state == "partial"

    settings.LIVERC_PER_DAY = 1000
    age_pages()
    job = jobs.run_now(job)

    assert job.state == "done"
    assert Race.objects.filter(state="imported").count() == len(sessions_of(site))
    assert session_pages(site) == len(sessions_of(site))
    assert Event.objects.get().state == "imported"


def test_a_spent_minute_writes_at_the_end_in_one_go(site, user, settings):
    settings.LIVERC_PER_MINUTE = 12
    job = jobs.run_now(request_import(source_event_id=DAY_ID, by=user))
    assert job.state == "paused"
    assert nothing_is_written()

    turns = 0
    while job.state == "paused" and turns < 12:
        a_minute_goes_by()
        jobs.run_now(job)
        turns += 1

    assert job.state == "done"
    assert job.result["fetched"] == len(sessions_of(site)) == session_pages(site)


def test_what_failed_is_not_asked_for_again_after_a_pause(site, user, settings):
    bad = sessions_of(site)[0]
    site.fail(f"view_session&id={bad.id}$", "changed", times=None)
    settings.LIVERC_PER_MINUTE = 8
    job = jobs.run_now(request_import(source_event_id=DAY_ID, by=user))
    assert job.state == "paused"

    settings.LIVERC_PER_MINUTE = 1000
    a_minute_goes_by()
    job = jobs.run_now(job)

    assert [one["source_session_id"] for one in job.result["failed"]] == [str(bad.id)]
    asked = [
        path for path, n in site.hits.items() for _ in range(n) if path.endswith(f"id={bad.id}")
    ]
    assert len(asked) == 1
    assert PracticeRun.objects.get().outcome == "partial"


def test_a_429_rests_the_host_and_the_day_is_usable(site):
    site.fail("view_session", "429", value=90, times=1, skip=4)

    with pytest.raises(HostRests) as rest:
        do_import()

    assert timedelta(seconds=80) < rest.value.retry_at - now() <= timedelta(seconds=90)
    assert Race.objects.filter(state="imported").count() == 4
    HostBlock.objects.all().delete()
    do_import()
    assert Event.objects.get().state == "imported"


def test_the_budget_stops_a_caller_outside_a_job_too(site, settings):
    settings.LIVERC_PER_MINUTE = 3
    with pytest.raises(BudgetExhausted):
        do_import()
    assert PracticeRun.objects.get().limits_met == 1
