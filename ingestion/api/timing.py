"""Timing over the API: find, discover and import events; read races, laps, drivers and tracks."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from ingestion import access, export
from ingestion.models import Event, Race
from ingestion.queries import imports as import_queries
from ingestion.queries.bumpups import bumped_into
from ingestion.queries.drivers import best_laps, drivers, drivers_search, field_of, races_of_driver
from ingestion.queries.events import ClassFacts, event_facts, events
from ingestion.queries.events import search_events as events_like
from ingestion.queries.laps import laps_of_race
from ingestion.queries.races import races, results_of_race
from ingestion.queries.tracks import tracks_search
from ingestion.schemas import timing as schemas
from ingestion.services import costs, discovery, imports, tracks
from racecontrol.shared import flags
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, RaceError
from racecontrol.shared.paging import Paged, page_of

router = Router(tags=["timing"])

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Words = Annotated[str, Field(max_length=200)]
Slug = Annotated[str, Field(max_length=63)]
FromDay = Annotated[date | None, Query(alias="from")]
ToDay = Annotated[date | None, Query(alias="to")]


# -- tracks


@router.get("/tracks", response=Paged[schemas.TrackOut])
def read_tracks(request: HttpRequest, q: Words = "", limit: int = 50, cursor: str = "") -> Any:
    """Tracks holding every word in name, slug or place."""
    page = page_of(tracks_search(q, user=request.user), limit=limit, cursor=cursor, order=("slug",))
    return page | {"items": [schemas.track_of(row) for row in page["items"]]}


@router.post("/tracks/sync", response={202: schemas.ImportOut})
def sync_tracks(request: HttpRequest) -> Any:
    """Bring LiveRC's catalogue of tracks in: one request, in the worker."""
    need_import(request)
    return Status(202, tracks.request_sync(by=request.user))


# -- events


@router.get("/events/search", response=Paged[schemas.EventOut])
def search_events(
    request: HttpRequest,
    track: Slug = "",
    from_day: FromDay = None,
    to_day: ToDay = None,
    q: Words = "",
    limit: int = 50,
    cursor: str = "",
) -> Any:
    """Events in the database by track slug, local days and words; newest first."""
    found = events_like(track=track, first_day=from_day, last_day=to_day, words=q)
    return page_of(found, limit=limit, cursor=cursor, order=("-starts_on", "-pk"))


@router.get("/events/discover", response=schemas.DiscoveryOut)
def discover_events(
    request: HttpRequest, track: Slug = "", from_day: FromDay = None, to_day: ToDay = None
) -> Any:
    """What LiveRC lists for a track in at most three months; notes the events, imports none."""
    need_import(request)
    if not track.strip():
        raise InvalidInput("Name the track.", fields={"track": ["Say which track."]})
    found = discovery.discover_events(track_slug=track, first_day=from_day, last_day=to_day)
    return {"track": found.track.slug, "events": found.events, "failures": found.failures}


@router.post("/events/import", response={202: schemas.BulkOut})
def import_events(request: HttpRequest, body: schemas.BulkImportIn) -> Any:
    """Queue several imports; those that cannot be queued are named with the reason."""
    need_import(request)
    if body.ask_first:
        known = events().filter(source_event_id__in=body.source_event_ids)
        costs.refuse_if_warned(costs.import_warnings(known, refresh=body.refresh))
    queued: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    for source_event_id in dict.fromkeys(body.source_event_ids):
        try:
            queued.append(queue_import(request, source_event_id, body.track, body.refresh))
        except RaceError as refusal:
            refused.append({"source_event_id": source_event_id[:40], "reason": str(refusal)})
    return Status(202, {"queued": queued, "refused": refused})


@router.post("/events/{source_event_id}/import", response={202: schemas.QueuedOut})
def import_event(
    request: HttpRequest, source_event_id: str, body: schemas.ImportIn | None = None
) -> Any:
    """Queue an import; one of the same event that is under way is returned instead of a second."""
    need_import(request)
    body = body or schemas.ImportIn()
    queued = queue_import(
        request, source_event_id, body.track, body.refresh, ask_first=body.ask_first
    )
    return Status(202, queued)


def queue_import(
    request: HttpRequest,
    source_event_id: str,
    track: str,
    refresh: bool,
    *,
    ask_first: bool = False,
) -> dict[str, Any]:
    """Queue one and say what it may cost; before, and then queue nothing, with `ask_first`."""
    event = events().filter(source_event_id=source_event_id).first()
    slug = event.track.slug if event else track.strip()
    cost = costs.import_cost(track_slug=slug, event=event, refresh=refresh) if slug else None
    if ask_first and cost:
        costs.refuse_if_warned([cost.warning])
    job = imports.request_import(
        source_event_id=source_event_id, by=request.user, track_slug=slug, refresh=refresh
    )
    return {
        "import_id": job.pk,
        "source_event_id": imports.check_event_id(source_event_id),
        "state": job.state,
        "warning": cost.warning if cost else "",
    }


@router.get("/imports/{import_id}", response=schemas.ImportOut)
def read_import(request: HttpRequest, import_id: UUID) -> Any:
    """How an import is going: queued, running n of m, paused with the reason, done, failed."""
    has_practice = flags.is_on(request, flags.ENABLE_PRACTICE_DAYS)
    job = import_queries.imports(has_practice=has_practice).filter(pk=import_id).first()
    if job is None:
        raise NotFound("There is no such import.")
    return job


@router.get("/events/{event_id}", response=schemas.EventDetailOut, by_alias=True)
def read_event(request: HttpRequest, event_id: Id, include_session_types: bool = False) -> Any:
    """An event with its classes, races and statistics."""
    event = events().filter(pk=event_id, kind=Event.Kind.RACE).first()
    if event is None:
        raise NotFound("There is no such event.")
    facts = event_facts(event)
    event.laps, event.drivers = facts.laps, facts.drivers
    event.race_count = len(facts.races)
    event.imported_count = sum(race.state == Race.State.IMPORTED for race in facts.races)
    fields = [name for name in schemas.EventOut.model_fields if name != "track"]
    return {name: getattr(event, name) for name in fields} | {
        "track": event.track,
        "laps": facts.laps,
        "drivers": facts.drivers,
        "classes": [class_of(one) for one in facts.classes],
        "races": facts.races,
    }


def class_of(facts: ClassFacts) -> dict[str, Any]:
    fastest, steady, first = facts.fastest, facts.most_consistent, facts.top_qualifier
    return {
        "id": facts.race_class.pk,
        "name": facts.race_class.name,
        "races": facts.races,
        "drivers": len(facts.entries),
        "winners": [
            {
                "race_id": race.pk,
                "leg": race.leg,
                "driver_id": row.driver_id,
                "driver_name": row.driver_name,
            }
            for race, row in facts.winners
        ],
        "top_qualifier": first.driver_name if first else None,
        "fastest_lap_ms": fastest.fast_lap_ms if fastest else None,
        "fastest_driver": fastest.driver_name if fastest else None,
        "most_consistent_pct": steady.consistency_pct if steady else None,
        "most_consistent_driver": steady.driver_name if steady else None,
    }


# -- races


def race_for(request: HttpRequest, race_id: int) -> Race:
    race = races().filter(pk=race_id).first()
    if race is None:
        raise NotFound("There is no such race.")
    if race.source == Race.Source.PRACTICE:
        flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    return race


@router.get("/races/{race_id}", response=schemas.RaceDetailOut, by_alias=True)
def read_race(
    request: HttpRequest,
    race_id: Id,
    include_session_types: bool = False,
    include_bump_ups: bool = False,
) -> Any:
    """Results with every published figure; with `include_bump_ups` also who moved up into it."""
    race = race_for(request, race_id)
    rows = list(results_of_race(race_id))
    if include_bump_ups:
        moves = bumped_into(race_id)
        for row in rows:
            if (move := moves.get(row.driver_id)) is not None:
                row.bumped_from = {
                    "bump_up_id": move.pk,
                    "race_id": move.source_race_id,
                    "label": move.source_race.label,
                    "position": move.source_position,
                    "confidence": move.confidence,
                    "status": move.status,
                }
    race.rows = rows
    return race


@router.get("/races/{race_id}/laps", response=schemas.LapsOut)
def read_laps(request: HttpRequest, race_id: Id, format: str = "json") -> Any:
    """Every lap of every driver, as JSON or with `?format=csv` as CSV."""
    race = race_for(request, race_id)
    if format not in ("json", "csv"):
        raise InvalidInput("json or csv.", fields={"format": ["json or csv."]})
    if format == "csv":
        return export.laps_csv(race)
    laps = laps_of_race(race_id)
    return {
        "race_id": race.pk,
        "source_race_id": race.source_race_id,
        "stats_basis": race.stats_basis,
        "drivers": [
            {
                "driver_id": row.driver_id,
                "driver_name": row.driver_name,
                "position": row.position,
                "laps": laps.get(row.pk, []),
            }
            for row in results_of_race(race_id)
        ],
    }


# -- drivers and search


@router.get("/drivers", response=Paged[schemas.DriverOut])
def read_drivers(request: HttpRequest, q: Words = "", limit: int = 50, cursor: str = "") -> Any:
    """Drivers by name, alias, transponder or LiveRC id."""
    return page_of(drivers_search(q), limit=limit, cursor=cursor, order=("name_key", "pk"))


@router.get("/drivers/{driver_id}", response=schemas.DriverDetailOut)
def read_driver(
    request: HttpRequest, driver_id: Id, limit: Annotated[int, Field(ge=1, le=200)] = 50
) -> Any:
    """A driver's personal bests per track and class, and the newest `limit` races as a trend."""
    driver = drivers().filter(pk=driver_id).first()
    if driver is None:
        raise NotFound("There is no such driver.")
    field = field_of(driver_id)
    return {
        "id": driver.pk,
        "source_driver_id": driver.source_driver_id,
        "name": driver.name,
        "races": field["races"] or 0,
        "laps": field["laps"] or 0,
        "best_position": field["best"],
        "transponders": [one.number for one in driver.transponders.all()],
        "aliases": [one.name for one in driver.aliases.all()],
        "bests": [
            {
                "track": best.track_name,
                "class_name": best.class_name,
                "ms": best.ms,
                "race_id": best.race_id,
                "race": best.race_label,
                "event": best.event_name,
                "day": best.day,
                "races": best.races,
                "stats_basis": best.stats_basis,
            }
            for best in best_laps(driver_id)
        ],
        "trend": [schemas.DriverRaceOut.of(row) for row in races_of_driver(driver_id)[:limit]],
    }


def need_import(request: HttpRequest) -> None:
    if not access.may_import(request.user):
        raise NotAllowed("Sign in to ask LiveRC.")
