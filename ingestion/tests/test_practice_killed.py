"""A worker that is really killed in the middle of a practice day: nothing half written, nothing lost."""

import pytest
from django.db import connection

from ingestion.models import Event, PracticeRun, Race
from ingestion.services.practice.requests import request_import
from ingestion.tests.practice_days import DAY_ID, session_pages, sessions_of
from racecontrol.models import Job
from racecontrol.shared import jobs
from racecontrol.testing import workers
from racecontrol.testing.running import until


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_nothing_half_and_the_next_goes_on(site, user):
    site.fail("view_session", "hang", value=90, times=1, skip=5)
    job = request_import(source_event_id=DAY_ID, by=user)
    worker = workers.start(workers.RUN, job.pk)
    try:
        until(
            lambda: session_pages(site) == 6 or worker.poll() is not None, "the sixth is asked for"
        )
        assert worker.poll() is None
    finally:
        workers.end(worker)

    assert not Event.objects.exists()
    job.refresh_from_db()
    assert job.state == "running"
    until(lambda: not locks_held(), "its locks are gone")

    jobs.run_now(job)

    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 2)
    assert Race.objects.filter(state="imported").count() == len(sessions_of(site))
    assert session_pages(site) == len(sessions_of(site)) + 1  # only the one that hung, again
    assert PracticeRun.objects.get().outcome == "done"
    assert Job.objects.filter(pk=job.pk).count() == 1


def locks_held() -> int:
    """Advisory locks of this database: a killed worker's go as soon as the server notices."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        )
        return cursor.fetchone()[0]
