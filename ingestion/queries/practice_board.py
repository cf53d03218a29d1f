"""A practice day as people look at it: who was quickest, class by class, and every session."""

from dataclasses import dataclass, field

from ingestion.domain.practice import is_unknown
from ingestion.models import Driver, Event, PracticeSession, RaceResult
from ingestion.queries.practice import UNKNOWN_CLASS, sessions_of_day

STATES = ("imported", "listed", "failed", "removed")


@dataclass(slots=True)
class Row:
    """A session with its result once it is imported; figures are ours then, else the listing's."""

    session: PracticeSession
    result: RaceResult | None

    @property
    def driver(self) -> Driver | None:
        """Who drove, if anybody is known."""
        if self.result is None or self.result.driver.is_unknown:
            return None
        return self.result.driver

    @property
    def who(self) -> int | str:
        return self.driver.pk if self.driver else self.session.driver_name.casefold()

    @property
    def race_id(self) -> int | None:
        return self.session.race_id if self.result is not None else None

    @property
    def name(self) -> str:
        return self.driver.name if self.driver else self.session.driver_name

    @property
    def laps(self) -> int:
        return self.result.laps if self.result is not None else self.session.laps

    @property
    def best_ms(self) -> int | None:
        return self._figure("fast_lap_ms")

    @property
    def average_ms(self) -> int | None:
        return self._figure("avg_lap_ms")

    @property
    def track_ms(self) -> int:
        length = self.result.total_ms if self.result is not None else self.session.length_ms
        return length or 0

    def _figure(self, name: str) -> int | None:
        ours = getattr(self.result, name) if self.result is not None else None
        return ours if ours is not None else getattr(self.session, name)


@dataclass(slots=True)
class Standing:
    """A driver's place on the leaderboard: the best lap, and the session it was driven in."""

    best: Row
    sessions: int = 0
    laps: int = 0
    gap_ms: int = 0


@dataclass(slots=True)
class ClassOfDay:
    """One class of the day; `class_id` leads to its page once a session of it is imported."""

    key: str
    name: str
    class_id: int | None = None
    people: set[int | str] = field(default_factory=set)
    sessions: int = 0
    laps: int = 0
    track_ms: int = 0
    fastest: Row | None = None

    @property
    def drivers(self) -> int:
        return len(self.people)

    @property
    def average_ms(self) -> int | None:
        return round(self.track_ms / self.laps) if self.laps else None


@dataclass(frozen=True, slots=True)
class DayBoard:
    """`rows` are the sessions asked for; standings and classes leave out what LiveRC took back."""

    rows: list[Row]
    standings: list[Standing]
    classes: list[ClassOfDay]
    failed: list[PracticeSession]
    drivers: list[tuple[int, str]]
    total: int


def day_board(
    event: Event, *, class_key: str = "", driver_id: int | None = None, state: str = ""
) -> DayBoard:
    """A day in two queries. Class narrows standings and sessions, driver and state the sessions."""
    rows = [_row(session) for session in sessions_of_day(event)]
    standing = [row for row in rows if row.session.missing_since is None]
    people = {row.driver.pk: row.driver.name for row in standing if row.driver}
    return DayBoard(
        rows=[
            row
            for row in rows
            if (not class_key or row.session.class_key == class_key)
            and (driver_id is None or (row.driver is not None and row.driver.pk == driver_id))
            and (not state or row.session.state == state)
        ],
        standings=_standings([row for row in standing if _competes(row, class_key)]),
        classes=_classes(standing),
        failed=[row.session for row in standing if row.session.failure],
        drivers=sorted(people.items(), key=lambda one: one[1].casefold()),
        total=len(rows),
    )


def _row(session: PracticeSession) -> Row:
    result = None
    if session.race is not None:
        result = next(iter(session.race.results.all()), None)
        if result is not None:
            result.race = session.race
    return Row(session, result)


def _standings(rows: list[Row]) -> list[Standing]:
    """Best lap of each driver, quickest first; who drove without a name has no place."""
    found: dict[int | str, Standing] = {}
    for row in rows:
        if _is_nobody(row) or row.best_ms is None:
            continue
        place = found.setdefault(row.who, Standing(row))
        place.sessions += 1
        place.laps += row.laps
        if row.best_ms < (place.best.best_ms or 0):
            place.best = row
    ordered = sorted(found.values(), key=lambda place: place.best.best_ms or 0)
    for place in ordered:
        place.gap_ms = (place.best.best_ms or 0) - (ordered[0].best.best_ms or 0)
    return ordered


def _classes(rows: list[Row]) -> list[ClassOfDay]:
    found: dict[str, ClassOfDay] = {}
    for row in rows:
        one = found.setdefault(
            row.session.class_key, ClassOfDay(row.session.class_key, row.session.class_name)
        )
        one.sessions += 1
        one.laps += row.laps
        one.track_ms += row.track_ms
        if row.session.race is not None:
            one.class_id = row.session.race.race_class_id
        if _is_nobody(row):
            continue
        one.people.add(row.who)
        if row.best_ms is not None and (
            one.fastest is None or row.best_ms < (one.fastest.best_ms or 0)
        ):
            one.fastest = row
    return sorted(found.values(), key=lambda one: (-one.laps, one.name.casefold()))


def _competes(row: Row, class_key: str) -> bool:
    """In the class asked for; overall, as on LiveRC, nobody leads with a car of no known class."""
    return (
        row.session.class_key == class_key
        if class_key
        else (row.session.class_key != UNKNOWN_CLASS)
    )


def _is_nobody(row: Row) -> bool:
    return row.driver is None and is_unknown(row.session.driver_name)
