"""Practice as people look at it: a session's laps with marks, and the pictures of comparisons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from ingestion.domain.pace import PaceLap
from ingestion.domain.practice_compare import Day, Figures, figures_of
from ingestion.domain.practice_race import PRACTICE
from ingestion.models import Event, Lap, Race, RaceResult
from ingestion.queries.practice_board import DayBoard
from ingestion.queries.practice_compare import ClassDayFound, DriverDayFound
from ingestion.queries.practice_race import Found as PracticeBeside
from racecontrol.shared.charts import (
    Amount,
    Chart,
    Group,
    Mark,
    Series,
    bars,
    box_strip,
    line_chart,
    looks_of,
)
from racecontrol.shared.names import format_name
from racecontrol.shared.units import format_ms

MOST_GROUPS = 16
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360)  # minutes between ticks of a clock


# -- one session


@dataclass(frozen=True, slots=True)
class LapLine:
    """A lap in the table of a session; `sign` and `words` say what colour says, too."""

    number: int
    ms: int
    gap_ms: int | None
    crossed_at: datetime | None
    is_valid: bool
    is_best: bool

    @property
    def crossed_clock(self) -> str:
        """On the track's wall clock."""
        return f"{self.crossed_at:%H:%M:%S}" if self.crossed_at else ""

    @property
    def sign(self) -> str:
        if self.is_best:
            return "◆"
        return "" if self.is_valid else "×"

    @property
    def words(self) -> str:
        if self.is_best:
            return "best lap"
        return "" if self.is_valid else "does not count"


@dataclass(frozen=True, slots=True)
class SheetFigure:
    """One figure from our laps, with LiveRC's beside it where that says something else."""

    name: str
    text: str
    theirs: str = ""


class SessionSheet:
    """One practice session with its laps. Figures are counted from the laps that are valid."""

    def __init__(self, race: Race, result: RaceResult, laps: Sequence[Lap]):
        self.race, self.result, self.laps = race, result, laps
        self.figures = figures_of([PaceLap(lap.number, lap.ms, lap.is_valid) for lap in laps])

    @cached_property
    def lines(self) -> list[LapLine]:
        best = self.figures.best_ms
        return [
            LapLine(
                number=lap.number,
                ms=lap.ms,
                gap_ms=lap.ms - best if best is not None and lap.is_valid else None,
                crossed_at=lap.crossed_at.astimezone(self.race.event.zone)
                if lap.crossed_at
                else None,
                is_valid=lap.is_valid,
                is_best=lap.number == self.figures.best_lap,
            )
            for lap in self.laps
        ]

    @property
    def is_told_otherwise(self) -> bool:
        """Does LiveRC print another figure than the laps give?"""
        return any(one.theirs for one in self.averages)

    @cached_property
    def averages(self) -> list[SheetFigure]:
        own, theirs = self.figures, self.result
        rows = [
            ("Average", own.average_ms, theirs.avg_lap_ms),
            ("Best 5", own.top_5_ms, theirs.avg_top5_ms),
            ("Best 10", own.top_10_ms, theirs.avg_top10_ms),
            ("Best 15", own.top_15_ms, theirs.avg_top15_ms),
            ("3 in a row", own.three_in_a_row_ms, theirs.top3_consecutive_ms),
            ("5 in a row", own.row_of(5), None),
            ("Pace (median clean lap)", own.pace_ms, None),
            ("Deviation", own.deviation_ms, theirs.std_dev_ms),
        ]
        found = [
            SheetFigure(
                name,
                format_ms(ours),
                format_ms(said) if said is not None and _differ(ours, said) else "",
            )
            for name, ours, said in rows
        ]
        said_pct = float(theirs.consistency_pct) if theirs.consistency_pct is not None else None
        own_pct = own.consistency_pct
        is_other = said_pct is not None and (own_pct is None or abs(own_pct - said_pct) > 0.005)
        found.append(
            SheetFigure(
                "Consistency",
                f"{own_pct:.2f} %" if own_pct is not None else "–",
                f"{said_pct:.2f} %" if is_other else "",
            )
        )
        return found

    @property
    def _marks(self) -> list[Mark]:
        return [
            Mark(line.number, "best" if line.is_best else "invalid", line.words)
            for line in self.lines
            if line.words
        ]

    @cached_property
    def lap_chart(self) -> Chart:
        return line_chart(
            [
                Series(
                    format_name(self.result.driver_name),
                    [(lap.number, lap.ms) for lap in self.laps],
                    marks=self._marks,
                )
            ],
            title="Lap times",
            slug="practice-laps",
        )

    @cached_property
    def timeline(self) -> Chart:
        """The laps where the clock stood when they ended; a stop is a long lap that does not count."""
        zone = self.race.event.zone
        timed = [lap for lap in self.laps if lap.crossed_at is not None]
        clock = Clock.of([lap.crossed_at for lap in timed], zone)
        at = {lap.number: clock.x_of(lap.crossed_at) for lap in timed}
        return line_chart(
            [
                Series(
                    format_name(self.result.driver_name),
                    [(at[lap.number], lap.ms) for lap in timed],
                    marks=[
                        Mark(at[mark.x], mark.kind, mark.text)
                        for mark in self._marks
                        if mark.x in at
                    ],
                )
            ],
            title="By the clock",
            x_label="Time of day",
            x_format=clock.exactly,
            x_ticks=clock.ticks(),
            slug="practice-clock",
        )


def _differ(ours: int | None, theirs: int) -> bool:
    """LiveRC rounds its averages: a thousandth more or less says the same."""
    return ours is None or abs(ours - theirs) > 1


# -- the clock of a track as an axis


@dataclass(frozen=True, slots=True)
class Clock:
    """An axis of seconds since `origin`, written as the wall clock of `zone`."""

    origin: datetime
    zone: ZoneInfo
    first: float = 0
    last: float = 0

    @classmethod
    def of(cls, moments: Sequence[datetime | None], zone: ZoneInfo) -> "Clock":
        """From the full hour before the first moment, so that round minutes are round on the clock."""
        known = sorted(moment for moment in moments if moment is not None)
        if not known:
            return cls(datetime(2000, 1, 1, tzinfo=zone), zone)
        local = known[0].astimezone(zone)
        origin = known[0] - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        first, last = ((moment - origin).total_seconds() for moment in (known[0], known[-1]))
        return cls(origin, zone, first, last)

    def x_of(self, moment: datetime | None) -> float:
        return (moment - self.origin).total_seconds() if moment is not None else 0

    def _at(self, x: float) -> datetime:
        return (self.origin + timedelta(seconds=x)).astimezone(self.zone)

    def exactly(self, x: float) -> str:
        return f"{self._at(x):%H:%M:%S}"

    def ticks(self, *, at_most: int = 6) -> list[tuple[float, str]]:
        """Round minutes from the first moment to the last; the first itself where there is none."""
        minutes = (self.last - self.first) / 60
        step = next((one for one in _STEPS if minutes / one <= at_most), _STEPS[-1]) * 60
        start = -(-int(self.first) // step) * step
        marks = [(float(x), f"{self._at(x):%H:%M}") for x in range(start, int(self.last) + 1, step)]
        return marks or [(self.first, self.exactly(self.first))]


# -- days


def laps_by_class(board: DayBoard) -> Chart:
    return bars(
        [
            Amount(one.name, one.laps, f"{one.sessions} sessions, {one.drivers} drivers")
            for one in board.classes
        ],
        title="Laps by class",
        x_label="Laps",
        slug="laps-by-class",
    )


def _session_name(result: RaceResult, event: Event) -> str:
    local = result.race.started_at.astimezone(event.zone) if result.race.started_at else None
    return f"{local:%H:%M}" if local else result.race.label


def driver_day_charts(found: DriverDayFound, event: Event) -> list[Chart]:
    """Pace through the day, one line per class and figure, and how the laps of each session spread."""
    rows = [row for row in found.day.sessions if row.session.started_at and row.figures.laps]
    clock = Clock.of([row.session.started_at for row in rows], event.zone)
    several = len(found.class_names) > 1
    series = []
    for key, name in found.class_names.items():
        mine = [row for row in rows if row.session.class_key == key]
        lines: list[tuple[str, Callable[[Figures], int | None]]] = [
            ("Pace", lambda one: one.pace_ms),
            ("Best", lambda one: one.best_ms),
        ]
        if not several:
            lines.append(("Average", lambda one: one.average_ms))
        series += [
            Series(
                f"{words}, {name}" if several else words,
                [(clock.x_of(row.session.started_at), value(row.figures)) for row in mine],
            )
            for words, value in lines
            if mine
        ]
    trend = line_chart(
        series,
        title="Through the day",
        x_label="Time of day",
        x_format=clock.exactly,
        x_ticks=clock.ticks(),
        slug="driver-day",
        description=f"{len(rows)} sessions by the hour they began",
    )
    spread = box_strip(
        [
            Group(
                _session_name(found.results[row.session.key], event),
                [lap.ms for lap in row.session.laps if lap.is_valid],
            )
            for row in found.day.sessions[-MOST_GROUPS:]
        ],
        title="How the laps of each session spread",
        slug="driver-day-spread",
    )
    return [trend, spread]


def driver_days_charts(days: Sequence[Day]) -> list[Chart]:
    """From day to day: pace, best and average; and consistency."""
    shown = [day for day in days if day.laps]
    ticks = [(n, f"{day.on:%d %b %y}") for n, day in enumerate(shown, start=1)]
    every = -(-len(ticks) // 6) or 1

    def points(value: Callable[[Day], float | None]) -> list[tuple[float, float | None]]:
        return [(n, value(day)) for n, day in enumerate(shown, start=1)]

    names = dict(ticks)
    pace = line_chart(
        [
            Series("Pace", points(lambda day: day.pace_ms)),
            Series("Best", points(lambda day: day.best_ms)),
            Series("Average", points(lambda day: day.average_ms)),
        ],
        title="From day to day",
        x_label="Day",
        x_format=lambda x: names.get(round(x), ""),
        x_ticks=ticks[::every],
        slug="driver-days",
    )
    steady = line_chart(
        [Series("Consistency", points(lambda day: day.consistency_pct))],
        title="Consistency from day to day",
        x_label="Day",
        x_format=lambda x: names.get(round(x), ""),
        x_ticks=ticks[::every],
        y_format=lambda value: f"{value:.1f} %",
        slug="driver-days-consistency",
    )
    return [pace, steady]


def class_day_chart(found: ClassDayFound) -> Chart:
    """How everybody's valid laps spread, quickest driver on top."""
    looks = looks_of(sorted(found.drivers))
    return box_strip(
        [
            Group(
                format_name(found.drivers[one.driver].name),
                found.laps[one.driver],
                looks[one.driver],
            )
            for one in found.day.entrants[:MOST_GROUPS]
            if isinstance(one.driver, int) and found.laps.get(one.driver)
        ],
        title="How everybody's laps spread",
        slug="class-day-spread",
    )


# -- practice beside a race


def practice_race_chart(found: PracticeBeside, event: Event) -> Chart:
    """How the laps of each session and each run spread, practice on top, in the order driven."""
    return box_strip(
        [
            Group(
                _session_name(found.results[row.run.key], event)
                if row.run.kind == PRACTICE
                else found.results[row.run.key].race.short_label,
                [lap.ms for lap in row.run.counted if lap.is_valid],
            )
            for row in found.beside.runs[-MOST_GROUPS:]
            if isinstance(row.run.key, int) and row.figures.laps
        ],
        title="How the laps of practice and race spread",
        slug="practice-race-spread",
    )
