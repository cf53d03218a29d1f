"""What the search over everything finds in timing, which every signed-in person may see."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from ingestion.models import Driver, Event, Race, RaceClass, Track
from ingestion.queries.search import rows_that_fit
from racecontrol.shared import flags
from racecontrol.shared.names import format_name
from racecontrol.shared.search import Group, Hit, Question, group_of


def timing(request: HttpRequest, question: Question) -> Iterator[Group]:
    """Tracks, events, practice days, drivers, races, practice sessions and classes."""
    has_practice = flags.is_open(request, flags.ENABLE_PRACTICE_DAYS)
    rows = rows_that_fit(question, has_practice=has_practice)
    if rows is None:
        return

    def group(kind: str, title: str, icon: str, found: Any, hit: Any, more: str = "") -> Any:
        url = question.listed(more) if more and not question.is_forgiving else ""
        return group_of(question, kind, title, icon, found, hit, url)

    yield from group("track", "Tracks", "map-pin", rows.tracks, _track, "ingestion:tracks")
    yield from group("event", "Events", "flag", rows.events, _event, "ingestion:home")
    yield from group("driver", "Drivers", "user", rows.drivers, _driver, "ingestion:drivers")
    if has_practice:
        yield from group(
            "practice_day",
            "Practice days",
            "calendar-days",
            rows.practice_days,
            _practice_day,
            "ingestion:practice",
        )
    yield from group("race", "Races", "timer", rows.races, _race)
    if has_practice:
        yield from group(
            "practice_session",
            "Practice sessions",
            "timer-reset",
            rows.practice_sessions,
            _practice_session,
        )
    yield from group("class", "Classes", "layers", rows.classes, _class)


def _track(row: Track) -> Hit:
    place = ", ".join(filter(None, [row.city, row.country]))
    return Hit("track", row.pk, row.name, place, reverse("ingestion:track", args=[row.pk]))


def _event(row: Event) -> Hit:
    return Hit("event", row.pk, row.name, _where(row), reverse("ingestion:event", args=[row.pk]))


def _practice_day(row: Event) -> Hit:
    url = reverse("ingestion:practice-day", args=[row.pk])
    # the name of a practice day says track and day already
    return Hit("practice_day", row.pk, row.name, row.track.city, url)


def _driver(row: Driver) -> Hit:
    number = f"LiveRC {row.source_driver_id}" if row.source_driver_id else ""
    url = reverse("ingestion:driver", args=[row.pk])
    return Hit("driver", row.pk, format_name(row.name), number, url)


def _race(row: Race) -> Hit:
    url = reverse("ingestion:race", args=[row.pk])
    return Hit("race", row.pk, row.label, f"{row.event.name}, {_where(row.event)}", url)


def _practice_session(row: Race) -> Hit:
    url = reverse("ingestion:practice-session", args=[row.pk])
    return Hit("practice_session", row.pk, row.label, row.event.name, url)


def _class(row: RaceClass) -> Hit:
    """A class leads to its event, whose id it gives."""
    url = f"{reverse('ingestion:event', args=[row.event_id])}?class={row.pk}"
    return Hit("class", row.event_id, row.name, f"{row.event.name}, {_where(row.event)}", url)


def _where(event: Event) -> str:
    return f"{event.track.name}, {event.starts_on:%-d %b %Y}"
