"""What coaching reads of imported timing: a driver's runs, their laps as published, and the field around them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from coaching.domain.orp_v2 import orp_v2
from ingestion.models import Driver, Event, Lap, Race, RaceClass, RaceResult, Track
from ingestion.queries import drivers, drivers_search, results_of_race
from racecontrol.shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class TimedLap:
    number: int
    ms: int
    is_valid: bool


@dataclass(frozen=True, slots=True)
class TimedRun:
    """One driver in one race, heat or practice session. `ref` is its lasting name at the source."""

    ref: str
    result: RaceResult
    laps: tuple[TimedLap, ...]

    @property
    def race(self) -> Race:
        return self.result.race

    @property
    def name(self) -> str:
        race = self.race
        if race.source == Race.Source.PRACTICE:
            started = race.started_local
            return f"Practice {started:%H:%M}" if started else f"Practice {race.source_race_id}"
        if race.round_code == "Q" and race.round_number:
            return f"Q{race.round_number} {race.label}"[:100]
        return race.label[:100]

    @property
    def short_name(self) -> str:
        """The name without its class, for a session of one class: "Q2 Heat 1/3", "A2-Main", "Practice 10:42"."""
        if self.race.source == Race.Source.PRACTICE:
            return self.name
        return self.race.short_label if self.race.main or self.race.round_code == "Q" else self.name

    @property
    def kind(self) -> str:
        """practice, qualifying or race; what was said or inferred counts, else what the round says."""
        return self.race.run_kind

    @property
    def day(self) -> date:
        started = self.race.started_local or self.race.completed_local
        return started.date() if started else self.race.event.starts_on

    @property
    def basis(self) -> str:
        return self.result.stats_basis or self.race.stats_basis

    @property
    def laps_s(self) -> list[float]:
        return [lap.ms / 1000 for lap in self.laps]

    @property
    def flags(self) -> dict[int, str]:
        """Place in the run from 1 -> flag: laps outside the track's valid range do not count."""
        return {n: "invalid" for n, lap in enumerate(self.laps, start=1) if not lap.is_valid}

    @property
    def formula_kind(self) -> str:
        """ "race" leaves out the grid lap, which is there only if lap 1 is."""
        has_lap_1 = bool(self.laps) and self.laps[0].number == 1
        return "race" if self.kind == "race" and has_lap_1 else "practice"


def track_named(name: str) -> Track | None:
    """The timing track of exactly this name, if there is just one."""
    found = list(Track.objects.filter(name__iexact=name.strip())[:2]) if name.strip() else []
    return found[0] if len(found) == 1 else None


def track_names(user: Any) -> list[str]:
    """Names to offer: tracks the person likes."""
    return list(Track.objects.filter(favourites__user=user).values_list("name", flat=True)[:50])


def driver_for(driver_id: int) -> Driver:
    """The driver, or the one they were merged into."""
    driver = Driver.objects.filter(pk=driver_id).select_related("merged_into").first()
    if driver is None:
        raise NotFound("There is no such driver.")
    return driver.merged_into or driver


def results_of(driver: Driver) -> QuerySet[RaceResult]:
    """Where this driver, or whoever was merged into them, has laps; the latest first."""
    return (
        RaceResult.objects.filter(Q(driver=driver) | Q(driver__merged_into=driver))
        .filter(missing_since=None, race__missing_since=None, laps__gt=0)
        .select_related("race__event__track", "race__race_class", "driver")
        .order_by("-race__event__starts_on", "-race__run_order", "-race_id")
    )


def runs_of(
    driver: Driver,
    *,
    race_id: int | None = None,
    event_id: int | None = None,
    race_class_id: int | None = None,
    since: date | None = None,
    most: int = 500,
) -> list[TimedRun]:
    """Runs with their laps, in the order they were driven. Two queries, whatever the number."""
    rows = results_of(driver)
    if race_id is not None:
        rows = rows.filter(race_id=race_id)
    if event_id is not None:
        rows = rows.filter(race__event_id=event_id)
    if race_class_id is not None:
        rows = rows.filter(race__race_class_id=race_class_id)
    if since is not None:
        rows = rows.filter(race__event__ends_on__gte=since)
    return with_laps(list(rows[:most])[::-1])


def with_laps(results: Sequence[RaceResult]) -> list[TimedRun]:
    laps: dict[int, list[TimedLap]] = {result.pk: [] for result in results}
    rows = Lap.objects.filter(result_id__in=laps, number__gte=1).order_by("result_id", "number")
    for result_id, number, ms, is_valid in rows.values_list(
        "result_id", "number", "ms", "is_valid"
    ):
        laps[result_id].append(TimedLap(number, ms, is_valid))
    return [TimedRun(ref_of(result), result, tuple(laps[result.pk])) for result in results]


def ref_of(result: RaceResult) -> str:
    """Names the run at the source, so that importing and syncing again meet the same heat."""
    race = result.race
    if race.source == Race.Source.PRACTICE:
        return f"practice:{race.source_race_id}"
    return f"{ref_of_race(race)}{result.source_driver_id or result.row_key}"[:80]


def ref_of_race(race: Race) -> str:
    """What the names of all runs of a race begin with."""
    return f"race:{race.source_race_id}/"


def race_for(race_id: int) -> Race:
    race = Race.objects.filter(pk=race_id).first()
    if race is None:
        raise NotFound("There is no such race.")
    return race


def field_paces_s(race: Race) -> list[float]:
    """The race pace (median clean lap, seconds) of everyone in the race who has one."""
    results = list(results_of_race(race.pk).filter(laps__gte=5).select_related("race__event"))
    paces = [
        orp_v2(run.laps_s, kind=run.formula_kind, flags=run.flags).race_pace_s
        for run in with_laps(results)
    ]
    return [pace for pace in paces if pace is not None]


def drivers_with_transponder(number: str) -> QuerySet[Driver]:
    return drivers().filter(transponders__number=number).distinct()


def drivers_named(words: str, *, most: int = 20) -> QuerySet[Driver]:
    """By name, alias, transponder or source id."""
    return drivers_search(words)[:most]


def classes_of(driver: Driver, *, most: int = 100) -> list[RaceClass]:
    """Classes of events and practice days this driver has laps in, the latest first."""
    seen: dict[int, RaceClass] = {}
    for result in results_of(driver)[:2000]:
        race_class = result.race.race_class
        race_class.event = result.race.event
        seen.setdefault(race_class.pk, race_class)
        if len(seen) >= most:
            break
    return list(seen.values())


def latest_events_of(driver: Driver, *, within: timedelta) -> list[Event]:
    """Events and practice days this driver has laps in, up to `within` before the newest; oldest first."""
    newest = results_of(driver).first()
    if newest is None:
        return []
    since = newest.race.event.starts_on - within
    there = results_of(driver).filter(race__event__starts_on__gte=since)
    events = Event.objects.filter(pk__in=there.order_by().values("race__event_id"))
    return list(events.order_by("starts_on", "pk"))


def drivers_in_event(event_id: int, driver_ids: Collection[int]) -> set[int]:
    """Which of these drivers have standing laps in the event; merges are followed both ways."""
    now_is = dict(
        Driver.objects.filter(pk__in=driver_ids).values_list("pk", Coalesce("merged_into_id", "pk"))
    )
    there = set(
        RaceResult.objects.filter(
            race__event_id=event_id, race__missing_since=None, missing_since=None, laps__gt=0
        ).values_list(Coalesce("driver__merged_into_id", "driver_id"), flat=True)
    )
    return {pk for pk, person in now_is.items() if person in there}


def someone_in_the_newest_event() -> tuple[Driver, int] | None:
    """The driver with most laps in the newest imported race event, and the event's id; for the demo."""
    event = (
        Event.objects.filter(kind=Event.Kind.RACE, last_ingested_at__isnull=False)
        .order_by("-starts_on", "-pk")
        .first()
    )
    if event is None:
        return None
    best = (
        Driver.objects.filter(
            results__race__event=event, results__missing_since=None, merged_into=None
        )
        .annotate(driven=Sum("results__laps"))
        .order_by("-driven", "pk")
        .first()
    )
    return (best, event.pk) if best else None
