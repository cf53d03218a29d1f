"""Timing data as CSV. Times are whole milliseconds, moments UTC; formulas of spreadsheets are defused."""

from collections.abc import Sequence

from django.http import HttpResponse

from ingestion.models import Lap, Race, RaceResult
from racecontrol.shared.listing import Value
from racecontrol.shared.spreadsheets import csv_answer

RESULT_FIELDS = (
    "position",
    "car_number",
    "driver_name",
    "source_driver_id",
    "transponder",
    "qual",
    "laps",
    "total_ms",
    "behind_text",
    "fast_lap_ms",
    "fast_lap_number",
    "avg_lap_ms",
    "avg_top5_ms",
    "avg_top10_ms",
    "avg_top15_ms",
    "top2_consecutive_ms",
    "top3_consecutive_ms",
    "std_dev_ms",
    "consistency_pct",
    "stats_basis",
    "outcome",
)

# What the lists of pages are as files.
EVENT_COLUMNS: dict[str, Value] = {
    "event": "name",
    "track": "track.name",
    "first_day": "starts_on",
    "last_day": "ends_on",
    "kind": "get_kind_display",
    "entries": "declared_entries",
    "drivers": "declared_drivers",
    "state": "state",
    "liverc_id": "source_event_id",
}
PRACTICE_COLUMNS: dict[str, Value] = {
    "day": "starts_on",
    "track": "track.name",
    "time_zone": "timezone",
    "sessions": "practice_day.sessions",
    "laps": "practice_day.total_laps",
    "track_time_ms": "practice_day.track_time_ms",
    "drivers": "practice_day.unique_drivers",
    "classes": "practice_day.unique_classes",
    "first_started_at": "practice_day.first_started_at",
    "last_started_at": "practice_day.last_started_at",
    "liverc_id": "source_event_id",
}
REVIEW_COLUMNS: dict[str, Value] = {
    "race": "label",
    "round": "round_label",
    "event": "event.name",
    "signals": lambda race: ", ".join(
        f"{signal['name']}: {signal['says']}" for signal in race.session_type_signals
    ),
    "liverc_id": "source_race_id",
}
IMPORT_COLUMNS: dict[str, Value] = {
    "import": "title",
    "state": "get_state_display",
    "says": "message",
    "asked_at": "created_at",
    "finished_at": "finished_at",
}
TRACK_COLUMNS: dict[str, Value] = {
    "track": "name",
    "address": "slug",
    "city": "city",
    "country": "country",
    "time_zone": "timezone",
    "is_favourite": "is_favourite",
    "says": "activity",
}
RACE_COLUMNS: dict[str, Value] = {
    "race": "race.label",
    "event": "race.event.name",
    "track": "race.event.track.name",
    "day": "race.event.starts_on",
    "position": "position",
    "laps": "laps",
    "total_ms": "total_ms",
    "fast_lap_ms": "fast_lap_ms",
    "avg_lap_ms": "avg_lap_ms",
    "consistency_pct": "consistency_pct",
}


def results_csv(races: Sequence[Race]) -> HttpResponse:
    """Results of one race or of a whole event, one line per driver and race."""
    by_race: dict[int, list[RaceResult]] = {}
    rows = RaceResult.objects.filter(race__in=[race.pk for race in races], missing_since=None)
    for row in rows.order_by("race_id", "position", "pk"):
        by_race.setdefault(row.race_id, []).append(row)
    name = f"race-{races[0].source_race_id}" if len(races) == 1 else "event-results"
    return csv_answer(
        name,
        ("race_id", "round", "race", "completed_at", *RESULT_FIELDS),
        (
            (
                race.source_race_id,
                race.round_label,
                race.label,
                race.completed_at.isoformat() if race.completed_at else "",
                *(getattr(row, field) for field in RESULT_FIELDS),
            )
            for race in races
            for row in by_race.get(race.pk, ())
        ),
    )


def laps_csv(race: Race) -> HttpResponse:
    """Every lap of a race, one line each."""
    laps = (
        Lap.objects.filter(result__race=race, result__missing_since=None)
        .order_by("result__position", "result_id", "number")
        .values_list(
            "result__driver_name",
            "result__source_driver_id",
            "number",
            "ms",
            "position",
            "is_valid",
        )
    )
    header = ("driver_name", "source_driver_id", "lap", "lap_ms", "position", "is_valid")
    return csv_answer(f"race-{race.source_race_id}-laps", header, laps.iterator(chunk_size=2000))


def practice_laps_csv(result: RaceResult) -> HttpResponse:
    """Every lap of a practice session, with the moment it ended on the track's clock."""
    zone = result.race.event.zone
    laps = Lap.objects.filter(result=result).order_by("number")
    return csv_answer(
        f"practice-{result.race.source_race_id}-laps",
        ("driver_name", "transponder", "lap", "lap_ms", "crossed_at", "is_valid"),
        (
            (
                result.driver_name,
                result.transponder,
                lap.number,
                lap.ms,
                lap.crossed_at.astimezone(zone).isoformat() if lap.crossed_at else "",
                lap.is_valid,
            )
            for lap in laps
        ),
    )
