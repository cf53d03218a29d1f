"""Practice beside a race: one driver in one class at one track, sessions and runs in one measure.

Lap 1 of a race or of qualifying is a standing start and left out, practice starts flying; what is
left is counted as in `practice_compare`. Pace is the house's median clean lap, whole milliseconds.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ingestion.domain.pace import PaceLap
from ingestion.domain.practice_compare import Figures, Session, figures_of, pool

PRACTICE, QUALIFYING, RACE = "practice", "qualifying", "race"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as driven; `key` is whatever the caller finds it again by."""

    key: Hashable
    kind: str
    laps: tuple[PaceLap, ...]

    @property
    def counted(self) -> tuple[PaceLap, ...]:
        """The laps that are compared: without the standing start."""
        if self.kind == PRACTICE:
            return self.laps
        return tuple(lap for lap in self.laps if lap.number != 1)


@dataclass(frozen=True, slots=True)
class Beside:
    """A run and how its pace stands against the whole practice day's; below zero is quicker."""

    run: Run
    figures: Figures
    gap_ms: int | None


@dataclass(frozen=True, slots=True)
class Total:
    """All runs of one kind taken together."""

    kind: str
    runs: int
    figures: Figures
    gap_ms: int | None


@dataclass(frozen=True, slots=True)
class PracticeAndRace:
    runs: tuple[Beside, ...]
    totals: tuple[Total, ...]

    def total(self, kind: str) -> Total | None:
        return next((one for one in self.totals if one.kind == kind), None)

    @property
    def run_to_plan_with(self) -> Run | None:
        """The last race with a pace, else the last qualifying run: they tell best what comes next."""
        driven = [row for row in self.runs if row.figures.pace_ms is not None]
        for kind in (RACE, QUALIFYING):
            if some := [row.run for row in driven if row.run.kind == kind]:
                return some[-1]
        return None


def practice_and_race(runs: Sequence[Run]) -> PracticeAndRace:
    """Runs in the order given, and each kind as a whole: practice, qualifying, race."""
    by_kind: dict[str, list[Session]] = {kind: [] for kind in (PRACTICE, QUALIFYING, RACE)}
    for run in runs:
        by_kind[run.kind].append(Session(run.key, run.counted))
    pools = {kind: pool(some) for kind, some in by_kind.items() if some}
    measure = pools[PRACTICE].pace_ms if PRACTICE in pools else None

    def gap(figures: Figures) -> int | None:
        if measure is None or figures.pace_ms is None:
            return None
        return figures.pace_ms - measure

    rows = [(run, figures_of(run.counted)) for run in runs]
    return PracticeAndRace(
        runs=tuple(Beside(run, figures, gap(figures)) for run, figures in rows),
        totals=tuple(
            Total(kind, len(by_kind[kind]), figures, None if kind == PRACTICE else gap(figures))
            for kind, figures in pools.items()
        ),
    )
