"""Rules on windows, parts of the race, sets and crew, and rule sets that contradict themselves."""

import pytest

from racecontrol.shared.errors import ImpossiblePlan, InvalidInput
from strategy.domain.problem import CarNumbers, Entrant, build_problem
from strategy.domain.regulations import Regulations, read_regulations
from strategy.domain.stints.instance import Stint, read_instance
from strategy.domain.stints.scoring import score

CAR = CarNumbers(tank_ml=80_000, reserve_ml=0, burn_ml=2_000, wet_burn_percent=90, fuel_us_per_ml=0,
                 tyre_life_laps=60, tyre_deg_ms=0, tyre_deg2_us=0, tyre_cold_ms=0, tyre_wrong_ms=0)  # fmt: skip
HOUR = 3_600_000


def race(rules: dict, drivers: int = 2, category: str = ""):
    """Two hours of two-minute laps; every driver is free all the time."""
    people = [Entrant(f"d{n}", 120_000, 130_000, [(0, 2 * HOUR)], category) for n in range(drivers)]
    return read_instance(
        build_problem(name="r", duration_ms=2 * HOUR, lap_ms=120_000, conditions=[], car=CAR,
                      rules=read_regulations(rules), drivers=people)
    )  # fmt: skip


def plan_for(instance, *stints):
    """Stints of (driver, laps); the last one takes what is left."""
    rows = [Stint(driver=d, laps=laps) for d, laps in stints]
    left = instance.race.laps - sum(s.laps for s in rows)
    return [*rows, Stint(driver=1 - rows[-1].driver, laps=left)]


def rules_broken(instance, plan):
    return {(v.rule, v.measured, v.limit) for v in score(instance, plan).violations}


def test_stops_must_fall_into_the_window():
    rules = {"pit_windows": [{"from_s": 3000, "to_s": 4200, "stops": 2}]}
    instance = race(rules)

    early = rules_broken(instance, plan_for(instance, (0, 10), (1, 20)))
    inside = rules_broken(instance, plan_for(instance, (0, 25), (1, 5), (0, 5)))

    assert early == {("pit_window", 1, 2)}
    assert inside == set()


def test_a_stop_too_short_for_the_window_is_held():
    instance = race({"pit_windows": [{"from_s": 0, "to_s": 7200, "min_total_s": 240}]})

    judged = score(instance, plan_for(instance, (0, 25), (1, 20)))

    assert judged.violations == []
    assert max(s.stop_ms for s in judged.stints) == 240_000


def test_a_category_drives_its_share_of_the_second_half():
    rules = {"parts": [{"category": ["Bronze"], "from_pct": 50, "min_s": 1800}]}
    instance = race(rules, category="Bronze")
    laps = instance.race.laps
    late = sum(1 for at in instance.race.clock_ms[:-1] if at >= HOUR)

    broken = rules_broken(instance, plan_for(instance, (0, laps - late), (1, late - 5)))

    # d0 starts, d1 follows at half time, d0 ends with five laps of two minutes
    assert broken == {("part_min", 600_000, 1_800_000)}


def test_sets_of_tyres_are_counted():
    instance = race({"tyre_sets": 2})
    assert rules_broken(instance, plan_for(instance, (0, 20), (1, 20))) == {("tyre_sets", 3, 2)}


def test_heat_shortens_running_and_lengthens_rest_only_while_in_force():
    heat = {"continuous_max_s": 2400, "rest_s": 1800}
    on = race({"heat": heat | {"is_on": True}, "continuous_max_s": 3600, "rest_s": 600})
    off = race({"heat": heat | {"is_on": False}, "continuous_max_s": 3600, "rest_s": 600})

    assert [(d.max_continuous_ms, d.min_rest_ms) for d in on.drivers[:1]] == [
        (2_400_000, 1_800_000)
    ]
    assert [(d.max_continuous_ms, d.min_rest_ms) for d in off.drivers[:1]] == [(3_600_000, 600_000)]


def test_a_share_of_the_race_is_the_most_anybody_drives():
    assert race({"max_share_pct": 70}).drivers[0].max_drive_ms == 5_040_000
    assert race({"max_share_pct": 70, "max_drive_s": 1800}).drivers[0].max_drive_ms == 1_800_000


@pytest.mark.parametrize("crew", [{"fewest_drivers": 3}, {"most_drivers": 1}])
def test_a_crew_too_small_or_too_large_is_named(crew):
    with pytest.raises(ImpossiblePlan, match="there are 2"):
        race(crew)


@pytest.mark.parametrize(
    "rules",
    [
        {"min_drive_s": 7200, "max_drive_s": 3600},
        {"min_stint_laps": 9, "max_stint_laps": 8},
        {"pit_windows": [{"from_s": 600, "to_s": 600}]},
        {"parts": [{"from_pct": 50, "to_pct": 50}]},
        {"fewest_drivers": 4, "most_drivers": 2},
    ],
)
def test_rules_that_cannot_both_hold_are_refused(rules):
    with pytest.raises(InvalidInput, match="below"):
        read_regulations(rules)


def test_rules_survive_being_written_and_read():
    rules = {"pit_windows": [{"from_s": 1, "to_s": 2}], "heat": {"is_on": True}, "tyre_sets": 4}
    first = read_regulations(rules)
    assert read_regulations(first.model_dump(exclude_defaults=True)) == first
    assert read_regulations({}) == Regulations()
