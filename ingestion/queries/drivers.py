"""Drivers: found by name or number, with their races, bests and trend."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, F, Min, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils.module_loading import import_string

from ingestion.domain.labels import person_key
from ingestion.models import Driver, DriverAlias, DriverTransponder, Race, RaceResult
from racecontrol.shared.search import beginning_with, holding, terms_of, words_of


def drivers() -> QuerySet[Driver]:
    """Everybody who was not merged into somebody else; who drove without a name is nobody."""
    return Driver.objects.filter(merged_into=None, is_unknown=False)


def own_drivers(user_id: int) -> list[int]:
    """Timing drivers this person is known to be, by the room that settles claims."""
    return import_string(settings.TIMING_DRIVERS_OF)(user_id) if settings.TIMING_DRIVERS_OF else []


def drivers_search(words: str = "") -> QuerySet[Driver]:
    """Drivers whose name or alias holds every word (or, without accents, words that begin so), or
    who carry that transponder or source id."""
    found = drivers()
    terms = person_key(words).split()[:6]
    if not terms:
        return found
    names, aliases = Q(), Q()
    for term in terms:
        names &= Q(name_key__contains=term)
        aliases &= Q(aliases__name_key__contains=term)
    by_words = Q(pk__in=ids_named(beginning_with([term] for term in terms_of(words))))
    number = Q(transponders__number=words.strip()) | Q(source_driver_id=words.strip())
    return found.filter(names | aliases | number | by_words).distinct()


def ids_named(query: SearchQuery) -> QuerySet:
    """Ids of drivers whose name, or one of whose aliases, holds the words of the query."""
    by_name = Driver.objects.alias(_words=words_of("name")).filter(_words=query)
    by_alias = DriverAlias.objects.alias(_words=words_of("name")).filter(_words=query)
    return by_name.order_by().values("pk").union(by_alias.order_by().values("driver_id"))


def ids_carrying(number: str) -> QuerySet:
    """Ids of drivers with exactly this transponder or LiveRC number."""
    carrying = DriverTransponder.objects.filter(number=number[:40]).order_by()
    numbered = Driver.objects.filter(source_driver_id=number[:40]).order_by()
    return carrying.values("driver_id").union(numbered.values("pk"))


def races_of_driver(driver_id: int, words: str = "") -> QuerySet[RaceResult]:
    """Standing results of a driver with race, class, event and track, newest first.

    `words` narrow by class, event and track; `day` and `run_order` are annotated to page by.
    Practice days are apart: `ingestion.queries.practice.practice_of_driver`.
    """
    return races_of_drivers([driver_id], words)


def races_of_drivers(driver_ids: Sequence[int], words: str = "") -> QuerySet[RaceResult]:
    """The same of several drivers who are one person's."""
    found = (
        RaceResult.objects.filter(
            driver_id__in=driver_ids,
            missing_since=None,
            race__missing_since=None,
            race__source=Race.Source.RACE,
        )
        .select_related("race__event__track", "race__race_class")
        .annotate(day=F("race__event__starts_on"), run_order=F("race__run_order"))
        .order_by("-day", "-run_order", "-pk")
    )
    names = ("race__race_class__name", "race__event__name", "race__event__track__name")
    return holding(found, words, *names)


@dataclass(frozen=True, slots=True)
class PersonalBest:
    """The fastest lap of a driver at one track in one class, as published for that race."""

    track_id: int
    track_name: str
    class_name: str
    class_key: str
    ms: int
    race_id: int
    race_label: str
    event_name: str
    day: object
    stats_basis: str
    races: int


def best_laps(driver_id: int) -> list[PersonalBest]:
    """Personal bests per track and class, one query. Published fastest laps; their basis is told."""
    group = [F("race__event__track_id"), F("race__race_class__key")]
    rows = (
        RaceResult.objects.filter(
            driver_id=driver_id,
            missing_since=None,
            race__missing_since=None,
            race__source=Race.Source.RACE,
            fast_lap_ms__isnull=False,
        )
        .annotate(
            place=Window(RowNumber(), partition_by=group, order_by=["fast_lap_ms", "pk"]),
            races_there=Window(Count("pk"), partition_by=group),
        )
        .filter(place=1)
        .values_list(
            "race__event__track_id",
            "race__event__track__name",
            "race__race_class__name",
            "race__race_class__key",
            "fast_lap_ms",
            "race_id",
            "race__label",
            "race__event__name",
            "race__event__starts_on",
            "stats_basis",
            "races_there",
        )
        .order_by("race__event__track__name", "race__race_class__name")
    )
    return [PersonalBest(*row) for row in rows]


def trend_of_driver(driver_id: int, best: PersonalBest, *, limit: int = 100) -> list[RaceResult]:
    """The newest results where this best was driven, newest first: their lap figures only."""
    return list(
        races_of_driver(driver_id)
        .filter(
            race__event__track_id=best.track_id,
            race__race_class__key=best.class_key,
            avg_lap_ms__isnull=False,
        )
        .select_related(None)
        .only("avg_lap_ms", "fast_lap_ms", "consistency_pct")[:limit]
    )


def records_of_track(track_id: int, *, limit: int = 40) -> list[RaceResult]:
    """The fastest published lap of each class ever imported at a track."""
    fastest = (
        RaceResult.objects.filter(
            race__event__track_id=track_id,
            race__source=Race.Source.RACE,
            race__missing_since=None,
            missing_since=None,
            fast_lap_ms__isnull=False,
        )
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=[F("race__race_class__key")],
                order_by=["fast_lap_ms", "pk"],
            )
        )
        .filter(place=1)
        .select_related("driver", "race__event", "race__race_class")
        .order_by("race__race_class__name")
    )
    return list(fastest[:limit])


def field_of(driver_id: int) -> dict[str, int]:
    """A driver in three numbers: races, laps and the best finish."""
    return RaceResult.objects.filter(
        driver_id=driver_id,
        missing_since=None,
        race__missing_since=None,
        race__source=Race.Source.RACE,
    ).aggregate(races=Count("pk"), laps=Sum("laps"), best=Min("position"))
