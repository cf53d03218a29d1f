"""Small stint problems from numbers: real enough to have rests, wet laps and closed pits."""

import random

from strategy.domain.stints.instance import Instance, read_instance


def problem(**changes) -> Instance:
    """A dry hour and a bit: 24 laps of 180 s, two drivers, 12 laps on a tank."""
    return read_instance(problem_data(**changes))


def problem_data(
    *,
    laps: int = 24,
    lap_ms: int = 180_000,
    letters: str | None = None,
    drivers: list[dict] | None = None,
    rules: dict | None = None,
    pit: dict | None = None,
    car: dict | None = None,
) -> dict:
    people = drivers if drivers is not None else [{}, {"pace": 181_000}]
    return {
        "schema": "stintopt/1",
        "id": "small",
        "race": {
            "laps": laps,
            "clock_ms": [n * lap_ms for n in range(laps + 1)],
            "lap_nominal_ms": [lap_ms] * laps,
        },
        "conditions": {"by_lap": letters or "D" * laps},
        "car": {
            "tank_ml": 62_000,
            "reserve_ml": 2_000,
            "burn_ml": {"D": 5_000, "N": 4_900, "W": 4_500, "X": 4_400},
            "fuel_us_per_ml": 27,
            "tyre": {"life_laps": 16, "deg_ms": 60, "deg2_us": 900, "cold_ms": 3_000,
                     "wrong_ms": 15_000},
        } | (car or {}),
        "pit": {
            "lane_ms": 30_000, "refuel_ml_per_s": 2_500, "tyre_ms": 20_000, "swap_ms": 24_000,
            "mode": "fuel_then_tyres", "min_service_ms": 0, "closed_laps": [],
        } | (pit or {}),
        "rules": {"min_stint_laps": 3} | (rules or {}),
        "drivers": [driver(f"d{n}", **who) for n, who in enumerate(people)],
    }  # fmt: skip


def driver(name: str, *, pace: int = 180_000, wet: int = 12_000, **values) -> dict:
    return {
        "id": name,
        "lap_ms": {"D": pace, "N": pace + 400, "W": pace + wet, "X": pace + wet + 600},
        "available_ms": [[0, 10**9]],
        "max_continuous_ms": 10**9,
        "max_consecutive": 2,
        "min_rest_ms": 0,
    } | values


def random_problem(seed: int) -> dict:
    """At most 9 laps and three drivers: small enough to try every plan there is.

    Even seeds have every rule at once and often no plan; odd ones have easy drivers, so that rules
    about sets, windows and spans decide.
    """
    rng, is_easy = random.Random(seed), seed % 2 == 1
    laps, lap = rng.randint(5, 9), 180_000
    clock = [0]
    for _ in range(laps):
        clock.append(clock[-1] + lap + rng.randint(0, 20_000))
    wet_from = rng.randint(0, laps)
    letters = "".join(
        ("W" if rng.random() < 0.7 else "D") if n >= wet_from else rng.choice("DDN")
        for n in range(laps)
    )
    total = laps * lap
    drivers = []
    for _ in range(rng.randint(2, 3)):
        windows = [[0, 10**9]]
        if rng.random() < 0.3:
            hole = rng.randint(0, laps - 1)
            windows = [[0, clock[hole]], [clock[min(hole + 2, laps)], 10**9]]
        drivers.append({
            "pace": 180_000 + rng.randint(0, 4_000),
            "wet": rng.randint(8_000, 16_000),
            "available_ms": windows,
            "min_drive_ms": rng.choice([0, 0, total // 6]),
            "max_drive_ms": rng.choice([10**9, 10**9, total // 2]),
            "max_consecutive": rng.choice([1, 2, 3]),
            "max_continuous_ms": rng.choice([10**9, 5 * lap]),
            "min_rest_ms": rng.choice([0, 2 * lap, 4 * lap]),
            "no_night": rng.random() < 0.15,
            "no_wet": rng.random() < 0.15,
        })  # fmt: skip
    rules: dict = {
        "min_stint_laps": 2,
        "max_stint_laps": rng.choice([None, 4]),
        "tyre_policy": rng.choice(["every_stop", "optional"]),
        "fair_share_pct": rng.choice([0, 0, 50]),
        "min_stops": rng.choice([0, 0, 0, 3]),
    }
    if rng.random() < 0.2:
        rules["groups"] = [{"name": "am", "drivers": [0], "min_drive_ms": total // 3}]
    if rng.random() < 0.2:
        rules["start_drivers"] = [1]
    if rng.random() < 0.2:
        rules["finish_drivers"] = [0]
    if rng.random() < 0.25:
        rules["rolling"] = {"max_ms": 4 * lap, "window_ms": 7 * lap}
    rules |= random_extras(rng, clock, len(drivers))
    tyre = {"life_laps": 16, "deg_ms": 60, "deg2_us": 900, "cold_ms": 3_000, "wrong_ms": 15_000}
    if is_easy:
        drivers = [{"pace": d["pace"], "wet": d["wet"], "max_consecutive": 3,
                    "min_rest_ms": d["min_rest_ms"] // 2} for d in drivers]  # fmt: skip
        rules |= {"fair_share_pct": 0, "groups": [], "rolling": None, "max_stint_laps": None}
        if rules.get("tyre_sets"):
            tyre |= {"deg_ms": 9_000}  # worn tyres cost more than a change
            rules |= {"tyre_policy": "optional", "tyre_sets": rng.randint(1, 2)}
    return problem_data(
        laps=laps, letters=letters, drivers=drivers, rules=rules,
        pit={"mode": rng.choice(["parallel", "fuel_then_tyres", "sequential"]),
             "closed_laps": rng.choice([[], [rng.randint(1, laps)]]),
             "min_service_ms": rng.choice([0, 40_000]),
             "min_refuel_ms": rng.choice([0, 0, 9_000]),
             "min_total_ms": rng.choice([0, 0, 65_000])},
        car={"tank_ml": 2_000 + 5_000 * rng.randint(3, 6), "tyre": tyre},
    ) | {"race": {"laps": laps, "clock_ms": clock,
                  "lap_nominal_ms": [lap + rng.randint(0, 9_000) for _ in range(laps)]}}  # fmt: skip


def random_extras(rng: random.Random, clock: list[int], drivers: int) -> dict:
    """Rules on sets of tyres, pit windows, parts of the race and stint time, each now and then."""
    laps, rules = len(clock) - 1, {}
    if rng.random() < 0.3:
        rules["tyre_sets"] = rng.randint(1, 4)
    if rng.random() < 0.35:
        middle = rng.randint(1, laps - 1)
        first = {"from_ms": clock[rng.randint(0, middle)], "to_ms": clock[middle],
                 "count": rng.choice([1, 1, 2]), "min_total_ms": rng.choice([0, 90_000])}  # fmt: skip
        rules["pit_windows"] = [first]
        if rng.random() < 0.4:
            rules["pit_windows"].append({"from_ms": clock[middle] + 1, "to_ms": clock[laps],
                                         "min_total_ms": rng.choice([0, 75_000])})  # fmt: skip
    if rng.random() < 0.3:
        rules["spans"] = [{"drivers": [rng.randrange(drivers)], "from_ms": clock[laps // 2],
                           "to_ms": clock[laps], "min_drive_ms": rng.choice([0, 180_000, 370_000]),
                           "max_drive_ms": rng.choice([None, 400_000])}]  # fmt: skip
    if rng.random() < 0.15:
        rules["max_stint_ms"] = 3 * 190_000
    return rules
