"""Background work of the timing room. Each may be started twice: everything it does is repeatable."""

from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.timezone import now

from ingestion.liverc.errors import BotCheck
from ingestion.services import fetching, imports, tracks
from racecontrol.shared import jobs
from racecontrol.shared.progress import Progress

YIELD_AFTER_S = 200  # well inside the worker's limit for one job
AFTER_A_MINUTE = timedelta(seconds=1)


def run_import_event(
    job: jobs.Running, source_event_id: str, track_slug: str = "", refresh: bool = False
) -> dict:
    """Import an event; waits for the budget's minute, pauses for its day, and continues where it was."""
    # A continued job must not ask again for what it fetched before it paused.
    is_refreshing = refresh and job.attempts <= 1 and not _was_paused(job)
    return _within_limits(
        job,
        lambda on_progress: imports.import_event(
            source_event_id=source_event_id,
            track_slug=track_slug,
            by=_owner(job),
            refresh=is_refreshing,
            on_progress=on_progress,
        ).as_dict(),
    )


def run_import_race(job: jobs.Running, race_id: int) -> dict:
    """Fetch one race again, alone."""
    return _within_limits(
        job, lambda on_progress: imports.import_race(race_id=race_id, by=_owner(job)).as_dict()
    )


def run_sync_tracks(job: jobs.Running) -> dict:
    """Bring the catalogue of tracks into the database."""
    return _within_limits(job, lambda on_progress: tracks.sync_tracks(on_progress=on_progress))


def prune_pages() -> dict[str, int]:
    """Forget stored pages older than the setting says; called by the clock."""
    return {"pages": fetching.prune_pages(older_than=timedelta(days=settings.LIVERC_KEEP_DAYS))}


def _within_limits(job: jobs.Running, work) -> dict:
    """Do it; a limit that is met becomes a pause with its reason, told to whoever watches."""
    began = monotonic()

    def note(step: Progress) -> None:
        job.progress(step.done, step.total, step.label)
        if monotonic() - began > YIELD_AFTER_S:
            raise jobs.Later(now(), "Taking a breath; it goes on at once.")

    try:
        return work(note)
    except (fetching.BudgetExhausted, fetching.HostRests) as limit:
        raise jobs.Later(limit.retry_at + AFTER_A_MINUTE, str(limit)) from limit
    except BotCheck as check:
        raise jobs.Later(now() + fetching.BOT_CHECK_REST, str(check)) from check
    except imports.AlreadyImporting as busy:
        raise jobs.Later(now() + timedelta(seconds=15), str(busy)) from busy


def _owner(job: jobs.Running) -> Any:
    return get_user_model().objects.filter(pk=job.owner_id).first() if job.owner_id else None


def _was_paused(job: jobs.Running) -> bool:
    """Did this job already do part of its work in an earlier turn?"""
    return bool(jobs.Job.objects.filter(pk=job.id).values_list("done", flat=True).first())
