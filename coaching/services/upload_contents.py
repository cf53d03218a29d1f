"""What an athlete's file says, kept: each day and activity once, the fullest word on it counts."""

import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.utils.timezone import now

from coaching.models import Activity, ActivityDetail, AthleteUpload, DailyMetric
from coaching.uploads.activity_files import ActivityRead, misdated, read_file
from coaching.uploads.apple_health import DayValue, Export, Workout
from coaching.uploads.errors import BadUpload
from racecontrol.shared.progress import OnProgress, Progress

BATCH: Final = 5000
MOST_CURVES = 200
AHEAD: Final = timedelta(days=1)  # how far ahead of ours a device's clock may be, zones included
APPLE: Final = "Apple Health"
FIGURES: Final = [
    "elapsed_s",
    "moving_s",
    "distance_m",
    "ascent_m",
    "average_w",
    "normalised_w",
    "average_bpm",
    "max_bpm",
    "energy_kcal",
]
MEASURED: Final = ["kind", "on", *FIGURES]


@dataclass(frozen=True, slots=True)
class Activities:
    """What a file of activities says: each once, and what could not be read."""

    found: "dict[tuple[str, datetime], ActivityRead]"
    problems: list[str]


# -- an export of Apple Health


def save_export(upload: AthleteUpload, export: Export) -> tuple[dict[str, int], list[str]]:
    """Keep an export's days and workouts: how many of each, and what could not be used."""
    latest = now() + AHEAD
    values = [value for value in export.values if value.on <= latest.date()]
    workouts = [workout for workout in export.workouts if workout.starts_at <= latest]
    ahead = len(export.values) + len(export.workouts) - len(values) - len(workouts)
    if not values and not workouts:
        raise BadUpload("There is nothing in this export that we read.")
    days = _upsert(
        DailyMetric,
        _fuller_days(upload, values),
        ["owner", "metric", "on", "source"],
        ["value", "unit", "records"],
    )
    done = len(_upsert_fullest(upload.owner, [_of_workout(upload, one) for one in workouts]))
    problems = [f"{export.left_out} records could not be used."] if export.left_out else []
    if ahead:
        problems.append(f"{ahead} values are dated after tomorrow and were left out.")
    return {"daily values": days, "workouts": done}, problems


def _fuller_days(upload: AthleteUpload, values: Iterable[DayValue]) -> Iterator[DailyMetric]:
    """Days that are made of at least as many records as those known.

    An older export may come after a newer one: the day that was made of more records stays, so the
    order in which files are brought changes nothing.
    """
    known = {
        (metric, on, source): (records, value)
        for metric, on, source, records, value in DailyMetric.objects.filter(
            owner=upload.owner
        ).values_list("metric", "on", "source", "records", "value")
    }
    for v in values:
        source = v.source or APPLE
        if (v.records, v.value) >= known.get((v.metric, v.on, source), (0, 0.0)):
            yield DailyMetric(
                owner=upload.owner,
                metric=v.metric,
                on=v.on,
                source=source,
                value=v.value,
                unit=v.unit,
                records=v.records,
                upload=upload,
                updated_at=now(),
            )


def _of_workout(upload: AthleteUpload, workout: Workout) -> Activity:
    return Activity(
        owner=upload.owner,
        source=workout.source or APPLE,
        kind=workout.kind,
        starts_at=workout.starts_at,
        on=workout.on,
        elapsed_s=workout.seconds,
        moving_s=workout.seconds,
        distance_m=workout.distance_m,
        average_bpm=workout.average_bpm,
        energy_kcal=workout.energy_kcal,
        upload=upload,
        updated_at=now(),
    )


# -- activity files


def read_activities(upload: AthleteUpload, file: Any, on_progress: OnProgress) -> Activities:
    """Every activity of a file once; raises BadUpload where there is none."""
    found: dict[Any, ActivityRead] = {}
    problems: list[str] = []
    latest = now() + AHEAD
    for number, (name, read) in enumerate(read_file(file, upload.file_name), start=1):
        if isinstance(read, BadUpload):
            problems.append(f"{name}: {read}")
        elif wrong := misdated(read, latest=latest):
            problems.append(f"{name}: {wrong}")
        else:
            key = (read.source, read.starts_at)
            found[key] = max(found.get(key, read), read, key=_fullness)
            _keep_newest_curves(found)
        on_progress(Progress(0, 1, f"{number} files read"))
    if not found:
        raise BadUpload(problems[0] if problems else "There is no activity in this file.")
    return Activities(found, problems[:100])


def _keep_newest_curves(found: dict[Any, ActivityRead]) -> None:
    """Of a zip of years only the newest activities keep their curves, so that memory stays small."""
    drawn = [key for key, read in found.items() if read.curves]
    if len(drawn) > MOST_CURVES:
        oldest = min(drawn, key=lambda key: key[1])
        found[oldest] = replace(found[oldest], curves={})


def save_activities(upload: AthleteUpload, read: Activities) -> tuple[dict[str, int], list[str]]:
    """Keep what files say of activities: how many, and what could not be read."""
    zone = zoneinfo.ZoneInfo(upload.owner.time_zone)
    rows = [
        Activity(
            owner=upload.owner,
            source=a.source,
            kind=a.kind,
            starts_at=a.starts_at,
            on=a.starts_at.astimezone(zone).date(),
            upload=upload,
            updated_at=now(),
            **{name: getattr(a, name) for name in FIGURES},
        )
        for a in read.found.values()
    ]
    kept = _upsert_fullest(upload.owner, rows)
    _save_curves(upload.owner, {key: read.found[key] for key in kept})
    return {"activities": len(kept)}, read.problems


def _save_curves(owner: Any, found: dict[Any, ActivityRead]) -> None:
    drawn = {key: read.curves for key, read in found.items() if read.curves}
    rows = Activity.objects.filter(owner=owner, starts_at__in={starts for _, starts in drawn})
    ActivityDetail.objects.bulk_create(
        [
            ActivityDetail(activity=row, curves=curves, curves_at=now())
            for row in rows
            if (curves := drawn.get((row.source, row.starts_at)))
        ],
        update_conflicts=True,
        unique_fields=["activity"],
        update_fields=["curves", "curves_at"],
    )


# -- rows


def _upsert_fullest(owner: Any, rows: list[Activity]) -> list[tuple[str, datetime]]:
    """Insert activities, or replace those known less fully; the keys of what was written."""
    fullest: dict[tuple[str, datetime], Activity] = {}
    for known in Activity.objects.filter(owner=owner).only("source", "starts_at", *MEASURED):
        fullest[known.source, known.starts_at] = known
    written: dict[tuple[str, datetime], Activity] = {}
    for row in rows:
        key = (row.source, row.starts_at)
        if key not in fullest or _fullness(row) >= _fullness(fullest[key]):
            fullest[key] = written[key] = row
    _upsert(Activity, written.values(), ["owner", "source", "starts_at"], MEASURED)
    return list(written)


def _fullness(row: Any) -> tuple[Any, ...]:
    """Orders what two files say of one activity: the longer and fuller one counts, whichever of
    them is brought last."""
    return (*(getattr(row, name, None) or 0 for name in FIGURES), row.kind)


def _upsert(model: Any, rows: Any, key: list[str], values: list[str]) -> int:
    """Insert or replace by natural key in batches, all inside the caller's transaction."""
    count = 0
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        model.objects.bulk_create(
            batch,
            update_conflicts=True,
            unique_fields=key,
            update_fields=[*values, "upload", "updated_at"],
        )
        count += len(batch)
    return count
