"""Days that change on LiveRC after they were imported: noticed by the clock, followed up by an import."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils.timezone import now

from ingestion.liverc.client import Source
from ingestion.models import Event, PracticeRun
from ingestion.queries.practice import practice_days
from ingestion.services.fetching import get_source
from ingestion.services.practice.importing import read_session
from ingestion.services.practice.listing import Difference, read_listing, take_listing
from ingestion.services.practice.requests import request_import
from ingestion.services.practice.rereading import (
    may_look,
    note_looks,
    sessions_per_look,
    sessions_to_reread,
    young_days,
)
from ingestion.services.practice.runs import LIMITS, Tally, finish, open_run, running
from ingestion.services.practice.saving import ReadSession
from racecontrol.shared import flags, jobs
from racecontrol.shared.errors import RaceError

log = structlog.get_logger(__name__)

TASK = "ingestion.tasks.run_check_practice_day"


def due_days() -> list[Event]:
    """Young days that were not looked at for a while."""
    looked_at = now() - timedelta(hours=settings.PRACTICE_DRIFT_EVERY_HOURS)
    due = young_days().filter(
        last_ingested_at__lt=looked_at, practice_day__checked_at__lt=looked_at
    )
    return list(due.order_by("starts_on", "pk"))


def request_checks() -> int:
    """Queue a look at each day that is due, unless nobody has practice days; how many there were."""
    if not flags.is_on_for_anybody(flags.ENABLE_PRACTICE_DAYS):
        return 0
    days = due_days()
    for event in days:
        jobs.enqueue(
            TASK,
            event.source_event_id,
            key=f"import:practice-check:{event.source_event_id}",
            title=f"See whether {event.name} changed",
        )
    return len(days)


def check_day(
    *, source_event_id: str, source: Source | None = None, job_id: object = None
) -> Difference:
    """Compare a day's overview and some of its session pages with its rows.

    What differs is flagged and an import queued. Where the overview differs already the import
    that follows is look enough.
    """
    event = practice_days(include_archived=True).get(source_event_id=source_event_id)
    run = open_run(
        kind=PracticeRun.Kind.CHECK, track=event.track, first_day=event.starts_on,
        last_day=event.starts_on, source_event_id=source_event_id, job_id=job_id,
    )  # fmt: skip
    source = source or get_source()
    with running(run) as tally:
        listing = read_listing(event.track, event.starts_on, tally=tally, source=source, force=True)
        difference = take_listing(listing, event.track) or _look_inside(event, tally, source)
    finish(run, PracticeRun.Outcome.DONE, days=1, sessions=len(listing.rows))
    if difference:
        log.warning(
            "practice_drift",
            source_event_id=source_event_id,
            new=len(difference.new),
            changed=len(difference.changed),
            removed=len(difference.removed),
        )
        request_import(source_event_id=source_event_id, by=None)
    return difference


def _look_inside(event: Event, tally: Tally, source: Source) -> Difference:
    """Some session pages again; a limit or a page that fails only ends or shortens the look."""
    wanted = sessions_to_reread(
        event.source_event_id, most=sessions_per_look(event), since=tally.since
    )
    asked: list[str] = []
    pages: dict[str, ReadSession] = {}
    for session_id in wanted:
        if not may_look(event.track):
            break
        try:
            asked.append(session_id)
            pages[session_id] = read_session(event.track, session_id, tally, source, force=True)
        except LIMITS as limit:
            log.info("practice_look_cut_short", event=event.source_event_id, reason=str(limit))
            break
        except RaceError as refusal:
            log.warning("practice_look_failed", session=session_id, error=str(refusal)[:300])
    return note_looks(event, asked, pages, now())
