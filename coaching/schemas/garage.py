"""Shapes of the garage's JSON. Lap times go in as seconds or text, and come out as both seconds and milliseconds."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field, model_validator

Id = Annotated[int, Field(ge=1, le=2**62)]
Confidence = Annotated[int, Field(ge=1, le=5)]
LapTime = Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=20)]
HeatName = Annotated[str, Field(min_length=1, max_length=100)]
HeatKind = Literal["practice", "qualifying", "race"]
Flag = Literal["", "out", "in", "pit", "yellow", "invalid"]
Short = Annotated[str, Field(max_length=120)]


class ProfileIn(Schema):
    name: Annotated[str, Field(min_length=1, max_length=120)]
    transponder: Annotated[str, Field(max_length=20)] = ""
    experience_level: Literal["Sportsman", "Intermediate", "Pro"] = "Intermediate"
    driving_style: Annotated[str, Field(max_length=255)] = ""
    sponsors: Annotated[str, Field(max_length=500)] = ""


class ProfileOut(ProfileIn):
    """`driver_id` is the timing driver the racer was approved to be."""

    id: int
    is_default: bool
    driver_id: int | None = None


class ClaimIn(Schema):
    """`transponder` becomes the racer's, where they have none yet."""

    driver_id: Id
    transponder: Annotated[str, Field(max_length=20)] = ""


class ClaimOut(Schema):
    racer_id: int
    driver_id: int
    state: str
    evidence: str
    requested_at: datetime

    @staticmethod
    def resolve_racer_id(claim) -> int:
        return claim.profile_id


class VehicleIn(Schema):
    profile_id: Id | None = None
    brand: Annotated[str, Field(min_length=1, max_length=80)]
    model: Annotated[str, Field(min_length=1, max_length=80)]
    nickname: Annotated[str, Field(max_length=80)] = ""
    class_name: Short = ""
    transponder: Annotated[str, Field(max_length=20)] = ""
    baseline_setup: dict[str, str] = {}


class VehicleOut(Schema):
    id: int
    profile_id: int
    brand: str
    model: str
    nickname: str
    class_name: str
    transponder: str
    baseline_setup: dict[str, Any]


class SessionFields(Schema):
    session_type: Literal["Practice", "Qualifying", "Main", "Club Race"] = "Practice"
    end_date: date | None = None
    track_name: Annotated[str, Field(max_length=160)] = ""
    track_size: Literal["", "Small", "Medium", "Large"] = ""
    traction: Literal["", "Low", "Medium", "High"] = ""
    surface_type: Literal["", "Dusty", "Dry", "Wet", "Muddy"] = ""
    surface_condition: Literal["", "Smooth", "Bumpy", "Rutted"] = ""
    practice_rounds: Annotated[int, Field(ge=0, le=10)] = 0
    qualifying_rounds: Annotated[int, Field(ge=0, le=6)] = 0
    setup: dict[str, str] = {}


class SessionIn(SessionFields):
    name: Annotated[str, Field(min_length=1, max_length=120)]
    start_date: date
    profile_id: Id | None = None
    vehicle_id: Id | None = None


class SessionChange(Schema):
    """Only the fields that are sent change."""

    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    start_date: date | None = None
    vehicle_id: Id | None = None
    session_type: Literal["Practice", "Qualifying", "Main", "Club Race"] | None = None
    end_date: date | None = None
    track_name: Annotated[str, Field(max_length=160)] | None = None
    track_size: Literal["", "Small", "Medium", "Large"] | None = None
    traction: Literal["", "Low", "Medium", "High"] | None = None
    surface_type: Literal["", "Dusty", "Dry", "Wet", "Muddy"] | None = None
    surface_condition: Literal["", "Smooth", "Bumpy", "Rutted"] | None = None
    practice_rounds: Annotated[int, Field(ge=0, le=10)] | None = None
    qualifying_rounds: Annotated[int, Field(ge=0, le=6)] | None = None
    setup: dict[str, str] | None = None
    status: Literal["active", "closed"] | None = None


class SessionOut(SessionFields):
    id: int
    profile_id: int
    vehicle_id: int | None = None
    track_id: int | None = None
    name: str
    start_date: date
    setup: dict[str, Any] = {}
    status: str
    created_at: datetime
    closed_at: datetime | None = None


class LapIn(Schema):
    heat_name: HeatName
    lap_time: LapTime
    lap_number: Annotated[int, Field(ge=1, le=100_000)] | None = None
    confidence_rating: Confidence | None = None
    flag: Flag = ""
    kind: HeatKind | None = None


class BatchLap(Schema):
    """One lap of a batch. What is wrong with it is answered by its index, so little is checked here."""

    lap_time: LapTime
    lap_number: int | None = None
    confidence_rating: int | None = None
    flag: Annotated[str, Field(max_length=20)] = ""


class BatchIn(Schema):
    """Laps of one heat in driven order: plain times, or laps with number, confidence and flag."""

    heat_name: HeatName
    lap_times: Annotated[list[LapTime], Field(max_length=10_000)] | None = None
    laps: Annotated[list[BatchLap], Field(max_length=10_000)] | None = None
    confidence_rating: Confidence | None = None
    kind: HeatKind | None = None

    @model_validator(mode="after")
    def exactly_one(self):
        if (self.lap_times is None) == (self.laps is None):
            raise ValueError("Send either lap_times or laps.")
        return self


class CountOut(Schema):
    count: int


class RunLogLapOut(Schema):
    id: int
    heat_name: str
    lap_number: int
    lap_time: float
    lap_ms: int
    confidence_rating: int | None = None
    flag: str
    source: str
    source_ref: str

    @staticmethod
    def resolve_heat_name(lap) -> str:
        return lap.heat.name

    @staticmethod
    def resolve_lap_time(lap) -> float:
        return lap.lap_ms / 1000

    @staticmethod
    def resolve_confidence_rating(lap) -> int | None:
        return lap.confidence


class LapChange(Schema):
    """Why the lap does not count; empty: it counts."""

    flag: Flag


class HeatOut(Schema):
    name: str
    kind: str
    laps: list[RunLogLapOut]


class HeatChange(Schema):
    """What kind of run it was, and how far the car is trusted now; what is not sent stays."""

    kind: HeatKind | None = None
    confidence_rating: Confidence | None = None


class FiguresOut(Schema):
    """Seconds; `spread` is worst − best. Null without laps."""

    name: str
    total_laps: int
    total_time: float | None = None
    best_lap: float | None = None
    worst_lap: float | None = None
    average_lap: float | None = None
    spread: float | None = None


class SummaryOut(FiguresOut):
    session_id: int
    heats: list[FiguresOut]


class ScoreOut(Schema):
    """`result` holds the formula's own fields. Same `inputs_hash` and formula: same score."""

    formula: str
    heat: str | None = None
    status: str
    score: float | None = None
    low: float | None = None
    high: float | None = None
    laps: int
    inputs_hash: str
    result: dict[str, Any]
    advice: list[str] = []


class OrpOut(ScoreOut):
    session_id: int
    heats: list[ScoreOut] = []


class ChangeIn(Schema):
    parameter: Annotated[str, Field(min_length=1, max_length=20)]
    old_value: Annotated[str, Field(max_length=80)] = ""
    new_value: Annotated[str, Field(min_length=1, max_length=80)]
    reason: Annotated[str, Field(max_length=2000)] = ""


class ChangeDecision(Schema):
    """`force` accepts in spite of the warnings; that is written down."""

    status: Literal["accepted", "denied"]
    force: bool = False
    reason: Annotated[str, Field(max_length=2000)] = ""


class ChangeOut(Schema):
    id: int
    parameter: str
    old_value: str
    new_value: str
    reason: str
    status: str
    warnings: list[str]
    is_forced: bool
    result: str
