"""The stint chart people change a plan on: one row a driver, laps from left to right, in percent.

Percent places need no script to fit any width; the script moves only what a person drags.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from racecontrol.shared.charts.looks import colour_of
from strategy.domain.stints.verdict import Score
from strategy.models import RaceStrategy, StintPlan

ROW, TOP = 54, 20
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stint: places in percent of the width, `words` for whoever cannot see it."""

    stint: StintPlan
    seat: int
    colour: str
    x: str
    width: str
    middle: str
    end: str
    y: int
    is_last: bool
    is_broken: bool
    words: str


@dataclass(frozen=True, slots=True)
class Strip:
    laps: int
    height: int
    rows: list[dict]
    bars: list[Bar]
    ticks: list[dict]


def strip_of(row: RaceStrategy, stints: Sequence[StintPlan], judged: Score | None) -> Strip | None:
    """Everything the chart draws; None without a plan."""
    total = sum(s.laps for s in stints)
    if not total:
        return None
    broken = {v.stint for v in judged.violations if v.stint is not None} if judged else set()
    bars = []
    for n, s in enumerate(stints):
        name, end = row.drivers[s.seat]["name"], s.start_lap + s.laps
        told = [f"Stint {s.number}, {name}, laps {s.start_lap + 1} to {end}"]
        told += ["new tyres"] if s.tyres == "new" else ["kept tyres"]
        told += ["held"] if s.is_locked else ["pinned"] if s.mark.is_pinned else []
        told += ["breaks a rule"] if n in broken else []
        bars.append(
            Bar(
                stint=s, seat=s.seat, colour=colour_of(row.look_of(s.seat)), x=_percent(s.start_lap, total),
                width=_percent(s.laps, total), middle=_percent(s.start_lap + s.laps / 2, total),
                end=_percent(end, total), y=TOP + ROW * s.seat, is_last=n == len(stints) - 1,
                is_broken=n in broken, words=", ".join(told),
            )
        )  # fmt: skip
    step = next((n for n in STEPS if total / n <= 8), STEPS[-1])
    rows = [{"name": who["name"], "seat": n, "y": TOP + ROW * n - 6, "top": ROW * n}
            for n, who in enumerate(row.drivers)]  # fmt: skip
    ticks = [{"x": _percent(n, total), "lap": n} for n in range(0, total + 1, step)]
    return Strip(total, ROW * len(rows) + 26, rows, bars, ticks)


def _percent(value: float, whole: int) -> str:
    return f"{100 * value / whole:.3f}"
