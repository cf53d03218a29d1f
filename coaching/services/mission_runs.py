"""Runs of a mission: what the clock owes it, one claimed and written, one asked for by hand.

The row is claimed by a conditional update and leased to the job that works on it.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import F, Q

from coaching.domain.missions import schedule
from coaching.domain.missions.states import State
from coaching.models import Mission, MissionRun
from coaching.services import mission_results, missions
from coaching.services.mission_writing import end, write
from racecontrol.shared.errors import NotReady

log = structlog.get_logger(__name__)
Status: Any = MissionRun.Status
Kind: Any = MissionRun.Kind


# -- the scheduler ---------------------------------------------------------------------------


def look_after(*, mission_id: int, now: datetime) -> dict[str, int]:
    """All the clock owes one mission: its state, today's run, missed days, retries, closed windows.

    Safe to call at any time and by two schedulers at once: rows are unique by date.
    """
    done = {"queued": 0, "missed": 0, "closed": 0}
    with transaction.atomic():
        mission = missions.settle(mission_id=mission_id, now=now)
        moment = mission.now(now)
        mission_results.score_activities(mission_id=mission_id, now=now)
        agenda_at = None
        if mission.is_running and mission.started_at:
            taken = set(mission.runs.filter(kind=Kind.DAILY).values_list("local_date", flat=True))
            todo = schedule.agenda(
                moment,
                tz=mission.tz,
                run_at=mission.run_at,
                started_at=mission.started_at,
                taken=taken,
                last_day=mission.event_end,
                delay=schedule.jitter(mission.pk) if not mission.is_demo else timedelta(),
            )
            agenda_at = todo.next_at
            done["missed"] = len(_insert(mission, todo.missed, Status.MISSED, now))
            if todo.due is not None:
                _insert(mission, [todo.due], Status.QUEUED, now)
        done["closed"] = _close(mission, moment)
        for run in mission.runs.claimable(moment).select_related("mission", "mission__owner"):
            missions.enqueue_run(run)
            done["queued"] += 1
        waiting = mission.runs.filter(status__in=["queued", "retry"]).order_by("next_attempt_at")
        next_retry = waiting.values_list("next_attempt_at", flat=True).first()
        next_at = None
        if mission.is_running or mission.state == State.MISSION_COMPLETE or mission.auto_start:
            next_at = missions.next_look(mission, now, agenda_at)
        if next_retry and next_retry > moment:
            next_at = min(next_at or next_retry, next_retry)
        Mission.objects.filter(pk=mission.pk).update(next_check_at=next_at)
    return done


def _insert(mission: Mission, slots: Any, status: str, now: datetime) -> list[MissionRun]:
    """Rows for these mornings; one that is there already stays as it is."""
    missed = status == Status.MISSED
    rows = [
        MissionRun(
            mission=mission,
            local_date=slot.on,
            kind=Kind.DAILY,
            status=status,
            tz=mission.tz,
            run_at=mission.run_at,
            due_at=slot.due_at,
            closes_at=slot.closes_at,
            next_attempt_at=slot.due_at,
            mission_state=mission.state,
            reason_code="missed" if missed else "",
            reason="Nobody was there to write it in its morning." if missed else "",
            finished_at=mission.now(now) if missed else None,
        )
        for slot in slots
    ]
    return MissionRun.objects.bulk_create(rows, ignore_conflicts=True)


def _close(mission: Mission, moment: datetime) -> int:
    """End what waits past its window: no advice for a morning that is over."""
    closed = 0
    for run in mission.runs.filter(status__in=["queued", "retry"], closes_at__lte=moment):
        if run.reason_code:
            end(run, Status.FAILED, run.reason_code, run.reason, moment)
        else:
            end(run, Status.MISSED, "missed", "Its morning went by before it could run.", moment)
        closed += 1
    return closed


def free_orphans(*, real_now: datetime) -> int:
    """Take back runs whose worker died: the lease ran out, the run waits again."""
    return MissionRun.objects.orphaned(real_now).update(
        status=Status.RETRY, lease=None, lease_until=None
    )


# -- claiming --------------------------------------------------------------------------------


def claim(*, run_id: int, lease: UUID, real_now: datetime) -> MissionRun | None:
    """Take the run for this lease, or None: somebody has it, it is over, or it is too early.

    The same lease may take it again: a job delivered twice is the same job, and its lock proves
    that the worker before is dead.
    """
    run = MissionRun.objects.select_related("mission").get(pk=run_id)
    moment = run.mission.now(real_now)
    mine = Q(status=Status.RUNNING, lease=lease)
    free = Q(status__in=[Status.QUEUED, Status.RETRY], next_attempt_at__lte=moment)
    changed = MissionRun.objects.filter(mine | free, pk=run_id).update(
        status=Status.RUNNING,
        lease=lease,
        lease_until=real_now + schedule.LEASE,
        attempt=F("attempt") + 1,
    )
    if not changed:
        return None
    return MissionRun.objects.select_related("mission", "mission__owner").get(pk=run_id)


def run_mission(
    *, mission_id: int, local_date: date, kind: str, lease: UUID | None = None, real_now: datetime
) -> str:
    """Do one run to its end or its next pause; returns the status it ended with.

    A second delivery finds the row taken and does nothing ("already taken").
    """
    lease = lease or uuid4()
    row = MissionRun.objects.filter(mission_id=mission_id, local_date=local_date, kind=kind).first()
    if row is None:
        raise NotReady("There is no such run.")
    missions.settle(mission_id=mission_id, now=real_now)
    run = claim(run_id=row.pk, lease=lease, real_now=real_now)
    if run is None:
        return "already taken"
    missions.tell(mission_id, run=run.status)
    moment = run.mission.now(real_now)
    structlog.contextvars.bind_contextvars(mission_run_id=run.pk)
    try:
        status = write(run, moment=moment, real_now=real_now)
    finally:
        structlog.contextvars.unbind_contextvars("mission_run_id")
    missions.tell(mission_id, run=status)
    log.info("mission_run", status=status, kind=kind, attempt=run.attempt)
    return status


# -- by hand ---------------------------------------------------------------------------------


@transaction.atomic
def run_now(*, mission_id: int, by: Any, now: datetime, is_mail_wanted: bool = False) -> MissionRun:
    """Today's guidance at once, or once more: the same row, the old words kept as a revision.

    Raises NotReady while the mission is not running or today's run is under way.
    """
    mission = missions.settle(mission_id=mission_id, now=now)
    if not mission.is_running:
        raise NotReady("Guidance is written while a mission runs; start it first.")
    moment = mission.now(now)
    today = mission.today(now)
    slot = schedule.morning(today, tz=mission.tz, run_at=mission.run_at)
    run, made = MissionRun.objects.select_for_update(of=("self",)).get_or_create(
        mission=mission,
        local_date=today,
        kind=Kind.DAILY,
        defaults={
            "tz": mission.tz,
            "run_at": mission.run_at,
            "due_at": moment,
            "closes_at": max(slot.closes_at, moment + timedelta(hours=2)),
            "next_attempt_at": moment,
            "mission_state": mission.state,
        },
    )
    if not made:
        if run.status == Status.RUNNING:
            raise NotReady("Today's guidance is being written.")
        if run.guidance is not None or run.status not in MissionRun.OPEN:
            run.attempt_no += 1
            run.is_notice_wanted = is_mail_wanted
        run.status, run.failures = Status.QUEUED, {}
        run.next_attempt_at = moment
        run.closes_at = max(run.closes_at, moment + timedelta(hours=2))
        run.due_at = min(run.due_at, moment)
        run.reason_code = run.reason = ""
        run.facts_at = None
        run.save()
    missions.enqueue_run(run)
    return run


@transaction.atomic
def wake(*, mission_id: int, now: datetime) -> None:
    """A check-in came in: today's run that waits for data, or was skipped for want of it, goes on."""
    mission = missions.settle(mission_id=mission_id, now=now)
    moment = mission.now(now)
    run = (
        mission.runs.select_for_update(of=("self",))
        .filter(
            kind=Kind.DAILY,
            local_date=mission.today(now),
            reason_code="no_data",
            status__in=[Status.RETRY, Status.SKIPPED_NO_DATA],
            closes_at__gt=moment,
        )
        .first()
    )
    if run is None:
        return
    run.status, run.next_attempt_at, run.facts_at = Status.QUEUED, moment, None
    run.attempt += 1  # a new key for the queue
    run.save(update_fields=["status", "next_attempt_at", "facts_at", "attempt"])
    missions.enqueue_run(run)
