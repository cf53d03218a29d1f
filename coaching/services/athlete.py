"""Files athletes bring become days and activities: all of a file or nothing of it."""

import zoneinfo
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from coaching.models import (
    Activity,
    ActivityDetail,
    AthleteNumbers,
    AthleteUpload,
    Consent,
    DailyMetric,
)
from coaching.services import mission_days
from coaching.uploads.activity_files import SUFFIXES, ActivityRead, misdated, read_file
from coaching.uploads.apple_health import Export, read_export
from coaching.uploads.errors import BadUpload
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, NotReady
from racecontrol.shared.progress import OnProgress, Progress, silent
from racecontrol.shared.store import files

MOST_BYTES = 2 * 1024**3
BATCH = 5000
MOST_CURVES = 200
AHEAD = timedelta(days=1)  # how far ahead of ours a device's clock may be, zones included
State = AthleteUpload.State
APPLE = "Apple Health"
NO_CONSENT = "The consent was withdrawn."


@dataclass(frozen=True, slots=True)
class Activities:
    """What a file of activities says: each once, and what could not be read."""

    found: "dict[tuple[str, datetime], ActivityRead]"
    problems: list[str]


def has_health_consent(user: Any) -> bool:
    """Did this person agree that health data is stored, and not take it back?"""
    return Consent.objects.standing().filter(owner=user, purpose=Consent.Purpose.HEALTH).exists()


def request_upload(*, by: Any, file: Any, name: str) -> AthleteUpload:
    """Keep the file and queue the reading of it. One at a time per person.

    Raises NotAllowed without consent, BadUpload for a file that is none of ours or too large,
    NotReady while another one is being read.
    """
    if not has_health_consent(by):
        raise NotAllowed("Agree to storing health data first; the form says what that means.")
    lower = name.lower()
    if not lower.endswith((*SUFFIXES, ".zip", ".xml")):
        raise BadUpload("Bring a zip or export.xml of Apple Health, or FIT, GPX or TCX files.")
    if file.size > MOST_BYTES:
        raise BadUpload("The file is larger than 2 GB.")
    if not file.size:
        raise BadUpload("The file is empty.")
    kind = _kind_of(file, lower)
    upload = AthleteUpload(
        owner=by, kind=kind, file_name=name[:200], size=file.size, created_at=now()
    )
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
    except IntegrityError:
        raise NotReady("A file of yours is being read already: wait for it or cancel it.") from None
    stored = ""
    try:
        file.seek(0)
        stored = files().save(f"athlete/{upload.pk}{_suffix(lower)}", file)
        with transaction.atomic():
            upload.stored_as = stored
            queue_reading(upload)
    except BaseException:
        if stored:
            files().delete(stored)
        upload.delete()
        raise
    return upload


def queue_reading(upload: AthleteUpload) -> None:
    """Queue the reading of a file that is kept."""
    upload.job = jobs.enqueue(
        "coaching.tasks.read_athlete_upload",
        str(upload.pk),
        key=f"athlete-upload:{upload.pk}",
        owner=upload.owner,
        title=f"Read {upload.get_kind_display()}",
        queue="slow",
    )
    upload.save(update_fields=["stored_as", "job"])


def reopen(upload: AthleteUpload) -> None:
    """A file whose reading broke off waits again. Raises IntegrityError beside another one."""
    upload.state, upload.message, upload.read_at = State.WAITING, "", None
    upload.save(update_fields=["state", "message", "read_at"])


def _suffix(lower: str) -> str:
    return next((s for s in (*SUFFIXES, ".zip", ".xml") if lower.endswith(s)), "")


def _kind_of(file: Any, lower: str) -> str:
    """A zip is an Apple export unless it holds activity files."""
    if lower.endswith(".xml"):
        return AthleteUpload.Kind.APPLE
    if lower.endswith(SUFFIXES):
        return AthleteUpload.Kind.ACTIVITIES
    from coaching.uploads.archive import opened

    file.seek(0)
    names = [entry.filename.lower() for entry in opened(file).infolist()]
    has_export = any(n.endswith(".xml") and n.count("/") <= 1 for n in names)
    if not has_export and any(n.endswith(SUFFIXES) for n in names):
        return AthleteUpload.Kind.ACTIVITIES
    return AthleteUpload.Kind.APPLE


def read_upload(*, upload_id: UUID, on_progress: OnProgress = silent) -> dict[str, int]:
    """Read a kept file and save what it says in one transaction; a second call does nothing.

    Raises BadUpload where the file cannot be used and Cancelled where its athlete stopped it or
    took the consent back meanwhile; then nothing of it is kept.
    """
    upload = AthleteUpload.objects.filter(pk=upload_id).select_related("owner").first()
    if upload is None:
        return {}
    if upload.is_retryable:  # its job was started again from the page of jobs
        _wait_again(upload)
    if upload.state != State.WAITING:
        let_go(upload)
        return {}
    if not has_health_consent(upload.owner):
        end(upload, State.CANCELLED, NO_CONSENT)
        return {}
    try:
        counts = _save(upload, _read(upload, on_progress))
    except BadUpload as refusal:
        end(upload, State.FAILED, str(refusal))
        raise
    except jobs.Cancelled:
        has_consent = has_health_consent(upload.owner)
        end(upload, State.CANCELLED, "Cancelled." if has_consent else NO_CONSENT)
        raise
    let_go(upload)
    return counts


def _wait_again(upload: AthleteUpload) -> None:
    try:
        with transaction.atomic():
            reopen(upload)
    except IntegrityError:
        raise NotReady("Another file of yours is being read: try again after it.") from None


def _read(upload: AthleteUpload, on_progress: OnProgress) -> "Export | Activities":
    """What the file says. In no transaction: its progress is seen and it can be cancelled."""
    total = max(upload.size // 1024, 1)

    def heard(compressed: int) -> None:
        on_progress(Progress(min(compressed // 1024, total - 1), total, "reading"))

    try:
        opened = files().open(upload.stored_as, "rb")
    except FileNotFoundError:
        raise BadUpload("The file is not here any more: send it again.") from None
    with opened as file:
        if upload.kind == AthleteUpload.Kind.APPLE:
            return read_export(file, on_progress=heard)
        return _read_activities(upload, file, on_progress)


@transaction.atomic
def _save(upload: AthleteUpload, read: "Export | Activities") -> dict[str, int]:
    """Keep what was read together with the word that it was read. Raises BadUpload, Cancelled."""
    if isinstance(read, Export):
        counts, problems = _save_export(upload, read)
    else:
        counts, problems = _save_activities(upload, read)
    words = ", ".join(f"{count} {_counted(name, count)}" for name, count in counts.items())
    is_kept = close(upload, State.DONE, words, problems)
    if not is_kept or not has_health_consent(upload.owner):
        raise jobs.Cancelled
    return counts


def _counted(name: str, count: int) -> str:
    """'activities' of one is 'activity'."""
    if count != 1:
        return name
    return f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")


def _save_export(upload: AthleteUpload, export: Export) -> tuple[dict[str, int], list[str]]:
    latest = now() + AHEAD
    values = [value for value in export.values if value.on <= latest.date()]
    workouts = [workout for workout in export.workouts if workout.starts_at <= latest]
    ahead = len(export.values) + len(export.workouts) - len(values) - len(workouts)
    if not values and not workouts:
        raise BadUpload("There is nothing in this export that we read.")
    # An older export may come after a newer one: the day that was made of more records stays,
    # so the order in which files are brought changes nothing.
    known = {
        (metric, on, source): (records, value)
        for metric, on, source, records, value in DailyMetric.objects.filter(
            owner=upload.owner
        ).values_list("metric", "on", "source", "records", "value")
    }
    rows = (
        DailyMetric(
            owner=upload.owner,
            metric=v.metric,
            on=v.on,
            source=v.source or APPLE,
            value=v.value,
            unit=v.unit,
            records=v.records,
            upload=upload,
            updated_at=now(),
        )
        for v in values
        if (v.records, v.value) >= known.get((v.metric, v.on, v.source or APPLE), (0, 0.0))
    )
    days = _upsert(
        DailyMetric, rows, ["owner", "metric", "on", "source"], ["value", "unit", "records"]
    )
    activities = [
        Activity(
            owner=upload.owner,
            source=w.source or APPLE,
            kind=w.kind,
            starts_at=w.starts_at,
            on=w.on,
            elapsed_s=w.seconds,
            moving_s=w.seconds,
            distance_m=w.distance_m,
            average_bpm=w.average_bpm,
            energy_kcal=w.energy_kcal,
            upload=upload,
            updated_at=now(),
        )
        for w in workouts
    ]
    done = len(_upsert_fullest(upload.owner, activities))
    problems = [f"{export.left_out} records could not be used."] if export.left_out else []
    if ahead:
        problems.append(f"{ahead} values are dated after tomorrow and were left out.")
    return {"daily values": days, "workouts": done}, problems


MEASURED = [
    "kind",
    "on",
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


def _read_activities(upload: AthleteUpload, file: Any, on_progress: OnProgress) -> Activities:
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


def _save_activities(upload: AthleteUpload, read: Activities) -> tuple[dict[str, int], list[str]]:
    zone = zoneinfo.ZoneInfo(upload.owner.time_zone)
    rows = [
        Activity(
            owner=upload.owner,
            source=a.source,
            kind=a.kind,
            starts_at=a.starts_at,
            on=a.starts_at.astimezone(zone).date(),
            elapsed_s=a.elapsed_s,
            moving_s=a.moving_s,
            distance_m=a.distance_m,
            ascent_m=a.ascent_m,
            average_w=a.average_w,
            normalised_w=a.normalised_w,
            average_bpm=a.average_bpm,
            max_bpm=a.max_bpm,
            energy_kcal=a.energy_kcal,
            upload=upload,
            updated_at=now(),
        )
        for a in read.found.values()
    ]
    kept = _upsert_fullest(upload.owner, rows)
    _save_curves(upload.owner, {key: read.found[key] for key in kept})
    return {"activities": len(kept)}, read.problems


def _fullness(row: Any) -> tuple[Any, ...]:
    """Orders what two files say of one activity: the longer and fuller one counts, whichever of
    them is brought last."""
    return (*(getattr(row, name, None) or 0 for name in MEASURED[2:]), row.kind)


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


def _keep_newest_curves(found: dict[Any, ActivityRead]) -> None:
    """Of a zip of years only the newest activities keep their curves, so that memory stays small."""
    drawn = [key for key, read in found.items() if read.curves]
    if len(drawn) > MOST_CURVES:
        oldest = min(drawn, key=lambda key: key[1])
        found[oldest] = replace(found[oldest], curves={})


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


def close(
    upload: AthleteUpload, state: str, message: str, problems: list[str] | None = None
) -> bool:
    """Write how it ended; False where it had ended already, and then nothing is written."""
    waiting = AthleteUpload.objects.filter(pk=upload.pk, state=State.WAITING)
    return bool(
        waiting.update(state=state, message=message[:1000], problems=problems or [], read_at=now())
    )


def let_go(upload: AthleteUpload) -> None:
    """Delete the file, then forget where it lay: a stop in between leaves nothing behind unseen."""
    if upload.stored_as:
        files().delete(upload.stored_as)
        AthleteUpload.objects.filter(pk=upload.pk).update(stored_as="")


def end(upload: AthleteUpload, state: str, message: str) -> bool:
    is_ended = close(upload, state, message)
    let_go(upload)
    return is_ended


def open_upload(*, by: Any, upload_id: UUID) -> AthleteUpload:
    """An upload that is not read yet. Raises NotFound, NotReady."""
    upload = AthleteUpload.objects.filter(pk=upload_id, owner=by).first()
    if upload is None:
        raise NotFound("There is no such upload.")
    if upload.state != State.WAITING:
        raise NotReady("This file was read already.")
    return upload


def cancel_upload(*, by: Any, upload_id: UUID) -> None:
    """Stop reading a file; what was read is dropped with it. Raises NotFound, NotReady."""
    upload = open_upload(by=by, upload_id=upload_id)
    if upload.job is not None and upload.job.is_open:
        jobs.cancel(upload.job.pk, by=by)
    if not end(upload, State.CANCELLED, "Cancelled."):
        raise NotReady("This file was read already.")


@transaction.atomic
def save_numbers(*, by: Any, values: dict[str, Any]) -> AthleteNumbers:
    """Keep the athlete's numbers. Raises InvalidInput naming the field that does not fit."""
    resting, threshold, highest = (
        values.get(n) for n in ("resting_bpm", "threshold_bpm", "max_bpm")
    )
    told = [v for v in (resting, threshold, highest) if v]
    if told != sorted(set(told)):
        message = "Heart rates must rise from resting over threshold to maximum."
        raise InvalidInput(message, fields={"threshold_bpm": [message]})
    numbers, _ = AthleteNumbers.objects.update_or_create(owner=by, defaults=values)
    return numbers


def learn_threshold(*, of: Any, watts: float | None) -> None:
    """A threshold power told to the wizard also works out loads, where the athlete gave none."""
    if watts is None or not 50 <= watts <= 600:
        return
    numbers, _ = AthleteNumbers.objects.get_or_create(owner=of)
    if numbers.threshold_w is None:
        numbers.threshold_w = round(watts)
        numbers.save(update_fields=["threshold_w"])


@transaction.atomic
def rate_effort(*, by: Any, activity_id: int, effort: int | None) -> Activity:
    """How hard an activity felt, 1 to 10, or None to take it back. Raises NotFound, InvalidInput."""
    activity = (
        Activity.objects.select_for_update(of=("self",)).filter(pk=activity_id, owner=by).first()
    )
    if activity is None:
        raise NotFound("There is no such activity.")
    if effort is not None and not 1 <= effort <= 10:
        raise InvalidInput("Effort goes from 1 to 10.", fields={"effort": ["1 to 10."]})
    activity.effort = effort
    activity.save(update_fields=["effort"])
    return activity


def set_health_consent(*, by: Any, is_given: bool) -> None:
    """Agree to storing health data, or take it back: then uploads and waiting runs stop at once."""
    if is_given and not has_health_consent(by):
        mission_days.give_consent(by=by, purposes=[Consent.Purpose.HEALTH], now=now())
    elif not is_given:
        mission_days.withdraw_consent(by=by, purpose=Consent.Purpose.HEALTH, now=now())
