"""The solver finds the best plan there is, says what it has proven, and never says more."""

import json
from io import StringIO
from time import process_time

import pytest
from django.core.management import CommandError, call_command

from racecontrol.shared.errors import InvalidInput
from racecontrol.testing.shared_cases import needs_shared, shared_json, shared_path
from strategy.domain.stints.instance import read_instance, read_plan, write_plan
from strategy.domain.stints.scoring import score
from strategy.domain.stints.solve import solve
from strategy.tests.brute_force import best_by_trying_everything
from strategy.tests.stint_problems import driver, problem, problem_data, random_problem

REFERENCE = shared_json("cases/stints/reference.json") or {}


def reference_plans():
    for key, known in REFERENCE.items():
        data = shared_json(f"cases/stints/{key}.json")
        if "entries" not in known:
            yield key, data, known
        else:
            yield from ((e["id"], e, known["entries"][e["id"]]) for e in data["entries"])


@needs_shared
def test_the_scorer_agrees_with_every_known_plan_to_the_millisecond():
    judged = 0
    for name, data, known in reference_plans():
        result = score(read_instance(data), read_plan(known["plan"]))
        assert (name, result.violations) == (name, [])
        assert (name, result.z1_ms) == (name, known["z1_best_ms"])
        judged += 1
    assert judged == 69


# seconds of one core, so that a busy machine changes nothing; on an idle one half of it is enough
PROVEN_WITHIN = {"d01-6h3": 5, "d02-6h3-wet": 5, "d03-12h4-proam": 60, "d04-24h4": 20,
                 "d05-12h4-rolling": 60, "d06-24h6-holes": 30}  # fmt: skip
HARD = {"d07-48h8": 25, "d09-24h4-short": 30, "d10-24h4-lmv": 12}  # d07 is proven in about 75


@needs_shared
@pytest.mark.parametrize("name", PROVEN_WITHIN)
def test_known_races_are_solved_and_proven(name):
    known = REFERENCE[name]

    found = solve(
        read_instance(shared_json(f"cases/stints/{name}.json")),
        time_limit=PROVEN_WITHIN[name],
        clock=process_time,
    )

    assert found.score.violations == []
    assert found.score.z1_ms == known["z1_best_ms"]
    assert (found.status, found.bound_ms) == ("optimal", known["z1_best_ms"])


@needs_shared
@pytest.mark.parametrize("name", HARD)
def test_hard_races_get_a_plan_close_to_the_best_at_once(name):
    known = REFERENCE[name]

    found = solve(
        read_instance(shared_json(f"cases/stints/{name}.json")),
        time_limit=HARD[name],
        clock=process_time,
    )

    assert found.score.violations == []
    assert found.score.z1_ms <= known["z1_best_ms"] * 1.0005
    assert found.bound_ms <= min(known["z1_best_ms"], found.score.z1_ms)


@pytest.mark.parametrize("seed", range(140))
def test_small_races_equal_trying_everything(seed):
    instance = read_instance(random_problem(seed))
    best = best_by_trying_everything(instance)

    found = solve(instance, time_limit=20)

    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert (found.score.z1_ms, found.score.violations) == (best, [])
        assert found.bound_ms == best


def test_a_plan_can_be_written_and_read_back():
    instance = problem()
    found = solve(instance, time_limit=5)

    assert read_plan(json.loads(json.dumps(write_plan(found.plan)))) == found.plan


def test_mandatory_stops_are_made_even_when_they_cost_time():
    free = solve(problem(), time_limit=5)
    held = solve(problem(rules={"min_stops": 4}), time_limit=5)

    assert free.score.stops < 4 <= held.score.stops
    assert held.status == "optimal"
    assert held.score.z1_ms > free.score.z1_ms


def test_a_race_nobody_can_drive_is_infeasible_not_slow():
    away = problem(drivers=[{"available_ms": [[0, 600_000]]}, {"available_ms": [[0, 600_000]]}])

    assert solve(away, time_limit=5).status == "infeasible"


def test_no_time_gives_no_plan_but_no_lie():
    found = solve(problem(), time_limit=0)

    assert found.status == "unknown"
    assert found.plan == []


def test_a_cancelled_search_stops():
    assert solve(problem(), time_limit=60, is_cancelled=lambda: True).seconds < 5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"car": {"tank_ml": -1}}, "car.tank_ml", id="negative tank"),
        pytest.param({"rules": {"tyre_policy": "never"}}, "rules.tyre_policy", id="unknown policy"),
        pytest.param({"letters": "Q" * 24}, "instance", id="unknown weather"),
        pytest.param({"drivers": []}, "drivers", id="nobody drives"),
    ],
)
def test_a_wrong_instance_is_refused_by_field(change, field):
    with pytest.raises(InvalidInput) as refusal:
        read_instance(problem_data(**change))

    assert field in refusal.value.fields


def test_every_broken_rule_says_by_how_much():
    instance = problem(
        drivers=[{"min_rest_ms": 3_600_000}, {"no_night": True}], letters="D" * 12 + "N" * 12
    )
    plan = read_plan([
        {"driver": 0, "laps": 13}, {"driver": 1, "laps": 2}, {"driver": 0, "laps": 9},
    ])  # fmt: skip

    broken = {v.rule: v for v in score(instance, plan).violations}

    assert set(broken) == {"fuel", "min_stint_laps", "no_night", "rest"}
    assert (broken["fuel"].measured, broken["fuel"].limit) == (64_900, 60_000)
    assert (broken["rest"].measured, broken["rest"].limit) == (360_000, 3_600_000)
    assert (broken["min_stint_laps"].stint, broken["min_stint_laps"].limit) == (1, 3)


def test_the_command_prints_the_plan_as_json(tmp_path):
    file = tmp_path / "race.json"
    file.write_text(json.dumps(problem_data()))
    out = StringIO()

    call_command("solve_stints", str(file), "--time-limit", "5", "--json", stdout=out)

    answer = json.loads(out.getvalue())
    judged = score(problem(), read_plan(answer["plan"]))
    assert answer["proven_optimal"] is True
    assert answer["z1_best_ms"] == answer["z1_lower_bound_ms"] == judged.z1_ms
    assert judged.violations == []


def test_the_command_refuses_what_it_cannot_read(tmp_path):
    file = tmp_path / "race.json"
    file.write_text("{")
    with pytest.raises(CommandError, match="not JSON"):
        call_command("solve_stints", str(file))
    file.write_text(json.dumps(problem_data() | {"schema": "stintopt/9"}))
    with pytest.raises(CommandError, match="stintopt/9"):
        call_command("solve_stints", str(file))


def test_a_lone_driver_may_do_the_whole_race_within_his_limits():
    lone = problem(laps=12, drivers=[driver("solo") | {"max_consecutive": 2}])

    found = solve(lone, time_limit=5)

    assert found.status == "optimal"
    assert {s.driver for s in found.plan} == {0}


@needs_shared
def test_the_shared_instances_are_where_the_tests_look():
    assert shared_path("cases/stints/d01-6h3.json") is not None
