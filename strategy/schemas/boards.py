"""What the operations of hosts and of strategy boards take and give beside the common shapes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from strategy.schemas import BaseIn, Id, In, StintOut, VersionOut, WishesIn

Note = Annotated[str, Field(max_length=160)]


class RenameIn(In):
    name: Annotated[str, Field(max_length=200)]


class OpenInvitationOut(Schema):
    id: int
    email: str
    role: str
    expires_at: datetime


class HookIn(In):
    url: Annotated[str, Field(max_length=400)]


class HookOut(Schema):
    id: int
    url: str
    is_active: bool
    last_status: str


class NewHookOut(HookOut):
    """The secret that signs bodies is told here and never again."""

    secret: str


class EventPatchIn(In):
    name: Annotated[str, Field(max_length=200)] | None = None
    track: Annotated[str, Field(max_length=120)] | None = None
    is_signup_open: bool | None = None


class SignupLinkOut(Schema):
    token: UUID | None
    url: str


class StartIn(In):
    starts_at: datetime
    name: Annotated[str, Field(max_length=80)] = ""


class AssignIn(In):
    team_id: Id
    instance_id: Id | None = None
    car_id: Id | None = None


class PairFitOut(Schema):
    """Two signups: hours in common, their share of the shorter availability, parts 0..1."""

    one: int
    two: int
    hours: float
    overlap: float
    car: float
    skill: float
    roles: float
    total: float


class RefreshIn(BaseIn):
    driver_ids: Annotated[list[Id], Field(min_length=1, max_length=64)] | None = None
    wishes: WishesIn | None = None


class StintPatchIn(BaseIn):
    """One of: held as it is or not, what is pinned (`driver`, `stop`; both: held), the backup's seat
    (-1: nobody), another driver (seat), laps the end moves by, tyres."""

    is_held: bool | None = None
    pinned: list[Literal["driver", "stop"]] | None = None
    backup_seat: Annotated[int, Field(ge=-1, le=63)] | None = None
    seat: Annotated[int, Field(ge=0, le=63)] | None = None
    move_end: Annotated[int, Field(ge=-5000, le=5000)] | None = None
    tyres: Literal["dry", "wet", "keep"] | None = None
    note: Note = ""


class StandingOut(Schema):
    """Against the best valid version of the same problem, and against the proven bound; ms."""

    version: int
    best_version: int | None
    best_is_proven: bool
    cost_ms: int | None
    off_bound_ms: int | None
    last_change_ms: int | None
    may_undo: bool


class DifferenceOut(Schema):
    """Two versions stint by stint; a stint that only one of them has is null in the other."""

    current: VersionOut | None
    other: VersionOut
    difference_ms: int | None
    stints: list[dict[str, Any]]


class PlanFileOut(Schema):
    """`stintopt-plan/1`: reads back in by PUT of the same address, whole or its `plan` alone."""

    model_config = {"populate_by_name": True}

    format: str = Field(alias="schema")
    strategy: str
    event: str
    version: int
    z1_ms: int
    z1_lower_bound_ms: int | None
    proven_optimal: bool
    plan: list[dict[str, Any]]
    instance: dict[str, Any]


class TrailOut(Schema):
    at: datetime
    by: str
    verb: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


class MyStintOut(StintOut):
    strategy_id: int
    event: str
    team: str
    starts_at: datetime
    ends_at: datetime


class JoinedOut(Schema):
    team_id: int
    token: UUID
