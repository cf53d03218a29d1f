"""One search over everything the timing room knows: PostgreSQL's full text, forgiving slips.

Every word typed must begin a word of the name. A word nothing begins with is read as the known
words one or two slips away; if that finds nothing either, letters inside words count, too.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Model, Q, QuerySet

from ingestion.domain.labels import person_key
from ingestion.domain.spelling import likely_words, slips_allowed
from ingestion.models import Driver, DriverAlias, Event, Race, RaceClass, Track
from ingestion.models._search import CONFIG, words_of
from ingestion.queries.drivers import drivers, drivers_search
from ingestion.queries.tracks import tracks, tracks_search

MOST_OF_A_KIND = 8
MOST_WORDS = 6
_WORD = re.compile(r"[^\W_]+")
_INDEXED: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (Track, ("name", "slug", "city")),
    (Event, ("name",)),
    (RaceClass, ("name",)),
    (Driver, ("name",)),
    (DriverAlias, ("name",)),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """`kind` is track, event, practice_day, practice_session, class or driver; `id` is of that
    kind, for its page (a class leads to its event)."""

    kind: str
    id: int
    name: str
    detail: str


def search_everything(words: str, *, has_practice: bool = True) -> list[Hit]:
    """A few of each kind. Slips are forgiven only where the words as typed find nothing.

    Without `has_practice` (the feature is off) practice days, their classes and sessions stay out;
    archived days stay out anyway.
    """
    words = words.replace("\x00", "")  # PostgreSQL has no such letter
    terms = [word.casefold() for word in _WORD.findall(words)][:MOST_WORDS]
    if not terms:
        return []
    one_each = [[term] for term in terms]
    if hits := _found(one_each, number=words.strip()[:40], has_practice=has_practice):
        return hits
    meant = _meant(terms)
    if meant is not None and (hits := _found(meant, has_practice=has_practice)):
        return hits
    return _inside(words, has_practice=has_practice)


def _found(choices: list[list[str]], *, number: str = "", has_practice: bool = True) -> list[Hit]:
    """Names in which each list of alternatives has one that begins a word."""
    either = ["(" + " | ".join(f"{one}:*" for one in group) + ")" for group in choices]
    query = SearchQuery(" & ".join(either), search_type="raw", config=CONFIG)

    def those(rows: QuerySet, *fields: str) -> QuerySet:
        return rows.alias(_words=words_of(*fields)).filter(_words=query)

    aliases = those(DriverAlias.objects.all(), "name").values("driver_id")
    named = those(drivers(), "name").values("pk")
    people = Q(pk__in=named) | Q(pk__in=aliases)
    if number:
        people |= Q(transponders__number=number) | Q(source_driver_id=number)
    sessions = those(Race.objects.filter(source=Race.Source.PRACTICE), "label")
    return _as_hits(
        those(tracks(), "name", "slug", "city"),
        those(_events(has_practice), "name"),
        those(RaceClass.objects.filter(event__in=_events(has_practice)), "name"),
        drivers().filter(people).distinct(),
        sessions.filter(missing_since=None, state=Race.State.IMPORTED, event__in=_events(True))
        if has_practice
        else Race.objects.none(),
    )


def _events(has_practice: bool) -> QuerySet[Event]:
    shown = Event.objects.exclude(practice_day__archived_at__isnull=False)
    return shown if has_practice else shown.filter(kind=Event.Kind.RACE)


def _inside(words: str, *, has_practice: bool) -> list[Hit]:
    """Letters anywhere in the names; slow on large tables, so the last thing tried."""
    names = Q()
    for word in words.split()[:MOST_WORDS]:
        names &= Q(name__icontains=word)
    return _as_hits(
        tracks_search(words),
        _events(has_practice).filter(names),
        RaceClass.objects.filter(names, event__in=_events(has_practice)),
        drivers_search(person_key(words)),
        Race.objects.none(),
    )


def _meant(terms: list[str]) -> list[list[str]] | None:
    """For each word what it may stand for; None if one is like nothing we know."""
    lengths = [len(term) for term in terms if slips_allowed(term)]
    if not lengths:
        return None
    known = known_words(shortest=min(lengths) - 2, longest=max(lengths) + 2)
    groups = []
    for term in terms:
        group = [term] if any(word.startswith(term) for word in known) else []
        group = group or likely_words(term, known) or ([] if slips_allowed(term) else [term])
        if not group:
            return None
        groups.append(group)
    return groups


def known_words(*, shortest: int, longest: int) -> list[str]:
    """The words of all names with so many letters, by PostgreSQL's own statistics of the text."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for model, fields in _INDEXED:
            rows = model._default_manager.annotate(_words=words_of(*fields)).values("_words")
            text = rows.order_by().query.sql_with_params()
            cursor.execute(
                "SELECT word FROM ts_stat(%s) WHERE length(word) BETWEEN %s AND %s",
                [connection.ops.compose_sql(*text), shortest, longest],
            )
            found.update(word for (word,) in cursor.fetchall())
    return sorted(found)


def _as_hits(
    found_tracks: QuerySet[Track],
    events: QuerySet[Event],
    classes: QuerySet[RaceClass],
    people: QuerySet[Driver],
    sessions: QuerySet[Race],
) -> list[Hit]:
    hits = [
        Hit("track", track.pk, track.name, ", ".join(filter(None, [track.city, track.country])))
        for track in found_tracks.order_by("name", "pk")[:MOST_OF_A_KIND]
    ]
    newest = events.select_related("track").order_by("-starts_on", "-pk")[:MOST_OF_A_KIND]
    hits += [
        Hit(
            "event" if event.kind == Event.Kind.RACE else "practice_day",
            event.pk,
            event.name,
            f"{event.track.name}, {event.starts_on:%d %b %Y}",
        )
        for event in newest
    ]
    hits += [
        Hit("class", one.event_id, one.name, f"{one.event.name}, {one.event.track.name}")
        for one in _newest(classes.select_related("event__track"), "event__starts_on")
    ]
    hits += [
        Hit("driver", one.pk, one.name, "")
        for one in people.order_by("name", "pk")[:MOST_OF_A_KIND]
    ]
    hits += [
        Hit("practice_session", one.pk, one.label, f"{one.event.name}, {one.event.track.name}")
        for one in _newest(sessions.select_related("event__track"), "event__starts_on")
    ]
    return hits


def _newest(rows: QuerySet, field: str) -> Iterable:
    return rows.order_by(f"-{field}", "-pk")[:MOST_OF_A_KIND]
