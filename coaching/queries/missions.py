"""Reading missions: whose, how they stand, what happened on which morning."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet

from coaching.domain.missions.points import Progress, StageRow, progress
from coaching.domain.missions.rules import PointsSchema
from coaching.domain.missions.states import (
    RESULT_GRACE_DAYS,
    Actor,
    State,
    allowed_moves,
    editable_groups,
)
from coaching.models import (
    CheckIn,
    Consent,
    LlmAccount,
    LlmExchange,
    Mission,
    MissionDraft,
    MissionRun,
    RunResponse,
    StageResult,
)
from racecontrol.shared.errors import NotFound
from racecontrol.shared.search import holding


def missions_of(user: Any, *, q: str = "", state: str = "") -> QuerySet[Mission]:
    """A person's missions, newest first; `q` narrows by the words of mission and event."""
    found = holding(Mission.objects.filter(owner=user), q, "name", "event_name")
    return found.filter(state=state) if state else found


def mission_of(user: Any, mission_id: int) -> Mission:
    """The person's own mission. Health data: staff and team mates are strangers here."""
    mission = Mission.objects.filter(pk=mission_id, owner_id=user.pk).first()
    if mission is None:
        raise NotFound("There is no such mission.")
    return mission


def running_mission(user: Any) -> Mission | None:
    return Mission.objects.filter(owner=user, state__in=["TRAINING", "EVENT_ACTIVE"]).first()


def run_of(user: Any, mission_id: int, local_date: date, kind: str = "daily") -> MissionRun:
    run = (
        MissionRun.objects.filter(
            mission_id=mission_id, mission__owner_id=user.pk, local_date=local_date, kind=kind
        )
        .select_related("mission", "response")
        .first()
    )
    if run is None:
        raise NotFound("There is no such run.")
    return run


def draft_of(user: Any, draft_id: int) -> MissionDraft:
    draft = MissionDraft.objects.filter(pk=draft_id, owner_id=user.pk).first()
    if draft is None:
        raise NotFound("There is no such draft.")
    return draft


def open_drafts(user: Any) -> QuerySet[MissionDraft]:
    return MissionDraft.objects.filter(owner=user).exclude(status=MissionDraft.Status.SAVED)


def runs_of(mission: Mission) -> QuerySet[MissionRun]:
    return mission.runs.select_related("response")


def todays_run(mission: Mission, now: datetime) -> MissionRun | None:
    return runs_of(mission).filter(local_date=mission.today(now), kind="daily").first()


def letter(mission: Mission, kind: str) -> MissionRun | None:
    return mission.runs.filter(kind=kind).first()


def exchanges_of(run: MissionRun) -> QuerySet[LlmExchange]:
    """What was sent for this run and what came back, in order."""
    return run.exchanges.order_by("pk")


def check_in_of(user: Any, day: date) -> CheckIn | None:
    return CheckIn.objects.filter(owner=user, local_date=day).first()


def standing_consents(user: Any) -> dict[str, Consent]:
    """Purpose -> the consent that stands, in the present wording."""
    return {c.purpose: c for c in Consent.objects.standing().filter(owner=user)}


def has_consent(user: Any) -> bool:
    """Both consents stand: to store health data and to send facts to the model."""
    return set(standing_consents(user)) >= {Consent.Purpose.HEALTH, Consent.Purpose.MODEL}


# -- the board -------------------------------------------------------------------------------


def rows_of(mission: Mission) -> list[StageRow]:
    return [as_row(result) for result in mission.stage_results.all()]


def as_row(result: StageResult) -> StageRow:
    return StageRow(
        number=result.number,
        on=result.local_date,
        type=result.stage_type,
        mode=result.ride_mode,
        imported_points=result.imported_points,
        is_recorded=result.source == StageResult.Source.ACTIVITY,
    )


def board(mission: Mission, now: datetime) -> Progress:
    """Points, bonuses and what is still open: computed from the rows each time."""
    rules = mission.current_rules
    return progress(
        schema=rules.schema,
        plan=rules.plan,
        rows=rows_of(mission),
        today=mission.today(now),
        late_days=RESULT_GRACE_DAYS,
    )


# -- the calendar ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day of the calendar: its run if there is one, the stage if there is one."""

    on: date
    run: MissionRun | None
    response: RunResponse | None
    stages: tuple[Any, ...]
    is_today: bool
    is_event: bool
    is_rest_day: bool
    is_in_month: bool


def month(mission: Mission, first: date, now: datetime) -> list[list[DayCell]]:
    """The weeks of a month, Monday first."""
    start = first - timedelta(days=first.weekday())
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    end = following + timedelta(days=(7 - following.weekday()) % 7)
    runs = {
        run.local_date: run
        for run in runs_of(mission).filter(kind="daily", local_date__gte=start, local_date__lt=end)
    }
    plan = mission.current_rules.plan
    today = mission.today(now)
    days = [start + timedelta(days=n) for n in range((end - start).days)]
    cells = [
        DayCell(
            on=day,
            run=runs.get(day),
            response=getattr(runs.get(day), "response", None),
            stages=plan.on(day),
            is_today=day == today,
            is_event=mission.event_start <= day <= mission.event_end,
            is_rest_day=day in plan.rest_days,
            is_in_month=day.month == first.month,
        )
        for day in days
    ]
    return [cells[at : at + 7] for at in range(0, len(cells), 7)]


def run_counts(mission: Mission) -> dict[str, int]:
    """How many mornings ended how: {"succeeded": 12, "missed": 1, …}."""
    rows = mission.runs.filter(kind="daily").values("status").annotate(n=Count("pk"))
    return {row["status"]: row["n"] for row in rows.order_by("status")}


def run_words(mission: Mission) -> list[tuple[str, int]]:
    """The same for people: [("written", 12), ("missed", 1), …]."""
    return [(MissionRun.Status(status).label, n) for status, n in run_counts(mission).items()]


def response_counts(mission: Mission) -> dict[str, int]:
    rows = RunResponse.objects.filter(run__mission=mission).values("choice")
    return {row["choice"]: row["n"] for row in rows.annotate(n=Count("pk")).order_by("choice")}


def moves_of(mission: Mission, *, is_admin: bool = False) -> list[str]:
    return allowed_moves(State(mission.state), Actor.ADMIN if is_admin else Actor.ATHLETE)


def editable(mission: Mission) -> list[str]:
    return editable_groups(State(mission.state))


def is_wrapup_settled(runs: Iterable[MissionRun]) -> bool:
    """The reflection is written, or will not be."""
    return all(not run.is_open for run in runs if run.kind == MissionRun.Kind.WRAPUP)


def llm_account_of(user: Any) -> LlmAccount | None:
    """The person's own endpoint without its key, which no page needs."""
    return LlmAccount.objects.filter(owner=user).defer("api_key").first()


def latest_job(user: Any, func: str) -> Any:
    """The person's latest background job of that name, for a page that shows how it goes."""
    return user.jobs.filter(func=func).order_by("-created_at").first()


def point_rows(schema: PointsSchema) -> list[dict[str, Any]]:
    """The points table as the page shows it: a row per stage type."""
    return [
        {"type": kind, "points": [(mode, schema.points(kind, mode)) for mode in schema.modes]}
        for kind in schema.table
    ]
