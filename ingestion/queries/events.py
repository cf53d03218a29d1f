"""Events: found by track, day and words, and looked at as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from ingestion.models import Event, Race, RaceClass, RaceResult
from ingestion.models.events import SessionType
from racecontrol.shared.search import among, terms_of

FEWEST_LAPS_FOR_CONSISTENCY = 8


def events() -> QuerySet[Event]:
    return Event.objects.select_related("track")


def search_events(
    *,
    track: str = "",
    first_day: date | None = None,
    last_day: date | None = None,
    words: str = "",
    kind: Any = Event.Kind.RACE,
) -> QuerySet[Event]:
    """Events of a track (slug) that touch the given local days and hold every word in their name or
    their track's (accents or not).

    With the number of their races as `race_count` and of those read as `imported_count`.
    """
    found = events().filter(kind=kind)
    if track:
        found = found.filter(track__slug__iexact=track)
    if first_day:
        found = found.filter(ends_on__gte=first_day)
    if last_day:
        found = found.filter(starts_on__lte=last_day)
    letters = Q()
    for word in words.split()[:8]:
        letters &= Q(name__icontains=word) | Q(track__name__icontains=word)
    if letters:
        named = among(Event.objects.all(), terms_of(words), "name")
        found = found.filter(letters | Q(pk__in=named.values("pk")))
    standing = Q(races__missing_since=None)
    return found.annotate(
        race_count=Count("races", filter=standing),
        imported_count=Count("races", filter=standing & Q(races__state=Race.State.IMPORTED)),
    )


def coming_at_favourites(user: Any, today: date) -> QuerySet[Event]:
    """Race events from today on at the tracks a person likes, soonest first."""
    coming = events().filter(kind=Event.Kind.RACE, ends_on__gte=today, missing_since=None)
    return coming.filter(track__favourites__user=user).order_by("starts_on", "pk")


@dataclass(slots=True)
class ClassFacts:
    """One class of an event: who won, who was first on the grid, who was fastest and steadiest."""

    race_class: RaceClass
    races: int = 0
    entries: set[int] = field(default_factory=set)
    winners: list[tuple[Race, RaceResult]] = field(default_factory=list)
    top_qualifier: RaceResult | None = None
    fastest: RaceResult | None = None
    most_consistent: RaceResult | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """An event's races by round (newest first) and its classes."""

    races: list[Race]
    rounds: list[tuple[str, list[Race]]]
    classes: list[ClassFacts]
    winners: dict[int, RaceResult]
    laps: int
    drivers: int


def event_facts(event: Event, *, class_id: int | None = None, session_type: str = "") -> EventFacts:
    """Everything an event page shows, in two queries whatever its size.

    Filters narrow the list of races; the classes are always told of the whole event.
    """
    races = list(
        Race.objects.filter(event=event).select_related("race_class").order_by("-run_order", "pk")
    )
    for race in races:
        race.event = event
    by_race: dict[int, list[RaceResult]] = {}
    results = RaceResult.objects.filter(
        race__event=event, race__missing_since=None, missing_since=None
    )
    for result in results.select_related("driver").order_by("race_id", "position"):
        by_race.setdefault(result.race_id, []).append(result)
    classes = _classes(races, by_race)
    shown = [
        race
        for race in races
        if (class_id is None or race.race_class_id == class_id)
        and (not session_type or race.kind == session_type)
    ]
    rounds: dict[str, list[Race]] = {}
    for race in shown:
        rounds.setdefault(race.round_label or "Races", []).append(race)
    everybody = {row.driver_id for rows in by_race.values() for row in rows}
    return EventFacts(
        races=shown,
        rounds=list(rounds.items()),
        classes=classes,
        winners={race_id: rows[0] for race_id, rows in by_race.items() if rows[0].position == 1},
        laps=sum(row.laps for rows in by_race.values() for row in rows),
        drivers=len(everybody),
    )


def _classes(races: Iterable[Race], by_race: dict[int, list[RaceResult]]) -> list[ClassFacts]:
    found: dict[int, ClassFacts] = {}
    for race in races:
        if race.missing_since:
            continue
        facts = found.setdefault(race.race_class_id, ClassFacts(race.race_class))
        facts.races += 1
        for row in by_race.get(race.pk, ()):
            facts.entries.add(row.driver_id)
            facts.fastest = _less(facts.fastest, row, "fast_lap_ms")
            if row.laps >= FEWEST_LAPS_FOR_CONSISTENCY and race.kind == SessionType.RACE:
                facts.most_consistent = _more(facts.most_consistent, row, "consistency_pct")
            if race.main == "A" and row.position == 1:
                facts.winners.insert(0, (race, row))
            if race.main == "A" and row.qual == 1:
                facts.top_qualifier = row
    return sorted(found.values(), key=lambda facts: facts.race_class.name.casefold())


def _less(best: RaceResult | None, row: RaceResult, name: str) -> RaceResult | None:
    value = getattr(row, name)
    return row if value is not None and (best is None or value < getattr(best, name)) else best


def _more(best: RaceResult | None, row: RaceResult, name: str) -> RaceResult | None:
    value = getattr(row, name)
    return row if value is not None and (best is None or value > getattr(best, name)) else best
