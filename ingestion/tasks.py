"""Background work of the timing room. Each may be started twice: everything it does is repeatable."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.timezone import now

from ingestion.liverc.client import Unreachable
from ingestion.liverc.errors import BotCheck
from ingestion.services import fetching, imports, tracks
from racecontrol.shared import jobs
from racecontrol.shared.errors import RaceError
from racecontrol.shared.progress import OnProgress, Progress

YIELD_AFTER_S = 200  # well inside the worker's limit for one job
AFTER_A_MINUTE = timedelta(seconds=1)
# A site that cannot be reached at all is tried again a few times before a person must.
UNREACHABLE_WAITS = tuple(timedelta(seconds=seconds) for seconds in (3, 10, 60, 600))


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
                by=_owner(job),
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
        return _within_limits(job, work)
    except RaceError:
        _forget(job)  # somebody who tries again starts anew
        raise


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


def _within_limits(job: jobs.Running, work: Callable[[OnProgress], dict]) -> dict:
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
    except Unreachable as trouble:
        waits = _waits(job)
        if waits >= len(UNREACHABLE_WAITS):
            raise
        pause = UNREACHABLE_WAITS[waits]
        raise jobs.Later(
            now() + pause, f"{trouble} Trying again in {pause.seconds} s."
        ) from trouble
    except imports.AlreadyImporting as busy:
        raise jobs.Later(now() + timedelta(seconds=15), str(busy)) from busy


def _owner(job: jobs.Running) -> Any:
    return get_user_model().objects.filter(pk=job.owner_id).first() if job.owner_id else None


# What a paused import knows of its earlier turns lies in the result of its open job.


def _memory(job: jobs.Running, source_event_id: str) -> tuple[datetime, imports.ImportSummary]:
    memory = _row(job).values_list("result", flat=True).first() or {}
    if "since" not in memory:
        return now(), imports.ImportSummary(source_event_id)
    return datetime.fromisoformat(memory["since"]), imports.ImportSummary(**memory["summary"])


def _remember(job: jobs.Running, since: datetime, summary: imports.ImportSummary) -> None:
    memory = _row(job).values_list("result", flat=True).first() or {}
    memory |= {"since": since.isoformat(), "summary": summary.as_dict()}
    _row(job).update(result=memory)


def _waits(job: jobs.Running) -> int:
    """How often this job has waited for an unreachable site; counts one more."""
    memory = _row(job).values_list("result", flat=True).first() or {}
    waits = memory.get("waits", 0)
    _row(job).update(result=memory | {"waits": waits + 1})
    return waits


def _forget(job: jobs.Running) -> None:
    _row(job).update(result=None)


def _row(job: jobs.Running) -> QuerySet[jobs.Job]:
    return jobs.Job.objects.filter(pk=job.id)
