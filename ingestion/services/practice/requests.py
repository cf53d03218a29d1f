"""What people ask for: imports of a day, of many, of one session. Queued, never twice at once."""

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction

from ingestion.domain.practice import day_id, day_name, read_day_id
from ingestion.liverc.client import url_of
from ingestion.models import Event, PracticeSession, Track
from ingestion.queries.practice import BULK_TASK, IMPORT_KEY, open_import_of, search_practice_days
from ingestion.services.costs import Cost
from ingestion.services.fetching import budget_of
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotFound

TASK = "ingestion.tasks.run_import_practice_day"
RETRY_TASK = "ingestion.tasks.run_retry_practice_session"
MOST_DAYS = 100
USUAL_SESSIONS = 30  # for a guess of the cost of a day that was never listed


@transaction.atomic
def request_import(*, source_event_id: str, by: Any, refresh: bool = False) -> jobs.Job:
    """Queue the import of a day; one that is under way, alone or in bulk, is returned instead.

    Raises InvalidInput for what is no practice day's id.
    """
    source_event_id = known_id(source_event_id)
    running = open_import_of(source_event_id)
    if running is not None:
        return running
    event = Event.objects.filter(source_event_id=source_event_id).first()
    slug, day = read_day_id(source_event_id)
    return jobs.enqueue(
        TASK,
        source_event_id,
        refresh,
        key=f"{IMPORT_KEY}{source_event_id}",
        owner=by,
        title=f"Import {event.name if event else day_name(slug, day)}",
    )


def known_id(source_event_id: str) -> str:
    """The id with the slug as the track is written here. Raises InvalidInput."""
    slug, day = read_day_id(source_event_id)
    url_of(slug, "/")  # refuses what cannot be a slug
    track = Track.objects.filter(slug__iexact=slug).first()
    return day_id(track.slug if track else slug, day)


@transaction.atomic
def request_bulk(*, source_event_ids: list[str], by: Any, refresh: bool = False) -> jobs.Job:
    """Queue the import of several days as one job. Raises InvalidInput for an id that is none."""
    ids = list(dict.fromkeys(known_id(one) for one in source_event_ids))
    if not ids:
        raise InvalidInput("Tick at least one day.", fields={"source_event_ids": ["None given."]})
    if len(ids) > MOST_DAYS:
        raise InvalidInput(
            f"At most {MOST_DAYS} days at a time.",
            fields={"source_event_ids": [f"More than {MOST_DAYS}."]},
        )
    return jobs.enqueue(
        BULK_TASK,
        ids,
        refresh,
        key=f"import:practice-days:{sha256(','.join(sorted(ids)).encode()).hexdigest()}",
        owner=by,
        title=f"Import {len(ids)} practice day{'' if len(ids) == 1 else 's'}",
    )


@transaction.atomic
def request_retry(*, session_id: int, by: Any) -> jobs.Job:
    """Fetch one session again, alone."""
    session = PracticeSession.objects.select_related("event").filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such practice session.")
    return jobs.enqueue(
        RETRY_TASK,
        session.pk,
        key=f"import:practice-session:{session.source_session_id}",
        owner=by,
        title=f"Fetch the session of {session.driver_name} again",
    )


def cost_of(source_event_ids: list[str], *, refresh: bool = False) -> dict[str, Cost]:
    """Track slug -> about how many requests these imports make, beside the track's budget.

    A refresh asks again for some sessions that are here already.
    """
    needed: dict[str, int] = {}
    events = {
        one.source_event_id: one
        for one in search_practice_days(include_archived=True).filter(
            source_event_id__in=source_event_ids
        )
    }
    for source_event_id in source_event_ids:
        slug, _ = read_day_id(source_event_id)
        event = events.get(source_event_id)
        left = USUAL_SESSIONS
        if event is not None and event.listed_count:
            again = min(event.imported_count, settings.PRACTICE_REFRESH_SESSIONS) if refresh else 0
            left = event.listed_count - event.imported_count + again
        elif event is not None and event.practice_day.source_sessions:
            left = event.practice_day.source_sessions
        needed[slug] = needed.get(slug, 0) + left + 1
    return {slug: Cost(requests, budget_of(slug)) for slug, requests in needed.items()}
