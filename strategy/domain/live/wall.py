"""The pit wall: everything a team looks at during a race, computed from what is known.

One call, `read_wall(race)`, gives it all. Times are ms since the green flag unless the name says
otherwise; laps count completed laps.
"""

from dataclasses import dataclass
from typing import Literal

from strategy.domain.live.fuel import Fuel
from strategy.domain.live.limits import DriveBar, Window, bars, on_track_ms, window
from strategy.domain.live.log import Race
from strategy.domain.live.next_up import NextUp, next_up, to_add
from strategy.domain.live.pins import unkept
from strategy.domain.live.projection import Projection, project

STALE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Clock:
    """`race_ms` and `left_ms` stand still under red where the rules stop the clock."""

    now_ms: int
    race_ms: int
    left_ms: int
    is_ticking: bool
    flag: str  # green, fcy, sc, red; "" before and after the race
    flag_since_ms: int | None


@dataclass(frozen=True, slots=True)
class InCar:
    """Who is in, and for how long. `laps` counts completed laps of the stint."""

    number: int
    seat: int
    name: str
    laps: int
    planned_laps: int
    since_ms: int
    in_stint_ms: int
    tyre_laps: int


@dataclass(frozen=True, slots=True)
class InPits:
    """The car stands in the pits since `since_ms`; `expected_out_ms` by the plan's service."""

    since_ms: int
    expected_out_ms: int
    add_ml: int
    tyres: str
    compound: int
    is_driver_change: bool


@dataclass(frozen=True, slots=True)
class StintLine:
    """Plan against actual against expected, one stint."""

    number: int
    seat: int
    name: str
    status: str
    planned_start_ms: int
    planned_start_lap: int
    planned_laps: int
    planned_stop_ms: int
    planned_fuel_ml: int
    tyres: str
    compound: int
    start_ms: int | None
    end_ms: int | None
    start_lap: int | None
    laps: int | None
    is_expected: bool  # start, end and laps are expectations
    on_track_ms: int
    drift_ms: int | None  # against the planned start; above 0: late
    is_driver_pinned: bool = False
    pinned_lap: int | None = None
    backup: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a driver gets in or out next: "you are in at 02:14, in 3 laps, give or take 1"."""

    seat: int
    name: str
    is_in: bool
    stint: int | None
    at_ms: int | None
    in_laps: int | None
    plus_minus_laps: int
    plus_minus_ms: int
    turns_left: int


@dataclass(frozen=True, slots=True)
class Finish:
    """How the race is expected to end. `pace_drift_ms`: of who is in, a lap; above 0 slower.

    `finish_ms` has in it what penalties to be served will cost (`owed_ms`). The result adds
    `penalty_ms` to it and takes `penalty_laps` off.
    """

    laps_done: int
    laps: int
    planned_laps: int
    finish_ms: int
    owed_ms: int
    penalty_ms: int
    penalty_laps: int
    stops_left: int
    laps_without_driver: int
    pace_drift_ms: int
    pace_spread_ms: int
    clean_laps: int
    burn_percent: float
    burn_spread_percent: float
    burn_to_skip_last_stop_ml: int | None


@dataclass(frozen=True, slots=True)
class Alert:
    level: Literal["info", "amber", "red"]
    code: str
    words: str


@dataclass(frozen=True)
class Wall:
    """What the wall shows. `projection` is what it was computed from, for those who calculate on."""

    state: str
    clock: Clock
    in_car: InCar | None
    in_pits: InPits | None
    fuel: Fuel | None
    window: Window | None
    next_up: NextUp | None
    bars: list[DriveBar]
    stints: list[StintLine]
    turns: list[Turn]
    finish: Finish
    is_wet: bool
    alerts: list[Alert]
    projection: Projection


def read_wall(race: Race) -> Wall:
    projection = project(race)
    who = [d.id for d in race.instance.drivers]
    opening = window(projection)
    drive = bars(projection)
    coming = next_up(projection, who)
    finish = _finish(projection)
    wall = Wall(
        race.state, _clock(race), _in_car(projection, who), _in_pits(projection),
        projection.fuel if race.state == "racing" else None, opening, coming, drive,
        _lines(projection, who), [_turn(projection, seat, name) for seat, name in enumerate(who)],
        finish, race.is_wet_now(), [], projection,
    )  # fmt: skip
    wall.alerts.extend(alerts(wall))
    return wall


def _clock(race: Race) -> Clock:
    clock = race.clock_ms(race.now_ms)
    under = race.neutral_at(race.now_ms)
    stands = under is not None and under.kind == "red" and race.red_stops_clock
    flag = (under.kind if under else "green") if race.state == "racing" else ""
    return Clock(
        race.now_ms, clock, max(race.duration_ms - clock, 0),
        race.state == "racing" and not stands, flag, under.from_ms if under else None,
    )  # fmt: skip


def _in_car(projection: Projection, who: list[str]) -> InCar | None:
    race, running = projection.race, projection.race.running
    if running is None or running.start_ms is None:
        return None
    age = 0
    for stint in race.driven:
        if stint.start_ms is not None:
            age = stint.laps if stint.plan.tyres == "new" else age + stint.laps
    return InCar(
        running.number, running.seat, who[running.seat], running.laps, running.plan.laps,
        running.start_ms, race.now_ms - running.start_ms, age,
    )  # fmt: skip


def _in_pits(projection: Projection) -> InPits | None:
    race, since = projection.race, projection.race.in_pits_since_ms
    if since is None or not projection.stints:
        return None
    ahead, coming = projection.stints[0], race.coming[0]
    before = [s for s in race.driven if s.end_ms is not None]
    return InPits(
        since, since + ahead.stop_ms, to_add(projection, ahead), coming.plan.tyres,
        coming.plan.compound, bool(before) and before[-1].seat != coming.seat,
    )  # fmt: skip


def _lines(projection: Projection, who: list[str]) -> list[StintLine]:
    ahead = {a.number: a for a in projection.stints}
    lines = []
    for stint in projection.race.driven:
        plan, expected = stint.plan, ahead.get(stint.number)
        start, end, lap, laps = stint.start_ms, stint.end_ms, stint.start_lap, stint.laps
        is_expected = expected is not None
        if expected is not None:
            start, end = expected.start_ms, expected.end_ms
            lap, laps = expected.start_lap, expected.laps
        known = stint.start_ms is not None or is_expected
        lines.append(
            StintLine(
                stint.number, stint.seat, who[stint.seat], stint.status, plan.start_ms,
                plan.start_lap, plan.laps, plan.stop_ms, plan.fuel_in_ml, plan.tyres, plan.compound,
                start, end, lap if known else None, laps if known else None, is_expected,
                on_track_ms(projection.race, stint),
                start - plan.start_ms if known and start is not None else None,
                plan.mark.is_driver_pinned,
                plan.mark.pinned_lap if stint is not projection.race.driven[-1] else None,
                "".join(who[n] for n in range(len(who)) if n == plan.mark.backup),
            )
        )  # fmt: skip
    return lines


def _turn(projection: Projection, seat: int, name: str) -> Turn:
    race = projection.race
    is_in = race.running is not None and race.running.seat == seat
    mine = [a for a in projection.stints if a.seat == seat
            and not (is_in and race.running and a.number == race.running.number)]  # fmt: skip
    lap_ms = race.instance.race.lap_nominal_ms[-1]
    if is_in and projection.stints:
        here = projection.stints[0]
        return Turn(seat, name, True, here.number, here.end_ms, max(here.end_lap - race.laps_done, 0),
                    here.plus_minus_laps, here.plus_minus_laps * lap_ms, len(mine))  # fmt: skip
    if not mine:
        return Turn(seat, name, is_in, None, None, None, 0, 0, 0)
    first = mine[0]
    before = next((a for a in projection.stints if a.end_lap == first.start_lap), first)
    give = 0 if before.is_pinned else max(before.plus_minus_laps, 1)
    return Turn(seat, name, False, first.number, first.start_ms,
                max(first.start_lap - race.laps_done, 0), give, give * lap_ms, len(mine))  # fmt: skip


def _finish(projection: Projection) -> Finish:
    race, fuel = projection.race, projection.fuel
    to_go = max(projection.laps - race.laps_done, 0)
    stops = max(len(projection.stints) - (1 if race.running else 0), 0)
    skip = None
    if fuel is not None and stops and to_go:
        car = race.instance.car
        tanks = (stops - 1) * (car.tank_ml - car.reserve_ml)
        skip = max(fuel.left_ml - car.reserve_ml + tanks, 0) // to_go
    seat = race.running.seat if race.running else 0
    return Finish(
        race.laps_done, projection.laps, race.instance.race.laps, projection.finish_ms,
        race.owed_ms if race.state == "racing" else 0, _punished(race, "time"),
        _punished(race, "laps"), stops, projection.laps_without_driver, projection.pace.drift_ms[seat], projection.pace.spread_ms,
        projection.pace.clean_laps, round(projection.burn.ratio * 100, 1),
        round(projection.burn.spread * 100, 1), skip,
    )  # fmt: skip


def _punished(race: Race, kind: str) -> int:
    return sum(p.amount for p in race.penalties if p.kind == kind)


def alerts(wall: Wall) -> list[Alert]:
    """What somebody should act on, the worst first."""
    if wall.state != "racing":
        return []
    found = [*_driver_alerts(wall), *_car_alerts(wall), *_plan_alerts(wall)]
    order = {"red": 0, "amber": 1, "info": 2}
    return sorted(found, key=lambda alert: order[alert.level])


def _driver_alerts(wall: Wall) -> list[Alert]:
    found: list[Alert] = []
    for bar in wall.bars:
        if bar.level == "red":
            found.append(
                Alert("red", "driver_limit", f"{bar.name} must get out now: {bar.must_out_rule}.")
            )
        elif bar.level == "amber":
            found.append(
                Alert(
                    "amber", "driver_limit", f"{bar.name} is close to a limit: {bar.must_out_rule}."
                )
            )
        if bar.max_ms is not None and bar.projected_ms > bar.max_ms:
            found.append(
                Alert("amber", "too_much_driving", f"{bar.name} would drive more than allowed.")
            )
        if bar.projected_ms < bar.min_ms:
            found.append(
                Alert("amber", "too_little_driving", f"{bar.name} would drive less than demanded.")
            )
    return found + _next_driver_alerts(wall)


def _next_driver_alerts(wall: Wall) -> list[Alert]:
    coming, found = wall.next_up, list[Alert]()
    if coming is not None and coming.why_not:
        found.append(Alert("red", "next_driver", coming.why_not))
    elif coming and not coming.is_ready and wall.window and wall.window.level != "ok":
        found.append(Alert("amber", "not_ready", f"{coming.name} is next and not ready yet."))
    if found and coming is not None and coming.backup is not None and coming.backup.is_called:
        words = f"{coming.backup.name} is the backup and may get in: swap the driver."
        found.append(Alert("amber", "backup", words))
    return found


def _car_alerts(wall: Wall) -> list[Alert]:
    found: list[Alert] = []
    fuel, opening, car = wall.fuel, wall.window, wall.in_car
    if fuel is not None and car is not None and opening is not None:
        laps_to_stop = opening.predicted_lap - wall.finish.laps_done
        if fuel.laps < 1:
            found.append(Alert("red", "fuel_out", "Fuel for less than one lap: in now."))
        elif fuel.laps < laps_to_stop or (fuel.is_read and fuel.laps_low < laps_to_stop):
            found.append(Alert("amber", "fuel_short",
                               f"Fuel may last {fuel.laps_low} laps, the stop is in {laps_to_stop}."))  # fmt: skip
    if opening is not None and opening.level == "red":
        words = f"The window has closed: {opening.closes_by}."
        if opening.is_pinned:
            words = f"In now: the stop is pinned to lap {opening.closes_lap}."
        found.append(Alert("red", "window_closed", words))
    elif opening is not None and opening.level == "amber":
        words = f"The window closes soon: {opening.closes_by}."
        if opening.is_pinned:
            words = f"The stop pinned to lap {opening.closes_lap} is near."
        found.append(Alert("amber", "window_closing", words))
    if wall.in_pits is not None and wall.clock.now_ms > wall.in_pits.expected_out_ms + 30_000:
        found.append(Alert("amber", "long_stop", "The stop takes longer than planned."))
    if wall.clock.flag in ("fcy", "sc", "red"):
        flags = {"fcy": "Full-course yellow", "sc": "Safety car", "red": "Red flag"}
        found.append(Alert("info", "flag", f"{flags[wall.clock.flag]}: look at the ways on."))
    return found


def _plan_alerts(wall: Wall) -> list[Alert]:
    found = [Alert("amber", "pin", words) for words in unkept(wall.projection)]
    finish = wall.finish
    if finish.laps_without_driver:
        found.append(Alert("amber", "one_more_stop",
                           f"The plan ends {finish.laps_without_driver} laps before the flag."))  # fmt: skip
    left = [s for s in wall.stints if s.status == "planned" and not s.is_expected]
    if left and wall.in_car:
        found.append(
            Alert("info", "stints_too_many", f"{len(left)} planned stints are not needed.")
        )
    running = next((s for s in wall.stints if s.status == "in_progress"), None)
    if running is not None and bool(running.compound) != wall.is_wet:
        tyres = "wet" if running.compound else "dry"
        found.append(
            Alert(
                "amber",
                "wrong_tyres",
                f"On {tyres} tyres in the {'wet' if wall.is_wet else 'dry'}.",
            )
        )
    return found
