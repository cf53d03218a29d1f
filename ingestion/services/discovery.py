"""What LiveRC has of a track, beside what is here already."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.timezone import now

from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Source, url_of
from ingestion.liverc.errors import BotCheck
from ingestion.liverc.pages.events import EventsPage, ListedEvent
from ingestion.models import Event, StoredPage, Track
from ingestion.services.fetching import BudgetExhausted, HostRests, fetch_page
from ingestion.services.imports import events_key
from ingestion.services.tracks import is_page_trouble, know_track
from racecontrol.shared.errors import InvalidInput, RaceError

MOST_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Discovery:
    """Events of a range of days. `failures` says what could not be asked, and why."""

    track: Track
    events: list[Event]
    failures: list[dict[str, str]]


def check_range(first_day: date | None, last_day: date | None) -> tuple[date, date]:
    """Both days, in order, at most three months apart. Raises InvalidInput by field."""
    missing = {
        name: ["Say which days."]
        for name, value in (("from", first_day), ("to", last_day))
        if value is None
    }
    if missing or first_day is None or last_day is None:
        raise InvalidInput("Looking at LiveRC needs a first and a last day.", fields=missing)
    if last_day < first_day:
        raise InvalidInput(
            "The last day is before the first.", fields={"to": ["Before the first day."]}
        )
    months = (last_day.year - first_day.year) * 12 + last_day.month - first_day.month
    if months > MOST_MONTHS or (months == MOST_MONTHS and last_day.day > first_day.day):
        raise InvalidInput(
            f"At most {MOST_MONTHS} months at a time.",
            fields={"to": [f"More than {MOST_MONTHS} months after the first day."]},
        )
    return first_day, last_day


def discover_events(
    *,
    track_slug: str,
    first_day: date | None,
    last_day: date | None,
    source: Source | None = None,
) -> Discovery:
    """Ask LiveRC for a track's events (one request an hour at most) and note them as listed.

    When the list cannot be had now, the last one that was stored answers, and `failures` says so.
    """
    first_day, last_day = check_range(first_day, last_day)
    track = know_track(track_slug, source=source)
    failures: list[dict[str, str]] = []
    try:
        page = fetch_page(
            url_of(track.slug, kinds.events_path()),
            kind=kinds.EVENTS,
            budget=track.slug,
            cache_key=events_key(track.slug),
            source=source,
        )
        save_listed(track, page.contents)
    except RaceError as refusal:
        if not (
            is_page_trouble(refusal) or isinstance(refusal, BudgetExhausted | HostRests | BotCheck)
        ):
            raise
        failures.append({"page": "events list", "reason": str(refusal)})
        stored = _last_list(track)
        if stored is not None:
            failures[0]["reason"] += f" Shown is the list of {stored.checked_at:%d %b %H:%M} UTC."
    events = Event.objects.select_related("track").filter(
        track=track, kind=Event.Kind.RACE, starts_on__lte=last_day, ends_on__gte=first_day
    )
    return Discovery(
        track=track, events=list(events.order_by("-starts_on", "-pk")), failures=failures
    )


def _last_list(track: Track) -> StoredPage | None:
    return (
        StoredPage.objects.filter(cache_key=events_key(track.slug), status=200)
        .exclude(parsed_hash="")
        .order_by("-checked_at")
        .first()
    )


@transaction.atomic
def save_listed(track: Track, page: EventsPage) -> dict[str, int]:
    """Note a track's events; those LiveRC no longer lists are marked, and come back when it does."""
    moment = now()
    known = {
        event.source_event_id: event
        for event in Event.objects.select_for_update().filter(track=track, kind=Event.Kind.RACE)
    }
    new, changed, seen = [], [], set()
    for row in page.events:
        if row.event_id in seen:
            continue
        seen.add(row.event_id)
        event = known.get(row.event_id)
        values = _listed_values(row)
        if event is None:
            new.append(
                Event(track=track, source_event_id=row.event_id, timezone=track.timezone, **values)
            )
        elif event.missing_since or any(getattr(event, name) != values[name] for name in values):
            for name, value in values.items():
                setattr(event, name, value)
            event.missing_since, event.updated_at = None, moment
            changed.append(event)
    # An id is unique on the whole platform; one that stands under another track stays there.
    Event.objects.bulk_create(new, ignore_conflicts=True)
    Event.objects.bulk_update(changed, [*_FIELDS, "missing_since", "updated_at"])
    gone = [event.pk for event_id, event in known.items() if event_id not in seen]
    missing = Event.objects.filter(pk__in=gone, missing_since=None).update(
        missing_since=moment, updated_at=moment
    )
    return {"listed": len(seen), "new": len(new), "changed": len(changed), "missing": missing}


_FIELDS = ("name", "starts_on", "ends_on", "declared_entries", "declared_drivers")


def _listed_values(row: ListedEvent) -> dict:
    return {
        "name": row.name[:300],
        "starts_on": row.days.start,
        "ends_on": max(row.days.start, row.days.end),
        "declared_entries": row.entries,
        "declared_drivers": row.drivers,
    }
