"""One run of a mission, from the claim to the words on the page.

The row is claimed by a conditional update and leased to the job that works on it. Facts are kept
on the row, the model is asked outside any transaction, and its checked words are applied in the
transaction that also writes the mail's row. A retry repeats only what is undone.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import F, Q

from coaching.domain.missions import schedule
from coaching.domain.missions.checks import Problem, check
from coaching.domain.missions.facts import as_data, from_data
from coaching.domain.missions.profile import SAFETY_NOTICE
from coaching.domain.missions.states import RUNNING, State
from coaching.llm import prompts
from coaching.llm.errors import BadAnswer, BudgetSpent, ModelDown, ModelRefused
from coaching.llm.shapes import (
    DailyCoaching,
    EventCoaching,
    Onboarding,
    Reflection,
    Shape,
    said,
)
from coaching.models import LlmAccount, Mission, MissionRun, RunRevision
from coaching.queries import missions as read
from coaching.queries.mission_facts import Morning, morning_of
from coaching.services import llm_accounts, mission_notices, mission_results, missions
from racecontrol.shared.errors import NotReady, RaceError

log = structlog.get_logger(__name__)
Status: Any = MissionRun.Status
Kind: Any = MissionRun.Kind
# A run that breaks its worker again and again is ended; waits and retries need fewer.
MOST_ATTEMPTS = 24


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
            _end(run, Status.FAILED, run.reason_code, run.reason, moment)
        else:
            _end(run, Status.MISSED, "missed", "Its morning went by before it could run.", moment)
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
    moment = run.mission.now(real_now)
    structlog.contextvars.bind_contextvars(mission_run_id=run.pk)
    try:
        status = _work(run, moment, real_now)
    finally:
        structlog.contextvars.unbind_contextvars("mission_run_id")
    log.info("mission_run", status=status, kind=kind, attempt=run.attempt)
    return status


def _work(run: MissionRun, moment: datetime, real_now: datetime) -> str:
    mission = run.mission
    refusal = _may_not_run(run)
    if refusal is not None:
        code, words = refusal
        return _end(run, Status.CANCELLED, code, words, moment)
    if moment >= run.closes_at:
        return _end(run, Status.MISSED, "missed", "Its morning went by.", moment)
    if run.attempt > MOST_ATTEMPTS:
        words = "Writing it broke again and again; the operators can see why."
        return _end(run, Status.FAILED, "broken", words, moment)

    morning = _gather(run, moment)
    if morning.has_red_flag and run.kind == Kind.DAILY:
        return _end(run, Status.FAILED, "red_flag", SAFETY_NOTICE, moment)
    if not morning.has_data and run.kind == Kind.DAILY:
        again = schedule.no_data_again_at(moment, due_at=run.due_at)
        words = "There is nothing to go by this morning: check in, it takes half a minute."
        if again is None:
            return _end(run, Status.SKIPPED_NO_DATA, "no_data", words, moment)
        return _wait(run, again, "no_data", words)

    name, shape = _what(run, mission)
    prompt = prompts.render(
        name,
        facts=morning.day.facts,
        limits=morning.limit_lines,
        goal=morning.goal,
        note=morning.note,
        history=morning.history,
    )
    try:
        source = llm_accounts.source_of(mission.owner, is_demo=mission.is_demo)
        if source.account and source.account.status == LlmAccount.Status.BAD:
            raise ModelRefused(
                f"Your language model does not work: {source.account.status_reason}",
                reason="bad_key",
            )
    except ModelRefused as refused:
        return _end(run, Status.FAILED, refused.reason, str(refused), moment)
    except RaceError as none:
        return _end(run, Status.FAILED, "no_model", str(none), moment)
    MissionRun.objects.filter(pk=run.pk).update(
        prompt_version=prompt.version, prompt_hash=prompt.hash, provider=source.provider,
        model=source.model, limits=list(morning.limit_lines),
    )  # fmt: skip
    client = llm_accounts.client_for(
        source, user=mission.owner, purpose=run.kind, mission=mission, run=run
    )
    try:
        answer = client.ask(prompt.messages, shape, check=lambda found: problems_of(found, morning))
    except ModelRefused as refused:
        llm_accounts.mark_bad(source, str(refused))
        status = _end(run, Status.FAILED, refused.reason, str(refused), moment)
        mission_notices.key_is_bad(mission, source.account, real_now)
        return status
    except ModelDown as down:
        return _try_again(run, "model_down", down.reason, str(down), moment)
    except BudgetSpent as spent:
        return _end(run, Status.FAILED, "budget", str(spent), moment)
    except BadAnswer as wrong:
        words = "What the model wrote did not pass our checks: " + "; ".join(wrong.problems[:3])
        return _try_again(run, "bad_answer", "bad_answer", words, moment)
    return _apply(run, answer, moment)


def _may_not_run(run: MissionRun) -> tuple[str, str] | None:
    mission = run.mission
    if run.kind == Kind.DAILY and mission.state not in RUNNING:
        return "not_running", "The mission is not running."
    if not mission.owner.is_active:
        return "not_running", "The account is closed."
    if not mission.is_demo and not read.has_consent(mission.owner):
        return "no_consent", "Consent was withdrawn; nothing is sent to the model."
    return None


def _what(run: MissionRun, mission: Mission) -> tuple[str, type[Shape]]:
    if run.kind == Kind.ONBOARDING:
        return "onboarding", Onboarding
    if run.kind == Kind.WRAPUP:
        return "wrapup", Reflection
    if mission.state == State.EVENT_ACTIVE:
        return "daily_event", EventCoaching
    return "daily_training", DailyCoaching


def _gather(run: MissionRun, moment: datetime) -> Morning:
    """The morning's facts; those on the row are used again while they are younger than an hour."""
    morning = morning_of(run.mission, now=moment, kind=run.kind)
    is_fresh = schedule.are_metrics_fresh(run.facts_at, moment)
    if is_fresh and run.facts and morning.has_data:
        kept = from_data(run.facts)
        if {fact.key for fact in kept} == {fact.key for fact in morning.day.facts}:
            return morning_with(morning, kept)
    stage = None
    if morning.stage is not None:
        stage = {
            "number": morning.stage.number,
            "type": morning.stage.type,
            "name": morning.stage.name,
            "modes": list(morning.ride_modes),
        }
    MissionRun.objects.filter(pk=run.pk).update(
        facts=as_data(morning.day.facts), facts_at=moment, stage=stage,
        mission_state=run.mission.state,
    )  # fmt: skip
    return morning


def morning_with(morning: Morning, facts: Any) -> Morning:
    return replace(morning, day=replace(morning.day, facts=facts))


def problems_of(answer: Shape, morning: Morning) -> list[Problem]:
    """What must not stand in an answer of that morning."""
    return check(said(answer), morning.day, morning.limits)


# -- ends ------------------------------------------------------------------------------------


def _apply(run: MissionRun, answer: Shape, moment: datetime) -> str:
    """The words, the success and the mail's row: one transaction, and only for who has the lease."""
    with transaction.atomic():
        row = (
            MissionRun.objects.select_for_update(of=("self",))
            .select_related("mission")
            .filter(pk=run.pk, status=Status.RUNNING, lease=run.lease)
            .first()
        )
        if row is None:
            return "lost the lease"
        if row.guidance is not None and row.applied_at is not None:
            RunRevision.objects.get_or_create(
                run=row,
                attempt_no=row.attempt_no - 1,
                defaults={"guidance": row.guidance, "applied_at": row.applied_at},
            )
        row.guidance = answer.model_dump(mode="json")
        row.status, row.reason_code, row.reason = Status.SUCCEEDED, "", ""
        row.applied_at = row.finished_at = moment
        row.lease = row.lease_until = None
        row.save()
        if row.is_notice_wanted:
            mission_notices.queue_for_run(row, moment)
    return Status.SUCCEEDED


def _end(run: MissionRun, status: str, code: str, words: str, moment: datetime) -> str:
    with transaction.atomic():
        changed = MissionRun.objects.filter(
            pk=run.pk, status__in=MissionRun.OPEN, lease=run.lease
        ).update(
            status=status, reason_code=code, reason=words[:500], finished_at=moment, lease=None,
            lease_until=None,
        )  # fmt: skip
        if not changed:
            return "lost the lease"
        run.refresh_from_db()
        if status in (Status.FAILED, Status.SKIPPED_NO_DATA) and run.is_notice_wanted:
            mission_notices.queue_for_run(run, moment)
    return status


def _wait(run: MissionRun, at: datetime, code: str, words: str) -> str:
    """Free the run until a moment; the scheduler takes it up again."""
    MissionRun.objects.filter(pk=run.pk, lease=run.lease).update(
        status=Status.RETRY, next_attempt_at=at, reason_code=code, reason=words[:500], lease=None,
        lease_until=None, failures=run.failures,
    )  # fmt: skip
    Mission.objects.filter(pk=run.mission_id).update(next_check_at=at)
    return Status.RETRY


def _try_again(run: MissionRun, kind: str, code: str, words: str, moment: datetime) -> str:
    failures = run.failures.get(kind, 0) + 1
    run.failures = {**run.failures, kind: failures}
    at = schedule.retry_at(kind, failures=failures, now=moment, closes_at=run.closes_at)
    if at is None:
        return _end(run, Status.FAILED, code, words, moment)
    return _wait(run, at, code, words)


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
