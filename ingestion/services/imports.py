"""Import a race event: the one way, for page, API, command and worker.

Fetch first, save after: the event page, then each race in its own transaction, so the event is
usable from the first race on. What fails is written on its race and the rest goes on. Whatever is
there already is not fetched again unless it may still change.
"""

from collections.abc import Iterable
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
from ingestion.models.events import SessionType
from ingestion.services.bumpups import detect_for_event
from ingestion.services.fetching import (
    FRESH_FOR,
    OLD_EVENT_FRESH_FOR,
    YOUNG_EVENT,
    Budget,
    BudgetExhausted,
    HostRests,
    Page,
    budget_of,
    fetch_page,
    get_source,
    make_stale,
)
from ingestion.services.heat_sheets import import_heat_sheets
from ingestion.services.people import save_entry_list
from ingestion.services.saving import fail_race, save_event, save_race
from ingestion.services.tracks import is_page_trouble, know_track
from racecontrol.shared import audit, flags, jobs
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady, RaceError
from racecontrol.shared.progress import OnProgress, Progress, silent

log = structlog.get_logger(__name__)

USUAL_RACES = 40  # for a guess of the cost before the event page was seen
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


@dataclass(frozen=True, slots=True)
class Cost:
    """About how many requests an import will make, and what is left of the day for its track."""

    requests: int
    budget: Budget

    @property
    def warning(self) -> str:
        """What people are told before: empty while the day's budget has room enough."""
        if not self.budget.passes_warning(self.requests):
            return ""
        return (
            f"This import takes about {self.requests} requests; {self.budget.used_today} of "
            f"{self.budget.per_day} for {self.budget.name} are spent today. "
            + (
                "It will pause when they are spent and go on tomorrow."
                if self.requests > self.budget.left_today
                else "Little will be left for others."
            )
        )


def import_cost(*, track_slug: str, event: Event | None, refresh: bool = False) -> Cost:
    """What an import of the event would cost by what is known of it; `refresh` asks for every race."""
    races = list(event.races.all()) if event is not None else []
    moment = now()
    wanted = [race for race in races if refresh or _needs_fetch(race, moment)]
    pages = len(wanted) if races else USUAL_RACES
    return Cost(requests=pages + 2, budget=budget_of(track_slug))


class BudgetWarning(RaceError):
    """Whoever asked wants to know before a job strains the day's budget: nothing was queued."""

    code = "budget_warning"


def import_warnings(events: Iterable[Event], *, refresh: bool = False) -> list[str]:
    """One sentence per track whose budget the imports together would strain."""
    needed: dict[str, int] = {}
    for event in events:
        cost = import_cost(track_slug=event.track.slug, event=event, refresh=refresh)
        needed[event.track.slug] = needed.get(event.track.slug, 0) + cost.requests
    costs = [Cost(requests, budget_of(slug)) for slug, requests in needed.items()]
    return [cost.warning for cost in costs if cost.warning]


def refuse_if_warned(warnings: Iterable[str]) -> None:
    """Raises BudgetWarning with every warning there is."""
    if said := [warning for warning in warnings if warning]:
        raise BudgetWarning(" ".join(said))


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
    summary.event_id, summary.races = event.pk, len(saved.races)
    summary.missing += saved.missing
    if known and known.last_ingested_at and (saved.new or saved.changed or saved.missing):
        summary.has_drift = True
    wanted = [race for race in saved.races if _is_wanted(race, refresh=refresh, since=since)]
    done = summary.fetched + len(summary.failed)
    total = done + len(wanted)
    is_inferring = flags.is_on_for(by, flags.ENABLE_SESSION_TYPE_INFERENCE)
    first_main = min(
        (race.run_order for race in saved.races if race.main or race.final), default=None
    )
    is_lacking = any(race.state not in (Race.State.IMPORTED, Race.State.EMPTY) for race in wanted)
    _set_state(event, Event.State.PARTIAL if is_lacking else None)
    for place, race in enumerate(wanted, start=done):
        on_progress(Progress(place, total, race.label))
        _import_race(
            race, track, source, summary,
            is_inferring=is_inferring, first_main=first_main, refresh=refresh,
        )  # fmt: skip
    summary.skipped = len(saved.races) - total
    on_progress(Progress(total, total, "transponders"))
    if summary.fetched or not event.last_ingested_at:
        _import_entry_list(event, track, source, summary)
        on_progress(Progress(total, total, "heat sheets"))
        sheets = getattr(listing.contents, "heat_sheets", ())
        summary.notes += import_heat_sheets(event, track, sheets, source)
    _finish(event, track, summary, by)
    return summary


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


def _import_race(
    race: Race, track: Track, source: Source, summary: ImportSummary, *, is_inferring: bool,
    first_main: int | None, refresh: bool,
) -> None:  # fmt: skip
    """One race; a page that fails is that race's trouble, a spent budget is everybody's."""
    try:
        page = fetch_page(
            url_of(track.slug, kinds.race_path(race.source_race_id)),
            kind=kinds.RACE,
            budget=track.slug,
            cache_key=race_key(track.slug, race.source_race_id),
            source=source,
            force=refresh,
        )
        is_changed = save_race(
            race,
            page.contents,
            parsed_hash=page.stored.parsed_hash,
            is_inferring=is_inferring,
            first_main_order=first_main,
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
    return refresh or _needs_fetch(race, now())


def _needs_fetch(race: Race, moment: datetime) -> bool:
    """New, failed, emptied by the listing, or young enough that the club may still mend it."""
    if (
        race.fetched_at is None
        or race.state in (Race.State.LISTED, Race.State.FAILED)
        or race.failure
    ):
        return True
    if moment - race.fetched_at < FRESH_FOR[kinds.RACE]:
        return False
    if race.completed_at is None:
        return race.event.ends_on >= (moment - YOUNG_EVENT).date()
    return race.fetched_at - race.completed_at < YOUNG_EVENT


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
    first_main = (
        race.event.races.exclude(main="", final=None)
        .order_by("run_order")
        .values_list("run_order", flat=True)
        .first()
    )
    _import_race(
        race, track, source or get_source(), summary,
        is_inferring=flags.is_on_for(by, flags.ENABLE_SESSION_TYPE_INFERENCE),
        first_main=first_main, refresh=True,
    )  # fmt: skip
    if summary.failed:
        raise NotReady(summary.failed[0]["reason"])
    _finish(race.event, track, summary, by)
    return summary


@transaction.atomic
def override_session_type(*, race_id: int, session_type: str, by: Any) -> Race:
    """A person says what a session was; '' takes the word back. Survives every import.

    Bump-ups are found anew, and the rooms of AFTER_SESSION_TYPE hear of another kind of run.
    """
    if session_type and session_type not in SessionType.values:
        raise InvalidInput(
            "Not a session type.", fields={"session_type": ["Not one of the types."]}
        )
    race = Race.objects.select_for_update(of=("self",)).get(pk=race_id)
    before, kind_before = race.session_type_override, race.run_kind
    race.session_type_override, race.updated_at = session_type, now()
    race.save(update_fields=["session_type_override", "updated_at"])
    audit.record(
        by=by,
        verb="race.session_type_set",
        obj=race,
        before={"session_type": before or race.session_type},
        after={"session_type": session_type or race.session_type},
    )
    detect_for_event(race.event_id)  # practice is no main
    if race.run_kind != kind_before:
        for task in settings.AFTER_SESSION_TYPE:
            jobs.enqueue(task, race.pk, kind_before, owner=by, title=f"Scores of {race.label}")
    return race


def events_key(track_slug: str) -> str:
    return f"events:{track_slug}"


def event_key(track_slug: str, source_event_id: str) -> str:
    return f"event:{track_slug}:{source_event_id}"


def race_key(track_slug: str, source_race_id: str) -> str:
    return f"race:{track_slug}:{source_race_id}"
