"""A claimed run is written: may it run, what are the facts, what does the model say, how did it end.

Facts are kept on the row, the model is asked outside any transaction, and its checked words are
applied in the transaction that also writes the mail's row. A retry repeats only what is undone.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from coaching.domain.missions import schedule
from coaching.domain.missions.checks import Problem, check
from coaching.domain.missions.facts import as_data, from_data
from coaching.domain.missions.profile import SAFETY_NOTICE
from coaching.domain.missions.states import RUNNING, State
from coaching.llm import prompts
from coaching.llm.errors import BadAnswer, BudgetSpent, Crowded, ModelDown, ModelRefused
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
from coaching.services import llm_accounts, mission_notices
from racecontrol.shared.errors import RaceError

Status: Any = MissionRun.Status
Kind: Any = MissionRun.Kind
# A run that breaks its worker again and again is ended; waits and retries need fewer.
MOST_ATTEMPTS = 24


def write(run: MissionRun, *, moment: datetime, real_now: datetime) -> str:
    """Do a claimed run to its end or its next pause; returns the status it ended with."""
    if ended := _refused(run, moment):
        return ended
    morning = _gather(run, moment)
    if ended := _has_nothing_to_say(run, morning, moment):
        return ended
    return _ask(run, morning, moment, real_now)


def _refused(run: MissionRun, moment: datetime) -> str | None:
    """How the run ended where it may not run at all."""
    refusal = _may_not_run(run)
    if refusal is not None:
        code, words = refusal
        return end(run, Status.CANCELLED, code, words, moment)
    if moment >= run.closes_at:
        return end(run, Status.MISSED, "missed", "Its morning went by.", moment)
    if run.attempt > MOST_ATTEMPTS:
        words = "Writing it broke again and again; the operators can see why."
        return end(run, Status.FAILED, "broken", words, moment)
    return None


def _may_not_run(run: MissionRun) -> tuple[str, str] | None:
    mission = run.mission
    if run.kind == Kind.DAILY and mission.state not in RUNNING:
        return "not_running", "The mission is not running."
    if not mission.owner.is_active:
        return "not_running", "The account is closed."
    if not mission.is_demo and not read.has_consent(mission.owner):
        return "no_consent", "Consent was withdrawn; nothing is sent to the model."
    return None


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


def _has_nothing_to_say(run: MissionRun, morning: Morning, moment: datetime) -> str | None:
    """How a day's run ended or paused where its facts forbid guidance, or there are none."""
    if run.kind != Kind.DAILY:
        return None
    if morning.has_red_flag:
        return end(run, Status.FAILED, "red_flag", SAFETY_NOTICE, moment)
    if morning.has_data:
        return None
    again = schedule.no_data_again_at(moment, due_at=run.due_at)
    words = "There is nothing to go by this morning: check in, it takes half a minute."
    if again is None:
        return end(run, Status.SKIPPED_NO_DATA, "no_data", words, moment)
    return _wait(run, again, "no_data", words)


# -- the model -------------------------------------------------------------------------------


def _ask(run: MissionRun, morning: Morning, moment: datetime, real_now: datetime) -> str:
    mission = run.mission
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
        source = _source_for(mission)
    except ModelRefused as refused:
        return end(run, Status.FAILED, refused.reason, str(refused), moment)
    except RaceError as none:
        return end(run, Status.FAILED, "no_model", str(none), moment)
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
        status = end(run, Status.FAILED, refused.reason, str(refused), moment)
        mission_notices.key_is_bad(mission, source.account, real_now)
        return status
    except Crowded as crowded:  # the model failed nobody: no try and no failure is counted
        at = moment + schedule.CROWDED_WAIT
        return _wait(run, at, crowded.reason, str(crowded), attempt=F("attempt") - 1)
    except ModelDown as down:
        return _try_again(run, "model_down", down.reason, str(down), moment)
    except BudgetSpent as spent:
        return end(run, Status.FAILED, "budget", str(spent), moment)
    except BadAnswer as wrong:
        words = "What the model wrote did not pass our checks: " + "; ".join(wrong.problems[:3])
        return _try_again(run, "bad_answer", "bad_answer", words, moment)
    return _apply(run, answer, moment)


def _source_for(mission: Mission) -> llm_accounts.Source:
    """Who writes for the mission. Raises ModelRefused for an account that is known not to work."""
    source = llm_accounts.source_of(mission.owner, is_demo=mission.is_demo)
    if source.account and source.account.status == LlmAccount.Status.BAD:
        raise ModelRefused(
            f"Your language model does not work: {source.account.status_reason}",
            reason="bad_key",
        )
    return source


def _what(run: MissionRun, mission: Mission) -> tuple[str, type[Shape]]:
    if run.kind == Kind.ONBOARDING:
        return "onboarding", Onboarding
    if run.kind == Kind.WRAPUP:
        return "wrapup", Reflection
    if mission.state == State.EVENT_ACTIVE:
        return "daily_event", EventCoaching
    return "daily_training", DailyCoaching


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


def end(run: MissionRun, status: str, code: str, words: str, moment: datetime) -> str:
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


def _wait(run: MissionRun, at: datetime, code: str, words: str, **values: Any) -> str:
    """Free the run until a moment; the scheduler takes it up again. `values` go on the row, too."""
    MissionRun.objects.filter(pk=run.pk, lease=run.lease).update(
        status=Status.RETRY, next_attempt_at=at, reason_code=code, reason=words[:500], lease=None,
        lease_until=None, failures=run.failures, **values,
    )  # fmt: skip
    Mission.objects.filter(pk=run.mission_id).update(next_check_at=at)
    return Status.RETRY


def _try_again(run: MissionRun, kind: str, code: str, words: str, moment: datetime) -> str:
    failures = run.failures.get(kind, 0) + 1
    run.failures = {**run.failures, kind: failures}
    at = schedule.retry_at(kind, failures=failures, now=moment, closes_at=run.closes_at)
    if at is None:
        return end(run, Status.FAILED, code, words, moment)
    return _wait(run, at, code, words)
