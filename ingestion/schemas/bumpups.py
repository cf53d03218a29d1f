"""Bump-ups as JSON."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from ingestion.models import BumpUp


class MainOut(Schema):
    """One of the two mains of a move, with the driver's place there."""

    race_id: int
    source_race_id: str
    label: str
    position: int | None
    grid_slot: int | None


class BumpUpOut(Schema):
    """A move from a lower main (`source`) into a higher one (`target`).

    `status` detected, confirmed and manual count; flagged waits for a person, rejected does not count.
    `direct` counts the direct qualifiers of the higher main, `beaten` those the driver finished in front of.
    """

    id: int
    event_id: int
    source_event_id: str
    track: str
    class_name: str
    driver_id: int
    driver_name: str
    source: MainOut
    target: MainOut
    target_laps: int
    target_dns: bool
    places: int
    direct: int
    beaten: int
    moved_again_id: int | None
    confidence: str
    status: str
    doubts: list[str]
    evidence: dict
    note: str
    decided_at: datetime | None
    updated_at: datetime

    @staticmethod
    def resolve_source_event_id(row: BumpUp) -> str:
        return row.event.source_event_id

    @staticmethod
    def resolve_track(row: BumpUp) -> str:
        return row.event.track.slug

    @staticmethod
    def resolve_class_name(row: BumpUp) -> str:
        return row.race_class.name

    @staticmethod
    def resolve_driver_name(row: BumpUp) -> str:
        return row.driver.name

    @staticmethod
    def resolve_target_dns(row: BumpUp) -> bool:
        return row.is_dns

    @staticmethod
    def resolve_source(row: BumpUp) -> dict:
        return main_of(row.source_race, row.source_position, row.source_slot)

    @staticmethod
    def resolve_target(row: BumpUp) -> dict:
        return main_of(row.target_race, row.target_position, row.target_slot)


class DecisionIn(Schema):
    """`detected` hands the move back to detection; a move added by hand then goes."""

    status: Literal["confirmed", "rejected", "detected"]
    note: str = Field("", max_length=500)


class ByHandIn(Schema):
    source_race_id: int = Field(ge=1, le=2**63 - 1)
    target_race_id: int = Field(ge=1, le=2**63 - 1)
    driver_id: int = Field(ge=1, le=2**63 - 1)
    note: str = Field("", max_length=500)


class RateOut(Schema):
    share: float
    low: float | None
    high: float | None
    races: int


class FareOut(Schema):
    """How those who moved up did against the direct qualifiers of the same mains."""

    name: str
    moves: int
    events: int
    median_bumped: float | None
    median_direct: float | None
    gained: float | None
    rate: RateOut | None
    did_not_start: int


class FormatOut(Schema):
    name: str
    steps: int
    moved: int
    times: int
    events: int


class FrequentOut(Schema):
    driver_id: int
    driver_name: str
    moves: int
    events: int
    best: int | None
    gained: float | None

    @staticmethod
    def resolve_driver_name(row: dict) -> str:
        return row["driver__name"]


class StatisticsOut(Schema):
    overall: list[FareOut]
    by_class: list[FareOut]
    by_track: list[FareOut]
    by_season: list[FareOut]
    formats: list[FormatOut]
    frequent: list[FrequentOut]


def main_of(race, position: int | None, slot: int | None) -> dict:
    return {
        "race_id": race.pk,
        "source_race_id": race.source_race_id,
        "label": race.label,
        "position": position,
        "grid_slot": slot,
    }
