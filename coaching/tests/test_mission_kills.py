"""Workers that die in the middle: a real process, a real SIGKILL, still one run and one mail."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from coaching.llm.fake_openai import FakeOpenAI
from coaching.models import LlmAccount, LlmExchange, MissionNotification, MissionRun
from coaching.services import mission_notices, mission_runs, mission_upkeep
from coaching.tests.mission_builders import check_in, give_model, make_mission, start
from racecontrol.shared import jobs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

WORKER = """
import django; django.setup()
from django.conf import settings
from django.db import connections
from racecontrol.shared import jobs
import sys
print("at work", flush=True)
jobs.run(sys.argv[1])
"""


@pytest.fixture
def slow_model(settings):
    """A model that takes its time, so that there is a middle to die in."""
    with FakeOpenAI() as fake:
        settings.LLM_TRUSTED_ORIGINS = [fake.origin]
        yield fake


def worker(job, origin) -> subprocess.Popen:
    """A process of its own on the test database."""
    values = connection.settings_dict
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "racecontrol.settings",
        "LLM_TRUSTED_ORIGINS": origin,
        "PYTEST_VERSION": "child",
        "TEST_DB_NAME": values["NAME"],
    }
    code = (
        "from django.conf import settings\n"
        f"settings.DATABASES['default'].update(NAME={values['NAME']!r}, HOST={values['HOST']!r}, "
        f"PORT={str(values['PORT'])!r}, USER={values['USER']!r})\n" + WORKER
    )
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, str(job.pk)],
        cwd=settings.BASE_DIR, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(condition, seconds=30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_a_worker_killed_while_the_model_writes_leaves_one_run_and_one_mail(user, slow_model):
    give_model(user, slow_model, "hang")
    now = timezone.now()
    mission = start(make_mission(user, now=now, prep_start=now.date(),
                                 event_start=now.date() + timedelta(days=30),
                                 event_end=now.date() + timedelta(days=31),
                                 stage_plan=None), now=now)  # fmt: skip
    check_in(mission, now)
    run = mission_runs.run_now(mission_id=mission.pk, by=user, now=now)
    job = jobs.Job.objects.get(func="coaching.tasks.run_mission_day", state="queued",
                               key__startswith=f"mission-run:{run.pk}:")  # fmt: skip

    child = worker(job, slow_model.origin)
    try:
        wait_for(lambda: slow_model.calls("hang") >= 1)
        run.refresh_from_db()
        assert (run.status, run.lease) == ("running", job.pk)
        os.kill(child.pid, signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()

    LlmAccount.objects.update(model="fake-happy")
    wait_for(lambda: jobs.revive(overdue=timedelta()) >= 0)
    # The queue delivers the job again; its lease is its own, so the run goes on at once.
    wait_for(lambda: jobs.run(str(job.pk)) != "somebody else is at it")
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("succeeded", 2)
    assert MissionRun.objects.filter(mission=mission, kind="daily").count() == 1

    for notice in MissionNotification.objects.filter(run=run):
        jobs.run_now(jobs.Job.objects.get(key=f"mission-notice:{notice.pk}:0"))
        mission_notices.send(notice_id=notice.pk, real_now=now)
    assert MissionNotification.objects.filter(run=run).count() == 1
    assert len(mail.outbox) == 1
    # And a scheduler that comes by much later finds nothing to do for this day.
    mission_upkeep.tick(real_now=now + timedelta(minutes=20))
    assert LlmExchange.objects.filter(run=run, outcome="ok").count() == 1
    assert MissionRun.objects.filter(mission=mission, local_date=run.local_date).count() == 1
