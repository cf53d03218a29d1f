"""EventProgressService: stages as ridden, entered, corrected, taken back; points follow from rows."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from coaching.domain.missions.rides import is_ride, mode_of
from coaching.domain.missions.rules import Stage
from coaching.domain.missions.states import Actor, EditLocked, State, check_result_edit
from coaching.llm.prompts import clean
from coaching.models import Activity, Mission, StageResult
from coaching.queries.athlete import Loaded, activities_of, numbers_of
from coaching.services import missions
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound


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
    if row.source == StageResult.Source.ACTIVITY:
        Mission.objects.filter(pk=mission.pk).update(
            unscored_activities=[*mission.unscored_activities, row.activity_ref]
        )
    row.delete()


@transaction.atomic
def score_activities(*, mission_id: int, now: datetime) -> list[StageResult]:
    """Score the free stages of the event that the athlete's recordings show; again is the same.

    A recording counts on its own local start date, until three days after the event. Where the
    ride mode cannot be told, and after an athlete took the stage back, the entry is left to them.
    """
    mission = missions.settle(mission_id=mission_id, now=now)
    try:
        _check_may(mission, now, Actor.ATHLETE, "")
    except EditLocked:
        return []
    recorded = activities_of(mission.owner, for_coach=True)
    rides = [one for one in recorded if _may_score(one, mission, now)]
    if not rides:
        return []
    results = list(mission.stage_results.all())
    done = {result.number for result in results}
    used = {result.activity_ref for result in results} | set(mission.unscored_activities)
    rules, threshold = mission.current_rules, numbers_of(mission.owner).threshold_w
    made = []
    for activity in (one.activity for one in rides):
        free = [s for s in rules.plan.on(activity.on) if s.number not in done]
        if not free or _ref(activity) in used:
            continue
        watts = activity.normalised_w or activity.average_w
        mode = mode_of(
            rules.schema.modes_for(free[0].type),
            moving_s=activity.moving_s,
            intensity=watts / threshold if watts and threshold else None,
            advised=_advised(mission, activity.on),
        )
        if mode is None:
            continue
        row = record_stage(
            mission_id=mission_id, number=free[0].number, ride_mode=mode, by=None, now=now,
            activity_ref=_ref(activity), activity_date=activity.on, source="activity",
            details={"moving_s": activity.moving_s, "distance_m": activity.distance_m},
        )  # fmt: skip
        made.append(row)
        done.add(row.number)
    return made


def score_activities_of(*, user_id: int, now: datetime) -> int:
    """After an upload or a sync: the stages that new recordings score, over the person's missions."""
    begun = Mission.objects.filter(
        owner_id=user_id, state__in=[State.TRAINING, State.EVENT_ACTIVE, State.MISSION_COMPLETE]
    )
    ids = begun.values_list("pk", flat=True)
    return sum(len(score_activities(mission_id=pk, now=now)) for pk in ids)


def _may_score(one: Loaded, mission: Mission, now: datetime) -> bool:
    activity = one.activity
    last = min(mission.event_end, mission.today(now))
    return (
        one.double_of is None
        and mission.event_start <= activity.on <= last
        and is_ride(activity.kind, moving_s=activity.moving_s)
    )


def _ref(activity: Activity) -> str:
    return f"activity:{activity.pk}"


def _advised(mission: Mission, on: date) -> str:
    run = mission.runs.filter(kind="daily", local_date=on, guidance__isnull=False).first()
    return (run.guidance or {}).get("ride_mode", "") if run else ""


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
