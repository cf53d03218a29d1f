"""Days that change on LiveRC after they were imported: noticed by the clock, followed up by an import."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils.timezone import now

from ingestion.liverc.client import Source
from ingestion.models import Event, PracticeRun
from ingestion.queries.practice import practice_days
from ingestion.services.fetching import get_source
from ingestion.services.practice.listing import Difference, read_listing, take_listing
from ingestion.services.practice.requests import request_import
from ingestion.services.practice.runs import finish, open_run, running
from racecontrol.shared import flags, jobs

log = structlog.get_logger(__name__)

TASK = "ingestion.tasks.run_check_practice_day"


def due_days() -> list[Event]:
    """Imported days recent enough to still change, not looked at for a while, not archived."""
    moment = now()
    recent = (moment - timedelta(days=settings.PRACTICE_DRIFT_DAYS)).date()
    looked_at = moment - timedelta(hours=settings.PRACTICE_DRIFT_EVERY_HOURS)
    return list(
        practice_days()
        .filter(
            starts_on__gte=recent,
            last_ingested_at__lt=looked_at,
            practice_day__checked_at__lt=looked_at,
        )
        .order_by("starts_on", "pk")
    )


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
    """Compare a day's overview with its rows; what differs is flagged and an import queued."""
    event = practice_days(include_archived=True).get(source_event_id=source_event_id)
    run = open_run(
        kind=PracticeRun.Kind.CHECK, track=event.track, first_day=event.starts_on,
        last_day=event.starts_on, source_event_id=source_event_id, job_id=job_id,
    )  # fmt: skip
    with running(run) as tally:
        listing = read_listing(
            event.track, event.starts_on, tally=tally, source=source or get_source(), force=True
        )
        difference = take_listing(listing, event.track)
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
