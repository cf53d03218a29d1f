"""Imports of race events and tracks."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import now

from ingestion.services import fetching, imports, tracks
from ingestion.tasks._limits import forget, memory_of, owner_of, remember, within_limits
from racecontrol.shared import jobs
from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import OnProgress


def run_import_event(
    job: jobs.Running, source_event_id: str, track_slug: str = "", refresh: bool = False
) -> dict:
    """Import an event; waits for the budget's minute, pauses for its day, and continues where it was."""
    since, summary = _memory(job, source_event_id)

    def work(on_progress: OnProgress) -> dict:
        try:
            done = imports.import_event(
                source_event_id=source_event_id,
                track_slug=track_slug,
                by=owner_of(job),
                refresh=refresh,
                since=since,
                summary=summary,
                on_progress=on_progress,
            )
        except BaseException:
            _remember(job, since, summary)
            raise
        return done.as_dict() | {"url": reverse("ingestion:event", args=[done.event_id])}

    try:
        return within_limits(job, work)
    except RaceError:
        forget(job)  # somebody who tries again starts anew
        raise


def run_import_race(job: jobs.Running, race_id: int) -> dict:
    """Fetch one race again, alone."""
    return within_limits(
        job, lambda on_progress: imports.import_race(race_id=race_id, by=owner_of(job)).as_dict()
    )


def run_sync_tracks(job: jobs.Running) -> dict:
    """Bring the catalogue of tracks into the database."""
    return within_limits(job, lambda on_progress: tracks.sync_tracks(on_progress=on_progress))


def prune_pages() -> dict[str, int]:
    """Forget stored pages older than the setting says; called by the clock."""
    return {"pages": fetching.prune_pages(older_than=timedelta(days=settings.LIVERC_KEEP_DAYS))}


def _memory(job: jobs.Running, source_event_id: str) -> tuple[datetime, imports.ImportSummary]:
    memory = memory_of(job)
    if "since" not in memory:
        return now(), imports.ImportSummary(source_event_id)
    return datetime.fromisoformat(memory["since"]), imports.ImportSummary(**memory["summary"])


def _remember(job: jobs.Running, since: datetime, summary: imports.ImportSummary) -> None:
    remember(job, since=since.isoformat(), summary=summary.as_dict())
