"""Where the race is going: every stint to come, lap by lap, at the pace and burn really seen.

A timed race ends with the lap under way when the clock runs out. The stints to come keep their
planned laps, a pinned stop stays where it is, and the last stint takes what is left. Nothing is decided here: limits that the plan would
break become alerts.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property

from strategy.domain.live.fuel import Fuel, fuel_of
from strategy.domain.live.log import Driven, Planned, Race
from strategy.domain.live.pace import Burn, Pace, burn_of, pace_of, planned_lap_ms, tyre_ages
from strategy.domain.stints.instance import LONGEST_RACE_LAPS, Instance, read_instance
from strategy.domain.stints.pins import NO_MARK, StintMark
from strategy.domain.stints.scoring import stop_ms

MORE_LAPS = 400  # beyond the plan; no race runs this much longer


@dataclass(frozen=True, slots=True)
class Ahead:
    """One stint as it is expected to go. `plus_minus_laps`: how far its end may move."""

    number: int
    seat: int
    start_ms: int
    start_lap: int
    laps: int
    end_ms: int
    stop_ms: int
    limit_laps: int
    limit: str
    is_last: bool
    plus_minus_laps: int
    mark: StintMark = NO_MARK

    @property
    def end_lap(self) -> int:
        return self.start_lap + self.laps

    @property
    def pinned_lap(self) -> int | None:
        """The stop that is pinned and still to come; the last stint ends with the flag."""
        stop = self.mark.pinned_lap
        return stop if stop is not None and stop > self.start_lap and not self.is_last else None

    @property
    def is_pinned(self) -> bool:
        """It ends with its pinned stop."""
        return self.pinned_lap == self.end_lap


@dataclass(frozen=True)
class Projection:
    """The rest of the race. Crossings of laps to come are in `lap_ends` (ms), from the next lap on."""

    race: Race
    pace: Pace
    burn: Burn
    stints: tuple[Ahead, ...]
    lap_ends: tuple[int, ...]
    laps: int
    finish_ms: int
    laps_without_driver: int

    @cached_property
    def fuel(self) -> Fuel | None:
        begun = [s for s in self.race.driven if s.start_ms is not None]
        return fuel_of(self.race, begun[-1], self.burn) if begun else None

    def end_of_lap(self, lap: int) -> int:
        """The moment `lap` laps are complete: as heard, else as expected."""
        if lap in self.race.crossings:
            return self.race.crossings[lap].at_ms
        place = lap - self.race.laps_done - 1
        if 0 <= place < len(self.lap_ends):
            return self.lap_ends[place]
        return 0 if lap <= 0 else self.finish_ms

    def laps_by(self, at_ms: int) -> int:
        """Laps complete by a moment to come."""
        return self.race.laps_done + bisect_right(self.lap_ends, at_ms)


def project(race: Race) -> Projection:
    pace, burn = pace_of(race), burn_of(race)
    walk = _Walk(race, pace, burn)
    walk.go()
    last = walk.ahead[-1].laps if walk.ahead else 0
    if walk.order and last != walk.order[-1].plan.laps:  # its fill was for the planned laps
        walk = _Walk(race, pace, burn, last_laps=last)
        walk.go()
    laps = race.laps_done + len(walk.lap_ends)
    finish = race.finished_ms if race.finished_ms is not None else walk.at_ms
    left = 0 if walk.is_over else walk.laps_to_flag()
    return Projection(race, pace, burn, tuple(walk.ahead), tuple(walk.lap_ends), laps, finish, left)


class _Walk:
    """Drives the rest of the race in the head."""

    def __init__(self, race: Race, pace: Pace, burn: Burn, *, last_laps: int | None = None):
        self.race, self.pace, self.burn = race, pace, burn
        self.last_laps = last_laps
        running = race.running
        self.order = ([running] if running else []) + list(race.coming)
        self.lap = race.laps_done
        last = race.crossings.get(self.lap)
        self.at_ms = last.at_ms if last else 0
        if running and running.start_ms is not None:
            self.at_ms = max(self.at_ms, running.start_ms)
        self.ahead: list[Ahead] = []
        self.lap_ends: list[int] = []
        self.ages = tyre_ages(race)
        self.age = self._age_now()
        self.last_seat = next(
            (s.seat for s in reversed(race.driven) if s.start_ms is not None), None
        )

    @property
    def is_over(self) -> bool:
        return self.race.state == "finished" or (
            self.lap > 0 and self.race.clock_ms(self.at_ms) >= self.race.duration_ms
        )

    def go(self) -> None:
        for place, stint in enumerate(self.order):
            self.drive(stint, place)
            if self.is_over:
                break

    def _age_now(self) -> int:
        begun = [s for s in self.race.driven if s.start_ms is not None]
        return self.ages[begun[-1].number] + begun[-1].laps if begun else 0

    def drive(self, stint: Driven, place: int) -> None:
        is_running = stint.status == "in_progress"
        is_last = place == len(self.order) - 1
        if not is_running and not is_last:
            stint = replace(stint, plan=stint.plan.begun_at(self.lap))
        race, plan = self.race, stint.plan
        start, stop = self.at_ms, 0
        if is_running:
            start, first = stint.start_ms or 0, stint.start_lap or 0
            fuel = fuel_of(race, stint, self.burn)
            fuel_ml, done = fuel.left_ml, stint.laps
        else:
            if self.lap > 0 or race.state == "racing":
                stop = self._stop(stint)
                since = race.in_pits_since_ms
                began = since if place == 0 and since is not None else self.at_ms
                start = max(began + stop, race.now_ms if place == 0 else 0)
            first, done = self.lap, 0
            self.age = 0 if plan.tyres == "new" or stint.seat != self.last_seat else self.age
            self.at_ms = start
            fuel_ml = 0
        limit, words = self._limit(first, fuel_ml if is_running else None)
        wanted = LONGEST_RACE_LAPS if is_last else max(plan.laps, done)
        laps = min(wanted, max(limit, done))
        if not is_running and not is_last:
            laps = max(laps, 1)
        fuel_ml = (
            fuel_ml
            if is_running
            else self._fill(laps if not is_last else self.last_laps or plan.laps)
        )
        while (
            self.lap < first + laps
            and not self.is_over
            and len(self.lap_ends) < MORE_LAPS + (self.race.instance.race.laps)
        ):
            letter = race.letter(self.lap)
            ms = planned_lap_ms(race, letter, stint.seat, self.age, max(fuel_ml, 0), plan.compound)
            self.at_ms += max(ms + self.pace.drift_ms[stint.seat], 1)
            if not self.lap_ends and race.state == "racing":
                self.at_ms = max(self.at_ms, race.now_ms)  # the lap under way is not over yet
                self.at_ms += race.owed_ms  # penalties are served at the next chance
            fuel_ml -= round(getattr(race.instance.car.burn_ml, letter) * self.burn.ratio)
            self.lap, self.age = self.lap + 1, self.age + 1
            self.lap_ends.append(self.at_ms)
        self.last_seat = stint.seat
        driven = self.lap - first
        is_sure = self.is_over or self.lap == plan.mark.pinned_lap
        self.ahead.append(
            Ahead(stint.number, stint.seat, start, first, driven, self.at_ms, stop, limit, words,
                  is_last or self.is_over, 0 if is_sure else round((place + 1) ** 0.5), plan.mark)
        )  # fmt: skip

    def laps_to_flag(self) -> int:
        """Laps that nobody is planned for."""
        left = self.race.duration_ms - self.race.clock_ms(self.at_ms)
        return max(-(-left // max(self.race.instance.race.lap_nominal_ms[-1], 1)), 0)

    def _fill(self, laps: int) -> int:
        car = self.race.instance.car
        need = sum(
            getattr(car.burn_ml, self.race.letter(self.lap + n)) for n in range(min(laps, 200))
        )
        return min(car.reserve_ml + round(need * self.burn.ratio), car.tank_ml)

    def _stop(self, stint: Driven) -> int:
        car = self.race.instance.car
        fuel = self._fill(min(stint.plan.laps, 200)) - car.reserve_ml
        return stop_ms(
            self.race.instance, fuel_ml=fuel, new_tyres=stint.plan.tyres == "new",
            swap=stint.seat != self.last_seat,
        )  # fmt: skip

    def _limit(self, first: int, fuel_ml: int | None) -> tuple[int, str]:
        """The most laps the car can do in this stint, and what ends it."""
        car, rules = self.race.instance.car, self.race.instance.rules
        lap_burn = max(getattr(car.burn_ml, self.race.letter(self.lap)) * self.burn.ratio, 1.0)
        usable = (car.tank_ml if fuel_ml is None else fuel_ml) - car.reserve_ml
        done = self.lap - first
        limits = [(done + max(int(usable // lap_burn), 0), "fuel")]
        limits.append((done + max(car.tyre.life_laps - self.age, 0), "tyres"))
        if rules.max_stint_laps:
            limits.append((rules.max_stint_laps, "longest stint"))
        return min(limits)


# -- the race so far and to come as one stint problem, for the scorer and the optimiser


def live_instance(projection: Projection) -> Instance:
    """The problem with what is known now: real clock and conditions, real burn, real pace.

    Laps driven count the time really on track, red flags left out; laps to come the expected time.
    """
    race = projection.race
    known, laps = race.instance, max(projection.laps, 1)
    clock = [0, *(projection.end_of_lap(n) for n in range(1, laps + 1))]
    for n in range(1, laps + 1):  # a lap nobody heard of gets its share
        clock[n] = max(clock[n], clock[n - 1] + 1)
    starts = {s.start_lap: s.start_ms for s in race.driven if s.start_ms}
    starts |= {a.start_lap: a.start_ms for a in projection.stints}
    nominal = []
    for n in range(laps):
        began = max(clock[n], starts.get(n) or 0)
        nominal.append(max(clock[n + 1] - began - race.red_ms(began, clock[n + 1]), 1))
    data = known.model_dump()
    data["race"] = {"laps": laps, "clock_ms": clock, "lap_nominal_ms": nominal}
    data["conditions"] = {"by_lap": "".join(race.letter(n) for n in range(laps))}
    ratio = projection.burn.ratio
    data["car"]["burn_ml"] = {
        k: max(round(v * ratio), 1) for k, v in data["car"]["burn_ml"].items()
    }
    far = clock[-1] + 1
    end_of_plan = known.race.clock_ms[-1]
    for driver, drift in zip(data["drivers"], projection.pace.drift_ms, strict=True):
        driver["lap_ms"] = {k: max(v + drift, 1) for k, v in driver["lap_ms"].items()}
        # free to the end of the plan means to the end of the race
        driver["available_ms"] = [
            [a, far if b >= min(end_of_plan, race.duration_ms) else b]
            for a, b in driver["available_ms"]
        ]
    data["pit"]["closed_laps"] = [n for n in data["pit"]["closed_laps"] if n < laps]
    return read_instance(data)


def whole_plan(projection: Projection) -> list[Planned]:
    """The stints as driven and as expected: together every lap of the race."""
    ahead = {a.number: a for a in projection.stints}
    plan: list[Planned] = []
    for stint in projection.race.driven:
        if stint.number in ahead:
            laps, first = ahead[stint.number].laps, ahead[stint.number].start_lap
        elif stint.is_closed:
            laps, first = stint.laps, stint.start_lap or 0
        else:
            continue
        if laps > 0:
            plan.append(replace(stint.plan, laps=laps, start_lap=first))
    return plan
