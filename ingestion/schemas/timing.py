"""Tracks, events, races, drivers and laps as JSON. Times are whole milliseconds, moments UTC."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

from ingestion.models import Event, Race, RaceResult, Track


class TrackOut(Schema):
    id: int
    slug: str
    name: str
    city: str
    country: str
    timezone: str
    timezone_origin: str
    is_favourite: bool = False
    missing_since: datetime | None


class EventOut(Schema):
    """`starts_on` and `ends_on` are days of the track. `state`: listed, partial or imported."""

    id: int
    source_event_id: str
    kind: str
    name: str
    track: str
    starts_on: date
    ends_on: date
    timezone: str
    state: str
    race_count: int | None = None
    imported_count: int | None = None
    last_ingested_at: datetime | None
    missing_since: datetime | None

    @staticmethod
    def resolve_track(row: Event | dict[str, Any]) -> str:
        track = row["track"] if isinstance(row, dict) else row.track
        return track.slug


class FailureOut(Schema):
    """A page that could not be had, and why."""

    page: str
    reason: str


class DiscoveryOut(Schema):
    """What LiveRC lists for a track in a range of days; `failures` makes a partial answer honest."""

    track: str
    events: list[EventOut]
    failures: list[FailureOut]


class ImportIn(Schema):
    """`track` places an event that is not known here; `refresh` asks for settled races again.

    With `ask_first` an import that would take a track past 80 % of its day's requests is answered 409
    `budget_warning`, and nothing is queued; send it again without to go ahead.
    """

    track: str = Field("", max_length=63)
    refresh: bool = False
    ask_first: bool = False


class BulkImportIn(Schema):
    """`ask_first` as for one import; what all of them cost together counts."""

    source_event_ids: list[str] = Field(min_length=1, max_length=50)
    track: str = Field("", max_length=63)
    refresh: bool = False
    ask_first: bool = False


class ImportOut(Schema):
    """An import: a job that everybody signed in may watch. `result` tells what it did."""

    id: UUID
    title: str
    state: str
    attempts: int
    done: int
    total: int
    message: str
    result: dict | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    run_at: datetime


class QueuedOut(Schema):
    """`warning` is set where the import would take the track past 80 % of its day's requests."""

    import_id: UUID
    source_event_id: str
    state: str
    warning: str = ""


class RefusedOut(Schema):
    source_event_id: str
    reason: str


class BulkOut(Schema):
    queued: list[QueuedOut]
    refused: list[RefusedOut]


class ClassOut(Schema):
    """One class of an event: its winners (one per leg), first on the grid, fastest, steadiest."""

    id: int
    name: str
    races: int
    drivers: int
    winners: list[dict[str, Any]]
    top_qualifier: str | None
    fastest_lap_ms: int | None
    fastest_driver: str | None
    most_consistent_pct: float | None
    most_consistent_driver: str | None


class RaceOut(Schema):
    """A race or session. `session_type` is null unless asked for; null reads as race."""

    id: int
    source_race_id: str
    event_id: int
    source_event_id: str
    label: str
    class_name: str
    round: str
    race_number: int | None
    main: str | None
    leg: int | None
    heat: int | None
    heats: int | None
    run_order: int
    started_at: datetime | None
    completed_at: datetime | None
    length_ms: int | None
    stats_basis: str
    state: str
    failure: str
    session_type: str | None = Field(None, serialization_alias="sessionType")
    session_type_confidence: str | None = Field(None, serialization_alias="sessionTypeConfidence")
    missing_since: datetime | None

    @staticmethod
    def resolve_class_name(row: Race) -> str:
        return row.race_class.name

    @staticmethod
    def resolve_round(row: Race) -> str:
        return row.round_label

    @staticmethod
    def resolve_main(row: Race) -> str | None:
        return row.main or None

    @staticmethod
    def resolve_source_event_id(row: Race) -> str:
        return row.event.source_event_id

    @staticmethod
    def resolve_session_type(row: Race, context: Any) -> str | None:
        return row.kind if _types_wanted(context) else None

    @staticmethod
    def resolve_session_type_confidence(row: Race, context: Any) -> str | None:
        if not _types_wanted(context) or row.session_type_override:
            return None
        return row.session_type_confidence or None


def _types_wanted(context: Any) -> bool:
    request = context.get("request") if context else None
    return bool(request) and request.GET.get("include_session_types", "").lower() in ("true", "1")


class EventDetailOut(EventOut):
    """An event with its classes, races (newest first) and totals."""

    laps: int
    drivers: int
    classes: list[ClassOut]
    races: list[RaceOut]


class BumpedOut(Schema):
    """Where a driver of this main moved up from."""

    bump_up_id: int
    race_id: int
    label: str
    position: int | None
    confidence: str
    status: str


class ResultOut(Schema):
    """One row of the results with every published figure; `stats_basis` says which laps they cover."""

    id: int
    position: int | None
    driver_id: int
    driver_name: str
    source_driver_id: str
    car_number: int | None
    qual: int | None
    laps: int
    total_ms: int | None
    behind_text: str
    behind_ms: int | None
    behind_laps: int | None
    fast_lap_ms: int | None
    fast_lap_number: int | None
    avg_lap_ms: int | None
    avg_top5_ms: int | None
    avg_top10_ms: int | None
    avg_top15_ms: int | None
    top2_consecutive_ms: int | None
    top3_consecutive_ms: int | None
    std_dev_ms: int | None
    consistency_pct: float | None
    stats_basis: str
    outcome: str
    outcome_reason: str
    bumped_from: BumpedOut | None = None


class RaceDetailOut(RaceOut):
    results: list[ResultOut]

    @staticmethod
    def resolve_results(row: Any) -> list[RaceResult]:
        return row.rows


class LapOut(Schema):
    number: int
    ms: int
    position: int | None
    is_valid: bool


class DriverLapsOut(Schema):
    driver_id: int
    driver_name: str
    position: int | None
    laps: list[LapOut]


class LapsOut(Schema):
    race_id: int
    source_race_id: str
    stats_basis: str
    drivers: list[DriverLapsOut]


class DriverOut(Schema):
    id: int
    source_driver_id: str | None
    name: str


class BestOut(Schema):
    track: str
    class_name: str
    ms: int
    race_id: int
    race: str
    event: str
    day: date
    races: int
    stats_basis: str


class DriverRaceOut(Schema):
    """One race of a driver, newest first: the points of the trend."""

    race_id: int
    race: str
    class_name: str
    event_id: int
    event: str
    track: str
    day: date
    position: int | None
    laps: int
    total_ms: int | None
    fast_lap_ms: int | None
    avg_lap_ms: int | None
    consistency_pct: float | None

    @staticmethod
    def of(row: RaceResult) -> dict[str, Any]:
        event = row.race.event
        return {
            "race_id": row.race_id,
            "race": row.race.label,
            "class_name": row.race.race_class.name,
            "event_id": event.pk,
            "event": event.name,
            "track": event.track.slug,
            "day": event.starts_on,
            "position": row.position,
            "laps": row.laps,
            "total_ms": row.total_ms,
            "fast_lap_ms": row.fast_lap_ms,
            "avg_lap_ms": row.avg_lap_ms,
            "consistency_pct": row.consistency_pct,
        }


class DriverDetailOut(DriverOut):
    races: int
    laps: int
    best_position: int | None
    transponders: list[str]
    aliases: list[str]
    bests: list[BestOut]
    trend: list[DriverRaceOut]


def track_of(row: Track) -> dict[str, Any]:
    """A track as TrackOut wants it, with or without the annotation of a search."""
    names = [name for name in TrackOut.model_fields if name != "is_favourite"]
    values = {name: getattr(row, name) for name in names}
    return values | {"is_favourite": bool(getattr(row, "is_favourite", False))}
