"""Pins on the board: they last through changes, bind the optimiser, and are named where they cannot hold."""

import pytest

from racecontrol.shared.errors import ImpossiblePlan, InvalidInput, StaleWrite
from strategy.domain.stints.conflict import explain
from strategy.domain.stints.instance import Stint, read_instance
from strategy.domain.stints.pins import StintMark, as_rules, carried
from strategy.domain.stints.scoring import score
from strategy.domain.stints.shortage import Shortage
from strategy.domain.stints.solve import solve
from strategy.services import plans
from strategy.services.plans import solving
from strategy.tests.brute_force import best_by_trying_everything
from strategy.tests.builders import make_strategy
from strategy.tests.stint_problems import problem, random_problem

PLAN = [Stint(driver=0, laps=8), Stint(driver=1, laps=8), Stint(driver=0, laps=8)]
HELD = StintMark(is_driver_pinned=True, pinned_lap=16)


def pinned_problem(marks, plan=PLAN, **changes):
    return problem(**changes | {"rules": {"min_stint_laps": 3, "pins": as_rules(plan, marks)}})


# -- as calculation


@pytest.mark.parametrize("seed", range(300, 330))
def test_the_solver_keeps_pins_as_trying_everything_does(seed):
    data = random_problem(seed)
    laps = data["race"]["laps"]
    half = laps // 2
    data["rules"]["pins"] = [
        {"driver": seed % 2, "from_lap": half, "to_lap": laps, "stops": [half]},
        {"driver": None, "from_lap": 0, "to_lap": half, "stops": [], "is_unbroken": seed % 3 == 0},
    ]
    race = read_instance(data)

    found, best = solve(race, time_limit=5), best_by_trying_everything(race)

    assert found.status == ("infeasible" if best is None else "optimal")
    if best is not None:
        assert found.score is not None
        assert (found.score.violations, found.score.z1_ms) == ([], best)


def test_a_held_stint_stands_in_the_best_plan_there_is_with_it():
    race = pinned_problem({2: HELD})

    found = solve(race, time_limit=5)

    assert found.score is not None
    assert found.score.violations == []
    assert [(s.start_lap, s.end_lap) for s in found.score.stints][1] == (8, 16)
    assert found.plan[1].driver == 1
    free = solve(problem(), time_limit=5)
    assert free.score is not None
    assert found.score.z1_ms >= free.score.z1_ms


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ([Stint(driver=0, laps=8), Stint(driver=0, laps=8), Stint(driver=1, laps=8)], "d0 drives laps"),
        ([Stint(driver=0, laps=12), Stint(driver=1, laps=12)], "no stop after lap 8"),
        ([Stint(driver=0, laps=8), Stint(driver=1, laps=4), Stint(driver=1, laps=4),
          Stint(driver=0, laps=8)], "a stop after lap 12"),
    ],
)  # fmt: skip
def test_what_breaks_a_pin_is_told_by_the_scorer(plan, words):
    judged = score(pinned_problem({2: HELD}), plan)

    assert any(words in v.message for v in judged.violations if v.rule == "pin")


def test_pins_that_contradict_the_hours_are_named():
    away = [{}, {"available_ms": [[0, 600_000]]}, {}]
    race = pinned_problem({2: StintMark(is_driver_pinned=True)}, drivers=away)

    found = explain(race)

    assert set(found.rules) == {"pinned stint 2 (laps 9 to 16)", "availability of d1"}
    assert set(found.frees) == set(found.rules)


def test_counting_forgets_nothing_between_questions_about_pins():
    counting, away = Shortage(), [{}, {"available_ms": [[0, 600_000]]}]
    pinned = pinned_problem({2: StintMark(is_driver_pinned=True)}, drivers=away)

    assert not counting.is_proven(problem(drivers=away))
    assert counting.is_proven(pinned)
    assert not counting.is_proven(problem(drivers=away))


def test_marks_follow_their_stint_through_changes():
    split = [Stint(driver=0, laps=5), Stint(driver=0, laps=3), *PLAN[1:]]
    marks = {2: HELD, 3: StintMark(backup=1)}

    found, broken = carried(PLAN, marks, split)

    assert (found, broken) == ({3: HELD, 4: StintMark(backup=1)}, [])


@pytest.mark.parametrize(
    ("mark", "is_broken"),
    [
        (HELD, True),
        (StintMark(pinned_lap=16), False),
        (StintMark(is_driver_pinned=True), True),
        (StintMark(backup=0), False),
    ],
)
def test_a_stint_given_away_breaks_only_what_pins_its_driver(mark, is_broken):
    given = [PLAN[0], Stint(driver=0, laps=8), PLAN[2]]

    found, broken = carried(PLAN, {2: mark}, given)

    assert broken == ([2] if is_broken else [])
    assert [m.backup for m in found.values()] == ([] if is_broken else [None])


# -- on the board


def stint(row, number):
    return row.current.stints.get(number=number)


def common(row, user):
    row.refresh_from_db()
    return {"strategy_id": row.pk, "base_version": row.version, "by": user}


@pytest.mark.django_db
def test_a_pinned_driver_keeps_his_stint_and_a_pinned_stop_its_lap(user):
    row = make_strategy(user)
    end = stint(row, 1).laps
    plans.pin_stint(stint=1, driver=False, stop=True, **common(row, user))
    plans.pin_stint(stint=2, driver=True, stop=False, **common(row, user))

    with pytest.raises(plans.Locked, match="from lap 1 is pinned"):
        plans.edit_stint(change="move", stint=1, value=1, **common(row, user))
    with pytest.raises(plans.Locked, match=f"from lap {end + 1} is pinned"):
        plans.edit_stint(change="give", stint=2, value=1 - stint(row, 2).seat, **common(row, user))
    plans.edit_stint(change="split", stint=1, value=5, **common(row, user))

    row.refresh_from_db()
    marks = {s.number: s.mark for s in row.current.stints.all()}
    assert marks[2] == StintMark(pinned_lap=end)
    assert marks[3] == StintMark(is_driver_pinned=True)


@pytest.mark.django_db
def test_the_optimiser_keeps_what_is_held_and_claims_no_proof(user):
    row = make_strategy(user, drivers=3)
    plans.edit_stint(change="move", stint=1, value=-3, **common(row, user))
    row.refresh_from_db()
    mine = stint(row, 1)
    plans.lock_stint(stint=1, is_locked=True, **common(row, user))
    plans.name_backup(stint=2, seat=next(n for n in range(3) if n != stint(row, 2).seat),
                      **common(row, user))  # fmt: skip

    version, _ = plans.optimise(strategy_id=row.pk, seconds=3, even_out=False, by=user)

    kept = version.stints.get(number=1)
    assert (kept.seat, kept.laps, kept.is_locked) == (mine.seat, mine.laps, True)
    assert (version.is_proven, version.bound_ms) == (False, None)
    assert version.broken_rules == 0


@pytest.mark.django_db
def test_a_pin_set_while_it_is_optimised_is_not_lost(user, monkeypatch):
    row = make_strategy(user)
    number = row.versions.count()

    def solve_and_pin(*args, **more):
        plans.pin_stint(strategy_id=row.pk, base_version=row.version, stint=2, driver=True,
                        stop=False, by=user)  # fmt: skip
        return solve(*args, **more)

    monkeypatch.setattr(solving, "solve", solve_and_pin)
    with pytest.raises(StaleWrite, match="pinned"):
        plans.optimise(strategy_id=row.pk, seconds=3, even_out=False, by=user)

    row.refresh_from_db()
    assert row.versions.count() == number
    assert row.current.stints.get(number=2).is_driver_pinned


@pytest.mark.django_db
def test_a_hold_no_plan_can_keep_is_named_by_the_optimiser(user):
    row = make_strategy(user)
    plans.edit_stint(change="split", stint=1, value=1, **common(row, user))
    row.refresh_from_db()
    problem_now = dict(row.problem)
    problem_now["rules"] = problem_now["rules"] | {"min_stint_laps": 5}
    row.problem = problem_now
    row.save(update_fields=["problem"])
    plans.lock_stint(stint=1, is_locked=True, **common(row, user))

    with pytest.raises(ImpossiblePlan, match=r"pinned stint 1 \(laps 1 to 1\)"):
        plans.optimise(strategy_id=row.pk, seconds=3, even_out=False, by=user)


@pytest.mark.django_db
def test_a_backup_drives_for_somebody_else(user):
    row = make_strategy(user)
    one = stint(row, 1)

    with pytest.raises(InvalidInput, match="drives it already"):
        plans.name_backup(stint=1, seat=one.seat, **common(row, user))
    with pytest.raises(InvalidInput, match="no such driver"):
        plans.name_backup(stint=1, seat=9, **common(row, user))
    plans.name_backup(stint=1, seat=1 - one.seat, **common(row, user))
    assert stint(row, 1).backup_seat == 1 - one.seat

    plans.edit_stint(change="give", stint=1, value=1 - one.seat, **common(row, user))

    row.refresh_from_db()
    assert stint(row, 1).backup_seat is None
