"""Timing data as CSV. Times are whole milliseconds, moments UTC; formulas of spreadsheets are defused."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

from ingestion.models import Lap, Race, RaceResult

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


def results_csv(races: Sequence[Race]) -> HttpResponse:
    """Results of one race or of a whole event, one line per driver and race."""
    by_race: dict[int, list[RaceResult]] = {}
    rows = RaceResult.objects.filter(race__in=[race.pk for race in races], missing_since=None)
    for row in rows.order_by("race_id", "position", "pk"):
        by_race.setdefault(row.race_id, []).append(row)
    name = f"race-{races[0].source_race_id}" if len(races) == 1 else "event-results"
    return _csv(
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
    return _csv(f"race-{race.source_race_id}-laps", header, laps.iterator(chunk_size=2000))


def practice_laps_csv(result: RaceResult) -> HttpResponse:
    """Every lap of a practice session, with the moment it ended on the track's clock."""
    zone = result.race.event.zone
    laps = Lap.objects.filter(result=result).order_by("number")
    return _csv(
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


def _csv(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return response


def _cell(value: Any) -> Any:
    """A name that begins like a formula would be run by a spreadsheet; an apostrophe stops that."""
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
