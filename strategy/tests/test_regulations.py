"""Each rule of a rule set reaches the problem, binds the plan found, and is seen when it is broken."""

import pytest

from racecontrol.shared.errors import InvalidInput
from strategy.domain.problem import CarNumbers, Entrant, build_problem
from strategy.domain.regulations import PRESETS, read_regulations
from strategy.domain.stints.conflict import explain
from strategy.domain.stints.instance import read_instance
from strategy.domain.stints.scoring import score
from strategy.domain.stints.solve import solve

HOUR_MS = 3_600_000
CAR = CarNumbers(62_000, 2_000, 5_000, 90, 27, 30, 60, 900, 3_000, 15_000)


def race(rules: dict, *, hours: int = 3, categories: tuple[str, ...] = ("Pro", "Am", "Am")):
    people = [
        Entrant(f"d{n}", 180_000 + 900 * n, 195_000 + 900 * n, [(0, hours * HOUR_MS)], category)
        for n, category in enumerate(categories)
    ]
    return read_instance(build_problem(
        name="race", duration_ms=hours * HOUR_MS, lap_ms=181_000,
        conditions=[[HOUR_MS, 2 * HOUR_MS, "N"]], car=CAR, rules=read_regulations(rules),
        drivers=people,
    ))  # fmt: skip


def drive_from(instance, plan, driver: int, start_ms: int) -> int:
    lap = driven = 0
    for stint in plan:
        for at in range(lap, lap + stint.laps):
            if stint.driver == driver and instance.race.clock_ms[at] >= start_ms:
                driven += instance.race.lap_nominal_ms[at]
        lap += stint.laps
    return driven


FREE = {"max_stints_in_a_row": 4}


def breaches(rules: dict, **changes) -> set[str]:
    """What the fastest plan without these rules does wrong under them."""
    free = solve(race(FREE, **changes), time_limit=10)
    return {v.rule for v in score(race(FREE | rules, **changes), free.plan).violations}


def solved(rules: dict, **changes):
    found = solve(race(FREE | rules, **changes), time_limit=10)
    assert found.status == "optimal"
    assert found.score.violations == []
    return found


def test_a_half_rule_makes_the_amateur_drive_late():
    rules = {"parts": [{"category": ["Am"], "from_pct": 50, "min_s": 1_800}]}

    found = solved(rules)

    assert "part_min" in breaches(rules)
    for driver in (1, 2):
        assert drive_from(race(rules), found.plan, driver, 3 * HOUR_MS // 2) >= 1_800_000


def test_a_group_may_owe_time_in_every_block():
    rules = {"groups": [{"name": "am", "category": ["Am"], "min_s": 0,
                         "block_s": 3_600, "block_min_s": 900}]}  # fmt: skip

    assert "part_min" in breaches(rules)
    assert len(race(rules).rules.spans) == 3
    solved(rules)


def test_a_pit_window_demands_its_long_stop():
    rules = {"pit_windows": [{"from_s": 1_000, "to_s": 1_900, "stops": 1, "min_total_s": 240}]}

    found = solved(rules)
    inside = [
        s for s in found.score.stints[1:]
        if 1_000_000 <= race(rules).race.clock_ms[s.start_lap] <= 1_900_000
    ]  # fmt: skip

    assert "pit_window" in breaches(rules)
    assert max(s.stop_ms for s in inside) >= 240_000


def test_a_long_stop_is_held_where_it_costs_least():
    rules = {"pit_windows": [{"from_s": 0, "to_s": 10_000, "min_total_s": 120}]}
    free = solve(race(FREE), time_limit=10)

    held = score(race(FREE | rules), free.plan)

    longest = max(s.stop_ms for s in free.score.stints)
    assert held.z1_ms == free.score.z1_ms + max(120_000 - longest, 0)


def test_sets_of_tyres_run_out():
    rules = {"tyres": "optional", "tyre_sets": 2}

    found = solved(rules)

    assert found.score.tyre_sets <= 2
    assert solve(race(FREE | {"tyres": "optional"}), time_limit=10).score.tyre_sets > 2


def test_a_part_of_the_race_may_have_a_most():
    rules = {"parts": [{"category": ["Pro"], "from_pct": 0, "to_pct": 40, "max_s": 900}]}

    assert "part_max" in breaches(rules)
    solved(rules)


def test_a_share_of_the_race_is_the_most_a_driver_may_do():
    found = solved({"max_share_pct": 40})

    assert "max_drive" in breaches({"max_share_pct": 40})
    assert max(found.score.drive_ms) <= sum(race({}).race.lap_nominal_ms) * 40 // 100


def test_stints_stops_and_refuelling_have_their_own_limits():
    found = solved({"max_stint_s": 1_500, "min_refuel_s": 40, "min_stop_s": 100})

    assert {"max_stint_time"} <= breaches({"max_stint_s": 1_500})
    assert max(s.end_lap - s.start_lap for s in found.score.stints) * 181_000 <= 1_500_000
    assert min(s.stop_ms for s in found.score.stints[1:]) >= 100_000


def test_a_category_may_be_kept_out_of_the_night():
    found = solved({"no_night_categories": ["Am"]})

    lap = 0
    for stint in found.plan:
        letters = race({}).conditions.by_lap[lap : lap + stint.laps]
        assert stint.driver == 0 or "N" not in letters
        lap += stint.laps


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({"pit_windows": [{"from_s": 9, "to_s": 3}]}, id="ends before it starts"),
        pytest.param(
            {"pit_windows": [{"from_s": 0, "to_s": 9}, {"from_s": 9, "to_s": 20}]}, id="overlap"
        ),
        pytest.param({"groups": [{"category": [], "min_s": 0, "block_s": 1}]}, id="tiny block"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(rules):
    with pytest.raises(InvalidInput):
        read_regulations(rules)


def test_an_impossible_window_is_named():
    rules = {"pit_windows": [{"from_s": 1_000, "to_s": 1_080}]}  # no boundary of a lap inside

    found = explain(race(rules))

    assert found.rules == found.frees == ["window 1: pit window"]


@pytest.mark.parametrize("key", sorted(PRESETS))
def test_every_preset_can_be_read(key):
    assert read_regulations(PRESETS[key]).key == key
