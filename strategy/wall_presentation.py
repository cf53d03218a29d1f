"""The wall as people look at it: bars against limits, plan beside race, one driver's own next turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from racecontrol.shared.charts.chart import Chart
from racecontrol.shared.charts.stint_bars import Bar, Row, stint_bars
from strategy.domain.live.limits import DriveBar
from strategy.domain.live.wall import Wall
from strategy.models import RaceStrategy
from strategy.queries.live import WallState

FLAGS = {
    "": "Not racing",
    "green": "Green",
    "fcy": "Full-course yellow",
    "sc": "Safety car",
    "red": "Red flag",
}
KINDS = {"completed": "driven", "aborted": "alert", "in_progress": "driven"}


@dataclass(frozen=True, slots=True)
class DriveLine:
    """A driver's hours with their places on a scale of 0 to 1000."""

    bar: DriveBar
    look: int
    driven: int
    to_come: int
    most: int | None
    least: int | None

    @property
    def is_over(self) -> bool:
        return self.bar.max_ms is not None and self.bar.driven_ms > self.bar.max_ms

    @property
    def will_be_over(self) -> bool:
        return self.bar.max_ms is not None and self.bar.projected_ms > self.bar.max_ms

    @property
    def will_be_short(self) -> bool:
        return self.bar.projected_ms < self.bar.min_ms


def drive_lines(bars: Sequence[DriveBar], row: RaceStrategy) -> list[DriveLine]:
    most = max([bar.projected_ms for bar in bars] + [bar.max_ms or 0 for bar in bars], default=1)
    most = max(most, 1)

    def at(ms: int) -> int:
        return min(round(1000 * ms / most), 1000)

    return [
        DriveLine(
            bar, row.look_of(bar.seat), at(bar.driven_ms), max(at(bar.projected_ms) - at(bar.driven_ms), 0),
            None if bar.max_ms is None else at(bar.max_ms), at(bar.min_ms) if bar.min_ms else None,
        )
        for bar in bars
    ]  # fmt: skip


def race_chart(wall: Wall, row: RaceStrategy, *, title: str = "Stints on the race clock") -> Chart:
    """Two rows a driver: as the plan had it, and as it went and is expected to go."""
    seats: dict[int, str] = {line.seat: line.name for line in wall.stints}
    plans = [stint.plan for stint in wall.projection.race.driven]
    rows = []
    for seat, name in sorted(seats.items()):
        mine = [line for line in wall.stints if line.seat == seat]
        planned = [
            Bar(plan.start_ms, plan.start_ms + plan.drive_ms, str(plan.number), "as planned",
                kind="planned", look=row.look_of(seat))
            for plan in plans if plan.seat == seat
        ]  # fmt: skip
        raced = [
            Bar(line.start_ms, line.end_ms or wall.clock.now_ms, str(line.number),
                "expected" if line.is_expected and line.status != "in_progress" else line.status,
                kind=KINDS.get(line.status, "idle"), look=row.look_of(seat))
            for line in mine
            if line.start_ms is not None and line.status != "skipped"
        ]  # fmt: skip
        rows += [Row(f"{name}, plan", planned), Row(name, raced)]
    return stint_bars(
        rows, title=title, now=wall.clock.now_ms if wall.state == "racing" else None, slug="race"
    )


STATES = {
    "planned": "planned",
    "ready": "ready",
    "in_progress": "in the car",
    "completed": "done",
    "skipped": "skipped",
    "aborted": "broken off",
}


def lines_of(state: WallState) -> list[dict[str, Any]]:
    """Plan against race, a row a stint."""
    return [
        {"line": line, "look": state.strategy.look_of(line.seat), "state": STATES[line.status], "is_running": line.status == "in_progress",
         "start_at": state.moment(line.start_ms)}
        for line in state.wall.stints
    ]  # fmt: skip


def figures(state: WallState) -> dict[str, Any]:
    """What the wall shows besides its own numbers; `rate` is race time per time on the wall."""
    wall, clock = state.wall, state.wall.clock
    opening, pits, coming = wall.window, wall.in_pits, wall.next_up
    return {
        "flag": FLAGS[clock.flag],
        "rate": state.run.rate if clock.is_ticking else 0,
        "in_pits_ms": clock.now_ms - pits.since_ms if pits else 0,
        "closes_in_ms": opening.closes_ms - clock.now_ms if opening else 0,
        "laps_to_stop": max(opening.predicted_lap - wall.finish.laps_done, 0) if opening else 0,
        "next_up_at": state.moment(coming.in_ms) if coming else None,
        "drive": drive_lines(wall.bars, state.strategy),
        "lines": lines_of(state),
        "chart": race_chart(wall, state.strategy),
    }


def turn_of(state: WallState, seat: int | None) -> dict[str, Any] | None:
    """What a driver wants to know: "you are in at 02:14, in 3 laps, give or take 1"."""
    turn = next((one for one in state.wall.turns if one.seat == seat), None)
    if turn is None:
        return None
    mine = [line for line in state.wall.stints if line.seat == seat]
    coming = state.wall.next_up
    bar = next(one for one in state.wall.bars if one.seat == seat)
    return {
        "turn": turn, "at": state.moment(turn.at_ms), "bar": bar,
        "in_ms": (turn.at_ms or 0) - state.wall.clock.now_ms,
        "plus_minus_min": max(round(turn.plus_minus_ms / 60_000), 1) if turn.plus_minus_ms else 0,
        "stints": [{"line": line, "at": state.moment(line.start_ms or line.planned_start_ms),
                    "state": STATES[line.status]} for line in mine],
        "out_at": state.moment(bar.must_out_ms),
        "is_next": coming is not None and coming.seat == seat,
        "may_confirm": coming is not None and coming.seat == seat and not coming.is_ready,
    }  # fmt: skip
