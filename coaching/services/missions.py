"""Writing missions: made, edited, started, finished, put away; every change of state on record."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from coaching.domain.missions import rules, schedule, tables
from coaching.domain.missions.states import (
    Actor,
    Guards,
    State,
    Step,
    advance,
    archive_date,
    check_edit,
    move,
)
from coaching.llm.prompts import clean
from coaching.models import EventRules, Mission, MissionRun, MissionTransition
from coaching.queries import missions as read
from coaching.services import llm_accounts
from coaching.services.mission_fields import FIELDS, NEEDED, clean_fields
from racecontrol.shared import audit, jobs, live
from racecontrol.shared.errors import InvalidInput, NotAllowed, StaleWrite

# -- making ----------------------------------------------------------------------------------


@transaction.atomic
def create_mission(
    *,
    by: Any,
    data: dict[str, Any],
    now: datetime,
    legacy_id: str = "",
    is_demo: bool = False,
    targets: dict[str, Any] | None = None,
    has_letter: bool = True,
) -> Mission:
    """A mission in PREP; the welcome letter is queued when there is a model to write it.

    Raises InvalidInput by field; nothing is saved then.
    """
    missing = {name: ["This field is needed."] for name in NEEDED if not data.get(name)}
    if missing:
        raise InvalidInput("Some fields are missing.", fields=missing)
    schema = data.get("points_schema") or default_schema(data["mission_type"]).as_data()
    plan = data.get("stage_plan") or {"stages": [], "rest_days": []}
    values = clean_fields({**data, "points_schema": schema, "stage_plan": plan})
    mission = Mission(
        owner=by,
        legacy_id=legacy_id,
        is_demo=is_demo,
        demo_now=now if is_demo else None,
        tz=values["timezone"],
        targets=targets or {},
        notifications={"email": True, "email_failures": True} | values.get("notifications", {}),
        **{
            name: values[name]
            for name in FIELDS
            if name in values
            and name not in ("timezone", "notifications", "points_schema", "stage_plan")
        },
    )
    mission.next_check_at = mission.now(now) if mission.auto_start else None
    mission.save(force_insert=True)
    EventRules.objects.create(
        mission=mission,
        version=1,
        points_schema=values["points_schema"].as_data(),
        stage_plan=with_event_days(values["stage_plan"], mission).as_data(),
        by=by,
        reason="made with the mission",
    )
    MissionTransition.objects.create(
        mission=mission, target=State.PREP, why="made", by=by, local_date=mission.today(now)
    )
    audit.record(by=by, verb="mission.made", obj=mission, after={"state": State.PREP})
    if has_letter and llm_accounts.has_model(mission):
        _letter(mission, "onboarding", now)
    return mission


def default_schema(mission_type: str) -> rules.PointsSchema:
    if mission_type in (Mission.Kind.ROAD_STAGE_RACE, Mission.Kind.TT_SERIES):
        return tables.stage_race_schema()
    return tables.one_day_schema()


def with_event_days(plan: rules.StagePlan, mission: Mission) -> rules.StagePlan:
    """An event without stages counts its days: one stage of type "event" a day."""
    is_plain = mission.mission_type in (Mission.Kind.ONE_DAY, Mission.Kind.GRAVEL_ULTRA)
    if plan.stages or not is_plain:
        return plan
    days = (mission.event_end - mission.event_start).days + 1
    free = [mission.event_start + timedelta(days=n) for n in range(days)]
    on = [day for day in free if day not in plan.rest_days]
    stages = tuple(rules.Stage(n, day, "event") for n, day in enumerate(on, start=1))
    return replace(plan, stages=stages)


def _letter(mission: Mission, kind: str, now: datetime) -> MissionRun:
    """Queue the letter of that kind; there is one per mission."""
    moment = mission.now(now)
    run, made = MissionRun.objects.get_or_create(
        mission=mission,
        kind=kind,
        defaults={
            "local_date": mission.today(now),
            "tz": mission.tz,
            "run_at": mission.run_at,
            "due_at": moment,
            "closes_at": moment + timedelta(hours=24),
            "next_attempt_at": moment,
        },
    )
    if made:
        enqueue_run(run)
    return run


def enqueue_run(run: MissionRun) -> jobs.Job:
    """Queue the run's task; the key makes a second scheduler's message the same job."""
    mission = run.mission
    tell(mission.pk, run=run.status)
    return jobs.enqueue(
        "coaching.tasks.run_mission_day",
        mission.owner_id,
        mission.pk,
        run.local_date.isoformat(),
        run.kind,
        key=f"mission-run:{run.pk}:{run.attempt_no}:{run.attempt}",
        owner=mission.owner,
        title=f"{mission.name}: {run.get_kind_display()} {run.local_date}",
    )


def tell(mission_id: int, **news: str) -> None:
    """To open pages of its owner: the mission, or a run of it, stands differently now."""
    live.publish(f"mission:{mission_id}", news)


# -- state -----------------------------------------------------------------------------------


@transaction.atomic
def settle(*, mission_id: int, now: datetime) -> Mission:
    """Bring a mission to where the calendar says it is; called before every look and write."""
    locked = Mission.objects.select_for_update(of=("self",))
    mission = locked.select_related("owner").get(pk=mission_id)
    _change_zone(mission, now)
    today = mission.today(now)
    state = State(mission.state)
    archive_from = None
    is_complete = state is State.MISSION_COMPLETE and mission.completed_on is not None
    if is_complete and read.is_wrapup_settled(mission.runs.all()):
        archive_from = archive_date(
            completed_on=mission.completed_on, quiet_days=settings.MISSIONS_ARCHIVED_AFTER_DAYS
        )
    steps = advance(
        state,
        mission.dates,
        today,
        is_ready_to_start=mission.auto_start and state is State.PREP and _may_start(mission),
        archive_from=archive_from,
    )
    _take(mission, steps, now=now, by=None)
    return mission


def _may_start(mission: Mission) -> bool:
    guards = guards_of(mission)
    return guards.has_model and guards.has_consent and not guards.has_other_running


def guards_of(mission: Mission) -> Guards:
    """What must hold before a start. The demonstration has no health data and asks no model."""
    others = Mission.objects.filter(
        owner=mission.owner_id, state__in=["TRAINING", "EVENT_ACTIVE"]
    ).exclude(pk=mission.pk)
    return Guards(
        has_other_running=others.exists(),
        has_model=llm_accounts.has_model(mission),
        has_consent=mission.is_demo or read.has_consent(mission.owner),
    )


def change_state(
    *, mission_id: int, name: str, by: Any, now: datetime, why: str = "", actor: Actor | None = None
) -> Mission:
    """A move a person asked for: start, finish, archive, back_to_prep, reopen.

    Raises ForbiddenMove (409) with the allowed list.
    """
    actor = actor or Actor.ATHLETE
    if actor is Actor.ADMIN and not by.is_staff:
        raise NotAllowed("Only an administrator may do this.")
    try:
        with transaction.atomic():
            mission = settle(mission_id=mission_id, now=now)
            steps = move(
                name,
                State(mission.state),
                mission.dates,
                mission.today(now),
                actor=actor,
                why=clean(why, 200),
                guards=guards_of(mission) if name == "start" else None,
                is_wrapup_settled=read.is_wrapup_settled(mission.runs.all()),
            )
            _take(mission, steps, now=now, by=by)
            audit.record(
                by=by, verb=f"mission.{name}", obj=mission, after={"state": mission.state},
                reason=clean(why, 200),
            )  # fmt: skip
    except IntegrityError as raced:
        raise StaleWrite("Another mission of yours was started in this moment.") from raced
    return mission


def _take(mission: Mission, steps: tuple[Step, ...], *, now: datetime, by: Any) -> None:
    """Apply steps one by one, each by a conditional update and with its row of history."""
    today = mission.today(now)
    for step in steps:
        changed = Mission.objects.filter(
            pk=mission.pk, state=step.origin, version=mission.version
        ).update(state=step.target, version=F("version") + 1)
        if not changed:
            raise StaleWrite(f"{mission.name} has just changed; look again.")
        MissionTransition.objects.create(
            mission=mission, origin=step.origin, target=step.target, why=step.why[:300], by=by,
            local_date=today,
        )  # fmt: skip
        mission.state, mission.version = step.target, mission.version + 1
        _effects(mission, step, now)
    if steps:
        mission.save(update_fields=["started_at", "completed_on", "next_check_at"])
        tell(mission.pk, state=mission.state)


def _effects(mission: Mission, step: Step, now: datetime) -> None:
    moment = mission.now(now)
    match step.target:
        case State.TRAINING:
            mission.started_at = moment
            mission.next_check_at = moment
        case State.EVENT_ACTIVE:
            mission.rules.filter(frozen_at__isnull=True).update(frozen_at=moment)
            mission.next_check_at = moment
        case State.MISSION_COMPLETE if step.origin != State.ARCHIVED:
            mission.completed_on = mission.today(now)
            _cancel_open(mission, "The mission is complete.")
            mission.next_check_at = moment
            _letter(mission, "wrapup", now)
        case State.MISSION_COMPLETE | State.PREP:
            _cancel_open(mission, "The mission went back.")
            mission.next_check_at = None
        case State.ARCHIVED:
            _cancel_open(mission, "The mission was put away.")
            mission.next_check_at = None


def _cancel_open(mission: Mission, why: str) -> None:
    mission.runs.filter(kind=MissionRun.Kind.DAILY, status__in=["queued", "retry"]).update(
        status=MissionRun.Status.CANCELLED, reason=why, reason_code="cancelled"
    )


def _change_zone(mission: Mission, now: datetime) -> None:
    """A zone chosen during the event counts from its date on."""
    if mission.next_tz and mission.next_tz_on and mission.today(now) >= mission.next_tz_on:
        mission.tz, mission.next_tz, mission.next_tz_on = mission.next_tz, "", None
        mission.next_check_at = mission.now(now)
        mission.save(update_fields=["tz", "next_tz", "next_tz_on", "next_check_at"])


# -- editing ---------------------------------------------------------------------------------


@transaction.atomic
def edit_mission(
    *,
    mission_id: int,
    by: Any,
    data: dict[str, Any],
    now: datetime,
    version: int | None = None,
    actor: Actor = Actor.ATHLETE,
    reason: str = "",
) -> Mission:
    """Change what the state allows. Raises EditLocked or InvalidInput by field, StaleWrite.

    `version`: the version the person looked at; another one is refused.
    """
    mission = settle(mission_id=mission_id, now=now)
    if version is not None and version != mission.version:
        raise StaleWrite(f"{mission.name} was changed meanwhile; look again before saving.")
    values = clean_fields(data, dates=mission.dates)
    values = {name: value for name, value in values.items() if _differs(mission, name, value)}
    today = mission.today(now)
    check_edit(
        State(mission.state), values, dates=mission.dates, today=today, actor=actor,
        reason=reason,
    )  # fmt: skip
    if not values:
        return mission
    new_rules: dict[str, Any] = {
        name: values.pop(name) for name in ("points_schema", "stage_plan") if name in values
    }
    if "timezone" in values:
        _set_zone(mission, values.pop("timezone"), today)
    for name, value in values.items():
        setattr(mission, name, value)
    if new_rules or {"event_start", "event_end"} & set(values):
        _new_rules(mission, new_rules, by=by, reason=reason)
    mission.version += 1
    if mission.is_running or mission.auto_start:
        mission.next_check_at = mission.now(now)
    mission.save()
    # Names of fields only: what stands in them may be about health.
    audit.record(
        by=by, verb="mission.edited", obj=mission,
        after={"fields": sorted({*values, *new_rules} | ({"timezone"} & set(data)))},
        reason=clean(reason, 200),
    )  # fmt: skip
    return settle(mission_id=mission.pk, now=now)


def _differs(mission: Mission, name: str, value: Any) -> bool:
    if name == "timezone":
        return value != (mission.next_tz or mission.tz)
    if name == "points_schema":
        return value != mission.current_rules.schema
    if name == "stage_plan":
        return value != mission.current_rules.plan
    return getattr(mission, name) != value


def _set_zone(mission: Mission, tz: str, today: date) -> None:
    if mission.state == State.EVENT_ACTIVE:
        mission.next_tz, mission.next_tz_on = tz, today + timedelta(days=1)
    else:
        mission.tz, mission.next_tz, mission.next_tz_on = tz, "", None


def _new_rules(mission: Mission, new: dict[str, Any], *, by: Any, reason: str) -> None:
    current = mission.current_rules
    schema = new.get("points_schema") or current.schema
    plan = new.get("stage_plan")
    if plan is None:
        plan = current.plan
        if all(stage.type == "event" for stage in plan.stages):
            plan = replace(plan, stages=())
    plan = with_event_days(plan, mission)
    # The dates may have moved: a plan outside the event is refused with the field to mend.
    rules.read_plan(
        plan.as_data(), schema=schema, first=mission.event_start, last=mission.event_end
    )
    if (schema.as_data(), plan.as_data()) == (current.points_schema, current.stage_plan):
        return
    mission.current_rules = EventRules.objects.create(
        mission=mission,
        version=current.version + 1,
        points_schema=schema.as_data(),
        stage_plan=plan.as_data(),
        by=by,
        reason=clean(reason, 200),
        frozen_at=current.frozen_at,
    )


def next_look(mission: Mission, now: datetime, agenda_at: datetime | None) -> datetime:
    """When the scheduler must look again: the next morning or the next local day, the earlier."""
    moment = mission.now(now)
    tomorrow = mission.today(now) + timedelta(days=1)
    next_day = datetime.combine(tomorrow, time(0, 30), tzinfo=schedule.zone(mission.tz))
    looks = [at for at in (agenda_at, next_day.astimezone(UTC)) if at and at > moment]
    return min(looks)
