"""What the strategy API takes and gives. Times are ms unless the name says otherwise."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Small = Annotated[int, Field(ge=0, le=2_000_000_000)]


class In(Schema):
    model_config = ConfigDict(extra="forbid")


class TeamIn(In):
    name: Annotated[str, Field(max_length=200)]
    club: Annotated[str, Field(max_length=200)] = ""


class MemberOut(Schema):
    user_id: int
    name: str
    role: str


class CarIn(In):
    name: Annotated[str, Field(max_length=200)]
    tank_ml: Small = 100_000
    reserve_ml: Small = 2_000
    burn_ml: Small = 3_000
    wet_burn_percent: Annotated[int, Field(ge=1, le=300)] = 90
    fuel_us_per_ml: Small = 27
    tyre_life_laps: Small = 60
    tyre_deg_ms: Small = 25
    tyre_deg2_us: Small = 300
    tyre_cold_ms: Small = 3_500
    tyre_wrong_ms: Small = 10_000


class CarOut(CarIn):
    id: int


class TeamOut(Schema):
    id: int
    name: str
    club: str
    your_role: str
    members: list[MemberOut] = []
    cars: list[CarOut] = []


class InvitationIn(In):
    email: Annotated[str, Field(max_length=254)] = ""
    role: Literal["owner", "strategist", "driver", "viewer"] = "driver"


class InvitationOut(Schema):
    token: UUID
    role: str
    expires_at: datetime


class RoleIn(In):
    role: Literal["", "owner", "strategist", "driver", "viewer"]


class EventIn(In):
    team_id: Id
    name: Annotated[str, Field(max_length=200)]
    hours: Annotated[float, Field(ge=0, le=1000)]
    lap_ms: Small
    starts_at: Annotated[list[datetime], Field(min_length=1, max_length=20)]
    track: Annotated[str, Field(max_length=120)] = ""
    time_zone: Annotated[str, Field(max_length=64)] = "UTC"
    preset: Annotated[str, Field(max_length=40)] = "house"
    regulations: dict[str, Any] | None = None
    conditions: list[Any] | None = None


class RulesIn(In):
    regulations: dict[str, Any]
    conditions: list[Any] | None = None


class InstanceOut(Schema):
    id: int
    name: str
    starts_at: datetime


class EnduranceEventOut(Schema):
    id: int
    host_id: int
    name: str
    track: str
    time_zone: str
    duration_ms: int
    lap_ms: int
    is_signup_open: bool
    regulations: dict[str, Any]
    conditions: list[Any]
    instances: list[InstanceOut] = []


class WindowIn(In):
    starts_at: datetime
    ends_at: datetime


class SignupIn(In):
    windows: Annotated[list[WindowIn], Field(max_length=400)] | None = None
    preferred_car_id: Id | None = None
    may_spot: bool = False
    may_strategize: bool = False
    skill: Annotated[int, Field(ge=-100_000, le=100_000)] = 0
    lap_ms: Small | None = None
    wet_lap_ms: Small | None = None
    notes: Annotated[str, Field(max_length=2000)] = ""
    category: Annotated[str, Field(max_length=40)] = ""
    no_night: bool = False
    no_wet: bool = False
    timing_driver: Annotated[str, Field(max_length=80)] = ""
    base_version: Small | None = None

    def values(self) -> dict[str, Any]:
        """As the service takes them."""
        spans = None if self.windows is None else [(w.starts_at, w.ends_at) for w in self.windows]
        return self.dict(exclude={"windows"}) | {"windows": spans}


class PaceOut(Schema):
    """Pace plans use, and where each number is from; spread is None where nothing was imported."""

    lap_ms: int
    spread_ms: int | None
    source: str
    timing_driver_id: int | None
    wet_lap_ms: int
    wet_source: str


class SignupOut(Schema):
    id: int
    event_id: int
    user_id: int
    name: str
    kind: str
    status: str
    next_statuses: list[str]
    version: int
    may_spot: bool
    may_strategize: bool
    skill: int
    category: str
    no_night: bool
    no_wet: bool
    lap_ms: int | None
    wet_lap_ms: int | None
    pace: PaceOut
    preferred_car_id: int | None
    assigned_team_id: int | None
    assigned_car_id: int | None
    assigned_instance_id: int | None
    notes: str
    windows: list[WindowIn]


class StrategyMoveIn(In):
    status: Annotated[str, Field(max_length=20)]
    reason: Annotated[str, Field(max_length=200)] = ""


class FormationIn(In):
    smallest: Annotated[int, Field(ge=1, le=16)] = 2
    largest: Annotated[int, Field(ge=1, le=16)] = 4
    weights: dict[str, Annotated[float, Field(ge=0, le=100)]] = {}
    together: Annotated[list[list[Id]], Field(max_length=200)] = []
    apart: Annotated[list[list[Id]], Field(max_length=200)] = []
    seconds: Annotated[float, Field(gt=0, le=60)] = 3


class TeamScoreOut(Schema):
    signups: list[int]
    total: float
    parts: dict[str, float]
    weakest_ms: int
    cover: list[int]


class FormationOut(Schema):
    id: int
    event_id: int
    version: int
    is_proven: bool
    is_ready: bool
    is_confirmed: bool
    score: float
    classic_score: float
    teams: list[TeamScoreOut]
    job_id: UUID | None


class FormationMoveIn(In):
    base_version: Small
    signup_id: Id
    to_team: Annotated[int, Field(ge=0, le=1000)]


class BaseIn(In):
    base_version: Small


class WishesIn(In):
    """The team's own numbers; null or "" leaves the rules and the car as they are. Stricter rules win."""

    stint_laps: Annotated[int, Field(ge=1, le=2000)] | None = None
    rest_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    pit_lane_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    stint_fuel_ml: Annotated[int, Field(ge=1, le=2_000_000_000)] | None = None
    tyres: Literal["", "every_stop", "optional"] = ""


class StrategyIn(In):
    team_id: Id
    event_id: Id
    instance_id: Id
    car_id: Id
    name: Annotated[str, Field(max_length=200)]
    driver_ids: Annotated[list[Id], Field(min_length=1, max_length=64)]
    wishes: WishesIn = WishesIn()


class StintOut(Schema):
    number: int
    driver: str
    driver_id: int | None
    start_lap: int
    laps: int
    planned_start_ms: int
    planned_ms: int
    stop_ms: int
    fuel_in_ml: int
    fuel_out_ml: int
    tyres: str
    compound: int
    pit_instructions: dict[str, Any]
    is_locked: bool
    is_driver_pinned: bool
    pinned_lap: int | None
    backup_seat: int | None
    status: str


class VersionOut(Schema):
    number: int
    origin: str
    reason: str
    z1_ms: int
    z2_ms: int
    z3_ms: int
    bound_ms: int | None
    is_proven: bool
    broken_rules: int


class StrategyOut(Schema):
    id: int
    team_id: int
    event_id: int
    name: str
    status: str
    is_locked: bool
    version: int
    drivers: list[dict[str, Any]]
    wishes: WishesIn
    current: VersionOut | None
    versions: list[VersionOut] = []
    stints: list[StintOut] = []


class StateIn(BaseIn):
    status: Literal["draft", "active", "archived"] | None = None
    is_locked: bool | None = None


class OptimiseIn(In):
    seconds: Annotated[int, Field(ge=1, le=300)] = 60
    even_out: bool = False


class QueuedJobOut(Schema):
    job_id: UUID


class EditIn(BaseIn):
    change: Literal["move", "split", "merge", "give", "swap", "tyres", "drop"]
    stint: Annotated[int, Field(ge=1, le=5000)]
    value: int | str = 0
    note: Annotated[str, Field(max_length=160)] = ""


class UseIn(BaseIn):
    number: Annotated[int, Field(ge=1, le=100_000)]


class StrategyImportIn(BaseIn):
    """`plan`: the list of stints, or the whole file as exported."""

    plan: Annotated[list[dict[str, Any]], Field(max_length=5000)] | dict[str, Any]


class ViolationOut(Schema):
    rule: str
    message: str
    severity: str
    stint: int | None
    driver: int | None
    measured: int | None
    limit: int | None
    unit: str


class CheckOut(Schema):
    is_valid: bool
    z1_ms: int
    violations: list[ViolationOut]


class SimulateIn(In):
    versions: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=4)] = []
    races: Annotated[int, Field(ge=10, le=5_000)] = 1_000
    pace_percent: Annotated[float, Field(ge=50, le=200)] = 100
    burn_percent: Annotated[float, Field(ge=50, le=200)] = 100
    pit_loss_ms: Annotated[int, Field(ge=-600_000, le=600_000)] = 0
    wet_from_lap: Annotated[int, Field(ge=1, le=5_000)] | None = None
    wet_to_lap: Annotated[int, Field(ge=1, le=5_000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31)] = 1


class OutcomeOut(Schema):
    number: int
    mean_ms: float
    p10_ms: float
    p50_ms: float
    p90_ms: float
    worst_tenth_ms: float
    laps_p10: float
    laps_p50: float
    laps_p90: float
    lap_shares: dict[int, float]  # laps at the flag: share of the finished races
    finishes: float
    runs_dry: float
    beats_first: float | None
    difference_ms: float | None
    low_ms: float | None
    high_ms: float | None
