"""Why there is no plan: the rules that contradict, none too many, and what frees it."""

from strategy.domain.stints.balance import balance
from strategy.domain.stints.conflict import explain
from strategy.domain.stints.solve import solve
from strategy.tests.stint_problems import problem


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
