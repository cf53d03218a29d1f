"""Why there is no plan: the rules that contradict, none too many, and what frees it."""

from time import process_time

import pytest

from racecontrol.testing.shared_cases import needs_shared, shared_json
from strategy.domain.stints.balance import balance
from strategy.domain.stints.conflict import explain
from strategy.domain.stints.instance import read_instance
from strategy.domain.stints.rotation import rotation
from strategy.domain.stints.scoring import score
from strategy.domain.stints.shortage import Shortage
from strategy.domain.stints.solve import solve
from strategy.tests.brute_force import best_by_trying_everything
from strategy.tests.stint_problems import problem, random_problem

HOUR = 3_600_000


def test_the_smallest_conflict_is_named_and_what_frees_it():
    # both must drive more than half the race; the wet clause has nothing to do with it
    race = problem(
        drivers=[{"min_drive_ms": 14 * 180_000}, {"min_drive_ms": 14 * 180_000, "no_night": True}],
        rules={"min_stint_laps": 3, "min_stops": 1},
    )

    found = explain(race)

    assert sorted(found.rules) == ["minimum drive time of d0", "minimum drive time of d1"]
    assert sorted(found.frees) == sorted(found.rules)
    assert found.is_smallest


def test_a_hole_nobody_fills_is_blamed_on_the_hours():
    hole = [[0, 1_800_000], [2_400_000, 10**9]]
    race = problem(drivers=[{"available_ms": hole}, {"available_ms": hole}])

    found = explain(race)

    assert set(found.rules) == {"availability of d0", "availability of d1"}


def test_a_tank_too_small_for_a_stint_frees_nothing():
    race = problem(car={"tank_ml": 6_000}, rules={"min_stint_laps": 3})

    found = explain(race)

    assert found.frees in ([], ["shortest stint"])
    assert solve(race, time_limit=3).status == "infeasible"


def test_balance_trades_time_for_an_even_share():
    race = problem(
        laps=36, drivers=[{"max_consecutive": 3}, {"pace": 183_000, "max_consecutive": 3}]
    )
    fastest = solve(race, time_limit=5)

    even, front = balance(race, fastest, tolerance_ms=10**7, seconds=4)

    assert even.score.violations == []
    assert even.score.z2_ms < fastest.score.z2_ms
    assert even.score.z1_ms >= fastest.score.z1_ms
    assert front[-1].extra_ms == 0


def test_a_shortage_is_only_told_where_trying_everything_finds_no_plan():
    races = [read_instance(random_problem(seed)) for seed in range(200, 260)]

    short = [race for race in races if Shortage().is_proven(race)]

    assert len(short) > 5
    assert [race.id for race in short if best_by_trying_everything(race) is not None] == []


@pytest.mark.parametrize(
    ("change", "is_short"),
    [
        ({"drivers": [{"max_drive_ms": 12 * 180_000}, {}]}, False),
        ({"drivers": [{"max_drive_ms": 12 * 180_000}, {"max_drive_ms": 11 * 180_000}]}, True),
        ({"drivers": [{"min_drive_ms": 12 * 180_000}] * 2}, False),
        ({"drivers": [{"min_drive_ms": 12 * 180_000}] * 2 + [{"min_drive_ms": 1}]}, True),
        # six laps in turn each; a rest of seven laps leaves a hole, one of six does not
        ({"drivers": [{"max_continuous_ms": 6 * 180_000, "min_rest_ms": 6 * 180_000}] * 2}, False),
        ({"drivers": [{"max_continuous_ms": 6 * 180_000, "min_rest_ms": 7 * 180_000}] * 2}, True),
        ({"drivers": [{"available_ms": [[0, 5 * HOUR]], "min_drive_ms": 5 * HOUR}, {}]}, True),
        ({"rules": {"rolling": {"max_ms": 4 * 180_000, "window_ms": 8 * 180_000}}}, False),
        ({"rules": {"rolling": {"max_ms": 3 * 180_000, "window_ms": 8 * 180_000}}}, True),
        ({"rules": {"groups": [{"drivers": [0], "min_drive_ms": 30 * 180_000}]}}, True),
    ],
)
def test_driving_there_is_against_driving_asked_for(change, is_short):
    assert Shortage().is_proven(problem(**change)) == is_short


def test_a_long_race_s_contradiction_is_named_exactly_and_in_time():
    limits = {"max_continuous_ms": 2 * HOUR, "min_rest_ms": HOUR, "max_drive_ms": 2 * HOUR}
    away = {"available_ms": [[0, 5 * HOUR], [9 * HOUR, 10**9]]}
    race = problem(
        laps=240,
        drivers=[limits | away, limits, limits | away, limits],
        rules={"min_stint_laps": 4, "fair_share_pct": 40},
    )

    found = explain(race, clock=process_time)

    assert found.rules == [f"maximum drive time of d{n}" for n in range(4)]
    assert found.is_smallest


def test_taking_turns_shows_what_is_needed_without_the_solver():
    # seven of eight at a little more than an eighth each: nine tenths of the race are claimed
    limits = {"max_continuous_ms": 3 * HOUR, "min_rest_ms": HOUR}
    share = 326 * 180_000 // 8
    race = problem(
        laps=326,
        drivers=[limits | {"min_drive_ms": int(1.03 * share)}] * 8,
        rules={"min_stint_laps": 4, "fair_share_pct": 25},
    )

    found = explain(race, seconds=0)

    assert found.rules == [f"minimum drive time of d{n}" for n in range(8)]
    assert found.frees == found.rules
    assert found.is_smallest


@pytest.mark.parametrize("seed", range(40))
def test_a_plan_by_turns_breaks_no_rule_it_promises_to_keep(seed):
    race = read_instance(random_problem(seed))

    plan = rotation(race)

    sums = {"min_drive", "max_drive", "fair_share", "group", "rolling", "part_min", "part_max",
            "min_stops", "tyre_sets", "finish_driver", "pit_window"}  # fmt: skip
    assert {broken.rule for broken in score(race, plan).violations} <= sums if plan else True


def test_a_plan_by_turns_gives_everybody_what_is_asked():
    limits = {"max_continuous_ms": 2 * HOUR, "min_rest_ms": HOUR}
    race = problem(
        laps=240,
        letters="D" * 100 + "W" * 40 + "N" * 100,
        drivers=[limits | who for who in (
            {"min_drive_ms": 4 * HOUR}, {"max_drive_ms": HOUR}, {"available_ms": [[0, 3 * HOUR]]}, {},
        )],
        rules={"min_stint_laps": 4, "start_drivers": [2]},
        pit={"closed_laps": [12, 13, 24, 25]},
    )  # fmt: skip

    judged = score(race, plan := rotation(race))

    assert judged.violations == []
    assert (plan[0].driver, sum(stint.laps for stint in plan)) == (2, 240)


def test_where_nobody_may_get_in_there_is_no_plan_by_turns():
    assert rotation(problem(drivers=[{"available_ms": [[0, HOUR // 2]]}] * 2)) == []


@needs_shared
@pytest.mark.parametrize("name", ["d06-24h6-holes", "d07-48h8", "d10-24h4-lmv"])
def test_no_known_race_is_short_of_driving_until_a_limit_makes_it_so(name):
    data = shared_json(f"cases/stints/{name}.json")
    asked = sum(data["race"]["lap_nominal_ms"]) // len(data["drivers"])
    short = data | {"drivers": [d | {"max_drive_ms": asked - 1} for d in data["drivers"]]}

    assert not Shortage().is_proven(read_instance(data))
    assert solve(read_instance(short), time_limit=5).status == "infeasible"
