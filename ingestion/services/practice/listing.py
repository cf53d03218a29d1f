"""A day's overview: fetched page by page, compared with what is here, and taken into the tables."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from ingestion.domain.labels import class_key
from ingestion.domain.practice import day_id, day_name, start_moments
from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Source, url_of
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import clock
from ingestion.liverc.pages.practice_day import DayStats, ListedSession
from ingestion.models import Event, PracticeDay, PracticeDrift, PracticeSession, Race, Track
from ingestion.services.fetching import Page, fetch_page
from ingestion.services.practice.figures import refresh_figures
from ingestion.services.practice.runs import Tally

MOST_PAGES = 40
BIGGEST = 2_147_483_647
_COMPARED = (
    "driver_name", "class_name", "transponder", "started_at",
    "laps", "length_ms", "fast_lap_ms", "avg_lap_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listing:
    """Every page of one day's overview put together."""

    day: date
    rows: tuple[ListedSession, ...]
    stats: DayStats | None
    hash: str


@dataclass(slots=True)
class Difference:
    """What a listing says other than our rows, by session id."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.removed)

    def of(self, session_ids: set[str]) -> "Difference":
        """The part of it that is about these sessions."""
        return Difference(
            *([one for one in ids if one in session_ids] for ids in self.as_dict().values())
        )

    def as_dict(self) -> dict[str, list[str]]:
        return {"new": self.new, "changed": self.changed, "removed": self.removed}


def month_key(slug: str, month: str) -> str:
    return f"practice:month:{slug}:{month}"


def day_key(slug: str, day: date) -> str:
    return f"practice:day:{slug}:{day.isoformat()}"


def session_key(slug: str, session_id: str) -> str:
    return f"practice:session:{slug}:{session_id}"


def pages_of(
    track: Track, path: str, *, kind: str, cache_key: str, tally: Tally, source: Source | None,
    force: bool,
) -> list[Page]:  # fmt: skip
    """Every page of a list that may have several: follows 'next' while it leads somewhere new."""
    found: list[Page] = []
    asked: set[str] = set()
    while path not in asked:
        if len(found) == MOST_PAGES:
            raise UnexpectedPage(page=kind, selector="a[rel=next]", why="leads on and on")
        asked.add(path)
        page = fetch_page(
            url_of(track.slug, path), kind=kind, budget=track.slug, cache_key=cache_key,
            source=source, force=force, since=tally.since,
        )  # fmt: skip
        found.append(tally.note(page))
        if page.contents.next_query:
            path = f"/practice/?{page.contents.next_query}"
    return found


def read_listing(
    track: Track, day: date, *, tally: Tally, source: Source | None = None, force: bool = False
) -> Listing:
    """The overview of a day. Raises what stopped it (see `fetch_page`)."""
    pages = pages_of(
        track, kinds.practice_day_path(day.isoformat()), kind=kinds.PRACTICE_DAY,
        cache_key=day_key(track.slug, day), tally=tally, source=source, force=force,
    )  # fmt: skip
    contents = [page.contents for page in pages]
    if contents[0].date not in (None, day):
        raise UnexpectedPage(
            page=kinds.PRACTICE_DAY,
            selector="h5.page-header",
            why=f"is about {contents[0].date}, not {day}",
        )
    rows = {row.session_id: row for page in reversed(contents) for row in page.sessions}
    for row in rows.values():
        _refuse_nonsense(row)
    hashes = [page.stored.parsed_hash for page in pages]
    return Listing(
        day=day,
        rows=tuple(rows.values()),
        stats=next((page.stats for page in contents if page.stats), None),
        hash=hashes[0]
        if len(hashes) == 1
        else hashlib.sha256("".join(hashes).encode()).hexdigest(),
    )


def _refuse_nonsense(row: ListedSession) -> None:
    numbers = (row.laps, (row.length_s or 0) * 1000, row.fast_ms or 0, row.avg_ms or 0)
    if max(numbers) > BIGGEST or len(row.session_id) > 40:
        raise UnexpectedPage(
            page=kinds.PRACTICE_DAY,
            selector="table.practice_session_list tbody tr",
            why="holds a number that is out of range",
            excerpt=f"{row.session_id} {row.driver_name}",
        )


# -- our rows


def values_of(listing: Listing, zone: Any) -> dict[str, dict[str, Any]]:
    """Session id -> the columns the listing fills. Texts are cut to what the columns hold."""
    moments = start_moments(((row.session_id, row.start_local) for row in listing.rows), zone)
    return {
        row.session_id: {
            "driver_name": row.driver_name[:200],
            "class_name": row.class_name[:200],
            "class_key": class_key(row.class_name)[:200],
            "transponder": (row.transponder or "")[:20],
            "started_at": moments[row.session_id],
            "laps": row.laps,
            "length_ms": row.length_s * 1000 if row.length_s is not None else None,
            "fast_lap_ms": row.fast_ms,
            "avg_lap_ms": row.avg_ms,
            "listed_on": listing.day,
        }
        for row in listing.rows
    }


def compare(listing: Listing, track: Track) -> Difference:
    """What LiveRC lists under this day other than our rows; writes nothing."""
    known = _known(listing, track)
    difference = Difference()
    values = values_of(listing, track.zone)
    for session_id, said in values.items():
        row = known.get(session_id)
        if row is None or row.missing_since:
            difference.new.append(session_id)
        elif any(said[name] not in (None, "", getattr(row, name)) for name in _COMPARED):
            difference.changed.append(session_id)
    difference.removed = [
        session_id
        for session_id, row in known.items()
        if session_id not in values and row.missing_since is None and row.listed_on == listing.day
    ]
    return difference


def _known(listing: Listing, track: Track) -> dict[str, PracticeSession]:
    listed = PracticeSession.objects.filter(
        source_session_id__in=[row.session_id for row in listing.rows]
    )
    under = PracticeSession.objects.filter(event__track=track, listed_on=listing.day)
    return {row.source_session_id: row for row in (listed | under).select_related("race", "event")}


def event_of_day(track: Track, day: date) -> Event:
    """The day's event with its table of figures, made where unknown."""
    event, _ = Event.objects.get_or_create(
        source_event_id=day_id(track.slug, day),
        defaults={
            "track": track,
            "kind": Event.Kind.PRACTICE_DAY,
            "name": day_name(track.name, day)[:300],
            "starts_on": day,
            "ends_on": day,
            "timezone": track.timezone,
        },
    )
    PracticeDay.objects.get_or_create(event=event)
    return event


@transaction.atomic
def take_listing(listing: Listing, track: Track) -> Difference:
    """Write what the overview says; the same overview twice changes nothing.

    A session goes to the day it began on, whichever overview shows it. One that is gone is marked,
    never deleted; nothing known is overwritten with nothing. Days imported before get their drift.
    """
    difference = compare(listing, track)
    moment = now()
    known = _known(listing, track)
    touched: dict[date, Event] = {}
    values = values_of(listing, track.zone)
    own_day = {
        session_id: row.start_local.date() if row.start_local else listing.day
        for session_id, row in ((row.session_id, row) for row in listing.rows)
    }
    for day in sorted({*own_day.values(), *({listing.day} if difference.removed else ())}):
        touched[day] = event_of_day(track, day)
    locked = {
        event.pk: event
        for event in Event.objects.select_for_update(of=("self",))
        .filter(pk__in=[event.pk for event in touched.values()])
        .order_by("pk")
    }
    new = []
    left: dict[int, Event] = {}
    for session_id, said in values.items():
        event = locked[touched[own_day[session_id]].pk]
        row = known.get(session_id)
        if row is None:
            new.append(PracticeSession(event=event, source_session_id=session_id, **said))
        elif session_id in difference.changed or session_id in difference.new:
            left[row.event_id] = row.event
            _change(row, said, event, moment)
    PracticeSession.objects.bulk_create(new, ignore_conflicts=True)
    _mark_removed([known[session_id] for session_id in difference.removed], moment)
    for day, event in touched.items():
        theirs = difference.of(
            {one for one, its_day in own_day.items() if its_day == day}
            | {one for one in difference.removed if known[one].event_id == event.pk}
        )
        _note(locked[event.pk], listing if day == listing.day else None, theirs, moment)
    for event in left.values():
        if event.pk not in locked:  # a session moved away from it: its start was put right
            refresh_figures(event)
    return difference


def _change(row: PracticeSession, said: dict[str, Any], event: Event, moment: datetime) -> None:
    """Nothing known is overwritten with nothing. An imported session is to be looked at again."""
    for name, value in said.items():
        if value not in (None, ""):
            setattr(row, name, value)
    row.event, row.missing_since, row.updated_at = event, None, moment
    row.save()
    if row.race is not None:
        Race.objects.filter(pk=row.race.pk).update(
            event=event, fetched_at=None, missing_since=None, updated_at=moment
        )


def _mark_removed(rows: Iterable[PracticeSession], moment: datetime) -> None:
    for row in rows:
        PracticeSession.objects.filter(pk=row.pk).update(missing_since=moment, updated_at=moment)
        if row.race is not None:
            Race.objects.filter(pk=row.race.pk).update(missing_since=moment, updated_at=moment)


def _note(event: Event, listing: Listing | None, difference: Difference, moment: datetime) -> None:
    """LiveRC's own figures, the drift, and the day's figures anew."""
    day = PracticeDay.objects.select_for_update(of=("self",)).get(event=event)
    if listing is not None:
        said = _figures_said(listing, event)
        if event.last_ingested_at and not difference and day.listing_hash not in ("", listing.hash):
            _note_words(event, moment)
        changed = {name: value for name, value in said.items() if getattr(day, name) != value}
        if changed:
            PracticeDay.objects.filter(pk=day.pk).update(updated_at=moment, **changed)
        PracticeDay.objects.filter(pk=day.pk).update(checked_at=moment)
        gone = not listing.rows
        if gone != bool(event.missing_since):
            Event.objects.filter(pk=event.pk).update(
                missing_since=moment if gone else None, updated_at=moment
            )
    if event.last_ingested_at is not None and difference:
        note_drift(event, difference, moment)
    refresh_figures(event)


def _figures_said(listing: Listing, event: Event) -> dict[str, Any]:
    """What LiveRC counts itself; what it does not say now stays as it was said before."""
    said: dict[str, Any] = {"source_sessions": len(listing.rows), "listing_hash": listing.hash}
    if (stats := listing.stats) is not None:
        seconds = stats.track_time_s
        said |= {
            "source_total_laps": stats.total_laps,
            "source_track_time_ms": seconds * 1000 if seconds is not None else None,
            "source_unique_drivers": stats.unique_drivers,
            "source_unique_classes": stats.unique_classes,
            "source_first_started_at": _moment(stats.first_session, listing, event, min),
            "source_last_started_at": _moment(stats.last_session, listing, event, max),
        }
    return {name: value for name, value in said.items() if value is not None}


def _moment(text: str | None, listing: Listing, event: Event, pick: Any) -> datetime | None:
    """'10:58:33am' of the stats panel: the listed session that began at that very second, else the clock."""
    if not text:
        return None
    try:
        local = clock(text, listing.day)
    except ValueError:
        return None
    moments = start_moments(((row.session_id, row.start_local) for row in listing.rows), event.zone)
    same = [
        moment
        for row in listing.rows
        if row.start_local and row.start_local.time() == local.time()
        and (moment := moments[row.session_id])
    ]  # fmt: skip
    return pick(same) if same else start_moments([("0", local)], event.zone)["0"]


def note_drift(event: Event, difference: Difference, moment: datetime) -> None:
    """One open drift per day, which grows until an import settles it."""
    drift, is_new = PracticeDrift.objects.get_or_create(
        event=event,
        settled_at=None,
        defaults={"found_at": moment, "ingested_at": event.last_ingested_at},
    )
    known = {name: set(ids) for name, ids in drift.session_ids.items()}
    said = {name: known.get(name, set()) | set(ids) for name, ids in difference.as_dict().items()}
    drift.session_ids = {name: sorted(ids) for name, ids in said.items()}
    drift.new, drift.removed, drift.changed = (
        len(said["new"]), len(said["removed"]), len(said["changed"]),
    )  # fmt: skip
    drift.save()
    PracticeDay.objects.filter(event=event).update(has_drift=True)
    if is_new:
        Event.objects.filter(pk=event.pk).update(drifted_at=moment)


def _note_words(event: Event, moment: datetime) -> None:
    """The overview says something else of the same sessions: LiveRC's own figures, taken in at once."""
    PracticeDrift.objects.create(
        event=event, found_at=moment, ingested_at=event.last_ingested_at, settled_at=moment
    )
    Event.objects.filter(pk=event.pk).update(drifted_at=moment)


def settle_drift(event: Event, moment: datetime) -> None:
    """The day's rows say what LiveRC says again."""
    PracticeDrift.objects.filter(event=event, settled_at=None).update(settled_at=moment)
    PracticeDay.objects.filter(event=event, has_drift=True).update(has_drift=False)
