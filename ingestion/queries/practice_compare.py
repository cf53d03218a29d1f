"""Practice compared: rows read into the calculations of `ingestion.domain.practice_compare`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from ingestion.domain.labels import person_key
from ingestion.domain.pace import PaceLap
from ingestion.domain.practice_compare import (
    ClassDay,
    Day,
    DriverDay,
    Session,
    class_day,
    days_of,
    driver_day,
)
from ingestion.models import Driver, Event, Lap, RaceClass, RaceResult, Track
from ingestion.queries.drivers import drivers
from ingestion.queries.practice import practice_of_driver, results_of_day

MOST_SESSIONS = 600


def laps_of_results(result_ids: Iterable[int]) -> dict[int, list[PaceLap]]:
    """Result -> its laps in driven order, of any number of results in one query."""
    found: dict[int, list[PaceLap]] = {}
    rows = Lap.objects.filter(result_id__in=list(result_ids)).order_by("result_id", "number")
    for result_id, number, ms, is_valid in rows.values_list(
        "result_id", "number", "ms", "is_valid"
    ):
        found.setdefault(result_id, []).append(PaceLap(number, ms, is_valid))
    return found


def likely_drivers(result: RaceResult) -> list[Driver]:
    """Who may have driven a session: seen with its transponder, of its name, or there that day."""
    that_day = RaceResult.objects.filter(race__event_id=result.race.event_id).values("driver_id")
    likely = Q(pk__in=that_day) | Q(name_key=person_key(result.driver_name)[:200])
    if result.transponder:
        likely |= Q(transponders__number=result.transponder)
    return list(drivers().filter(likely).distinct().order_by("name", "pk")[:100])


def _sessions(results: Iterable[RaceResult]) -> dict[int, Session]:
    """Result id -> session with laps, for results whose race and class are there."""
    rows = list(results)
    laps = laps_of_results(row.pk for row in rows)
    return {
        row.pk: Session(
            key=row.pk,
            laps=tuple(laps.get(row.pk, ())),
            started_at=row.race.started_at,
            class_key=row.race.race_class.key,
            driver=row.driver_id,
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class DriverDayFound:
    """A driver's day with the rows behind its sessions; `laps` by result."""

    day: DriverDay
    results: dict[int, RaceResult]
    class_names: dict[str, str]


def driver_day_of(
    event: Event, driver_id: int, *, only: Iterable[int] = ()
) -> DriverDayFound | None:
    """One driver's sessions of a day, or only those of some races; None if there are none."""
    results = {row.pk: row for row in results_of_day(event).filter(driver_id=driver_id)}
    chosen = set(only)
    picked = [row for row in results.values() if not chosen or row.race_id in chosen]
    if not results:
        return None
    return DriverDayFound(
        day=driver_day(_sessions(picked or results.values()).values()),
        results=results,
        class_names={row.race.race_class.key: row.race.race_class.name for row in results.values()},
    )


@dataclass(frozen=True, slots=True)
class DriverDaysFound:
    """A driver's days at a track in one class, and the classes there are (key, name, sessions)."""

    days: list[Day]
    events: dict[int, Event]
    classes: list[tuple[str, str, int]]
    class_key: str


def driver_days_at(
    driver: Driver, track: Track, *, class_key: str = "", include_archived: bool = False
) -> DriverDaysFound | None:
    """Two queries; the class driven most is taken where none is named. None without sessions."""
    found: QuerySet[RaceResult] = practice_of_driver(
        driver.pk, include_archived=include_archived
    ).filter(race__event__track=track)
    rows = list(found[:MOST_SESSIONS])
    if not rows:
        return None
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for row in rows:
        key = row.race.race_class.key
        counts[key] = counts.get(key, 0) + 1
        names.setdefault(key, row.race.race_class.name)
    key = class_key if class_key in counts else max(counts, key=lambda one: counts[one])
    rows = [row for row in rows if row.race.race_class.key == key]
    sessions = _sessions(rows)
    told: list[tuple[date, int, Session]] = [
        (row.race.event.starts_on, row.race.event_id, sessions[row.pk]) for row in rows
    ]
    return DriverDaysFound(
        days=days_of(told),
        events={row.race.event_id: row.race.event for row in rows},
        classes=[(one, names[one], counts[one]) for one in sorted(counts, key=names.__getitem__)],
        class_key=key,
    )


@dataclass(frozen=True, slots=True)
class ClassDayFound:
    day: ClassDay
    drivers: dict[int, Driver]
    laps: dict[int, list[int]]


def class_day_of(event: Event, race_class: RaceClass) -> ClassDayFound:
    """A class's day: everybody who drove it, with valid laps by driver for drawing."""
    everybody = list(results_of_day(event))
    rows = [row for row in everybody if row.race.race_class_id == race_class.pk]
    sessions = _sessions(rows)
    unknown = next((row.driver_id for row in rows if row.driver.is_unknown), None)
    laps: dict[int, list[int]] = {}
    for row in rows:
        times = [lap.ms for lap in sessions[row.pk].laps if lap.is_valid]
        laps.setdefault(row.driver_id, []).extend(times)
    return ClassDayFound(
        day=class_day(
            sessions.values(),
            drivers_of_day=len({row.driver_id for row in everybody if not row.driver.is_unknown}),
            unknown=unknown,
        ),
        drivers={row.driver_id: row.driver for row in rows},
        laps=laps,
    )
