"""Import a race event: the one way, for page, API, command and worker.

Fetch first, save after: the event page, then each race in its own transaction, so the event is
usable from the first race on. What fails is written on its race and the rest goes on. Whatever is
there already is not fetched again unless it may still change.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import pglock
import structlog
from django.conf import settings
from django.db import DataError, transaction
from django.utils.timezone import now

from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Source, url_of
from ingestion.liverc.errors import BotCheck, UnexpectedPage
from ingestion.models import Event, Race, Track
from ingestion.queries.races import first_main_order
from ingestion.services.bumpups import detect_for_event
from ingestion.services.costs import needs_fetch
from ingestion.services.fetching import (
    FRESH_FOR,
    OLD_EVENT_FRESH_FOR,
    YOUNG_EVENT,
    BudgetExhausted,
    HostRests,
    Page,
    fetch_page,
    get_source,
    make_stale,
)
from ingestion.services.heat_sheets import import_heat_sheets
from ingestion.services.people import save_entry_list
from ingestion.services.saving.events import SavedEvent, save_event
from ingestion.services.saving.races import fail_race, save_race
from ingestion.services.tracks import is_page_trouble, know_track
from racecontrol.shared import flags, jobs
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady, RaceError
from racecontrol.shared.progress import OnProgress, Progress, silent

log = structlog.get_logger(__name__)

TASK = "ingestion.tasks.run_import_event"


class AlreadyImporting(NotReady):
    """Somebody imports this event right now; watch that one."""

    code = "already_importing"


@dataclass(slots=True)
class ImportSummary:
    """What an import did. `failed` holds one line per race that could not be read."""

    source_event_id: str
    event_id: int = 0
    races: int = 0
    fetched: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    missing: int = 0
    laps: int = 0
    has_drift: bool = False
    failed: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@transaction.atomic
def request_import(
    *, source_event_id: str, by: Any, track_slug: str = "", refresh: bool = False
) -> jobs.Job:
    """Queue an import; an import of the same event that is already open is returned instead.

    Raises NotFound for an event that neither the database nor `track_slug` can place.
    """
    source_event_id = check_event_id(source_event_id)
    event = Event.objects.select_related("track").filter(source_event_id=source_event_id).first()
    if event is None and not track_slug:
        raise NotFound(
            f"Event {source_event_id} is not known here: search its track on LiveRC first, "
            "or name the track."
        )
    if event is not None and event.kind != Event.Kind.RACE:
        raise InvalidInput(
            f"{event.name} is a practice day: import it as one.", fields={"event": ["Not a race."]}
        )
    slug = event.track.slug if event else track_slug
    url_of(slug, "/")  # refuses what cannot be a slug
    name = event.name if event else f"event {source_event_id}"
    return jobs.enqueue(
        TASK,
        source_event_id,
        slug,
        refresh,
        key=f"import:event:{source_event_id}",
        owner=by,
        title=f"Import {name}",
    )


def check_event_id(source_event_id: str) -> str:
    """LiveRC's event ids are numbers. Raises InvalidInput for anything else."""
    text = str(source_event_id).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise InvalidInput(
            f"{text[:40]!r} is not an event number.", fields={"event": ["Not a number."]}
        )
    return text


def import_event(
    *,
    source_event_id: str,
    track_slug: str = "",
    source: Source | None = None,
    by: Any = None,
    refresh: bool = False,
    since: datetime | None = None,
    summary: ImportSummary | None = None,
    on_progress: OnProgress = silent,
) -> ImportSummary:
    """Bring one event up to date. `refresh` asks again for races that are long settled, too.

    `since` is when this import began: what was fetched or failed after it is not asked for again,
    so an import that paused can be called once more; `summary` is what it had done by then.

    Raises AlreadyImporting while another import of the event runs; BudgetExhausted, HostRests or
    BotCheck when nothing goes on for now (what is saved by then stays, the next call continues);
    UnexpectedPage or SourceUnavailable when the event page itself cannot be had.
    """
    source_event_id = check_event_id(source_event_id)
    source = source or get_source()
    with pglock.advisory(
        f"import:event:{source_event_id}", timeout=0, side_effect=pglock.Return
    ) as is_mine:
        if not is_mine:
            raise AlreadyImporting(f"Event {source_event_id} is being imported right now.")
        return _import(
            summary or ImportSummary(source_event_id),
            track_slug,
            source,
            by=by,
            refresh=refresh,
            since=since or now(),
            on_progress=on_progress,
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """What every race of one import is read with."""

    track: Track
    source: Source
    summary: ImportSummary
    is_inferring: bool
    first_main: int | None
    refresh: bool


def _import(
    summary: ImportSummary,
    track_slug: str,
    source: Source,
    *,
    by: Any,
    refresh: bool,
    since: datetime,
    on_progress: OnProgress,
) -> ImportSummary:
    known = (
        Event.objects.select_related("track")
        .filter(source_event_id=summary.source_event_id)
        .first()
    )
    slug = known.track.slug if known else track_slug
    if not slug:
        raise NotFound(f"Event {summary.source_event_id} is not known here; name its track.")
    on_progress(Progress(0, 0, "asking for the event"))
    track = know_track(slug, source=source)
    listing = _read_event(track, summary.source_event_id, source, known)
    saved = save_event(
        track=track,
        source_event_id=summary.source_event_id,
        page=listing.contents,
        parsed_hash=listing.stored.parsed_hash,
    )
    event = saved.event
    _note_saved(summary, saved, is_first=not (known and known.last_ingested_at))
    mains = (race.run_order for race in saved.races if race.main or race.final)
    work = _Work(
        track=track,
        source=source,
        summary=summary,
        is_inferring=flags.is_on_for(by, flags.ENABLE_SESSION_TYPE_INFERENCE),
        first_main=min(mains, default=None),
        refresh=refresh,
    )
    total = _import_races(saved, work, since, on_progress)
    on_progress(Progress(total, total, "transponders"))
    if summary.fetched or not event.last_ingested_at:
        _import_entry_list(event, track, source, summary)
        on_progress(Progress(total, total, "heat sheets"))
        sheets = getattr(listing.contents, "heat_sheets", ())
        summary.notes += import_heat_sheets(event, track, sheets, source)
    _finish(event, track, summary, by)
    return summary


def _note_saved(summary: ImportSummary, saved: SavedEvent, *, is_first: bool) -> None:
    summary.event_id, summary.races = saved.event.pk, len(saved.races)
    summary.missing += saved.missing
    if not is_first and (saved.new or saved.changed or saved.missing):
        summary.has_drift = True


def _import_races(saved: SavedEvent, work: _Work, since: datetime, on_progress: OnProgress) -> int:
    """Every race that is wanted, one by one; how many this import asks for, earlier turns counted."""
    summary = work.summary
    wanted = [race for race in saved.races if _is_wanted(race, refresh=work.refresh, since=since)]
    done = summary.fetched + len(summary.failed)
    total = done + len(wanted)
    is_lacking = any(race.state not in (Race.State.IMPORTED, Race.State.EMPTY) for race in wanted)
    _set_state(saved.event, Event.State.PARTIAL if is_lacking else None)
    for place, race in enumerate(wanted, start=done):
        on_progress(Progress(place, total, race.label))
        _import_race(race, work)
    summary.skipped = len(saved.races) - total
    return total


def _read_event(track: Track, source_event_id: str, source: Source, known: Event | None) -> Page:
    is_young = known is None or known.ends_on >= (now() - YOUNG_EVENT).date()
    return fetch_page(
        url_of(track.slug, kinds.event_path(source_event_id)),
        kind=kinds.EVENT,
        budget=track.slug,
        cache_key=event_key(track.slug, source_event_id),
        source=source,
        fresh_for=FRESH_FOR[kinds.EVENT] if is_young else OLD_EVENT_FRESH_FOR,
    )


def _import_race(race: Race, work: _Work) -> None:
    """One race; a page that fails is that race's trouble, a spent budget is everybody's."""
    track, summary = work.track, work.summary
    try:
        page = fetch_page(
            url_of(track.slug, kinds.race_path(race.source_race_id)),
            kind=kinds.RACE,
            budget=track.slug,
            cache_key=race_key(track.slug, race.source_race_id),
            source=work.source,
            force=work.refresh,
        )
        is_changed = save_race(
            race,
            page.contents,
            parsed_hash=page.stored.parsed_hash,
            is_inferring=work.is_inferring,
            first_main_order=work.first_main,
        )
    except (BudgetExhausted, HostRests, BotCheck):
        raise
    except RaceError as refusal:
        _note_failure(race, summary, refusal)
        return
    except DataError as broken:  # a number no race has: the page, not the database, is at fault
        log.warning("race_out_of_range", race=race.source_race_id, error=str(broken)[:200])
        _note_failure(race, summary, "A number on the page is out of range.")
        return
    summary.fetched += 1
    summary.laps += sum(len(racer.laps) for racer in page.contents.racers)
    if is_changed:
        summary.changed += 1
    else:
        summary.unchanged += 1


def _note_failure(race: Race, summary: ImportSummary, refusal: RaceError | str) -> None:
    why = str(refusal)
    if isinstance(refusal, UnexpectedPage) and refusal.excerpt:
        why = f"{why}\n{refusal.excerpt}"
    fail_race(race, why)
    summary.failed.append(
        {"source_race_id": race.source_race_id, "label": race.label, "reason": str(refusal)}
    )


def _import_entry_list(event: Event, track: Track, source: Source, summary: ImportSummary) -> None:
    try:
        page = fetch_page(
            url_of(track.slug, kinds.entry_list_path(event.source_event_id)),
            kind=kinds.ENTRY_LIST,
            budget=track.slug,
            cache_key=f"entries:{track.slug}:{event.source_event_id}",
            source=source,
        )
        save_entry_list(event, page.contents)
    except BudgetExhausted as spent:
        if not spent.is_daily:
            raise
        summary.notes.append(f"No transponders: {spent}")
    except RaceError as refusal:
        if not is_page_trouble(refusal):
            raise
        summary.notes.append(f"No transponders: {refusal}")


@transaction.atomic
def _finish(event: Event, track: Track, summary: ImportSummary, by: Any) -> None:
    """Write the end on the event and tell the other rooms, if there is news."""
    is_first = event.last_ingested_at is None
    open_races = event.races.filter(missing_since=None).exclude(
        state__in=[Race.State.IMPORTED, Race.State.EMPTY]
    )
    _set_state(event, Event.State.PARTIAL if open_races.exists() else Event.State.IMPORTED)
    Event.objects.filter(pk=event.pk).update(last_ingested_at=now())
    make_stale(
        event_key(track.slug, event.source_event_id),
        events_key(track.slug),
        f"entries:{track.slug}:{event.source_event_id}",
    )
    if is_first or summary.changed or summary.has_drift:
        detect_for_event(event.pk)
        for task in settings.AFTER_EVENT_IMPORT:
            jobs.enqueue(task, event.pk, key=f"{task}:{event.pk}", owner=by)


def _set_state(event: Event, state: Any) -> None:
    """Rows change only when the state does."""
    if state is not None and event.state != state:
        event.state = state
        Event.objects.filter(pk=event.pk).update(state=state, updated_at=now())


def _is_wanted(race: Race, *, refresh: bool, since: datetime) -> bool:
    """Is this race's page to be asked for in the import that began at `since`?"""
    if race.fetched_at is not None and race.fetched_at >= since:
        return False
    if race.failure and race.updated_at >= since:
        return False
    return refresh or needs_fetch(race, now())


# -- what people steer


@transaction.atomic
def request_race_retry(*, race_id: int, by: Any) -> jobs.Job:
    """Fetch one race again, alone."""
    race = Race.objects.select_related("event__track").get(pk=race_id)
    if race.source != Race.Source.RACE:
        raise InvalidInput("Practice sessions are fetched with their day.")
    return jobs.enqueue(
        "ingestion.tasks.run_import_race",
        race.pk,
        key=f"import:race:{race.source_race_id}",
        owner=by,
        title=f"Fetch {race.label} again",
    )


def import_race(*, race_id: int, source: Source | None = None, by: Any = None) -> ImportSummary:
    """Fetch and save one race alone, past the store. Raises what stopped it."""
    race = Race.objects.select_related("event__track").get(pk=race_id)
    track = race.event.track
    summary = ImportSummary(
        source_event_id=race.event.source_event_id, event_id=race.event_id, races=1
    )
    work = _Work(
        track=track,
        source=source or get_source(),
        summary=summary,
        is_inferring=flags.is_on_for(by, flags.ENABLE_SESSION_TYPE_INFERENCE),
        first_main=first_main_order(race.event),
        refresh=True,
    )
    _import_race(race, work)
    if summary.failed:
        raise NotReady(summary.failed[0]["reason"])
    _finish(race.event, track, summary, by)
    return summary


def events_key(track_slug: str) -> str:
    return f"events:{track_slug}"


def event_key(track_slug: str, source_event_id: str) -> str:
    return f"event:{track_slug}:{source_event_id}"


def race_key(track_slug: str, source_race_id: str) -> str:
    return f"race:{track_slug}:{source_race_id}"
