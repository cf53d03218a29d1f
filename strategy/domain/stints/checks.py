"""The rules, one by one: each check notes what a plan breaks, by how much, and in which stint."""

from itertools import accumulate

from strategy.domain.stints.instance import NIGHT, WET, Instance, Stint
from strategy.domain.stints.verdict import StintFacts, Turn, Violation


def check_pit_windows(instance: Instance, missing: list[int], broken: list[Violation]) -> None:
    """`missing`: stops each window lacks."""
    for short, window in zip(missing, instance.rules.pit_windows, strict=True):
        if short:
            made = window.count - short
            broken.append(
                Violation("pit_window", f"Too few stops in the window {window.name}.", None, None,
                          made, window.count, "stops")
            )  # fmt: skip


def check_possible(
    instance: Instance, number: int, stint: Stint, end: int, broken: list[Violation]
) -> bool:
    """Whether the stint can be driven at all: somebody drives, and it ends by the finish."""
    if stint.driver >= len(instance.drivers):
        broken.append(Violation("driver", f"There is no driver {stint.driver}.", number))
        return False
    total = instance.race.laps
    if end > total:
        broken.append(
            Violation("coverage", f"Runs {end - total} laps past the finish.", number,
                      stint.driver, end, total, "laps")
        )  # fmt: skip
        return False
    return True


def check_covered(instance: Instance, lap: int, broken: list[Violation]) -> None:
    """`lap`: the first one that no stint drives."""
    total = instance.race.laps
    if lap != total:
        broken.append(
            Violation("coverage", f"The plan covers {lap} of {total} laps.", None, None, lap,
                      total, "laps")
        )  # fmt: skip


def check_stint(
    instance: Instance,
    number: int,
    stint: Stint,
    *,
    start: int,
    age: int,
    fuel_ml: int,
    broken: list[Violation],
) -> None:
    """A stint by itself: `age` is that of its tyres at the start, `fuel_ml` what its laps burn."""
    rules, car, laps = instance.rules, instance.car, stint.laps
    usable, most = car.tank_ml - car.reserve_ml, rules.max_stint_laps or 0
    longest = rules.max_stint_ms or 0
    run = instance.race.nominal_ms(start, start + laps) if longest else 0
    for rule, is_broken, measured, limit, unit, words in (
        ("fuel", fuel_ml > usable, fuel_ml, usable, "ml", "Needs more fuel than the tank gives"),
        ("min_stint_laps", laps < rules.min_stint_laps, laps, rules.min_stint_laps, "laps",
         "Is shorter than a stint may be"),
        ("max_stint_laps", most and laps > most, laps, most, "laps",
         "Is longer than a stint may be"),
        ("max_stint_time", longest and run > longest, run, longest, "ms",
         "Takes longer than a stint may"),
        ("tyre_life", age + laps > car.tyre.life_laps, age + laps, car.tyre.life_laps, "laps",
         "Outlives its tyres"),
        ("pit_closed", number > 0 and start in instance.pit.closed_laps, start, start, "lap",
         "Starts with a stop while the pit lane is closed"),
    ):  # fmt: skip
        if is_broken:
            broken.append(Violation(rule, f"{words}.", number, stint.driver, measured, limit, unit))


def check_kept_tyres(
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


def check_laps(
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


def check_turns(instance: Instance, turns: list[Turn], broken: list[Violation]) -> None:
    clock = instance.race.clock_ms
    last_exit: dict[int, int] = {}
    for turn in turns:
        who, at = instance.drivers[turn.driver], turn.first_stint
        run = instance.race.nominal_ms(turn.start, turn.end)
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


def check_totals(
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


def check_spans(instance: Instance, turns: list[Turn], broken: list[Violation]) -> None:
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


def check_tyre_sets(instance: Instance, plan: list[Stint], broken: list[Violation]) -> None:
    limit = instance.rules.tyre_sets
    used = sum(1 for n, s in enumerate(plan) if n == 0 or s.tyres == "new")
    if limit is not None and used > limit:
        broken.append(
            Violation("tyre_sets", "Uses more sets of tyres than there are.", None, None, used,
                      limit, "sets")
        )  # fmt: skip


def check_start_and_finish(
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


def check_rolling(instance: Instance, turns: list[Turn], broken: list[Violation]) -> None:
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


def check_pins(
    instance: Instance, plan: list[Stint], stints: list[StintFacts], broken: list[Violation]
) -> None:
    """What the team settled: whose laps, where a stop is and where none."""
    stops = {facts.start_lap for facts in stints[1:]}
    for pin in instance.rules.pins:
        others = [
            n for n, facts in enumerate(stints)
            if pin.driver is not None and plan[n].driver != pin.driver
            and max(facts.start_lap, pin.from_lap) < min(facts.end_lap, pin.to_lap)
        ]  # fmt: skip
        if others:
            seat = plan[others[0]].driver
            broken.append(Violation("pin", f"{instance.drivers[seat].id} drives laps of the {pin.name}.",
                                    others[0], seat))  # fmt: skip
        missing = [b for b in pin.stops if 0 < b < instance.race.laps and b not in stops]
        more = [b for b in sorted(stops) if pin.is_unbroken and pin.from_lap < b < pin.to_lap]
        if missing or more:
            words = f"no stop after lap {missing[0]}" if missing else f"a stop after lap {more[0]}"
            broken.append(Violation("pin", f"Breaks the {pin.name}: {words}."))
