"""Shapes of missions' JSON. Dates are local to the mission's zone; points are computed, never sent in."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field


def _local(value: time) -> time:
    """A wall time of the mission's own zone carries no offset."""
    if value.tzinfo is not None:
        raise ValueError("Give a local time without an offset, such as 05:30.")
    return value.replace(microsecond=0)


Text = Annotated[str, Field(max_length=600)]
Kind = Literal["road_stage_race", "gravel_ultra", "tt_series", "one_day"]
Plain = dict[str, Any]


class Strict(Schema):
    model_config = ConfigDict(extra="forbid")


class MissionFields(Strict):
    """What may be sent; what is left out stays as it is."""

    name: Annotated[str, Field(max_length=80)] | None = None
    notes: Annotated[str, Field(max_length=4000)] | None = None
    event_name: Annotated[str, Field(max_length=120)] | None = None
    llm_goal_statement: Text | None = None
    mission_type: Kind | None = None
    prep_start: date | None = None
    event_start: date | None = None
    event_end: date | None = None
    timezone: Annotated[str, Field(max_length=64)] | None = None
    run_at: Annotated[time, AfterValidator(_local)] | None = None
    auto_start: bool | None = None
    notifications: dict[str, bool] | None = None
    constraints: Plain | None = None
    availability: Plain | None = None
    rider_profile: Plain | None = None
    points_schema: Plain | None = None
    stage_plan: Plain | None = None

    def given(self) -> Plain:
        return {k: v for k, v in self.dict(exclude_unset=True).items() if v is not None}


class MissionChange(MissionFields):
    """`version` is the one you looked at: a mission changed meanwhile is refused."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class MissionOut(Schema):
    id: int
    name: str
    event_name: str
    mission_type: str
    state: str
    version: int
    timezone: str
    run_at: time
    prep_start: date
    event_start: date
    event_end: date
    auto_start: bool
    llm_goal_statement: str
    constraints: Plain
    availability: Plain
    rider_profile: Plain
    notifications: Plain
    points_schema: Plain
    stage_plan: Plain
    rules_version: int
    is_demo: bool
    created_at: datetime

    @staticmethod
    def resolve_points_schema(mission: Any) -> Plain:
        return mission.current_rules.points_schema

    @staticmethod
    def resolve_stage_plan(mission: Any) -> Plain:
        return mission.current_rules.stage_plan

    @staticmethod
    def resolve_rules_version(mission: Any) -> int:
        return mission.current_rules.version


class MissionLine(Schema):
    id: int
    name: str
    event_name: str
    state: str
    event_start: date
    event_end: date
    is_demo: bool
    created_at: datetime


class MoveIn(Strict):
    why: Annotated[str, Field(max_length=200)] = ""


class RunOut(Schema):
    """One run. Its facts and words are its owner's alone."""

    local_date: date
    kind: str
    status: str
    reason_code: str
    reason: str
    due_at: datetime
    closes_at: datetime
    finished_at: datetime | None
    attempt: int
    attempt_no: int
    provider: str
    model: str
    prompt_version: str
    is_scripted: bool
    stage: Plain | None
    guidance: Plain | None


class RunDetail(RunOut):
    facts: list[Plain] | None
    limits: list[str] | None
    exchanges: list[Plain]

    @staticmethod
    def resolve_exchanges(run: Any) -> list[Plain]:
        return [
            {
                "at": exchange.created_at,
                "outcome": exchange.outcome,
                "sent": exchange.sent,
                "answer": exchange.answer,
                "prompt_tokens": exchange.prompt_tokens,
                "completion_tokens": exchange.completion_tokens,
                "cost_micro_usd": exchange.cost_micro_usd,
                "ms": exchange.ms,
            }
            for exchange in run.exchanges.order_by("pk")
        ]


class StatusOut(Schema):
    state: str
    local_date: date
    allowed_moves: list[str]
    editable: list[str]
    today: RunOut | None
    runs: dict[str, int]


class TransitionOut(Schema):
    origin: str
    target: str
    why: str
    by: str | None
    local_date: date
    at: datetime

    @staticmethod
    def resolve_by(step: Any) -> str | None:
        return str(step.by) if step.by else None


class RunNowIn(Strict):
    mail: bool = False


class MissionQueuedOut(Schema):
    """The run is queued; ask for it again to see how it went."""

    local_date: date
    status: str


class StageIn(Strict):
    ride_mode: Annotated[str, Field(min_length=1, max_length=24)]
    activity_ref: Annotated[str, Field(max_length=80)] = ""
    activity_date: date | None = None


class StageLineOut(Schema):
    number: int
    on: date
    type: str
    name: str
    status: str
    mode: str
    points: int
    most_points: int
    imported_points: int | None
    is_recorded: bool


class BonusOut(Schema):
    id: str
    label: str
    points: int
    have: int
    need: int
    is_earned: bool
    is_reachable: bool


class ProgressOut(Schema):
    total: int
    stage_points: int
    bonus_points: int
    done: int
    planned: int
    streak: int
    by_mode: dict[str, int]
    most_reachable: int
    lines: list[StageLineOut]
    bonuses: list[BonusOut]


class CheckInIn(Strict):
    readiness: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
    sleep_h: Annotated[float, Field(ge=0, le=24, allow_inf_nan=False)] | None = None
    soreness: Annotated[int, Field(ge=1, le=5)] | None = None
    energy: Annotated[int, Field(ge=1, le=5)] | None = None
    stress: Annotated[int, Field(ge=1, le=5)] | None = None
    resting_hr: Annotated[float, Field(ge=25, le=200, allow_inf_nan=False)] | None = None
    note: Annotated[str, Field(max_length=500)] = ""


class CheckInOut(Schema):
    local_date: date
    values: Plain
    note: str


class AnswerIn(Strict):
    choice: Literal["done", "adjusted", "skipped"]
    note: Annotated[str, Field(max_length=500)] = ""


class AnswerOut(Schema):
    choice: str
    note: str


class DraftIn(MissionFields):
    """The wizard's answers; the model makes a draft of them."""

    goals: Annotated[str, Field(max_length=500)] = ""


class DraftOut(Schema):
    id: int
    status: str
    answers: Plain
    proposal: Plain | None
    problems: Plain
    mission_id: int | None
