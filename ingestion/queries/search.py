"""What of timing fits the words somebody typed: PostgreSQL's full text, forgiving slips.

Every word typed must begin a word of the name. A word nothing begins with may be read as the known
words one or two slips away; if that finds nothing either, letters inside words count, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import F, Model, Q, QuerySet

from ingestion.domain.spelling import likely_words, slips_allowed
from ingestion.models import Driver, DriverAlias, Event, Race, RaceClass, Track
from ingestion.queries.drivers import drivers, drivers_search, ids_carrying, ids_named
from ingestion.queries.tracks import TRACK_NAMES, tracks, tracks_search
from racecontrol.shared.search import MOST_WORDS, Question, beginning_with, words_of

PARENTS = 20  # events and tracks that may share the words with what belongs to them
NEWEST_EVENTS = 12  # whose races are found by their label alone
MOST_CLASSES = 300
_INDEXED: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (Track, TRACK_NAMES),
    (Event, ("name",)),
    (RaceClass, ("name",)),
    (Driver, ("name",)),
    (DriverAlias, ("name",)),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """What fits, by kind and in order, not fetched yet."""

    tracks: QuerySet[Track]
    events: QuerySet[Event]
    practice_days: QuerySet[Event]
    drivers: QuerySet[Driver]
    races: QuerySet[Race]
    practice_sessions: QuerySet[Race]
    classes: QuerySet[RaceClass]

    def any(self) -> bool:
        return any(getattr(self, one.name).exists() for one in fields(self))


def rows_that_fit(question: Question, *, has_practice: bool) -> Rows | None:
    """Timing data that fits; None where nothing can.

    Without `has_practice` (the feature is off) practice days, their classes and sessions stay out;
    archived days stay out anyway.
    """
    if not question.is_forgiving:
        choices = [[term] for term in question.terms]
        return _beginning(question, choices, has_practice=has_practice) if choices else None
    meant = _meant(question.terms)
    if meant is not None:
        rows = _beginning(question, meant, has_practice=has_practice)
        if rows.any():
            return rows
    return _inside(question, has_practice=has_practice)


def _beginning(question: Question, choices: list[list[str]], *, has_practice: bool) -> Rows:
    """Names in which each list of alternatives has one that begins a word."""
    query = beginning_with(choices)

    def those(rows: QuerySet, *names: str) -> QuerySet:
        return rows.alias(_words=words_of(*names)).filter(_words=query)

    newest = _newest_events()
    at_tracks = _shared_with(tracks().order_by("name"), question.terms, *TRACK_NAMES)
    events = _shown(Event.objects.alias(_words=words_of("name")), has_practice=has_practice)
    events = events.filter(Q(_words=query) | _together("track_id", at_tracks))
    sessions = those(Race.objects.filter(source=Race.Source.PRACTICE), "label")
    sessions = sessions.filter(missing_since=None, state=Race.State.IMPORTED)
    sessions = _shown(sessions, "event__") if has_practice else sessions.none()
    return _in_order(
        question,
        those(tracks(), *TRACK_NAMES),
        events,
        drivers().filter(pk__in=ids_named(query).union(ids_carrying(question.words))),
        _races(question, query, newest),
        sessions,
        _shown(_classes(query, newest), "event__", has_practice=has_practice),
    )


def _newest_events() -> list[int]:
    """Ids of the events that were run last."""
    run = Event.objects.filter(kind=Event.Kind.RACE, state=Event.State.IMPORTED)
    return list(run.order_by("-starts_on", "-pk").values_list("pk", flat=True)[:NEWEST_EVENTS])


def _classes(query: SearchQuery, newest: list[int]) -> QuerySet[RaceClass]:
    """Classes of the newest events, and as many others as are worth sorting. Their ids are fetched
    first: joined to their events at once, the planner would walk through all events there are."""
    named = RaceClass.objects.alias(_words=words_of("name")).filter(_words=query).order_by()
    ids = named.values_list("pk", flat=True)
    return RaceClass.objects.filter(pk__in=[*ids.filter(event__in=newest), *ids[:MOST_CLASSES]])


def _races(question: Question, query: SearchQuery, newest: list[int]) -> QuerySet[Race]:
    """Races by words of their event and their label together ("spring cup a-main"), and those of
    the newest events by their label alone. Never all labels there are: most are called A-Main."""
    held = Event.objects.filter(kind=Event.Kind.RACE)
    in_events = _shared_with(held.order_by("-starts_on", "-pk"), question.terms, "name")
    in_events.pop((), None)  # every word is the event's: it stands among the events
    races = Race.objects.filter(source=Race.Source.RACE, missing_since=None)
    races = races.alias(_words=words_of("label"))
    return races.filter(Q(event_id__in=newest, _words=query) | _together("event_id", in_events))


def _shared_with(
    parents: QuerySet, terms: tuple[str, ...], *names: str
) -> dict[tuple[str, ...], list[int]]:
    """Parents that hold some of the words: the words left for what belongs to them -> their ids."""
    telling = [term for term in terms if len(term) > 1]
    if not telling:
        return {}
    query = beginning_with([telling])
    order = parents.query.order_by
    found = (
        parents.alias(_words=words_of(*names))
        .filter(_words=query)
        .annotate(rank=SearchRank(F("_words"), query))
        .order_by("-rank", *order)[:PARENTS]
    )
    shared: dict[tuple[str, ...], list[int]] = {}
    for row in found:
        text = " ".join(getattr(row, name) for name in names)
        left = tuple(t for t in terms if not Question.of(t).fits(text))
        if len(left) < len(terms):
            shared.setdefault(left, []).append(row.pk)
    return shared


def _together(parent: str, shared: dict[tuple[str, ...], list[int]]) -> Q:
    """Rows of those parents (`track_id`, `event_id`) that hold the words the parent left over."""
    fitting = Q(pk__in=[])
    for left, ids in shared.items():
        one = Q(**{f"{parent}__in": ids})
        fitting |= one & Q(_words=beginning_with([term] for term in left)) if left else one
    return fitting


def _shown(rows: QuerySet, event: str = "", *, has_practice: bool = True) -> QuerySet:
    """Without archived days; without practice where it is off. `event` leads from a row to it."""
    rows = rows.exclude(**{f"{event}practice_day__archived_at__isnull": False})
    return rows if has_practice else rows.filter(**{f"{event}kind": Event.Kind.RACE})


def _inside(question: Question, *, has_practice: bool) -> Rows:
    """Letters anywhere in the names; slow on large tables, so the last thing tried."""
    names = Q()
    for word in question.words.split()[:MOST_WORDS]:
        names &= Q(name__icontains=word)
    return _in_order(
        question,
        tracks_search(question.words),
        _shown(Event.objects.filter(names), has_practice=has_practice),
        drivers_search(question.words),
        Race.objects.none(),
        Race.objects.none(),
        _shown(RaceClass.objects.filter(names), "event__", has_practice=has_practice),
    )


def _in_order(
    question: Question,
    found_tracks: QuerySet[Track],
    events: QuerySet[Event],
    people: QuerySet[Driver],
    races: QuerySet[Race],
    sessions: QuerySet[Race],
    classes: QuerySet[RaceClass],
) -> Rows:
    """Whole names first, then names that begin so; events and races newest first, others by name."""
    nearest = question.nearest_first("name")
    events = events.select_related("track").order_by(nearest, "-starts_on", "-pk")
    of_event = ("-event__starts_on", "-pk")
    return Rows(
        tracks=found_tracks.order_by(nearest, "name", "pk"),
        events=events.filter(kind=Event.Kind.RACE),
        practice_days=events.filter(kind=Event.Kind.PRACTICE_DAY),
        drivers=people.annotate(_near=nearest).order_by("_near", "name", "pk"),
        races=races.select_related("event__track").order_by(
            "-event__starts_on", "-run_order", "-pk"
        ),
        practice_sessions=sessions.select_related("event__track").order_by(*of_event),
        classes=classes.select_related("event__track").order_by(nearest, *of_event),
    )


def _meant(terms: Iterable[str]) -> list[list[str]] | None:
    """For each word what it may stand for; None if one is like nothing we know."""
    terms = list(terms)
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
        for model, names in _INDEXED:
            rows = model._default_manager.annotate(_words=words_of(*names)).values("_words")
            text = rows.order_by().query.sql_with_params()
            cursor.execute(
                "SELECT word FROM ts_stat(%s) WHERE length(word) BETWEEN %s AND %s",
                [connection.ops.compose_sql(*text), shortest, longest],
            )
            found.update(word for (word,) in cursor.fetchall())
    return sorted(found)
