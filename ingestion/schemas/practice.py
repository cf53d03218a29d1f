"""Practice days as JSON, apart from events: every one says `"type": "practice_day"`.

Times are whole milliseconds, moments UTC; `date` is the track's calendar.
"""

from datetime import date, datetime
from typing import Any, Literal, cast
from uuid import UUID

from ninja import Schema
from pydantic import Field

from ingestion.domain.practice_compare import Figures
from ingestion.models import Event, PracticeSession
from ingestion.queries.practice import DayLeader
from ingestion.queries.practice_race import Found as PracticeBeside
from racecontrol.shared.jobs import Job


class LiveRCFiguresOut(Schema):
    """What LiveRC counts itself; null where it does not say."""

    sessions: int | None
    total_laps: int | None
    track_time_ms: int | None
    unique_drivers: int | None
    unique_classes: int | None
    first_started_at: datetime | None
    last_started_at: datetime | None


class PracticeDayOut(Schema):
    """A practice day and its figures, counted after normalisation from our rows.

    `state` is listed, partial or imported; "Unknown Driver" is no driver.
    """

    type: Literal["practice_day"] = "practice_day"
    id: int
    source_event_id: str
    name: str
    track: str
    track_name: str
    date: date
    timezone: str
    state: str
    sessions: int
    imported_sessions: int
    failed_sessions: int
    total_laps: int
    track_time_ms: int
    unique_drivers: int
    unique_classes: int
    first_started_at: datetime | None
    last_started_at: datetime | None
    last_ended_at: datetime | None
    liverc: LiveRCFiguresOut
    has_drift: bool
    checked_at: datetime | None
    last_ingested_at: datetime | None
    archived_at: datetime | None
    missing_since: datetime | None

    @staticmethod
    def of(event: Event) -> dict[str, Any]:
        """From a day with its counts (`queries.practice.with_counts`)."""
        day = event.practice_day
        figures = LiveRCFiguresOut.model_fields
        own = (*figures, "last_ended_at", "has_drift", "checked_at")
        return {name: getattr(day, name) for name in own} | {
            "id": event.pk,
            "source_event_id": event.source_event_id,
            "name": event.name,
            "track": event.track.slug,
            "track_name": event.track.name,
            "date": event.starts_on,
            "timezone": event.timezone,
            "state": event.state,
            # Known from the calendar alone: LiveRC's count until the overview was read.
            "sessions": day.sessions or day.source_sessions or 0,
            "imported_sessions": event.imported_count,
            "failed_sessions": event.failed_count,
            "liverc": {name: getattr(day, f"source_{name}") for name in figures},
            "last_ingested_at": event.last_ingested_at,
            "archived_at": day.archived_at,
            "missing_since": event.missing_since,
        }


class MatchOut(Schema):
    """Why the laps stand under that driver."""

    method: str
    confidence: str
    evidence: list[str]


class PracticeSessionOut(Schema):
    """A session as listed; `id` is LiveRC's. `race_id` and `driver_id` once it was imported."""

    type: Literal["practice_session"] = "practice_session"
    id: str
    state: str
    race_id: int | None
    driver_id: int | None
    driver_name: str
    class_name: str
    transponder: str
    started_at: datetime | None
    laps: int
    length_ms: int | None
    fast_lap_ms: int | None
    avg_lap_ms: int | None
    failure: str
    missing_since: datetime | None
    match: MatchOut | None = None

    @staticmethod
    def of(row: PracticeSession, *, driver_id: int | None = None) -> dict[str, Any]:
        values = {
            name: getattr(row, name)
            for name in (
                "state", "race_id", "driver_name", "class_name", "transponder", "started_at", "laps",
                "length_ms", "fast_lap_ms", "avg_lap_ms", "failure", "missing_since",
            )
        }  # fmt: skip
        match = {
            "method": row.match_method,
            "confidence": row.match_confidence,
            "evidence": row.match_evidence,
        }
        return values | {
            "id": row.source_session_id,
            "driver_id": driver_id,
            "match": match if row.match_method else None,
        }


class PracticeLeaderOut(Schema):
    """The fastest lap of the day, overall (class_name empty) or of a class."""

    class_name: str
    session_id: str
    driver_id: int | None
    driver_name: str
    fast_lap_ms: int

    @staticmethod
    def of(leader: DayLeader) -> dict[str, Any]:
        result = leader.result
        return {
            "class_name": leader.class_name,
            "session_id": result.race.source_race_id,
            "driver_id": None if result.driver.is_unknown else result.driver_id,
            "driver_name": result.driver.name,
            "fast_lap_ms": result.fast_lap_ms,
        }


class PracticeDayDetailOut(PracticeDayOut):
    leaders: list[PracticeLeaderOut]
    session_list: list[PracticeSessionOut]


class DiscoverIn(Schema):
    """A track and at most three months. `again` asks LiveRC past every cache.

    `limit` and `cursor` page through the days that were found.
    """

    track: str = Field("", max_length=63)
    from_day: date | None = Field(None, alias="from")
    to_day: date | None = Field(None, alias="to")
    again: bool = False
    limit: int = Field(50, ge=1, le=50)
    cursor: str = Field("", max_length=400)


class PracticeJobOut(Schema):
    """The background work; `GET /imports/{id}` tells the same."""

    id: UUID
    state: str
    done: int
    total: int
    message: str

    @staticmethod
    def of(job: Job | None) -> dict[str, Any] | None:
        names = ("id", "state", "done", "total", "message")
        return {name: getattr(job, name) for name in names} if job else None


class DiscoveredDayOut(PracticeDayOut):
    session_list: list[PracticeSessionOut]


class PageFailureOut(Schema):
    page: str
    reason: str


class PracticeDiscoveryOut(Schema):
    """What was found so far. `state`: running, done, partial or failed; ask again while it runs."""

    type: Literal["practice_day_discovery"] = "practice_day_discovery"
    state: str
    track: str
    from_day: date = Field(serialization_alias="from")
    to_day: date = Field(serialization_alias="to")
    job: PracticeJobOut | None
    days: list[DiscoveredDayOut]
    next_cursor: str | None
    failures: list[PageFailureOut]
    pages_from_store: int
    pages_fetched: int
    warning: str


class PracticeImportIn(Schema):
    """`refresh` asks for the day's overview past its cache, and again for some session pages.

    `ask_first`: 409 `budget_warning` and nothing queued, where it would take the track past 80 % of its
    day's requests.
    """

    refresh: bool = False
    ask_first: bool = False


class PracticeRefreshIn(Schema):
    """`ask_first` as for an import."""

    ask_first: bool = False


class PracticeBulkIn(Schema):
    """Days by id, or every day of a track in a range of at most three months."""

    source_event_ids: list[str] = Field([], max_length=100)
    track: str = Field("", max_length=63)
    from_day: date | None = Field(None, alias="from")
    to_day: date | None = Field(None, alias="to")
    refresh: bool = False
    ask_first: bool = False


class PracticeQueuedOut(Schema):
    """`warning` is set where the import would take the track past 80 % of its day's requests."""

    type: Literal["practice_day"] = "practice_day"
    import_id: UUID
    source_event_id: str
    state: str
    warning: str = ""


class PracticeBulkOut(Schema):
    """`discovers_first`: LiveRC is asked first which days there are; the ids are those known so far."""

    import_id: UUID
    source_event_ids: list[str]
    discovers_first: bool
    state: str
    warnings: list[str]


class PracticeDriftOut(Schema):
    """Sessions LiveRC has, lost or changed since the day was imported."""

    found_at: datetime
    new: int
    removed: int
    changed: int


class PracticeStatusOut(Schema):
    """How a day stands: its import under way or last ended, its drift, its failed sessions."""

    type: Literal["practice_day"] = "practice_day"
    source_event_id: str
    state: str
    sessions: int
    imported_sessions: int
    failed: list[PracticeSessionOut]
    has_drift: bool
    drift: PracticeDriftOut | None
    checked_at: datetime | None
    last_ingested_at: datetime | None
    job: PracticeJobOut | None


class PaceOut(Schema):
    """Milliseconds; `gap_ms` is pace less the pace of the practice day (below zero: quicker)."""

    laps: int
    best_ms: int | None = None
    pace_ms: int | None = None
    average_ms: int | None = None
    top_5_ms: int | None = None
    top_10_ms: int | None = None
    consistency_pct: float | None = None
    gap_ms: int | None = None


class ComparedRunOut(PaceOut):
    race_id: int
    label: str
    kind: str
    position: int | None = None
    bumped_from: str | None = None


class PaceOfKindOut(PaceOut):
    kind: str
    runs: int


class PracticeRaceOut(Schema):
    """`class_name` is what is compared; `day` the source id of the practice day."""

    class_name: str
    day: str | None = None
    days: list[str]
    runs: list[ComparedRunOut]
    totals: list[PaceOfKindOut]

    @classmethod
    def of(cls, found: PracticeBeside) -> "PracticeRaceOut":
        def pace(figures: Figures, gap_ms: int | None) -> dict[str, Any]:
            names = [name for name in PaceOut.model_fields if name != "gap_ms"]
            return {name: getattr(figures, name) for name in names} | {"gap_ms": gap_ms}

        runs = []
        for row in found.beside.runs:
            result = found.results[cast(int, row.run.key)]
            move = found.moves.get(result.race_id)
            runs.append(
                ComparedRunOut(
                    **pace(row.figures, row.gap_ms),
                    race_id=result.race_id,
                    label=result.race.short_label,
                    kind=row.run.kind,
                    position=result.position,
                    bumped_from=move.source_name if move else None,
                )
            )
        return cls(
            class_name=found.class_name,
            day=found.day.source_event_id if found.day else None,
            days=[day.source_event_id for day in found.days],
            runs=runs,
            totals=[
                PaceOfKindOut(**pace(one.figures, one.gap_ms), kind=one.kind, runs=one.runs)
                for one in found.beside.totals
            ],
        )
