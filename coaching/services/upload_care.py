"""Files whose reading broke off: told as failed, kept a while for another try, then let go."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from coaching.models import AthleteUpload
from coaching.services import athlete
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotAllowed, NotFound, NotReady

State = AthleteUpload.State
KEPT_FOR_RETRY: Final = timedelta(days=7)
ARRIVING: Final = timedelta(hours=1)  # the longest a file may take from its row to its job
BROKE: Final = "The reading broke off before it came to an end; nothing was kept. Try it again."
NOT_WHOLE: Final = "The file did not arrive whole: send it again."


def look_after(*, owner: Any = None, moment: datetime | None = None) -> int:
    """Close files that wait for a job that is over, everybody's or one person's; how many.

    A worker that dies again and again, or before it began, cannot say so itself.
    """
    moment = moment or now()
    waiting = AthleteUpload.objects.filter(state=State.WAITING).select_related("job")
    if owner is not None:
        waiting = waiting.filter(owner=owner)
    count = 0
    for upload in waiting:
        if upload.job is not None and not upload.job.is_open:
            count += _close(upload)
        elif upload.job is None and upload.created_at < moment - ARRIVING:
            count += athlete.close(upload, State.FAILED, BROKE if upload.stored_as else NOT_WHOLE)
    return count


def _close(upload: AthleteUpload) -> bool:
    if upload.job.state == jobs.Job.State.CANCELLED:
        return athlete.end(upload, State.CANCELLED, "Cancelled.")
    return athlete.close(upload, State.FAILED, BROKE)


@transaction.atomic
def retry(*, by: Any, upload_id: UUID) -> AthleteUpload:
    """Read a file again whose reading broke off. Raises NotFound, NotReady, NotAllowed."""
    upload = (
        AthleteUpload.objects.select_for_update(of=("self",)).filter(pk=upload_id, owner=by).first()
    )
    if upload is None:
        raise NotFound("There is no such upload.")
    if not athlete.has_health_consent(by):
        raise NotAllowed("Agree to storing health data first.")
    if not upload.is_retryable:
        raise NotReady("This file cannot be read again: send it once more.")
    try:
        with transaction.atomic():
            athlete.reopen(upload)
    except IntegrityError:
        raise NotReady("A file of yours is being read already: wait for it or cancel it.") from None
    athlete.queue_reading(upload)
    return upload


def drop_kept(*, moment: datetime) -> int:
    """Let go of files nobody tried again; how many."""
    kept = AthleteUpload.objects.filter(state=State.FAILED, read_at__lt=moment - KEPT_FOR_RETRY)
    count = 0
    for upload in kept.exclude(stored_as=""):
        athlete.let_go(upload)
        count += 1
    return count
