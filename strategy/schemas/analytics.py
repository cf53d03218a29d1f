"""What the API says of measured races. Shares are 0 to 1; what could not be measured is null."""

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field


class RaceReportOut(Schema):
    """`report` is the tree of `race-report/1`. `is_outdated`: the log was corrected since."""

    strategy_id: int
    event: str
    computed_at: datetime
    is_outdated: bool
    report: dict[str, Any] = Field(examples=[{"schema": "race-report/1", "laps": 72}])


class DriverResultOut(Schema):
    """A driver in one race; dry and wet laps are on an empty tank and fresh tyres."""

    seat: int
    driver_id: int | None
    name: str
    drive_ms: int
    laps: int
    stints: int
    share: float
    clean_laps: int
    median_ms: int | None
    best_ms: int | None
    consistency_ms: float | None
    to_plan_ms: float | None
    dry_ms: int | None
    wet_ms: int | None


class RaceResultOut(Schema):
    """One race of a team, to be laid beside others."""

    strategy_id: int
    event: str
    green_at: datetime | None
    laps: int
    finish_ms: int
    driver_equality: float
    pit_efficiency: float | None
    pace_consistency_ms: float | None
    strategy_adherence: float | None
    loss_ms: int | None
    burn_ml: float | None
    drivers: list[DriverResultOut]
