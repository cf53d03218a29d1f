"""Each driver's hours against the limits, and the window of the next stop.

Times are ms since the green flag. A drive is time on track: pit stops and red flags do not count.
"""

from dataclasses import dataclass
from typing import Literal

from strategy.domain.live.log import Driven, Race
from strategy.domain.live.projection import Ahead, Projection

Level = Literal["ok", "amber", "red"]
AMBER_MS = 900_000  # a quarter of an hour before a limit
PINNED = "pinned by plan"


@dataclass(frozen=True, slots=True)
class DriveBar:
    """Driving of one driver. `must_out_ms`: the latest moment to get out, and which rule says so.

    `may_in_ms`: the earliest moment to get in again; None for whoever drives or may not any more.
    """

    seat: int
    name: str
    driven_ms: int
    projected_ms: int
    min_ms: int
    max_ms: int | None
    running_ms: int
    max_running_ms: int | None
    must_out_ms: int | None
    must_out_rule: str
    may_in_ms: int | None
    is_in: bool
    level: Level
    laps: int
    stints: int


@dataclass(frozen=True, slots=True)
class Window:
    """When the next stop may and must be. Laps are completed laps at the stop; ms since green.

    `closes_by` is the first limit; `binding` says what fixes the predicted stop: it, or the plan. A
    stop pinned within the limits is the whole window (`is_pinned`); where the limits alone would open
    and close it stays in `free_lap`, `limit_lap` and `limit`.
    """

    opens_lap: int
    closes_lap: int
    predicted_lap: int
    plus_minus_laps: int
    opens_ms: int
    closes_ms: int
    predicted_ms: int
    binding: str
    closes_by: str
    is_open: bool
    level: Level
    pinned_lap: int | None = None
    is_pinned: bool = False
    free_lap: int = 0
    limit_lap: int = 0
    limit: str = ""


def on_track_ms(race: Race, stint: Driven) -> int:
    if stint.start_ms is None:
        return 0
    end = stint.end_ms if stint.end_ms is not None else race.now_ms
    return max(end - stint.start_ms - race.red_ms(stint.start_ms, end), 0)


def turn_ms(race: Race, seat: int) -> int:
    """Driving of the unbroken turn that is running, over its stints; 0 for who is not in."""
    total = 0
    for stint in reversed([s for s in race.driven if s.start_ms is not None]):
        if stint.seat != seat:
            break
        total += on_track_ms(race, stint)
    return total


def get_out(race: Race, seat: int) -> tuple[int | None, str]:
    """The latest moment the driver who is in (or gets in now) must be out, and why."""
    who, now = race.instance.drivers[seat], race.now_ms
    far = race.instance.race.clock_ms[-1]
    driven = sum(on_track_ms(race, s) for s in race.driven if s.seat == seat)
    limits: list[tuple[int, str]] = []
    if who.max_continuous_ms <= far:
        limits.append((now + who.max_continuous_ms - turn_ms(race, seat), "continuous driving"))
    if who.max_drive_ms <= far:
        limits.append((now + who.max_drive_ms - driven, "total driving"))
    ends = [b for a, b in who.available_ms if a <= now]
    end = max(ends, default=0)
    if end < min(far, race.duration_ms):
        limits.append((end, "hours"))
    rolling = race.instance.rules.rolling
    if rolling:
        limits.append(
            (now + rolling.max_ms - _lately(race, seat, rolling.window_ms), "rolling window")
        )
    return min(limits) if limits else (None, "")


def _lately(race: Race, seat: int, window_ms: int) -> int:
    since = race.now_ms - window_ms
    total = 0
    for stint in race.driven:
        if stint.seat == seat and stint.start_ms is not None:
            end = stint.end_ms if stint.end_ms is not None else race.now_ms
            total += max(end - max(stint.start_ms, since), 0)
    return total


def get_in(race: Race, seat: int) -> int | None:
    """The earliest moment the driver may take the car: rested, free, and with driving left."""
    who, far = race.instance.drivers[seat], race.instance.race.clock_ms[-1]
    driven = sum(on_track_ms(race, s) for s in race.driven if s.seat == seat)
    if who.max_drive_ms <= far and driven >= who.max_drive_ms:
        return None
    ends = [s.end_ms for s in race.driven if s.seat == seat and s.end_ms is not None]
    earliest = max(race.now_ms, ends[-1] + who.min_rest_ms) if ends else race.now_ms
    windows = sorted(w for w in who.available_ms if w[1] > earliest)
    return max(earliest, windows[0][0]) if windows else None


def bars(projection: Projection) -> list[DriveBar]:
    race = projection.race
    far = race.instance.race.clock_ms[-1]
    bars = []
    for seat, who in enumerate(race.instance.drivers):
        stints = [s for s in race.driven if s.seat == seat and s.start_ms is not None]
        driven = sum(on_track_ms(race, s) for s in stints)
        is_in = race.running is not None and race.running.seat == seat
        to_come = sum(
            max(a.end_ms - max(a.start_ms, race.now_ms if is_in else 0), 0)
            for a in projection.stints
            if a.seat == seat
        )
        out_ms, rule = get_out(race, seat) if is_in else (None, "")
        left = out_ms - race.now_ms if out_ms is not None else AMBER_MS + 1
        level: Level = "red" if left <= 0 else "amber" if left <= AMBER_MS else "ok"
        bars.append(
            DriveBar(
                seat, who.id, driven, driven + to_come, who.min_drive_ms,
                who.max_drive_ms if who.max_drive_ms <= far else None,
                turn_ms(race, seat) if is_in else 0,
                who.max_continuous_ms if who.max_continuous_ms <= far else None,
                out_ms, rule, None if is_in else get_in(race, seat), is_in, level,
                sum(s.laps for s in stints), len(stints),
            )
        )  # fmt: skip
    return bars


def window(projection: Projection) -> Window | None:
    """The window of the stop that ends the running stint; None where nobody runs or none is due.

    It opens when the stints to come can carry the car to the flag, and closes with the first limit.
    """
    race, running = projection.race, projection.race.running
    here = projection.stints[0] if projection.stints else None
    if running is None or here is None or running.start_lap is None:
        return None
    if here.is_last and not projection.laps_without_driver:
        return None
    limit_lap, limit = _closes(projection, here, running)
    later = projection.stints[1:]
    opens = projection.laps - sum(a.limit_laps for a in later)
    opens = max(opens, running.start_lap + race.instance.rules.min_stint_laps, race.laps_done)
    free = min(opens, limit_lap)
    planned = running.start_lap + running.plan.laps
    is_pinned = here.pinned_lap is not None and race.laps_done <= here.pinned_lap <= limit_lap
    closes, closes_by = limit_lap, limit
    if is_pinned:
        opens, closes, closes_by = planned, planned, PINNED
    predicted = max(min(planned, closes), race.laps_done)
    binding = PINNED if is_pinned else "plan" if planned <= closes else closes_by
    closes_ms = projection.end_of_lap(closes)
    left = closes_ms - race.now_ms
    level: Level = "red" if left <= 0 else "amber" if left <= AMBER_MS else "ok"
    fuel = projection.fuel
    slack = max(fuel.laps_high - fuel.laps_low, 0) // 2 if fuel and binding == "fuel" else 0
    return Window(
        min(opens, closes), closes, predicted, 0 if is_pinned else max(slack, 1),
        projection.end_of_lap(min(opens, closes)), closes_ms, projection.end_of_lap(predicted),
        binding, closes_by, opens <= race.laps_done, level,
        here.pinned_lap, is_pinned, free, limit_lap, limit,
    )  # fmt: skip


def _closes(projection: Projection, here: Ahead, running: Driven) -> tuple[int, str]:
    race = projection.race
    closes = [((running.start_lap or 0) + here.limit_laps, here.limit)]
    out_ms, rule = get_out(race, running.seat)
    if out_ms is not None:
        closes.append((max(projection.laps_by(out_ms), race.laps_done), rule))
    closes.append((projection.laps, "flag"))
    return min(closes)
