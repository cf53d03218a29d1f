"""Workers that die in the middle: a real process, a real SIGKILL, still one run and one mail."""

import os
import signal
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from coaching.llm.fake_openai import FakeOpenAI
from coaching.models import LlmAccount, LlmExchange, MissionNotification, MissionRun
from coaching.services import mission_notices, mission_runs, mission_upkeep
from coaching.tests.mission_builders import check_in, give_model, make_mission, start
from racecontrol.shared import jobs
from racecontrol.testing import workers
from racecontrol.testing.running import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def slow_model(settings):
    """A model that takes its time, so that there is a middle to die in."""
    with FakeOpenAI() as fake:
        settings.LLM_TRUSTED_ORIGINS = [fake.origin]
        yield fake


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

    child = workers.start(workers.RUN, job.pk)
    try:
        until(lambda: slow_model.calls("hang") >= 1, "the model is asked")
        run.refresh_from_db()
        assert (run.status, run.lease) == ("running", job.pk)
        os.kill(child.pid, signal.SIGKILL)
    finally:
        workers.end(child)

    LlmAccount.objects.update(model="fake-happy")
    jobs.revive(overdue=timedelta())
    # The queue delivers the job again; its lease is its own, so the run goes on at once.
    until(lambda: jobs.run(str(job.pk)) != "somebody else is at it", "the job is free")
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
