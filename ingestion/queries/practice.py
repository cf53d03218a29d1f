"""Practice days: found in the database, and looked at as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Prefetch, Q, QuerySet

from ingestion.models import (
    Event,
    PracticeDay,
    PracticeDrift,
    PracticeRun,
    PracticeSession,
    Race,
    RaceResult,
)
from racecontrol.shared.jobs import Job

IMPORT_KEY = "import:practice:"
UNKNOWN_CLASS = "unknown class"
BULK_TASK = "ingestion.tasks.run_import_practice_days"


def practice_days(*, include_archived: bool = False) -> QuerySet[Event]:
    """Practice days with track and figures (`.practice_day`); archived ones only when asked for."""
    found = Event.objects.filter(
        kind=Event.Kind.PRACTICE_DAY, practice_day__isnull=False
    ).select_related("track", "practice_day")
    return found if include_archived else found.filter(practice_day__archived_at=None)


def search_practice_days(
    *,
    track: str = "",
    first_day: date | None = None,
    last_day: date | None = None,
    words: str = "",
    include_archived: bool = False,
) -> QuerySet[Event]:
    """Days of a track (slug) between two local days whose name or people hold every word.

    With the number of listed sessions as `listed_count`, of imported ones as `imported_count` and
    of failed ones as `failed_count`.
    """
    found = practice_days(include_archived=include_archived)
    if track:
        found = found.filter(track__slug__iexact=track)
    if first_day:
        found = found.filter(starts_on__gte=first_day)
    if last_day:
        found = found.filter(starts_on__lte=last_day)
    for word in words.split()[:8]:
        drove = PracticeSession.objects.filter(driver_name__icontains=word)
        found = found.filter(
            Q(name__icontains=word)
            | Q(track__name__icontains=word)
            | Q(pk__in=drove.values("event_id"))
        )
    return with_counts(found)


def with_counts(days: QuerySet[Event]) -> QuerySet[Event]:
    standing = Q(practice_sessions__missing_since=None)
    return days.annotate(
        listed_count=Count("practice_sessions", filter=standing),
        imported_count=Count(
            "practice_sessions",
            filter=standing & Q(practice_sessions__race__state=Race.State.IMPORTED),
        ),
        failed_count=Count(
            "practice_sessions", filter=standing & ~Q(practice_sessions__failure="")
        ),
    )


def practice_day_by_source_id(source_event_id: str) -> Event | None:
    """A day by `{slug}-practice-{date}`, archived or not; None where it is not known here."""
    days = with_counts(practice_days(include_archived=True))
    return days.filter(source_event_id__iexact=source_event_id).first()


def sessions_of_day(
    event: Event, *, class_key: str = "", driver_id: int | None = None
) -> QuerySet[PracticeSession]:
    """Every session of a day, removed ones too, in the order they began.

    `session.race.results.all()` holds its one result with the driver, without another query.
    """
    results = RaceResult.objects.filter(missing_since=None).select_related("driver")
    found = (
        PracticeSession.objects.filter(event=event)
        .select_related("race__race_class", "matched_by")
        .prefetch_related(Prefetch("race__results", queryset=results))
        .order_by(F("started_at").asc(nulls_last=True), "pk")
    )
    if class_key:
        found = found.filter(class_key=class_key)
    if driver_id is not None:
        found = found.filter(
            race__results__driver_id=driver_id, race__results__missing_since=None
        ).distinct()
    return found


def failed_sessions(event: Event) -> QuerySet[PracticeSession]:
    return PracticeSession.objects.filter(event=event, missing_since=None).exclude(failure="")


def open_drift_of(event: Event) -> PracticeDrift | None:
    """What LiveRC was seen to say otherwise and no import has settled yet."""
    return PracticeDrift.objects.filter(event=event, settled_at=None).first()


def results_of_day(event: Event) -> QuerySet[RaceResult]:
    """One standing result per imported session, with its driver, race, class and session."""
    return (
        RaceResult.objects.filter(
            race__event=event,
            race__source=Race.Source.PRACTICE,
            race__missing_since=None,
            missing_since=None,
        )
        .select_related("driver", "race__race_class", "race__practice_session")
        .order_by("race__started_at", "pk")
    )


@dataclass(frozen=True, slots=True)
class DayLeader:
    """The fastest lap of a day, overall (`class_name` empty) or of one class."""

    class_name: str
    result: RaceResult


def leaders_of_day(event: Event) -> list[DayLeader]:
    """Overall fastest first, then each class by name. The unknown class leads nothing overall."""
    best: dict[str, RaceResult] = {}
    names: dict[str, str] = {}
    for result in results_of_day(event):
        race_class = result.race.race_class
        if result.fast_lap_ms is None or race_class.key == UNKNOWN_CLASS:
            continue
        names[race_class.key] = race_class.name
        held = best.get(race_class.key)
        if held is None or result.fast_lap_ms < (held.fast_lap_ms or 0):
            best[race_class.key] = result
    leaders = [DayLeader(names[key], best[key]) for key in sorted(best)]
    if not leaders:
        return []
    overall = min(leaders, key=lambda one: one.result.fast_lap_ms or 0)
    return [DayLeader("", overall.result), *leaders]


def practice_of_driver(driver_id: int, *, include_archived: bool = False) -> QuerySet[RaceResult]:
    """A driver's practice sessions on every track, newest first."""
    found = (
        RaceResult.objects.filter(
            driver_id=driver_id,
            race__source=Race.Source.PRACTICE,
            missing_since=None,
            race__missing_since=None,
        )
        .select_related("race__event__track", "race__race_class")
        .order_by("-race__event__starts_on", "-race__started_at", "-pk")
    )
    return found if include_archived else found.filter(race__event__practice_day__archived_at=None)


def archived_practice_of(driver_id: int, *, track_id: int | None = None) -> int:
    """How many of a driver's sessions stand on archived days, everywhere or at one track."""
    found = practice_of_driver(driver_id, include_archived=True)
    if track_id is not None:
        found = found.filter(race__event__track_id=track_id)
    return found.exclude(race__event__practice_day__archived_at=None).count()


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a day, ours and LiveRC's. `theirs` is None where LiveRC does not say.

    `unit`: count, ms or moment.
    """

    name: str
    ours: int | datetime | None
    theirs: int | datetime | None
    unit: str = "count"

    @property
    def differs(self) -> bool:
        """Track time is published to the second, so less than one is no difference."""
        if self.theirs is None:
            return False
        if self.unit == "ms" and isinstance(self.ours, int) and isinstance(self.theirs, int):
            return self.ours // 1000 != self.theirs // 1000
        return self.ours != self.theirs


def figures_of(day: PracticeDay) -> list[Figure]:
    """The day's figures from our rows, each beside LiveRC's own."""
    return [
        Figure("sessions", day.sessions, day.source_sessions),
        Figure("total_laps", day.total_laps, day.source_total_laps),
        Figure("track_time_ms", day.track_time_ms, day.source_track_time_ms, "ms"),
        Figure("unique_drivers", day.unique_drivers, day.source_unique_drivers),
        Figure("unique_classes", day.unique_classes, day.source_unique_classes),
        Figure("first_started_at", day.first_started_at, day.source_first_started_at, "moment"),
        Figure("last_started_at", day.last_started_at, day.source_last_started_at, "moment"),
        Figure("last_ended_at", day.last_ended_at, None, "moment"),
    ]


# -- jobs


def open_import_of(source_event_id: str) -> Job | None:
    """The import of this day that is under way: its own, or a bulk import it is part of."""
    found = Job.objects.filter(state__in=Job.OPEN)
    own = found.filter(key=f"{IMPORT_KEY}{source_event_id}").first()
    return own or found.filter(func=BULK_TASK, args__0__contains=[source_event_id]).first()


def open_practice_imports(source_event_ids: Iterable[str]) -> dict[str, Job]:
    """Day -> its open import, for a list of days, in one query."""
    wanted = set(source_event_ids)
    found: dict[str, Job] = {}
    for job in Job.objects.filter(
        Q(key__in=[f"{IMPORT_KEY}{one}" for one in wanted]) | Q(func=BULK_TASK),
        state__in=Job.OPEN,
    ).order_by("created_at"):
        if job.func == BULK_TASK:
            for one in wanted.intersection(job.args[0]):
                found.setdefault(one, job)
        else:
            found[job.key.removeprefix(IMPORT_KEY)] = job
    return found


def last_import_of(source_event_id: str) -> Job | None:
    """The newest import of a day alone, open or ended."""
    key = f"{IMPORT_KEY}{source_event_id}"
    return Job.objects.filter(key=key).order_by("-created_at").first()


def last_discovery(*, track_id: int, first_day: date, last_day: date) -> PracticeRun | None:
    """The newest discovery of exactly these days, under way or ended."""
    runs = PracticeRun.objects.filter(
        kind=PracticeRun.Kind.DISCOVERY, track_id=track_id, first_day=first_day, last_day=last_day
    )
    return runs.select_related("job").order_by("-started_at", "-pk").first()
