"""A worker that is really killed in the middle of a practice day: nothing half written, nothing lost."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings as house
from django.db import connection

from ingestion.models import Event, PracticeRun, Race
from ingestion.services.practice.requests import request_import
from ingestion.tests.practice_days import DAY_ID, session_pages, sessions_of
from racecontrol.models import Job
from racecontrol.shared import jobs

WORKER = """
import json, sys
import django
django.setup()
from django.db import connection
connection.settings_dict.update(json.loads(sys.argv[2]))
from racecontrol.shared import jobs
jobs.run(sys.argv[1])
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_nothing_half_and_the_next_goes_on(site, user):
    site.fail("view_session", "hang", value=90, times=1, skip=5)
    job = request_import(source_event_id=DAY_ID, by=user)
    database = {
        key: connection.settings_dict[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD")
    }
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "racecontrol.settings",
        "LIVERC_URL_TEMPLATE": site.url_template,
        "LIVERC_CATALOGUE_URL": site.catalogue_url,
        "LIVERC_PER_MINUTE": "1000",
        "LIVERC_PER_DAY": "1000",
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(job.pk), json.dumps(database)],
        cwd=house.BASE_DIR, env=environment,
    )  # fmt: skip
    try:
        until(lambda: session_pages(site) == 6 or worker.poll() is not None)
        assert worker.poll() is None
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(60)

    assert not Event.objects.exists()
    job.refresh_from_db()
    assert job.state == "running"
    until(lambda: not locks_held())

    jobs.run_now(job)

    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 2)
    assert Race.objects.filter(state="imported").count() == len(sessions_of(site))
    assert session_pages(site) == len(sessions_of(site)) + 1  # only the one that hung, again
    assert PracticeRun.objects.get().outcome == "done"
    assert Job.objects.filter(pk=job.pk).count() == 1


def until(is_so, *, seconds: int = 90) -> None:
    """Wait for what is to be seen, however slow the machine."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def locks_held() -> int:
    """Advisory locks of this database: a killed worker's go as soon as the server notices."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        )
        return cursor.fetchone()[0]
