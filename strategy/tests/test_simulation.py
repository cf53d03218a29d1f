"""Races with luck: none of it gives the scorer's time, all of it is the same for every plan."""

import numpy as np
import pytest

from racecontrol.shared.errors import InvalidInput
from strategy.domain.simulation import Luck, Simulator, duel
from strategy.domain.stints.scoring import score
from strategy.domain.stints.solve import solve
from strategy.tests.stint_problems import problem

RACE = problem(laps=40, rules={"min_stint_laps": 3})


@pytest.fixture(scope="module")
def plan():
    return solve(RACE, time_limit=5).plan


def test_without_luck_the_race_is_the_scorers_to_the_millisecond(plan):
    outcome = Simulator(RACE, luck=Luck.none(), races=3).run(plan)

    assert outcome.mean_ms == score(RACE, plan).z1_ms
    assert (outcome.finishes, outcome.runs_dry) == (1.0, 0.0)


def test_the_same_seed_is_the_same_luck(plan):
    first, second = (Simulator(RACE, races=200, seed=4).run(plan) for _ in range(2))

    assert np.array_equal(first.times_ms, second.times_ms, equal_nan=True)


def test_a_plan_against_itself_shows_no_difference(plan):
    simulator = Simulator(RACE, races=300)

    result = duel(simulator.run(plan), simulator.run(plan))

    assert (result.difference_ms, result.is_clear, result.b_wins) == (0.0, False, 0.5)


def test_a_slower_driver_is_found_out_by_the_same_races(plan):
    slow = [s.model_copy(update={"driver": 1}) for s in plan]
    simulator = Simulator(RACE, races=300)

    result = duel(simulator.run(plan), simulator.run(slow))

    assert result.low_ms > 0
    assert result.b_wins < 0.3


def test_neutral_laps_cost_time_and_safety_cars_make_it_spread(plan):
    calm = Luck.none()
    rough = Luck(safety_cars_per_hour=2, lap_noise_ms=0, incidents_per_hour=0, stop_noise=0,
                 burn_noise=0, retirements_per_hour=0, yellows_per_hour=0)  # fmt: skip

    quiet, wild = (Simulator(RACE, luck=luck, races=200).run(plan) for luck in (calm, rough))

    assert wild.mean_ms > quiet.mean_ms
    assert wild.p90_ms > wild.p10_ms == pytest.approx(wild.p10_ms)


@pytest.mark.parametrize(("after_ms", "laps"), [(-1, 40), (0, 40), (1, 41), (-(10**9), 0)])
def test_a_timed_race_comes_to_the_laps_begun_before_the_flag(plan, after_ms, laps):
    flag = score(RACE, plan).z1_ms + after_ms

    outcome = Simulator(RACE, luck=Luck.none(), races=3, flag_ms=flag).run(plan)

    assert outcome.lap_shares() == {laps: 1.0}
    assert (outcome.laps_p10, outcome.laps_p50, outcome.laps_p90) == (laps, laps, laps)


def test_safety_cars_cost_laps_at_the_flag(plan):
    flag = score(RACE, plan).z1_ms
    rough = Luck(safety_cars_per_hour=2, retirements_per_hour=0)

    outcome = Simulator(RACE, luck=rough, races=300, flag_ms=flag).run(plan)

    assert outcome.laps_p10 < outcome.laps_p50 <= outcome.laps_p90 <= 41
    assert sum(outcome.lap_shares().values()) == pytest.approx(1)


def test_half_a_plan_is_refused(plan):
    with pytest.raises(InvalidInput, match="cover"):
        Simulator(RACE, races=10).run(plan[:1])
