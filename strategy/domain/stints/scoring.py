"""Judges a plan lap by lap, with plain arithmetic and nothing shared with the optimiser.

Slow on purpose: it is the second opinion. Every broken rule becomes one Violation with the
measured value and the limit, so a person can see by how much.
"""

from dataclasses import dataclass
from itertools import accumulate

from strategy.domain.stints.instance import NIGHT, WET, Instance, Stint


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule. `stint` counts from 0; `measured` and `limit` are in `unit`."""

    rule: str
    message: str
    stint: int | None = None
    driver: int | None = None
    measured: int | None = None
    limit: int | None = None
    unit: str = ""
    severity: str = "error"


@dataclass(frozen=True, slots=True)
class StintFacts:
    """What one stint comes to. Fuel in ml at its start and end, times in ms."""

    start_lap: int
    end_lap: int
    start_ms: int
    stop_ms: int
    drive_ms: int
    fuel_in_ml: int
    fuel_added_ml: int
    fuel_out_ml: int
    tyre_age: int
    compound: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A driver's unbroken run of stints over laps start..end (end not included)."""

    driver: int
    start: int
    end: int
    stints: int
    first_stint: int


@dataclass(frozen=True, slots=True)
class Score:
    """z1: race time, z2: spread of drive time, z3: tiredness; all ms. Valid when nothing is broken."""

    z1_ms: int
    z2_ms: int
    z3_ms: int
    stops: int
    tyre_sets: int
    drive_ms: list[int]
    laps: list[int]
    stints: list[StintFacts]
    turns: list[Turn]
    violations: list[Violation]

    @property
    def is_valid(self) -> bool:
        return not self.violations


def stop_ms(instance: Instance, *, fuel_ml: int, new_tyres: bool, swap: bool) -> int:
    """Time a stop costs: the drive through the lane and the service, at least the minimum."""
    pit = instance.pit
    refuel = max(-(-fuel_ml * 1000 // pit.refuel_ml_per_s), pit.min_refuel_ms)
    tyres = pit.tyre_ms if new_tyres else 0
    change = pit.swap_ms if swap else 0
    if pit.mode == "parallel":
        service = max(refuel, tyres, change)
    elif pit.mode == "fuel_then_tyres":
        service = max(refuel, change) + tyres
    else:
        service = refuel + tyres + change
    return max(pit.lane_ms + max(service, pit.min_service_ms), pit.min_total_ms)


def held_stops(instance: Instance, plan: list[Stint]) -> tuple[dict[int, int], list[int]]:
    """How long each stop lasts (stint number: ms), and the stops missing in each pit window.

    Where a window asks for long stops, those are held that cost least to hold.
    """
    burn, letters, clock = instance.car.burn_ml, instance.conditions.by_lap, instance.race.clock_ms
    lasts: dict[int, int] = {}
    at: dict[int, int] = {}
    lap = 0
    for number, stint in enumerate(plan):
        end = lap + stint.laps
        if end > instance.race.laps:
            break
        if number:
            fuel = sum(getattr(burn, letters[n]) for n in range(lap, end))
            swap = plan[number - 1].driver != stint.driver
            at[number] = clock[lap]
            lasts[number] = stop_ms(
                instance, fuel_ml=fuel, new_tyres=stint.tyres == "new", swap=swap
            )
        lap = end
    missing = []
    for window in instance.rules.pit_windows:
        inside = [n for n in lasts if window.from_ms <= at[n] <= window.to_ms]
        inside.sort(key=lambda n: max(window.min_total_ms - lasts[n], 0))
        for number in inside[: window.count]:
            lasts[number] = max(lasts[number], window.min_total_ms)
        missing.append(max(window.count - len(inside), 0))
    return lasts, missing


def lap_ms(
    instance: Instance, *, lap: int, driver: int, age: int, fuel_ml: int, compound: int
) -> int:
    """Time of one lap: pace in the conditions, weight of fuel, wear, cold or wrong tyres."""
    letter, tyre = instance.conditions.by_lap[lap], instance.car.tyre
    ms = getattr(instance.drivers[driver].lap_ms, letter)
    ms += fuel_ml * instance.car.fuel_us_per_ml // 1000
    ms += tyre.deg_ms * age + tyre.deg2_us * age * age // 1000
    ms += tyre.cold_ms if age == 0 else 0
    ms += tyre.wrong_ms if (letter in WET) != (compound == 1) else 0
    return ms


def score(instance: Instance, plan: list[Stint]) -> Score:
    """Everything about a plan: objectives, each stint's numbers, each broken rule."""
    broken: list[Violation] = []
    stints = _drive(instance, plan, broken)
    turns = _turns(plan, stints)
    _check_turns(instance, turns, broken)
    drive, laps = _totals(instance, turns)
    _check_totals(instance, drive, laps, broken)
    _check_spans(instance, turns, broken)
    _check_tyre_sets(instance, plan, broken)
    _check_start_and_finish(instance, turns, len(plan) - 1, broken)
    _check_rolling(instance, turns, broken)
    fresh = instance.rules.fresh_ms
    return Score(
        z1_ms=sum(s.stop_ms + s.drive_ms for s in stints),
        z2_ms=max(drive) - min(drive),
        z3_ms=sum(max(0, _nominal(instance, t.start, t.end) - fresh) for t in turns),
        stops=max(len(stints) - 1, 0),
        tyre_sets=sum(1 for n, s in enumerate(plan[: len(stints)]) if n == 0 or s.tyres == "new"),
        drive_ms=drive,
        laps=laps,
        stints=stints,
        turns=turns,
        violations=broken,
    )


def _nominal(instance: Instance, start: int, end: int) -> int:
    return sum(instance.race.lap_nominal_ms[start:end])


def _drive(instance: Instance, plan: list[Stint], broken: list[Violation]) -> list[StintFacts]:
    rules, car = instance.rules, instance.car
    total, usable = instance.race.laps, car.tank_ml - car.reserve_ml
    facts: list[StintFacts] = []
    lap = age = compound = elapsed = 0
    lasts, missing = held_stops(instance, plan)
    for short, window in zip(missing, rules.pit_windows, strict=True):
        if short:
            made = window.count - short
            broken.append(
                Violation("pit_window", f"Too few stops in the window {window.name}.", None, None,
                          made, window.count, "stops")
            )  # fmt: skip
    for number, stint in enumerate(plan):
        end = lap + stint.laps
        if stint.driver >= len(instance.drivers):
            broken.append(Violation("driver", f"There is no driver {stint.driver}.", number))
            break
        if end > total:
            over = end - total
            broken.append(
                Violation("coverage", f"Runs {over} laps past the finish.", number, stint.driver,
                          end, total, "laps")
            )  # fmt: skip
            break
        swap = number > 0 and plan[number - 1].driver != stint.driver
        new = number == 0 or stint.tyres == "new"
        if number > 0 and not new:
            _check_kept_tyres(instance, number, stint, swap, compound, broken)
        if new:
            age, compound = 0, stint.compound
        burns = [getattr(car.burn_ml, instance.conditions.by_lap[n]) for n in range(lap, end)]
        fuel = sum(burns)
        for rule, measured, limit, unit, is_broken, words in (
            ("fuel", fuel, usable, "ml", fuel > usable, "Needs more fuel than the tank gives"),
            ("min_stint_laps", stint.laps, rules.min_stint_laps, "laps",
             stint.laps < rules.min_stint_laps, "Is shorter than a stint may be"),
            ("max_stint_laps", stint.laps, rules.max_stint_laps or 0, "laps",
             bool(rules.max_stint_laps) and stint.laps > (rules.max_stint_laps or 0),
             "Is longer than a stint may be"),
            ("max_stint_time", _nominal(instance, lap, end), rules.max_stint_ms or 0, "ms",
             bool(rules.max_stint_ms)
             and _nominal(instance, lap, end) > (rules.max_stint_ms or 0),
             "Takes longer than a stint may"),
            ("tyre_life", age + stint.laps, car.tyre.life_laps, "laps",
             age + stint.laps > car.tyre.life_laps, "Outlives its tyres"),
            ("pit_closed", lap, lap, "lap", number > 0 and lap in instance.pit.closed_laps,
             "Starts with a stop while the pit lane is closed"),
        ):  # fmt: skip
            if is_broken:
                broken.append(
                    Violation(rule, f"{words}.", number, stint.driver, measured, limit, unit)
                )
        stop = lasts.get(number, 0)
        driven, left = 0, car.reserve_ml + fuel
        for step, burn in enumerate(burns):
            driven += lap_ms(instance, lap=lap + step, driver=stint.driver, age=age + step,
                             fuel_ml=left, compound=compound)  # fmt: skip
            left -= burn
        _check_laps(instance, number, stint.driver, lap, end, broken)
        facts.append(
            StintFacts(lap, end, elapsed + stop, stop, driven, car.reserve_ml + fuel,
                       fuel, left, age, compound)
        )  # fmt: skip
        elapsed += stop + driven
        age += stint.laps
        lap = end
    if lap != total:
        broken.append(
            Violation("coverage", f"The plan covers {lap} of {total} laps.", None, None, lap,
                      total, "laps")
        )  # fmt: skip
    return facts


def _check_kept_tyres(
    instance: Instance,
    number: int,
    stint: Stint,
    swap: bool,
    compound: int,
    broken: list[Violation],
) -> None:
    if swap:
        broken.append(
            Violation("tyres_at_swap", "Keeps the tyres across a driver change.", number,
                      stint.driver)
        )  # fmt: skip
    if instance.rules.tyre_policy == "every_stop":
        broken.append(
            Violation("tyre_policy", "Must take new tyres at every stop.", number, stint.driver)
        )
    if stint.compound != compound:
        broken.append(
            Violation("compound", "Keeps its tyres but names another compound.", number,
                      stint.driver)
        )  # fmt: skip


def _check_laps(
    instance: Instance, number: int, driver: int, start: int, end: int, broken: list[Violation]
) -> None:
    who, clock = instance.drivers[driver], instance.race.clock_ms
    away, dark, wet = [], [], []
    for lap in range(start, end):
        letter = instance.conditions.by_lap[lap]
        if not any(a <= clock[lap] and clock[lap + 1] <= b for a, b in who.available_ms):
            away.append(lap)
        if who.no_night and letter in NIGHT:
            dark.append(lap)
        if who.no_wet and letter in WET:
            wet.append(lap)
    for rule, laps, words in (
        ("availability", away, "is not available"),
        ("no_night", dark, "may not drive at night"),
        ("no_wet", wet, "may not drive in the wet"),
    ):
        if laps:
            broken.append(
                Violation(rule, f"{who.id} {words} on {_laps_text(laps)}.", number, driver,
                          len(laps), 0, "laps")
            )  # fmt: skip


def _laps_text(laps: list[int]) -> str:
    return f"lap {laps[0] + 1}" if len(laps) == 1 else f"laps {laps[0] + 1} to {laps[-1] + 1}"


def _turns(plan: list[Stint], stints: list[StintFacts]) -> list[Turn]:
    turns: list[Turn] = []
    for number, facts in enumerate(stints):
        driver = plan[number].driver
        if turns and turns[-1].driver == driver:
            last = turns.pop()
            turns.append(Turn(driver, last.start, facts.end_lap, last.stints + 1, last.first_stint))
        else:
            turns.append(Turn(driver, facts.start_lap, facts.end_lap, 1, number))
    return turns


def _check_turns(instance: Instance, turns: list[Turn], broken: list[Violation]) -> None:
    clock = instance.race.clock_ms
    last_exit: dict[int, int] = {}
    for turn in turns:
        who, at = instance.drivers[turn.driver], turn.first_stint
        run = _nominal(instance, turn.start, turn.end)
        if run > who.max_continuous_ms:
            broken.append(
                Violation("continuous", f"{who.id} drives too long without a break.", at,
                          turn.driver, run, who.max_continuous_ms, "ms")
            )  # fmt: skip
        if turn.stints > who.max_consecutive:
            broken.append(
                Violation("consecutive", f"{who.id} drives too many stints in a row.", at,
                          turn.driver, turn.stints, who.max_consecutive, "stints")
            )  # fmt: skip
        if turn.driver in last_exit:
            rest = clock[turn.start] - clock[last_exit[turn.driver]]
            if rest < who.min_rest_ms:
                broken.append(
                    Violation("rest", f"{who.id} has not rested long enough.", at, turn.driver,
                              rest, who.min_rest_ms, "ms")
                )  # fmt: skip
        last_exit[turn.driver] = turn.end


def _totals(instance: Instance, turns: list[Turn]) -> tuple[list[int], list[int]]:
    drive, laps = [0] * len(instance.drivers), [0] * len(instance.drivers)
    for turn in turns:
        drive[turn.driver] += _nominal(instance, turn.start, turn.end)
        laps[turn.driver] += turn.end - turn.start
    return drive, laps


def _check_totals(
    instance: Instance, drive: list[int], laps: list[int], broken: list[Violation]
) -> None:
    need = instance.fair_share_laps()
    for d, who in enumerate(instance.drivers):
        if drive[d] < who.min_drive_ms:
            broken.append(
                Violation("min_drive", f"{who.id} drives too little.", None, d, drive[d],
                          who.min_drive_ms, "ms")
            )  # fmt: skip
        if drive[d] > who.max_drive_ms:
            broken.append(
                Violation("max_drive", f"{who.id} drives too much.", None, d, drive[d],
                          who.max_drive_ms, "ms")
            )  # fmt: skip
        if laps[d] < need:
            broken.append(
                Violation("fair_share", f"{who.id} does less than the fair share.", None, d,
                          laps[d], need, "laps")
            )  # fmt: skip
    for group in instance.rules.groups:
        together = sum(drive[d] for d in group.drivers)
        if together < group.min_drive_ms:
            broken.append(
                Violation("group", f"Group {group.name} drives too little.", None, None, together,
                          group.min_drive_ms, "ms")
            )  # fmt: skip


def _check_spans(instance: Instance, turns: list[Turn], broken: list[Violation]) -> None:
    clock, nominal = instance.race.clock_ms, instance.race.lap_nominal_ms
    for span in instance.rules.spans:
        driven = sum(
            nominal[lap]
            for turn in turns
            if turn.driver in span.drivers
            for lap in range(turn.start, turn.end)
            if span.from_ms <= clock[lap] < span.to_ms
        )
        alone = span.drivers[0] if len(span.drivers) == 1 else None
        names = " and ".join(instance.drivers[d].id for d in span.drivers) or "Nobody"
        for rule, is_broken, words, limit in (
            ("part_min", driven < span.min_drive_ms, "too little", span.min_drive_ms),
            (
                "part_max",
                span.max_drive_ms is not None and driven > span.max_drive_ms,
                "too much",
                span.max_drive_ms,
            ),
        ):
            if is_broken:
                broken.append(
                    Violation(rule, f"{names}: {words} driving in {span.name}.", None, alone,
                              driven, limit, "ms")
                )  # fmt: skip


def _check_tyre_sets(instance: Instance, plan: list[Stint], broken: list[Violation]) -> None:
    limit = instance.rules.tyre_sets
    used = sum(1 for n, s in enumerate(plan) if n == 0 or s.tyres == "new")
    if limit is not None and used > limit:
        broken.append(
            Violation("tyre_sets", "Uses more sets of tyres than there are.", None, None, used,
                      limit, "sets")
        )  # fmt: skip


def _check_start_and_finish(
    instance: Instance, turns: list[Turn], stops: int, broken: list[Violation]
) -> None:
    rules = instance.rules
    for rule, allowed, turn, words in (
        ("start_driver", rules.start_drivers, turns[:1], "may not start the race"),
        ("finish_driver", rules.finish_drivers, turns[-1:], "may not finish the race"),
    ):
        if allowed is not None and turn and turn[0].driver not in allowed:
            name = instance.drivers[turn[0].driver].id
            broken.append(Violation(rule, f"{name} {words}.", turn[0].first_stint, turn[0].driver))
    if stops < rules.min_stops:
        broken.append(
            Violation("min_stops", "Makes too few stops.", None, None, stops, rules.min_stops,
                      "stops")
        )  # fmt: skip


def _check_rolling(instance: Instance, turns: list[Turn], broken: list[Violation]) -> None:
    rolling, clock = instance.rules.rolling, instance.race.clock_ms
    if rolling is None:
        return
    for d, who in enumerate(instance.drivers):
        driven = [0] * instance.race.laps
        for turn in turns:
            if turn.driver == d:
                driven[turn.start : turn.end] = instance.race.lap_nominal_ms[turn.start : turn.end]
        upto = [0, *accumulate(driven)]
        end, worst, worst_lap = 0, 0, 0
        for lap in range(instance.race.laps):
            while end < instance.race.laps and clock[end] < clock[lap] + rolling.window_ms:
                end += 1
            if upto[end] - upto[lap] > worst:
                worst, worst_lap = upto[end] - upto[lap], lap
        if worst > rolling.max_ms:
            broken.append(
                Violation("rolling", f"{who.id} drives too much within the rolling window from "
                          f"lap {worst_lap + 1}.", None, d, worst, rolling.max_ms, "ms")
            )  # fmt: skip
