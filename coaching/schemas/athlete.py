"""Shapes of the athlete's own data as JSON. Days are local to the person's zone; loads are computed."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from coaching.models import AthleteUpload
from coaching.queries.athlete import Loaded
from coaching.queries.connections import Door
from racecontrol.shared.jobs import Job

ProviderName = Literal["strava", "oura", "intervals"]
Purpose = Literal["health", "model"]


class StrictIn(Schema):
    model_config = ConfigDict(extra="forbid")


class WorkOut(Schema):
    """The background job at it; more of it at /jobs/{id}."""

    id: UUID
    state: str
    done: int
    total: int
    message: str


def work_of(job: Job | None) -> Job | None:
    return job if job is None or job.is_open else None


class ConsentOut(Schema):
    purpose: Purpose
    is_given: bool
    given_at: datetime | None = None
    host: str = ""


class ConsentIn(StrictIn):
    is_given: bool


class ConnectionOut(Schema):
    """A service, connected or not. `connect_url` is for a browser that is signed in."""

    provider: ProviderName
    label: str
    reads: str
    status: Literal["not_connected", "active", "needs_reconnect"]
    is_set_up: bool
    takes_key: bool
    connect_url: str
    scopes: list[str] = []
    not_granted: list[str] = []
    connected_at: datetime | None = None
    last_sync_at: datetime | None = None
    synced_until: date | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    resting_until: datetime | None = None
    job: WorkOut | None = None
    last_test: str | None = None


def connection_out(door: Door, *, connect_url: str) -> dict[str, Any]:
    row = door.row
    out: dict[str, Any] = {
        "provider": door.provider.name,
        "label": door.provider.label,
        "reads": door.reads,
        "status": row.status if row else "not_connected",
        "is_set_up": door.provider.is_set_up,
        "takes_key": door.takes_key,
        "connect_url": connect_url,
        "not_granted": door.not_granted,
        "resting_until": door.limit.resting_until if door.limit else None,
    }
    if row is not None:
        names = [
            "scopes",
            "connected_at",
            "last_sync_at",
            "synced_until",
            "last_error",
            "last_error_at",
        ]
        out |= {name: getattr(row, name) for name in names}
        out["job"] = work_of(row.job)
        result = door.test_job.result if door.test_job else None
        out["last_test"] = (result or {}).get("why")
    return out


class KeyIn(StrictIn):
    api_key: Annotated[str, Field(min_length=1, max_length=200)]


class UploadOut(Schema):
    """A file that was brought. `is_retryable`: its reading broke off and the file is still here."""

    id: UUID
    kind: str
    file_name: str
    size: int
    state: str
    message: str
    problems: list[str]
    is_retryable: bool
    created_at: datetime
    read_at: datetime | None = None
    job: WorkOut | None = None

    @staticmethod
    def resolve_job(row: AthleteUpload) -> Job | None:
        return work_of(row.job)


class NumbersOut(Schema):
    threshold_w: int | None = None
    resting_bpm: int | None = None
    threshold_bpm: int | None = None
    max_bpm: int | None = None
    source_order: list[str] = []


class NumbersIn(StrictIn):
    """The whole set: what is left out is unknown from now on."""

    threshold_w: Annotated[int, Field(ge=50, le=600)] | None = None
    resting_bpm: Annotated[int, Field(ge=25, le=120)] | None = None
    threshold_bpm: Annotated[int, Field(ge=80, le=220)] | None = None
    max_bpm: Annotated[int, Field(ge=100, le=240)] | None = None
    source_order: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=120)]], Field(max_length=50)
    ] = []


class LoadOut(Schema):
    points: float
    method: str
    formula: str


class ActivityOut(Schema):
    """`load` is null where nothing tells it; `double_of` names the recording that counts instead."""

    id: int
    source: str
    kind: str
    starts_at: datetime
    on: date
    elapsed_s: int
    moving_s: int
    distance_m: float | None
    ascent_m: float | None
    average_w: float | None
    normalised_w: float | None
    average_bpm: float | None
    max_bpm: int | None
    energy_kcal: float | None
    effort: int | None
    load: LoadOut | None = None
    double_of: int | None = None


def activity_out(one: Loaded) -> dict[str, Any]:
    row = one.activity
    names = [name for name in ActivityOut.model_fields if name not in ("load", "double_of")]
    load = one.load
    return {name: getattr(row, name) for name in names} | {
        "load": load and {"points": load.points, "method": load.method, "formula": load.formula},
        "double_of": one.double_of.pk if one.double_of else None,
    }


class EffortIn(StrictIn):
    effort: Annotated[int, Field(ge=1, le=10)] | None


class DayValueOut(Schema):
    """The value that speaks for a day, of the source that was chosen."""

    on: date
    metric: str
    value: float
    unit: str
    source: str


class FormDayOut(Schema):
    on: date
    load: float
    ctl: float
    atl: float
    tsb: float


class FormOut(Schema):
    """`building`: days of history while there are fewer than 42, else null."""

    building: int | None
    days: list[FormDayOut]
