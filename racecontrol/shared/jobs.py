"""Background work: one row per job, exactly one effect, and a way back from every fault.

The row and its queue message are written in the caller's transaction, so a rollback takes both.
The message is only a hint: each worker looks every few seconds (`revive`) for jobs that are due and
that nobody works on, and sends it again, on whatever host the work had been. Who works on a job holds its advisory lock, which dies with
the connection, so a killed worker is noticed at once and two deliveries never overlap.

A task is `def name(job: Running, *ids) -> dict | None`. It may be started twice after a crash:
its effects must be repeatable (natural keys, conditional updates).
"""

import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

import pglock
import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from racecontrol.models import Job
from racecontrol.shared.errors import NotAllowed, NotReady, RaceError
from racecontrol.shared.progress import Progress
from racecontrol.shared.store import StoreAway

__all__ = [
    "Cancelled",
    "Job",
    "Later",
    "Running",
    "cancel",
    "enqueue",
    "go_on",
    "retry",
    "revive",
    "run",
    "run_now",
    "without_worker",
]

log = structlog.get_logger(__name__)

State = Job.State
FIRST_BACKOFF: Final = timedelta(seconds=2)
LONGEST_BACKOFF: Final = timedelta(minutes=10)
TAKEN_AND_NOT_BEGUN: Final = timedelta(seconds=5)
ANOTHER_HOST_IN: Final = timedelta(seconds=20)
RUNNER: Final = "racecontrol.shared.jobs.run"


class Later(Exception):
    """Raised by a task to be called again at a moment; `str` tells people why."""

    def __init__(self, at: datetime, reason: str):
        super().__init__(reason)
        self.at = at


class Cancelled(Exception):
    """Raised inside a task, by `progress`, after a person cancelled the job."""


class Running:
    """What a task knows of its own job: says how far it is, learns that it was cancelled."""

    SHOWN_EVERY: Final = 0.2  # seconds between progress writes

    def __init__(self, job: Job):
        self.id: UUID = job.pk
        self.owner_id: int | None = job.owner_id
        self.attempts: int = job.attempts
        self._row = Job.objects.filter(pk=job.pk)
        self._shown = 0.0

    def progress(self, done: int, total: int, label: str = "") -> None:
        """Show `done` of `total`; at most five writes a second. Raises Cancelled."""
        if done < total and monotonic() - self._shown < self.SHOWN_EVERY:
            return
        self._shown = monotonic()
        self._row.update(done=done, total=total, message=label[:500])
        if self._row.filter(is_cancel_requested=True).exists():
            raise Cancelled

    def show(self, step: Progress) -> None:
        """The same for services that tell how far they are: `on_progress=job.show`."""
        self.progress(step.done, step.total, step.label)


def enqueue(
    func: str,
    *args: Any,
    key: str = "",
    owner: Any = None,
    title: str = "",
    queue: str = "default",
    max_attempts: int = 3,
    run_at: datetime | None = None,
) -> Job:
    """Queue `func(job, *args)`; an open job with the same `key` is returned instead of a second.

    `args` are ids (JSON). Nothing is sent if the surrounding transaction rolls back.
    """
    import_string(func)  # a wrong name is a bug of the caller, not of the worker
    job = Job(
        title=(title or func.rpartition(".")[2].replace("_", " "))[:200],
        func=func,
        args=list(args),
        key=key,
        owner=owner if getattr(owner, "pk", None) else None,
        queue=queue,
        max_attempts=max_attempts,
        run_at=run_at or now(),
        created_at=now(),
    )
    if key:
        try:
            with transaction.atomic():
                job.save(force_insert=True)
        except IntegrityError:
            return Job.objects.get(key=key, state__in=Job.OPEN)
    else:
        job.save(force_insert=True)
    with transaction.atomic():
        _send(job)
    return job


def _send(job: Job) -> None:
    """Put a message on the queue, held back until the job's moment."""
    task = {
        "id": job.pk.hex,
        "name": job.title,
        "func": RUNNER,
        "args": (str(job.pk),),
        "kwargs": {},
    }
    task |= {"started": now(), "cluster": job.queue, "ack_failure": True}
    get_broker(job.queue).get_connection().create(
        key=job.queue, payload=SignedPackage.dumps(task), lock=max(job.run_at, now())
    )
    Job.objects.filter(pk=job.pk).update(sent_at=max(job.run_at, now()))


def run(job_id: str) -> str:
    """What the worker calls. Never raises for the task's faults: the row says how it went."""
    with pglock.advisory(f"job:{job_id}", timeout=0, side_effect=pglock.Return) as is_mine:
        if not is_mine:
            return "somebody else is at it"
        job = Job.objects.filter(pk=job_id).first()
        if job is None or not job.is_open:
            return "nothing to do"
        if job.run_at > now() + timedelta(seconds=1):
            return "too early"
        structlog.contextvars.bind_contextvars(job_id=str(job.pk))
        try:
            return _attempt(job)
        finally:
            structlog.contextvars.unbind_contextvars("job_id")


def _attempt(job: Job) -> str:
    row = Job.objects.filter(pk=job.pk)
    if job.is_cancel_requested:
        return _end(job, State.CANCELLED, "Cancelled before it began.")
    if job.attempts >= job.max_attempts:
        return _end(job, State.DEAD, f"Given up: {job.attempts} attempts did not come to an end.")
    # Counted and committed before the work, so work that kills its worker runs out of attempts.
    row.update(state=State.RUNNING, attempts=F("attempts") + 1, started_at=now(), error="")
    job.refresh_from_db()
    try:
        result = import_string(job.func)(Running(job), *job.args)
    except (Later, StoreAway) as wish:
        # A wish is not a failure: it costs no attempt. A host without the files hands the job on.
        at = wish.at if isinstance(wish, Later) else now() + ANOTHER_HOST_IN
        row.update(
            state=State.PAUSED, run_at=at, message=str(wish)[:2000], attempts=F("attempts") - 1
        )
        job.refresh_from_db()
        _send(job)
        return f"paused: {wish}"
    except Cancelled:
        return _end(job, State.CANCELLED, "Cancelled.")
    except RaceError as refusal:
        return _end(job, State.FAILED, str(refusal))
    except Exception:
        log.exception("job_broke", func=job.func, attempt=job.attempts)
        return _retry_or_bury(job)
    except BaseException:  # q2 ends a task that ran too long with an heir of SystemExit
        log.exception("job_ended_from_outside", func=job.func, attempt=job.attempts)
        _retry_or_bury(job)
        raise
    if connection.in_atomic_block:
        transaction.get_connection().validate_no_broken_transaction()
    row.update(result=result)
    return _end(job, State.DONE, None)


def _retry_or_bury(job: Job) -> str:
    error = traceback.format_exc(limit=-6)[-4000:]
    if job.attempts >= job.max_attempts:
        Job.objects.filter(pk=job.pk).update(error=error)
        return _end(job, State.DEAD, "It broke; operators see why.")
    pause = min(FIRST_BACKOFF * 4 ** (job.attempts - 1), LONGEST_BACKOFF)
    Job.objects.filter(pk=job.pk).update(
        state=State.QUEUED,
        run_at=now() + pause,
        error=error,
        message=f"It broke; trying again (attempt {job.attempts + 1} of {job.max_attempts}).",
    )
    job.refresh_from_db()
    _send(job)
    return "broke, will be tried again"


def _end(job: Job, state: Any, message: str | None) -> str:
    values: dict[str, Any] = {"state": state, "finished_at": now()}
    if message is not None:
        values["message"] = message[:2000]
    Job.objects.filter(pk=job.pk).update(**values)
    log.info("job_ended", job_id=str(job.pk), func=job.func, state=state)
    return f"{state}: {message or ''}"


def run_now(job: Job) -> Job:
    """Run a job in this process (commands and tests); its queue message becomes a no-op."""
    Job.objects.filter(pk=job.pk, run_at__gt=now()).update(run_at=now())
    run(str(job.pk))
    job.refresh_from_db()
    return job


@transaction.atomic
def cancel(job_id: UUID, *, by: Any) -> Job:
    """Ask a job to stop at its next step; one that has not begun ends at once."""
    job = Job.objects.select_for_update(of=("self",)).get(pk=job_id)
    if not may_act(by, job):
        raise NotAllowed("This job belongs to somebody else.")
    if not job.is_open:
        raise NotReady(f"{job.title} has ended already.")
    job.is_cancel_requested = True
    if job.state != State.RUNNING:
        job.state, job.finished_at, job.message = (
            State.CANCELLED,
            now(),
            "Cancelled before it began.",
        )
    job.save(update_fields=["is_cancel_requested", "state", "finished_at", "message"])
    return job


@transaction.atomic
def retry(job_id: UUID, *, by: Any) -> Job:
    """Start a refused, broken or cancelled job again, with a fresh count of attempts."""
    job = Job.objects.select_for_update(of=("self",)).get(pk=job_id)
    if not may_act(by, job):
        raise NotAllowed("This job belongs to somebody else.")
    if not job.is_retryable:
        raise NotReady(
            f"{job.title} is {job.get_state_display()}: only an ended job can be retried."
        )
    if job.key and Job.objects.filter(key=job.key, state__in=Job.OPEN).exists():
        raise NotReady(f"{job.title} is already under way again.")
    job.state, job.attempts, job.run_at, job.finished_at = State.QUEUED, 0, now(), None
    job.is_cancel_requested, job.message, job.error = False, "", ""
    job.save()
    _send(job)
    return job


@transaction.atomic
def go_on(job_id: UUID, *, by: Any) -> Job:
    """Let a paused job go on at once, where what it waits for is over. Staff only; else NotAllowed."""
    job = Job.objects.select_for_update(of=("self",)).get(pk=job_id)
    if not by.is_staff:
        raise NotAllowed("Only staff let paused jobs go on before their time.")
    if job.state != State.PAUSED:
        raise NotReady(f"{job.title} is {job.get_state_display()}: only a paused job can go on.")
    job.run_at = now()
    job.save(update_fields=["run_at"])
    _send(job)
    return job


def without_worker(jobs: Iterable[Job]) -> set[UUID]:
    """Those said to be running whose lock nobody holds: their worker died; `revive` finds them."""
    lost = set()
    for job in jobs:
        if job.state == State.RUNNING:
            with pglock.advisory(f"job:{job.pk}", timeout=0, side_effect=pglock.Return) as is_free:
                if is_free:
                    lost.add(job.pk)
    return lost


def revive(*, overdue: timedelta = timedelta(seconds=60)) -> int:
    """Send again what is due and lies untouched; returns how many messages were sent.

    A running job whose advisory lock is free lost its worker. A due job whose message is off the
    queue was taken by a busy cluster that keeps it for its next free worker: another cluster may be
    free now. Safe to call at any time.
    """
    sent = 0
    due = Q(state__in=[State.QUEUED, State.PAUSED], run_at__lte=now() - overdue)
    due &= Q(sent_at__isnull=True) | Q(sent_at__lte=now() - overdue)
    soon = now() - min(overdue, TAKEN_AND_NOT_BEGUN)
    waiting = OrmQ.objects.filter(lock__lte=now()).values("key")
    due |= Q(state__in=[State.QUEUED, State.PAUSED], run_at__lte=soon, sent_at__lte=soon) & ~Q(
        queue__in=waiting
    )
    orphaned = Q(state=State.RUNNING, started_at__lte=now() - min(overdue, timedelta(seconds=5)))
    # once since its start, then as seldom as the others: all workers may be busy
    orphaned &= (
        Q(sent_at__isnull=True) | Q(sent_at__lte=F("started_at")) | Q(sent_at__lte=now() - overdue)
    )
    for job in Job.objects.filter(due | orphaned).order_by("run_at")[:500]:
        with pglock.advisory(f"job:{job.pk}", timeout=0, side_effect=pglock.Return) as is_free:
            if not is_free:
                continue
            with transaction.atomic():
                _send(job)
                sent += 1
    return sent


def release_orphans(queue: str) -> int:
    """At the start of a worker: what a dead one had taken from this queue is due at once.

    A message counts as taken when its lock lies in the future although its job is due. Where
    another worker is alive and at it, its advisory lock tells; returns how many were released.
    """
    released = 0
    for message in OrmQ.objects.filter(key=queue, lock__gt=now()):
        row = OrmQ.objects.filter(pk=message.pk)
        if message.task.get("func") != RUNNER:  # a scheduled task: may run twice
            released += row.update(lock=now())
            continue
        job_id = message.task["args"][0]
        if Job.objects.filter(pk=job_id, run_at__gt=now()).exists():
            continue  # held back on purpose
        with pglock.advisory(f"job:{job_id}", timeout=0, side_effect=pglock.Return) as is_free:
            released += row.update(lock=now()) if is_free else 0
    return released


def may_act(user: Any, job: Job) -> bool:
    """Owners steer their jobs; staff steer all."""
    return bool(user and (user.is_staff or (job.owner_id and job.owner_id == user.pk)))


def may_follow(user: Any, topic: str) -> bool:
    """May this person follow the live topic `job:<id>`?"""
    job = Job.objects.filter(pk=topic.partition(":")[2]).first()
    return job is not None and may_act(user, job)


def queue_messages() -> list[tuple[str, tuple]]:
    """(func, args) of each queued job, oldest first; for tests and the ops page."""
    messages = OrmQ.objects.order_by("pk")
    ids = [row.task["args"][0] for row in messages if row.task.get("func") == RUNNER]
    jobs = {str(job.pk): job for job in Job.objects.filter(pk__in=ids)}
    return [(jobs[pk].func, tuple(jobs[pk].args)) for pk in ids if pk in jobs]
