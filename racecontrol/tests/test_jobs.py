"""Background work as its owner sees it: done once, tried again, refused, broken, paused, cancelled."""

from datetime import timedelta
from unittest.mock import patch

import pglock
import pytest
from django.db import connection, transaction
from django.utils.timezone import now
from django_q.models import OrmQ

from racecontrol.models import LiveEvent
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotAllowed, NotReady
from racecontrol.shared.jobs import Job
from racecontrol.testing.pages import HTMX

pytestmark = pytest.mark.django_db
WORK = "racecontrol.tests.work"


def effects(topic="counted"):
    return LiveEvent.objects.filter(topic=topic).count()


def test_a_job_and_its_message_commit_together(user, queued):
    class Undo(Exception):
        pass

    def enqueue_and_fail():
        with transaction.atomic():
            jobs.enqueue(f"{WORK}.count", 1, owner=user)
            raise Undo

    with pytest.raises(Undo):
        enqueue_and_fail()

    assert (Job.objects.count(), OrmQ.objects.count()) == (0, 0)

    jobs.enqueue(f"{WORK}.count", 7, owner=user)

    assert queued() == [(f"{WORK}.count", (7,))]


def test_a_job_runs_once_however_often_it_is_delivered(user):
    job = jobs.enqueue(f"{WORK}.count", 7, owner=user)

    for _ in range(3):
        jobs.run(str(job.pk))

    job.refresh_from_db()
    assert (job.state, job.attempts, job.result, effects()) == ("done", 1, {"number": 7}, 1)


def test_an_open_job_with_the_same_key_is_returned_instead_of_a_second():
    first = jobs.enqueue(f"{WORK}.count", 1, key="import:9")
    second = jobs.enqueue(f"{WORK}.count", 1, key="import:9")

    assert first.pk == second.pk
    assert OrmQ.objects.count() == 1

    jobs.run_now(first)

    assert jobs.enqueue(f"{WORK}.count", 1, key="import:9").pk != first.pk


def test_a_refusal_is_final_and_told_in_its_own_words():
    job = jobs.run_now(jobs.enqueue(f"{WORK}.refuse"))

    assert (job.state, job.message) == ("failed", "The track has no results yet.")
    assert job.attempts == 1


def test_a_bug_is_tried_again_and_then_laid_to_rest():
    job = jobs.enqueue(f"{WORK}.break_down", max_attempts=3)
    states = [jobs.run_now(job).state for _ in range(4)]

    assert states == ["queued", "queued", "dead", "dead"]
    assert job.attempts == 3
    assert "ZeroDivisionError" in job.error


def test_tries_are_spaced_out():
    job = jobs.run_now(jobs.enqueue(f"{WORK}.break_down"))

    assert job.run_at > now() + timedelta(seconds=1)
    assert jobs.run(str(job.pk)) == "too early"


def test_work_that_kills_its_worker_runs_out_of_attempts():
    job = jobs.enqueue(f"{WORK}.count", 1, max_attempts=2)
    # as a killed worker leaves it: running, counted, nobody holds the lock
    Job.objects.filter(pk=job.pk).update(state="running", attempts=2, started_at=now())

    job = jobs.run_now(job)

    assert (job.state, effects()) == ("dead", 0)


def test_a_job_may_ask_to_be_called_later_and_that_costs_no_attempt():
    tomorrow = now() + timedelta(days=1)
    job = jobs.run_now(jobs.enqueue(f"{WORK}.wait_for_tomorrow", tomorrow.isoformat()))

    assert (job.state, job.attempts, job.run_at) == ("paused", 0, tomorrow)
    assert "tomorrow" in job.message

    with patch("django.utils.timezone.now", return_value=tomorrow + timedelta(minutes=1)):
        job = jobs.run_now(job)

    assert job.state == "done"


def test_what_a_dead_worker_left_is_sent_again_and_what_lives_is_not():
    lost = jobs.enqueue(f"{WORK}.count", 1)
    began = now() - timedelta(minutes=1)
    Job.objects.filter(pk=lost.pk).update(
        state="running", attempts=1, sent_at=began, started_at=began
    )
    OrmQ.objects.all().delete()

    assert jobs.revive() == 1
    assert jobs.revive() == 0  # sent a moment ago: a busy worker will come to it
    assert OrmQ.objects.count() == 1

    jobs.run_now(lost)

    assert effects() == 1
    assert jobs.revive() == 0


def test_what_a_busy_cluster_took_and_has_not_begun_is_offered_to_others():
    taken = jobs.enqueue(f"{WORK}.count", 1)
    OrmQ.objects.update(lock=now() + timedelta(minutes=10))
    assert jobs.revive() == 0  # a moment ago

    Job.objects.filter(pk=taken.pk).update(
        run_at=now() - timedelta(seconds=6), sent_at=now() - timedelta(seconds=6)
    )
    assert jobs.revive() == 1
    assert OrmQ.objects.filter(lock__lte=now()).count() == 1

    Job.objects.filter(pk=taken.pk).update(sent_at=now() - timedelta(seconds=6))
    assert jobs.revive() == 0  # a message lies there for whoever is free: more would not help

    jobs.run_now(taken)
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_somebody_works_on_is_left_alone():
    job = jobs.enqueue(f"{WORK}.count", 1)
    with hold_from_another_connection(job):
        assert jobs.run(str(job.pk)) == "somebody else is at it"

    assert effects() == 0


class hold_from_another_connection:
    def __init__(self, job):
        self.job = job

    def __enter__(self):
        self.other = connection.copy()
        with self.other.cursor() as cursor:
            lock = pglock.advisory(f"job:{self.job.pk}")
            cursor.execute("SELECT pg_advisory_lock(%s)", [lock.int_lock_id])

    def __exit__(self, *_):
        self.other.close()


def test_cancelling_stops_a_job_at_its_next_step(user, other):
    job = jobs.enqueue(f"{WORK}.many_steps", 5, owner=user)
    with pytest.raises(NotAllowed):
        jobs.cancel(job.pk, by=other)

    jobs.cancel(job.pk, by=user)
    job = jobs.run_now(job)

    assert (job.state, effects("steps")) == ("cancelled", 0)
    with pytest.raises(NotReady, match="ended"):
        jobs.cancel(job.pk, by=user)


def test_a_running_job_notices_that_it_was_cancelled(user):
    job = jobs.enqueue(f"{WORK}.many_steps", 5, owner=user)
    Job.objects.filter(pk=job.pk).update(state="running")
    jobs.cancel(job.pk, by=user)
    Job.objects.filter(pk=job.pk).update(is_cancel_requested=False)

    def cancel_after_two(*args, **kwargs):
        if effects("steps") == 2:
            Job.objects.filter(pk=job.pk).update(is_cancel_requested=True)
        return real(*args, **kwargs)

    real = LiveEvent.objects.create
    with patch.object(LiveEvent.objects, "create", cancel_after_two):
        job = jobs.run_now(job)

    assert job.state == "cancelled"
    assert effects("steps") == 3


def test_an_ended_job_can_be_retried_with_fresh_attempts(user):
    job = jobs.run_now(jobs.enqueue(f"{WORK}.refuse", owner=user))

    job = jobs.retry(job.pk, by=user)

    assert (job.state, job.attempts) == ("queued", 0)
    with pytest.raises(NotReady):
        jobs.retry(job.pk, by=user)


def test_the_page_of_a_job_asks_again_only_while_it_is_open(client, user):
    job = jobs.enqueue(f"{WORK}.count", 3, owner=user, title="Count to three")
    url = f"/jobs/{job.pk}/"

    assert "every 2s" in client.get(url).text

    jobs.run_now(job)
    after = client.get(url, headers=HTMX).text

    assert "every 2s" not in after
    assert "<html" not in after
    assert "counted" in after


def test_staff_let_a_paused_job_go_on_before_its_time(user, staff):
    tomorrow = now() + timedelta(days=1)
    job = jobs.enqueue(f"{WORK}.wait_for_tomorrow", tomorrow.isoformat(), owner=user)
    assert jobs.run_now(job).state == "paused"

    with pytest.raises(NotAllowed):
        jobs.go_on(job.pk, by=user)
    jobs.go_on(job.pk, by=staff)

    job.refresh_from_db()
    assert job.run_at <= now()
    done = jobs.enqueue(f"{WORK}.count", 1)
    jobs.run_now(done)
    with pytest.raises(NotReady, match="only a paused job"):
        jobs.go_on(done.pk, by=staff)


def test_a_running_job_nobody_works_on_has_lost_its_worker():
    lost, waiting = (jobs.enqueue(f"{WORK}.count", n) for n in (1, 2))
    Job.objects.filter(pk=lost.pk).update(state="running")

    assert jobs.without_worker(Job.objects.all()) == {lost.pk}
    assert waiting.state == "queued"
