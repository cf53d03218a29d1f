"""What the live API takes and gives. Times are ms since the green flag; laps are completed laps."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field

from strategy.domain.live.fuel import Fuel
from strategy.domain.live.limits import DriveBar, Window
from strategy.domain.live.next_up import NextUp
from strategy.domain.live.wall import (
    Alert,
    Clock,
    Finish,
    InCar,
    InPits,
    StintLine,
    Turn,
)
from strategy.schemas import Id, In, Small

Moment = Annotated[int, Field(ge=0, le=864_000_000)]
Lap = Annotated[int, Field(ge=1, le=5_000)]
Text = Annotated[str, Field(max_length=300)]


class OrderIn(In):
    """`key`: a new UUID for each command; sent again it is done once. `base_version`: the version
    the person saw; left out, the command is done whatever changed. When: `at_ms`, `at`, else now."""

    key: UUID | None = None
    base_version: Small | None = None
    at_ms: Moment | None = None
    at: AwareDatetime | None = None


class OpenRaceIn(In):
    red_stops_clock: bool = False
    is_training: bool = False
    is_retold: bool = False  # driven already: told afterwards, it stands at the newest moment told
    speed: Annotated[int, Field(ge=1, le=10_000)] = 1


class RaceStateIn(OrderIn):
    state: Literal["scheduled", "grid", "racing", "finished"]


class FlagIn(OrderIn):
    flag: Literal["fcy", "sc", "red", "green"]


class ProgressIn(OrderIn):
    """Either the next state, or a lap that the running stint completed."""

    status: Literal["planned", "ready", "in_progress", "completed", "skipped", "aborted"] | None = (
        None
    )
    lap: Lap | None = None


class SwapIn(OrderIn):
    """`driver_id` gets in for `reason`. With `is_preview` nothing changes; `override` does it in
    spite of rules that would break."""

    driver_id: Id
    reason: Text
    after_laps: Annotated[int, Field(ge=0, le=500)] = 1
    is_preview: bool = False
    override: bool = False


class ExtendIn(OrderIn):
    """So many laps more, or fewer (below 0). With `is_preview` nothing changes."""

    laps: Annotated[int, Field(ge=-500, le=500)]
    reason: Text = ""
    is_preview: bool = False
    override: bool = False


class PinIn(OrderIn):
    """`driver` stays in the stint; it stops after `lap` laps of the race. Neither: it is free. With
    `is_preview` nothing changes; `override` pins in spite of rules or other pins that would break."""

    driver: bool = False
    lap: Lap | None = None
    reason: Text = ""
    is_preview: bool = False
    override: bool = False


class BackupIn(OrderIn):
    driver_id: Id | None = None


class StopIn(OrderIn):
    in_ms: Moment | None = None
    out_ms: Moment | None = None
    lap: Annotated[int, Field(ge=0, le=5_000)] | None = None
    is_drive_through: bool | None = None
    fuel_added_ml: Small | None = None
    tyres: Literal["", "new", "keep"] | None = None
    compound: Literal[0, 1] | None = None
    repair_ms: Annotated[int, Field(ge=0, le=86_400_000)] | None = None
    box_ms: Annotated[int, Field(ge=0, le=86_400_000)] | None = None
    notes: Text | None = None


class PenaltyIn(OrderIn):
    kind: Literal["drive_through", "stop_go", "time", "laps", "warning"]
    amount: Small = 0
    reason: Annotated[str, Field(max_length=200)] = ""


class WeatherIn(OrderIn):
    is_wet: bool


class FuelIn(OrderIn):
    fuel_ml: Small
    lap: Annotated[int, Field(ge=0, le=5_000)] | None = None


class CorrectionIn(OrderIn):
    reason: Text
    to_ms: Moment | None = None
    lap: Lap | None = None
    is_void: bool | None = None


class UndoIn(OrderIn):
    """`command`: key of the command the person saw as the last; another last one is refused."""

    command: UUID | None = None


class AcceptIn(OrderIn):
    option: Annotated[int, Field(ge=0, le=20)]


class FeedEventIn(In):
    """`key` is the event's own name at its source: sent twice it counts once."""

    key: Annotated[str, Field(min_length=1, max_length=80)]
    kind: Literal["lap", "pit_in", "pit_out", "abort", "flag", "weather"]
    at_ms: Moment | None = None
    at: AwareDatetime | None = None
    lap: Lap | None = None
    lap_ms: Annotated[int, Field(ge=1, le=86_400_000)] | None = None
    fuel_ml: Small | None = None
    is_drive_through: bool = False
    value: Annotated[str, Field(max_length=8)] = ""


class FeedOneIn(FeedEventIn):
    source: Annotated[str, Field(max_length=40)]


class FeedIn(In):
    source: Annotated[str, Field(max_length=40)]
    events: Annotated[list[FeedEventIn], Field(min_length=1, max_length=1_000)]


class FeedRefusalOut(Schema):
    place: int
    why: str


class FeedOut(Schema):
    new: int
    known: int
    refused: list[FeedRefusalOut]
    version: int
    laps: int
    now_ms: int


class LiveCommandOut(Schema):
    key: UUID
    name: str
    words: str
    by: str
    version: int
    base_version: int
    at_ms: int
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    created_at: datetime
    is_undone: bool


class LiveAnswerOut(Schema):
    """`command` is null where it had been done already; `version` is the version to go on from."""

    version: int
    command: LiveCommandOut | None


class LiveDriverOut(Schema):
    seat: int
    user_id: int | None
    name: str


class LiveStopOut(Schema):
    id: int
    in_ms: int
    out_ms: int | None
    lap: int
    is_drive_through: bool
    fuel_added_ml: int | None
    tyres: str
    compound: int | None
    repair_ms: int
    box_ms: int | None
    notes: str


class LivePenaltyOut(Schema):
    id: int
    kind: str
    amount: int
    reason: str
    given_ms: int
    served_ms: int | None


class LiveFlagOut(Schema):
    kind: str
    from_ms: int
    to_ms: int | None


class LiveEventOut(Schema):
    id: int
    source: str
    key: str
    kind: str
    lap: int | None
    at_ms: int
    lap_ms: int | None
    fuel_ml: int | None
    is_drive_through: bool
    is_void: bool


class WallOut(Schema):
    """Everything the wall shows."""

    strategy_id: int
    version: int
    plan: int
    state: str
    your_role: str
    is_training: bool
    is_retold: bool
    green_at: datetime | None
    heard_ago_ms: int | None
    is_stale: bool
    is_wet: bool
    clock: Clock
    in_car: InCar | None
    in_pits: InPits | None
    fuel: Fuel | None
    window: Window | None
    next_up: NextUp | None
    bars: list[DriveBar]
    stints: list[StintLine]
    turns: list[Turn]
    finish: Finish
    alerts: list[Alert]
    drivers: list[LiveDriverOut]
    stops: list[LiveStopOut]
    flags: list[LiveFlagOut]
    penalties: list[LivePenaltyOut]
    log: list[LiveCommandOut]
    proposal_id: int | None


class BreachOut(Schema):
    rule: str
    message: str
    driver: str


class ChangedStintOut(Schema):
    number: int
    driver: str
    start_lap: int
    laps: int
    start_ms: int


class ConsequencesOut(Schema):
    """What a change would do. `gain_ms` above 0: the race ends earlier or goes further."""

    words: str
    breaches: list[BreachOut]
    broken_pins: list[str] = []
    stints: list[ChangedStintOut]
    changed: list[int]
    laps: int
    laps_before: int
    finish_ms: int
    gain_ms: int
    opens_lap: int | None
    closes_lap: int | None
    add_ml: int | None
    is_possible: bool
    command: LiveCommandOut | None = None
    version: int


class WayOnOut(Schema):
    label: str
    words: str
    gain_ms: int
    low_ms: int
    high_ms: int
    wins: float
    risk_ms: int
    runs_dry: float
    pit_lap: int
    stints: list[ChangedStintOut]
    breaches: list[BreachOut]
    broken_pins: list[str] = []


class ProposalOut(Schema):
    id: int
    base_version: int
    at_ms: int
    job_id: UUID | None
    is_ready: bool
    accepted: int | None
    options: list[WayOnOut]
