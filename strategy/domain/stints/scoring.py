"""Judges a plan lap by lap, with plain arithmetic and nothing shared with the optimiser.

Slow on purpose: it is the second opinion. Every broken rule becomes one Violation with the
measured value and the limit, so a person can see by how much.
"""

from strategy.domain.stints.checks import (
    check_covered,
    check_kept_tyres,
    check_laps,
    check_pins,
    check_pit_windows,
    check_possible,
    check_rolling,
    check_spans,
    check_start_and_finish,
    check_stint,
    check_totals,
    check_turns,
    check_tyre_sets,
)
from strategy.domain.stints.instance import WET, Instance, Stint
from strategy.domain.stints.verdict import Score, StintFacts, Turn, Violation


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
    check_turns(instance, turns, broken)
    drive, laps = _totals(instance, turns)
    check_totals(instance, drive, laps, broken)
    check_spans(instance, turns, broken)
    check_tyre_sets(instance, plan, broken)
    check_start_and_finish(instance, turns, len(plan) - 1, broken)
    check_rolling(instance, turns, broken)
    check_pins(instance, plan, stints, broken)
    fresh = instance.rules.fresh_ms
    return Score(
        z1_ms=sum(s.stop_ms + s.drive_ms for s in stints),
        z2_ms=max(drive) - min(drive),
        z3_ms=sum(max(0, instance.race.nominal_ms(t.start, t.end) - fresh) for t in turns),
        stops=max(len(stints) - 1, 0),
        tyre_sets=sum(1 for n, s in enumerate(plan[: len(stints)]) if n == 0 or s.tyres == "new"),
        drive_ms=drive,
        laps=laps,
        stints=stints,
        turns=turns,
        violations=broken,
    )


def _drive(instance: Instance, plan: list[Stint], broken: list[Violation]) -> list[StintFacts]:
    """What each stint comes to, up to the first that cannot be driven."""
    facts: list[StintFacts] = []
    lap = age = compound = elapsed = 0
    lasts, missing = held_stops(instance, plan)
    check_pit_windows(instance, missing, broken)
    burn, letters = instance.car.burn_ml, instance.conditions.by_lap
    for number, stint in enumerate(plan):
        end = lap + stint.laps
        if not check_possible(instance, number, stint, end, broken):
            break
        if number == 0 or stint.tyres == "new":
            age, compound = 0, stint.compound
        else:
            swap = plan[number - 1].driver != stint.driver
            check_kept_tyres(instance, number, stint, swap, compound, broken)
        burns = [getattr(burn, letters[n]) for n in range(lap, end)]
        fuel = sum(burns)
        check_stint(instance, number, stint, start=lap, age=age, fuel_ml=fuel, broken=broken)
        check_laps(instance, number, stint.driver, lap, end, broken)
        stop, reserve = lasts.get(number, 0), instance.car.reserve_ml
        driven = _drive_ms(instance, stint.driver, lap, age, compound, burns)
        facts.append(
            StintFacts(lap, end, elapsed + stop, stop, driven, reserve + fuel, fuel, reserve,
                       age, compound)
        )  # fmt: skip
        elapsed += stop + driven
        age += stint.laps
        lap = end
    check_covered(instance, lap, broken)
    return facts


def _drive_ms(
    instance: Instance, driver: int, start: int, age: int, compound: int, burns: list[int]
) -> int:
    """Time of a stint's laps; the car begins with what they burn and the reserve."""
    driven, fuel = 0, instance.car.reserve_ml + sum(burns)
    for step, burn in enumerate(burns):
        driven += lap_ms(instance, lap=start + step, driver=driver, age=age + step, fuel_ml=fuel,
                         compound=compound)  # fmt: skip
        fuel -= burn
    return driven


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


def _totals(instance: Instance, turns: list[Turn]) -> tuple[list[int], list[int]]:
    drive, laps = [0] * len(instance.drivers), [0] * len(instance.drivers)
    for turn in turns:
        drive[turn.driver] += instance.race.nominal_ms(turn.start, turn.end)
        laps[turn.driver] += turn.end - turn.start
    return drive, laps
