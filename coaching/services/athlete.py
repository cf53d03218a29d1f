"""What athletes bring: files, of which all is kept or nothing, their numbers, their consent."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from coaching.models import (
    Activity,
    AthleteNumbers,
    AthleteUpload,
    Consent,
)
from coaching.services import mission_days
from coaching.services.upload_contents import (
    Activities,
    read_activities,
    save_activities,
    save_export,
)
from coaching.uploads import archive
from coaching.uploads.activity_files import SUFFIXES
from coaching.uploads.apple_health import Export, read_export
from coaching.uploads.errors import BadUpload
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, NotReady
from racecontrol.shared.progress import OnProgress, Progress, silent
from racecontrol.shared.store import files

MOST_BYTES = 2 * 1024**3
State = AthleteUpload.State
NO_CONSENT = "The consent was withdrawn."


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
    file.seek(0)
    names = [entry.filename.lower() for entry in archive.opened(file).infolist()]
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


def _read(upload: AthleteUpload, on_progress: OnProgress) -> Export | Activities:
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
        return read_activities(upload, file, on_progress)


@transaction.atomic
def _save(upload: AthleteUpload, read: Export | Activities) -> dict[str, int]:
    """Keep what was read together with the word that it was read. Raises BadUpload, Cancelled."""
    if isinstance(read, Export):
        counts, problems = save_export(upload, read)
    else:
        counts, problems = save_activities(upload, read)
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
