"""A driver's practice at a track beside their runs of a race event there."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from ingestion.domain.practice_race import PracticeAndRace, Run, practice_and_race
from ingestion.models import BumpUp, Event, Race, RaceResult
from ingestion.queries.bumpups import bump_ups_of_driver
from ingestion.queries.drivers import own_drivers, races_of_driver
from ingestion.queries.practice import practice_of_driver
from ingestion.queries.practice_compare import laps_of_results

LOOKED_BACK: Final = timedelta(days=60)  # practice older than this tells little of a race
MOST_DAYS: Final = 12


@dataclass(frozen=True, slots=True)
class Found:
    """`results` and `moves` by race; `days` are practice days to choose from, the newest first."""

    beside: PracticeAndRace
    results: dict[int, RaceResult]
    moves: dict[int, BumpUp]
    class_name: str
    class_key: str
    classes: list[tuple[str, str]]
    day: Event | None
    days: list[Event]


def practice_for(driver_id: int, event: Event) -> QuerySet[RaceResult]:
    """Sessions of a driver at an event's track, up to its last day, that still tell of it."""
    return practice_of_driver(driver_id, include_archived=True).filter(
        race__event__track_id=event.track_id,
        race__event__starts_on__lte=event.ends_on,
        race__event__starts_on__gte=event.starts_on - LOOKED_BACK,
    )


def events_practised_for(driver_id: int) -> set[int]:
    """Race events of a driver before which, at their track, there was practice of theirs in a class raced."""
    practised = practice_of_driver(driver_id, include_archived=True).filter(
        race__event__track_id=OuterRef("race__event__track_id"),
        race__race_class__key=OuterRef("race__race_class__key"),
        race__event__starts_on__lte=OuterRef("race__event__ends_on"),
        race__event__starts_on__gte=OuterRef("race__event__starts_on") - LOOKED_BACK,
    )
    raced = races_of_driver(driver_id).filter(Exists(practised.select_related(None).order_by()))
    return set(raced.order_by().values_list("race__event_id", flat=True))


def own_driver_who_practised(user_id: int, race: Race) -> int | None:
    """Which driver in a race is this person, if there is practice to put beside it."""
    own = own_drivers(user_id)
    if not own:
        return None
    there = RaceResult.objects.filter(race=race, driver_id__in=own, missing_since=None)
    found = there.values_list("driver_id", flat=True).first()
    if found is None or race.event_id not in events_practised_for(found):
        return None
    return found


def practice_beside(
    driver_id: int, event: Event, *, class_key: str = "", day_id: int | None = None
) -> Found | None:
    """The event's runs of a driver in one class with the practice day before; None without runs.

    The class driven most is taken where none is named, of the practice days the newest with that
    class where none is chosen.
    """
    every = list(races_of_driver(driver_id).filter(race__event=event, laps__gt=0))[::-1]
    names: dict[str, str] = {}
    for row in every:
        names.setdefault(row.race.race_class.key, row.race.race_class.name)
    if not every:
        return None
    key = class_key
    if key not in names:
        key = max(names, key=lambda k: sum(row.race.race_class.key == k for row in every))
    raced = [row for row in every if row.race.race_class.key == key]
    sessions = list(practice_for(driver_id, event).filter(race__race_class__key=key, laps__gt=0))
    days = list({row.race.event_id: row.race.event for row in sessions}.values())[:MOST_DAYS]
    day = next((one for one in days if one.pk == day_id), days[0] if days else None)
    practised = [row for row in sessions if day and row.race.event_id == day.pk][::-1]
    laps = laps_of_results(row.pk for row in [*practised, *raced])
    runs = [
        Run(row.race_id, row.race.run_kind, tuple(laps.get(row.pk, ())))
        for row in [*practised, *raced]
    ]
    return Found(
        beside=practice_and_race(runs),
        results={row.race_id: row for row in [*practised, *raced]},
        moves={
            move.target_race_id: move for move in bump_ups_of_driver(driver_id).filter(event=event)
        },
        class_name=names[key],
        class_key=key,
        classes=sorted(names.items(), key=lambda pair: pair[1]),
        day=day,
        days=days,
    )
