"""EventProgressService: stages as ridden, entered, corrected, taken back; points follow from rows."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from coaching.domain.missions.rules import Stage
from coaching.domain.missions.states import Actor, State, check_result_edit
from coaching.llm.prompts import clean
from coaching.models import Mission, StageResult
from coaching.services import missions
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, StaleWrite


def record_stage(
    *,
    mission_id: int,
    number: int,
    ride_mode: str,
    by: Any,
    now: datetime,
    activity_ref: str = "",
    activity_date: date | None = None,
    source: str = "manual",
    details: dict[str, Any] | None = None,
    actor: Actor = Actor.ATHLETE,
    reason: str = "",
) -> StageResult:
    """Enter or correct how a stage was ridden; its date and type come from the plan.

    `activity_date` is an activity's own local start date: it must be the stage's. An activity
    counts for one stage only. Raises EditLocked outside the event and its three days of grace.
    """
    try:
        with transaction.atomic():
            mission = missions.settle(mission_id=mission_id, now=now)
            rules = mission.current_rules
            stage = _stage(rules.plan.number(number), number)
            _check_may(mission, now, actor, reason)
            _check_stage(mission, stage, now, activity_date)
            modes = rules.schema.modes_for(stage.type)
            if ride_mode not in modes:
                raise InvalidInput(
                    "This stage has no such ride mode.",
                    fields={"ride_mode": [f"Choose from {', '.join(modes)}."]},
                )
            old = (
                mission.stage_results.select_for_update(of=("self",)).filter(number=number).first()
            )
            before = {"ride_mode": old.ride_mode} if old else {}
            row = old or StageResult(mission=mission, number=number)
            row.local_date, row.stage_type, row.ride_mode = stage.on, stage.type, ride_mode
            row.source, row.activity_ref = source, clean(activity_ref, 80)
            row.details = details or row.details or {}
            row.completed_at = row.completed_at or mission.now(now)
            row.save()
            audit.record(
                by=by, verb="mission.stage_corrected" if old else "mission.stage_ridden", obj=mission,
                before=before, after={"stage": number, "ride_mode": ride_mode},
                reason=clean(reason, 200),
            )  # fmt: skip
    except IntegrityError as taken:
        raise InvalidInput(
            "This activity counts for another stage already.",
            fields={"activity_ref": ["Counts for another stage."]},
        ) from taken
    return row


@transaction.atomic
def remove_stage(
    *, mission_id: int, number: int, by: Any, now: datetime, actor: Actor = Actor.ATHLETE,
    reason: str = "",
) -> None:  # fmt: skip
    """Take a stage back; the board forgets it and any bonus it carried."""
    mission = missions.settle(mission_id=mission_id, now=now)
    _check_may(mission, now, actor, reason)
    row = mission.stage_results.select_for_update(of=("self",)).filter(number=number).first()
    if row is None:
        raise NotFound("There is no result for this stage.")
    audit.record(
        by=by, verb="mission.stage_removed", obj=mission,
        before={"stage": number, "ride_mode": row.ride_mode}, reason=clean(reason, 200),
    )  # fmt: skip
    row.delete()


def score_activity(
    *, mission_id: int, activity_ref: str, local_start_date: date, ride_mode: str, now: datetime,
    details: dict[str, Any] | None = None,
) -> StageResult | None:  # fmt: skip
    """For uploads and connections: score the stage of the activity's own local date.

    None where the plan has no free stage that day, or the activity counts already.
    """
    mission = Mission.objects.get(pk=mission_id)
    if mission.stage_results.filter(activity_ref=activity_ref).exists():
        return None
    done = set(mission.stage_results.values_list("number", flat=True))
    free = [s for s in mission.current_rules.plan.on(local_start_date) if s.number not in done]
    if not free:
        return None
    try:
        return record_stage(
            mission_id=mission_id, number=free[0].number, ride_mode=ride_mode, by=None, now=now,
            activity_ref=activity_ref, activity_date=local_start_date,
            source="activity", details=details,
        )  # fmt: skip
    except StaleWrite:
        return None


def _stage(stage: Stage | None, number: int) -> Stage:
    if stage is None:
        raise InvalidInput(
            "The plan has no such stage.", fields={"number": [f"The plan has no stage {number}."]}
        )
    return stage


def _check_may(mission: Mission, now: datetime, actor: Actor, reason: str) -> None:
    check_result_edit(
        State(mission.state), today=mission.today(now), completed_on=mission.completed_on,
        actor=actor, reason=reason,
    )  # fmt: skip


def _check_stage(mission: Mission, stage: Stage, now: datetime, on: date | None) -> None:
    if stage.on > mission.today(now):
        raise InvalidInput(
            "This stage has not been ridden yet.",
            fields={"number": [f"Stage {stage.number} is on {stage.on.isoformat()}."]},
        )
    if on is not None and on != stage.on:
        raise InvalidInput(
            "The activity was ridden on another day.",
            fields={"activity_ref": [f"Stage {stage.number} is on {stage.on.isoformat()}."]},
        )
