"""Practice days over the API: discover, search, import, keep in step. Behind ENABLE_PRACTICE_DAYS."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from ingestion import access
from ingestion.domain.labels import class_key
from ingestion.models import Event, PracticeRun, PracticeSession
from ingestion.queries import practice as queries
from ingestion.queries.practice_race import practice_beside
from ingestion.schemas import practice as schemas
from ingestion.services.costs import refuse_if_warned
from ingestion.services.practice import discovery, ranges, requests
from racecontrol.shared import flags
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound
from racecontrol.shared.jobs import Job
from racecontrol.shared.paging import Paged, page_of

router = Router(tags=["practice days"])

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
DayId = Annotated[str, Field(max_length=100)]
SessionId = Annotated[str, Field(max_length=40)]
Words = Annotated[str, Field(max_length=200)]
Slug = Annotated[str, Field(max_length=63)]
FromDay = Annotated[date | None, Query(alias="from")]
ToDay = Annotated[date | None, Query(alias="to")]
ORDER = ("-starts_on", "-pk")


@router.post(
    "/practice-days/discover",
    response={200: schemas.PracticeDiscoveryOut, 202: schemas.PracticeDiscoveryOut},
    by_alias=True,
)
def discover_practice_days(request: HttpRequest, body: schemas.DiscoverIn) -> Any:
    """Look on LiveRC for practice days of a track, in the worker; imports none.

    202 with what was found so far while it goes on: send the same again to see more. 200 with the
    whole answer, which stays good for an hour; pages that could not be read are named.
    """
    need(request)
    found = discovery.request_discovery(
        track_slug=body.track,
        first_day=body.from_day,
        last_day=body.to_day,
        by=request.user,
        again=body.again,
    )
    run = found.run
    days = queries.search_practice_days(
        track=run.track.slug, first_day=run.first_day, last_day=run.last_day
    )
    page = page_of(days, limit=body.limit, cursor=body.cursor, order=ORDER)
    answer = {
        "state": run.outcome,
        "track": run.track.slug,
        "from_day": run.first_day,
        "to_day": run.last_day,
        "job": schemas.PracticeJobOut.of(found.job),
        "days": [
            schemas.PracticeDayOut.of(day) | {"session_list": sessions}
            for day, sessions in with_sessions(page["items"])
        ],
        "next_cursor": page["next_cursor"],
        "failures": run.failures if run.outcome != PracticeRun.Outcome.RUNNING else [],
        "pages_from_store": run.pages_from_store,
        "pages_fetched": run.pages_fetched,
        "warning": found.warning,
    }
    return Status(202 if found.is_open else 200, answer)


def with_sessions(days: list[Event]) -> list[tuple[Event, list[dict[str, Any]]]]:
    """Each day with its listed sessions, in one query for all."""
    by_day: dict[int, list[dict[str, Any]]] = {}
    rows = PracticeSession.objects.filter(event__in=days).select_related("race")
    for row in rows.order_by("started_at", "pk"):
        by_day.setdefault(row.event_id, []).append(schemas.PracticeSessionOut.of(row))
    return [(day, by_day.get(day.pk, [])) for day in days]


@router.get("/practice-days/search", response=Paged[schemas.PracticeDayOut])
def search_practice_days(
    request: HttpRequest,
    track: Slug = "",
    from_day: FromDay = None,
    to_day: ToDay = None,
    q: Words = "",
    include_archived: bool = False,
    limit: int = 50,
    cursor: str = "",
) -> Any:
    """Practice days in the database by track slug, local days and words (names of drivers, too)."""
    need(request)
    found = queries.search_practice_days(
        track=track,
        first_day=from_day,
        last_day=to_day,
        words=q,
        include_archived=include_archived,
    )
    page = page_of(found, limit=limit, cursor=cursor, order=ORDER)
    return page | {"items": [schemas.PracticeDayOut.of(day) for day in page["items"]]}


@router.post("/practice-days/import", response={202: schemas.PracticeBulkOut})
def import_practice_days(request: HttpRequest, body: schemas.PracticeBulkIn) -> Any:
    """Import several days as one job: those named, or every day of a track in a range.

    Where LiveRC was not asked for the range yet (`discovers_first`), the job begins with that, and
    `source_event_ids` names only the days known so far; the result of the import names all.
    """
    need(request)
    ids = body.source_event_ids
    if ids and (body.track or body.from_day or body.to_day):
        raise InvalidInput(
            "Either days or a range.", fields={"source_event_ids": ["Not beside a range."]}
        )
    if ids:
        ids = list(dict.fromkeys(requests.known_id(one) for one in ids))
        costs = requests.cost_of(ids, refresh=body.refresh).values()
        warnings = [cost.warning for cost in costs if cost.warning]
        if body.ask_first:
            refuse_if_warned(warnings)
        job = requests.request_bulk(source_event_ids=ids, by=request.user, refresh=body.refresh)
        is_discovered = True
    else:
        wanted = ranges.range_of(
            track_slug=body.track, first_day=body.from_day, last_day=body.to_day
        )
        ids, is_discovered = wanted.known, wanted.is_discovered
        warnings = wanted.warnings(refresh=body.refresh)
        if body.ask_first:
            refuse_if_warned(warnings)
        job = ranges.request_range(wanted, by=request.user, refresh=body.refresh)
    return Status(
        202,
        {
            "import_id": job.pk,
            "source_event_ids": ids,
            "discovers_first": not is_discovered,
            "state": job.state,
            "warnings": warnings,
        },
    )


@router.get("/practice-days/{source_event_id}", response=schemas.PracticeDayDetailOut)
def read_practice_day(request: HttpRequest, source_event_id: DayId) -> Any:
    """A day with its figures, the fastest overall and by class, and every session."""
    need(request)
    event = day_for(source_event_id)
    sessions = queries.sessions_of_day(event)
    return schemas.PracticeDayOut.of(event) | {
        "leaders": [schemas.PracticeLeaderOut.of(one) for one in queries.leaders_of_day(event)],
        "session_list": [
            schemas.PracticeSessionOut.of(row, driver_id=driver_of(row)) for row in sessions
        ],
    }


def driver_of(row: PracticeSession) -> int | None:
    """Who is known to have driven it."""
    results = list(row.race.results.all()) if row.race else []
    return results[0].driver_id if results and not results[0].driver.is_unknown else None


@router.post("/practice-days/{source_event_id}/import", response={202: schemas.PracticeQueuedOut})
def import_practice_day(
    request: HttpRequest, source_event_id: DayId, body: schemas.PracticeImportIn | None = None
) -> Any:
    """Queue the import of a day; one that is under way is returned instead of a second."""
    need(request)
    body = body or schemas.PracticeImportIn()
    queued = queue(request, source_event_id, refresh=body.refresh, ask_first=body.ask_first)
    return Status(202, queued)


@router.post("/practice-days/{source_event_id}/refresh", response={202: schemas.PracticeQueuedOut})
def refresh_practice_day(
    request: HttpRequest, source_event_id: DayId, body: schemas.PracticeRefreshIn | None = None
) -> Any:
    """See whether LiveRC says something else of a day by now, and bring it up to date."""
    need(request)
    known = day_for(source_event_id).source_event_id
    is_asking = bool(body and body.ask_first)
    return Status(202, queue(request, known, refresh=True, ask_first=is_asking))


def queue(
    request: HttpRequest, source_event_id: str, *, refresh: bool, ask_first: bool = False
) -> dict[str, Any]:
    source_event_id = requests.known_id(source_event_id)
    costs = requests.cost_of([source_event_id], refresh=refresh).values()
    warnings = [cost.warning for cost in costs]
    if ask_first:
        refuse_if_warned(warnings)
    job = requests.request_import(source_event_id=source_event_id, by=request.user, refresh=refresh)
    return queued(job, source_event_id) | {"warning": warnings[0]}


def queued(job: Job, source_event_id: str) -> dict[str, Any]:
    return {"import_id": job.pk, "source_event_id": source_event_id, "state": job.state}


@router.get("/practice-days/{source_event_id}/status", response=schemas.PracticeStatusOut)
def read_practice_status(request: HttpRequest, source_event_id: DayId) -> Any:
    """How a day stands; also of one whose first import has not written anything yet."""
    need(request)
    source_event_id = requests.known_id(source_event_id)
    event = queries.practice_day_by_source_id(source_event_id)
    job = queries.open_import_of(source_event_id) or queries.last_import_of(source_event_id)
    if event is None and job is None:
        raise NotFound("This practice day is not known here: discover or import it.")
    day = event.practice_day if event else None
    drift = queries.open_drift_of(event) if event else None
    failed = queries.failed_sessions(event) if event else []
    return {
        "source_event_id": source_event_id,
        "state": event.state if event else Event.State.LISTED,
        "sessions": day.sessions if day else 0,
        "imported_sessions": event.imported_count if event else 0,
        "failed": [schemas.PracticeSessionOut.of(row) for row in failed],
        "has_drift": bool(day and day.has_drift),
        "drift": drift,
        "checked_at": day.checked_at if day else None,
        "last_ingested_at": event.last_ingested_at if event else None,
        "job": schemas.PracticeJobOut.of(job),
    }


@router.post(
    "/practice-days/{source_event_id}/sessions/{session_id}/retry",
    response={202: schemas.PracticeQueuedOut},
)
def retry_practice_session(
    request: HttpRequest, source_event_id: DayId, session_id: SessionId
) -> Any:
    """Fetch one session again, alone; `session_id` is LiveRC's."""
    need(request)
    event = day_for(source_event_id)
    row = event.practice_sessions.filter(source_session_id=session_id).first()
    if row is None:
        raise NotFound("This day has no such session.")
    job = requests.request_retry(session_id=row.pk, by=request.user)
    return Status(202, queued(job, event.source_event_id))


@router.get("/drivers/{driver_id}/events/{event_id}/practice", response=schemas.PracticeRaceOut)
def read_practice_and_race(
    request: HttpRequest,
    driver_id: Id,
    event_id: Id,
    race_class: Annotated[str, Query(alias="class", max_length=200)] = "",
    day: DayId = "",
) -> Any:
    """A driver's practice beside their runs of a race event, in one class, without standing starts.

    The class driven most and the newest practice day before the event, unless `class` (its name)
    and `day` (its source id) say otherwise; `day` is null where there was no practice.
    """
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    event = Event.objects.filter(pk=event_id, kind=Event.Kind.RACE).first()
    chosen = queries.practice_day_by_source_id(day) if day else None
    if event is None or (day and chosen is None):
        raise NotFound("There is no such event or practice day.")
    found = practice_beside(
        driver_id,
        event,
        class_key=class_key(race_class) if race_class else "",
        day_id=chosen.pk if chosen else None,
    )
    if found is None:
        raise NotFound("This driver has no laps in that event.")
    return schemas.PracticeRaceOut.of(found)


def day_for(source_event_id: str) -> Event:
    event = queries.practice_day_by_source_id(source_event_id)
    if event is None:
        raise NotFound("This practice day is not known here: discover or import it.")
    return event


def need(request: HttpRequest) -> None:
    """404 to anyone for whom practice days are off; asking LiveRC is for signed-in people."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    if not access.may_import(request.user):
        raise NotAllowed("Sign in to use practice days.")
