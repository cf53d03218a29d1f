"""Practice days in the worker: discovery, imports, looks for drift, and what runs by the clock."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from ingestion.liverc.client import Unreachable
from ingestion.models import Event
from ingestion.services.imports import AlreadyImporting
from ingestion.services.practice import alerts, drift, matching, ranges
from ingestion.services.practice.discovery import discover_days
from ingestion.services.practice.importing import DaySummary, import_day, import_session
from ingestion.services.practice.runs import LIMITS, close_lost_runs, prune_runs
from ingestion.services.tracks import know_track
from ingestion.tasks._limits import memory_of, owner_of, remember, within_limits
from racecontrol.shared import jobs
from racecontrol.shared.errors import NotFound, RaceError
from racecontrol.shared.progress import OnProgress, Progress


def run_discover_practice(job: jobs.Running, run_id: int, again: bool = False) -> dict:
    """Months, then days; what is known so far can be read while it goes on."""

    def work(on_progress: OnProgress) -> dict:
        run = discover_days(run_id=run_id, again=again, on_progress=on_progress)
        missing = f"; {len(run.failures)} pages could not be read" if run.failures else ""
        return {
            "days": run.days,
            "sessions": run.sessions,
            "failed": run.failures,
            "says": f"{run.days} days, {run.sessions} sessions{missing}",
            "url": f"{reverse('ingestion:practice')}?"
            + urlencode({"track": run.track.slug, "first": run.first_day, "last": run.last_day}),
        }

    return within_limits(job, work)


def run_import_practice_day(job: jobs.Running, source_event_id: str, refresh: bool = False) -> dict:
    """Import one day; waits for the budget's minute, pauses for its day, goes on where it was."""
    return within_limits(
        job,
        lambda on_progress: told(
            import_day(
                source_event_id=source_event_id,
                by=owner_of(job),
                refresh=refresh,
                job_id=job.id,
                on_progress=on_progress,
            )
        ),
    )


def told(summary: DaySummary) -> dict[str, Any]:
    """What an import did, with a sentence and the page to look at."""
    failed = f", {len(summary.failed)} failed" if summary.failed else ""
    removed = f", {summary.removed} gone" if summary.removed else ""
    return summary.as_dict() | {
        "says": f"{summary.sessions} sessions, {summary.changed} read{removed}{failed}",
        "url": reverse("ingestion:practice-day", args=[summary.event_id]),
    }


def run_import_practice_days(
    job: jobs.Running,
    source_event_ids: list[str],
    refresh: bool = False,
    among: list[str] | None = None,
) -> dict:
    """Import day after day; one that fails is named and the others go on.

    `among` (track slug, first, last day) has LiveRC asked first, in this very job, which days there
    are; then those are imported.
    """
    memory = memory_of(job)
    done: list[dict[str, Any]] = memory.get("days", [])
    failed: list[dict[str, str]] = memory.get("failed_days", [])

    def work(on_progress: OnProgress) -> dict:
        wanted, pages = source_event_ids, []
        if among is not None:
            wanted, pages = _days_among(job, among, on_progress)
        ended = {one["source_event_id"] for one in [*done, *failed]}
        for place, day_id in enumerate(wanted):
            if day_id in ended:
                continue

            def note(step: Progress, place: int = place, day_id: str = day_id) -> None:
                on_progress(Progress(place, len(wanted), f"{day_id}: {step.label}"))

            try:
                summary = import_day(
                    source_event_id=day_id,
                    by=owner_of(job),
                    refresh=refresh,
                    job_id=job.id,
                    on_progress=note,
                )
            except (*LIMITS, AlreadyImporting):
                raise
            except RaceError as refusal:
                failed.append({"source_event_id": day_id, "reason": str(refusal)})
            else:
                done.append(summary.as_dict())
            remember(job, days=done, failed_days=failed)
        total = len(wanted)
        on_progress(Progress(total, total, f"{len(done)} of {total} days"))
        missing = f"; {len(failed)} could not be imported" if failed else ""
        unread = f"; {len(pages)} pages could not be read" if pages else ""
        return {
            "days": done,
            "failed_days": failed,
            "failed_pages": pages,
            "says": f"{len(done)} of {total} days{missing}{unread}",
            "url": reverse("ingestion:practice"),
        }

    return within_limits(job, work)


def _days_among(
    job: jobs.Running, among: list[str], on_progress: OnProgress
) -> tuple[list[str], list[dict[str, str]]]:
    """Days LiveRC names in a range, and the pages that could not be read; asked once a job.

    Where LiveRC says nothing at all, the days that are known here are taken. Raises NotFound where
    there are none.
    """
    if known := memory_of(job).get("among"):
        return known["days"], known["pages"]
    slug, first, last = among
    run = ranges.discovery_of(
        know_track(slug), date.fromisoformat(first), date.fromisoformat(last),
        by=owner_of(job), job_id=job.id,
    )  # fmt: skip
    try:
        run = discover_days(run_id=run.pk, on_progress=on_progress)
    except (*LIMITS, Unreachable):
        raise
    except RaceError:
        run.refresh_from_db()
        if not ranges.days_found(run):
            raise
    days = ranges.days_found(run)
    if not days:
        why = f" ({run.failures[0]['reason']})" if run.failures else ""
        raise NotFound(
            f"LiveRC names no day of practice at {run.track.name} from {run.first_day:%d %b %Y} "
            f"to {run.last_day:%d %b %Y}{why}."
        )
    remember(job, among={"days": days, "pages": run.failures})
    ranges.name_days(job.id, days)
    return days, run.failures


def run_retry_practice_session(job: jobs.Running, session_id: int) -> dict:
    """Fetch one session again, alone."""
    return within_limits(
        job,
        lambda on_progress: told(import_session(session_id=session_id, by=owner_of(job))),
    )


def run_check_practice_day(job: jobs.Running, source_event_id: str) -> dict:
    """See whether LiveRC says something else of a day by now."""

    def work(on_progress: OnProgress) -> dict:
        found = drift.check_day(source_event_id=source_event_id, job_id=job.id)
        counts = [f"{len(ids)} {name}" for name, ids in found.as_dict().items() if ids]
        return found.as_dict() | {"says": ", ".join(counts) or "nothing changed"}

    return within_limits(job, work)


def run_match_practice(job: jobs.Running, event_id: int) -> dict:
    """News of an imported event: practice sessions at its track may have found their drivers."""
    event = Event.objects.filter(pk=event_id, kind=Event.Kind.RACE).first()
    return {"sessions": matching.match_after_races(event) if event else 0}


def check_practice_drift() -> dict[str, int]:
    """Called by the clock: queue a look at each recent day."""
    return {"days": drift.request_checks()}


def prune_practice_runs() -> dict[str, int]:
    """Called by the clock: runs that ended long ago go, their totals stay."""
    return {"runs": prune_runs(older_than=timedelta(days=settings.PRACTICE_KEEP_RUNS_DAYS))}


def watch_practice() -> dict[str, list[str]]:
    """Called by the clock: the alert rules."""
    close_lost_runs()
    return {"firing": alerts.evaluate()}
