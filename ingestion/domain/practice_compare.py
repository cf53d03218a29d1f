"""Practice compared: a driver's sessions of a day, a driver's days at a track, a class's day.

Only valid laps count; a lap LiveRC marks as outside the range (cut short, or a stop) is shown and
left out. Figures are those of LiveRC's session page (facts on LiveRC, A6 and A11): averages of the
best 5, 10 and 15 laps wherever they were driven, the least time for laps in a row never across an
invalid lap, consistency = 100·(1 − σ/mean) with the σ of the population. Pace is the house's: the
median clean lap (`ingestion.domain.pace`). Times are whole milliseconds, rounded half up.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from math import sqrt
from statistics import median

from ingestion.domain.pace import PaceLap, sort_laps

TOPS = (5, 10, 15)
IN_A_ROW = (3, 5, 10)
FEWEST_FOR_TREND = 3
FEWEST_LAPS_FOR_CONSISTENCY = 5


@dataclass(frozen=True, slots=True)
class Session:
    """One session's laps as driven. `key` is whatever the caller finds it again by."""

    key: Hashable
    laps: tuple[PaceLap, ...]
    started_at: datetime | None = None
    class_key: str = ""
    driver: Hashable = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a set of laps comes to; None where there are too few laps.

    `tops` and `in_a_row` by count of laps; `in_a_row` is the time for all of them together.
    """

    laps: int = 0
    invalid: int = 0
    track_ms: int = 0
    best_ms: int | None = None
    best_lap: int | None = None
    average_ms: int | None = None
    pace_ms: int | None = None
    tops: tuple[tuple[int, int | None], ...] = tuple((count, None) for count in TOPS)
    in_a_row: tuple[tuple[int, int | None], ...] = tuple((count, None) for count in IN_A_ROW)
    deviation_ms: int | None = None
    consistency_pct: float | None = None

    def top(self, count: int) -> int | None:
        return dict(self.tops)[count]

    def row_of(self, count: int) -> int | None:
        return dict(self.in_a_row)[count]

    @property
    def top_5_ms(self) -> int | None:
        return self.top(5)

    @property
    def top_10_ms(self) -> int | None:
        return self.top(10)

    @property
    def top_15_ms(self) -> int | None:
        return self.top(15)

    @property
    def three_in_a_row_ms(self) -> int | None:
        return self.row_of(3)


def figures_of(laps: Sequence[PaceLap]) -> Figures:
    """The figures of one session, or of any laps driven one after the other."""
    valid = [lap for lap in laps if lap.is_valid]
    if not valid:
        return Figures(invalid=len(laps))
    times = [lap.ms for lap in valid]
    quickest = sorted(times)
    mean = sum(times) / len(times)
    deviation = sqrt(sum((ms - mean) ** 2 for ms in times) / len(times))
    return Figures(
        laps=len(valid),
        invalid=len(laps) - len(valid),
        track_ms=sum(times),
        best_ms=quickest[0],
        best_lap=min(valid, key=lambda lap: (lap.ms, lap.number)).number,
        average_ms=_mean(times),
        pace_ms=sort_laps(laps, is_race=False).median_ms,
        tops=tuple(
            (count, _mean(quickest[:count]) if len(times) >= count else None) for count in TOPS
        ),
        in_a_row=tuple((count, least_in_a_row(laps, count)) for count in IN_A_ROW),
        deviation_ms=round(deviation),
        consistency_pct=100 * (1 - deviation / mean),
    )


def least_in_a_row(laps: Sequence[PaceLap], count: int) -> int | None:
    """The least time for so many laps in a row; an invalid lap ends a row."""
    best: int | None = None
    row: list[int] = []
    for lap in laps:
        row = [*row, lap.ms][-count:] if lap.is_valid else []
        if len(row) == count and (best is None or sum(row) < best):
            best = sum(row)
    return best


# -- one driver, one day


@dataclass(frozen=True, slots=True)
class Compared:
    """One session beside the others: how much its best and its pace give away to the best of them."""

    session: Session
    figures: Figures
    best_gap_ms: int | None
    pace_gap_ms: int | None
    is_best: bool = False
    is_best_pace: bool = False
    is_steadiest: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """How pace went through the day in one class. Below zero is quicker with the hours.

    `ms_per_hour` is the median slope over all pairs of sessions (Theil and Sen), which one bad
    session cannot bend; `change_ms` is the last session's pace less the first one's.
    """

    class_key: str
    sessions: int
    ms_per_hour: int
    change_ms: int

    @property
    def direction(self) -> str:
        """quicker, slower or level: level is below a thousandth of a second a minute."""
        if abs(self.ms_per_hour) < 60:
            return "level"
        return "quicker" if self.ms_per_hour < 0 else "slower"


@dataclass(frozen=True, slots=True)
class DriverDay:
    sessions: tuple[Compared, ...]
    trends: tuple[Trend, ...]
    laps: int
    track_ms: int


def driver_day(sessions: Iterable[Session]) -> DriverDay:
    """Sessions of one driver side by side in the order they began; gaps are within a class."""
    ordered = sorted(sessions, key=_start)
    figures = [figures_of(session.laps) for session in ordered]
    rows = []
    for session, own in zip(ordered, figures, strict=True):
        alike = [
            other
            for one, other in zip(ordered, figures, strict=True)
            if one.class_key == session.class_key
        ]
        best = min((one.best_ms for one in alike if one.best_ms), default=None)
        pace = min((one.pace_ms for one in alike if one.pace_ms), default=None)
        steady = max((pct for one in alike if (pct := _steadiness(one)) is not None), default=None)
        rows.append(
            Compared(
                session=session,
                figures=own,
                best_gap_ms=own.best_ms - best if own.best_ms and best else None,
                pace_gap_ms=own.pace_ms - pace if own.pace_ms and pace else None,
                is_best=own.best_ms is not None and own.best_ms == best,
                is_best_pace=own.pace_ms is not None and own.pace_ms == pace,
                is_steadiest=steady is not None and _steadiness(own) == steady,
            )
        )
    return DriverDay(
        sessions=tuple(rows),
        trends=_trends(rows),
        laps=sum(one.laps for one in figures),
        track_ms=sum(one.track_ms for one in figures),
    )


def _trends(rows: Sequence[Compared]) -> tuple[Trend, ...]:
    """A trend per class with enough sessions that have a start and a pace."""
    found = []
    for class_key in dict.fromkeys(row.session.class_key for row in rows):
        points = [
            (row.session.started_at, row.figures.pace_ms)
            for row in rows
            if row.session.class_key == class_key
            and row.session.started_at is not None
            and row.figures.pace_ms is not None
        ]
        slope = slope_per_hour(points)
        if slope is not None:
            change = points[-1][1] - points[0][1]
            found.append(Trend(class_key, len(points), round(slope), change))
    return tuple(found)


def slope_per_hour(points: Sequence[tuple[datetime, float]]) -> float | None:
    """Theil–Sen slope per hour; None with fewer than three points, or all at one moment."""
    if len(points) < FEWEST_FOR_TREND:
        return None
    slopes = [
        (later - earlier) / ((end - start).total_seconds() / 3600)
        for (start, earlier), (end, later) in combinations(points, 2)
        if end != start
    ]
    return median(slopes) if slopes else None


# -- one driver, many days


@dataclass(frozen=True, slots=True)
class Day:
    """A driver's day at a track, in one class. `best_so_far` marks a new personal best.

    Pace is the median of the clean laps of all sessions, each sorted on its own; consistency the
    median over sessions of five valid laps or more: a change of set-up between two is no unsteadiness.
    """

    on: date
    key: Hashable
    sessions: int
    laps: int
    track_ms: int
    best_ms: int | None
    average_ms: int | None
    pace_ms: int | None
    top_10_ms: int | None
    consistency_pct: float | None
    best_so_far: bool = False


def days_of(sessions: Iterable[tuple[date, Hashable, Session]]) -> list[Day]:
    """(day, its key, session) of one driver in one class -> his days, oldest first."""
    by_day: dict[tuple[date, Hashable], list[Session]] = {}
    for on, key, session in sessions:
        by_day.setdefault((on, key), []).append(session)
    days, best = [], None
    for (on, key), some in sorted(by_day.items(), key=lambda item: item[0][0]):
        pooled = pool(some)
        is_new = pooled.best_ms is not None and (best is None or pooled.best_ms < best)
        days.append(
            Day(
                on=on,
                key=key,
                sessions=len(some),
                laps=pooled.laps,
                track_ms=pooled.track_ms,
                best_ms=pooled.best_ms,
                average_ms=pooled.average_ms,
                pace_ms=pooled.pace_ms,
                top_10_ms=pooled.top(10),
                consistency_pct=pooled.consistency_pct,
                best_so_far=is_new,
            )
        )
        best = pooled.best_ms if is_new else best
    return days


def pool(sessions: Sequence[Session]) -> Figures:
    """Several sessions as one: rows never cross sessions, consistency is that of the middle one."""
    each = [figures_of(session.laps) for session in sessions]
    times = sorted(lap.ms for session in sessions for lap in session.laps if lap.is_valid)
    clean = [lap.ms for session in sessions for lap in sort_laps(session.laps, is_race=False).clean]
    steady = [pct for one in each if (pct := _steadiness(one)) is not None]
    if not times:
        return Figures(invalid=sum(one.invalid for one in each))
    return Figures(
        laps=len(times),
        invalid=sum(one.invalid for one in each),
        track_ms=sum(times),
        best_ms=times[0],
        average_ms=_mean(times),
        pace_ms=round(median(clean)) if clean else None,
        tops=tuple(
            (count, _mean(times[:count]) if len(times) >= count else None) for count in TOPS
        ),
        in_a_row=tuple(
            (count, min((ms for one in each if (ms := one.row_of(count))), default=None))
            for count in IN_A_ROW
        ),
        consistency_pct=median(steady) if steady else None,
    )


# -- a class's day


@dataclass(frozen=True, slots=True)
class Entrant:
    """One driver's day in a class; `share` is the part of the class's laps, 0 to 1."""

    driver: Hashable
    sessions: int
    figures: Figures
    gap_ms: int | None
    share: float


@dataclass(frozen=True, slots=True)
class ClassDay:
    """`participation` is the share of the day's known drivers who drove this class, 0 to 1."""

    entrants: tuple[Entrant, ...]
    drivers: int
    participation: float
    sessions: int
    laps: int
    track_ms: int
    fastest_ms: int | None
    fastest_by: Hashable
    average_ms: int | None
    pace_ms: int | None


def class_day(
    sessions: Iterable[Session], *, drivers_of_day: int, unknown: Hashable = None
) -> ClassDay:
    """The sessions of one class on one day, by driver, quickest first.

    Laps of `unknown` count, but it is no driver: it is listed last and takes no part in
    participation. `drivers_of_day` counts the known drivers of all classes. The class's pace is the
    median of its known drivers' paces, so whoever drove most does not set it.
    """
    by_driver: dict[Hashable, list[Session]] = {}
    for session in sessions:
        by_driver.setdefault(session.driver, []).append(session)
    pools = {driver: pool(some) for driver, some in by_driver.items()}
    known = {driver: figures for driver, figures in pools.items() if driver != unknown}
    laps = sum(figures.laps for figures in pools.values())
    track_ms = sum(figures.track_ms for figures in pools.values())
    quickest = sorted(
        (driver for driver in known if known[driver].best_ms),
        key=lambda driver: known[driver].best_ms or 0,
    )
    fastest = known[quickest[0]].best_ms if quickest else None
    rest = [driver for driver in pools if driver not in quickest]
    paces = [figures.pace_ms for figures in known.values() if figures.pace_ms is not None]
    return ClassDay(
        entrants=tuple(
            Entrant(
                driver=driver,
                sessions=len(by_driver[driver]),
                figures=pools[driver],
                gap_ms=_gap(pools[driver].best_ms, fastest) if driver in known else None,
                share=pools[driver].laps / laps if laps else 0.0,
            )
            for driver in [*quickest, *sorted(rest, key=lambda one: one == unknown)]
        ),
        drivers=len(known),
        participation=len(known) / drivers_of_day if drivers_of_day else 0.0,
        sessions=sum(len(some) for some in by_driver.values()),
        laps=laps,
        track_ms=track_ms,
        fastest_ms=fastest,
        fastest_by=quickest[0] if quickest else None,
        average_ms=(2 * track_ms + laps) // (2 * laps) if laps else None,
        pace_ms=round(median(paces)) if paces else None,
    )


def _gap(ms: int | None, best: int | None) -> int | None:
    return ms - best if ms is not None and best is not None else None


def _steadiness(figures: Figures) -> float | None:
    """Consistency where there are laps enough to tell."""
    return figures.consistency_pct if figures.laps >= FEWEST_LAPS_FOR_CONSISTENCY else None


def _mean(times: Sequence[int]) -> int:
    """Rounded half up, as LiveRC rounds."""
    return (2 * sum(times) + len(times)) // (2 * len(times))


def _start(session: Session) -> tuple[bool, float]:
    moment = session.started_at
    return (moment is None, moment.timestamp() if moment else 0.0)
