"""Swap, extension and ways on as calculation: what they would mean, and what is refused."""

from dataclasses import replace

import pytest

from racecontrol.shared.errors import ImpossiblePlan, InvalidInput, NotReady
from strategy.domain.live.changes import consequences, extend, kept, swap
from strategy.domain.live.log import Mark, Neutral
from strategy.domain.live.options import ways_on
from strategy.domain.live.transitions import WrongMove
from strategy.domain.stints.instance import Stint
from strategy.tests.live_races import exact_race
from strategy.tests.stint_problems import problem

THREE = [{}, {"pace": 181_000}, {"pace": 182_000}]
PLAN = [Stint(driver=0, laps=8), Stint(driver=1, laps=8), Stint(driver=0, laps=8)]
SHORT = [Stint(driver=0, laps=10), Stint(driver=1, laps=10), Stint(driver=0, laps=4)]


def shape(outcome) -> list[tuple[int, int]]:
    return [(a.seat, a.laps) for a in outcome.projection.stints]


def test_the_plan_as_it_is_changes_nothing():
    race = exact_race(laps=5)

    same = consequences(race, kept(race))

    assert (same.gain_ms, same.changed, same.breaches) == (0, (), ())


def test_a_swap_splits_the_running_stint_and_leaves_the_rest():
    race = exact_race(laps=4, instance=problem(drivers=THREE))

    outcome = swap(race, 1, 2)

    assert shape(outcome) == [(0, 5), (2, 3), (1, 8), (0, 8)]
    assert outcome.breaches == ()
    assert outcome.gain_ms < 0  # a stop more and a slower driver


def test_the_swapped_in_driver_may_do_the_next_stint_too_if_that_breaks_less():
    """What is left is shorter than a stint may be: it joins the next one."""
    race = exact_race(laps=5, instance=problem(drivers=THREE))

    outcome = swap(race, 1, 2)

    assert shape(outcome) == [(0, 6), (2, 10), (0, 8)]
    assert outcome.breaches == ()


def test_a_coming_stint_goes_to_another_without_moving_anything():
    race = exact_race(laps=4, instance=problem(drivers=THREE))

    outcome = swap(race, 2, 2)

    assert shape(outcome) == [(0, 8), (2, 8), (0, 8)]
    assert outcome.changed == (2,)


def test_a_driver_soon_due_gives_his_stint_to_the_relieved_one():
    people = [{}, {"min_rest_ms": 3_600_000, "max_consecutive": 1}]
    plan = [Stint(driver=0, laps=9), Stint(driver=1, laps=8), Stint(driver=0, laps=7)]
    rules = {"min_stint_laps": 3, "max_stint_laps": 10}
    race = exact_race(laps=4, plan=plan, instance=problem(drivers=people, rules=rules))

    outcome = swap(race, 1, 1)

    assert shape(outcome)[:3] == [(0, 5), (1, 4), (0, 8)]


@pytest.mark.parametrize(
    ("people", "rule"),
    [
        ([{}, {}, {"available_ms": [[0, 60_000]]}], "availability"),
        ([{}, {}, {"max_drive_ms": 100_000}], "max_drive"),
        ([{}, {}, {"max_continuous_ms": 300_000}], "continuous"),
        ([{}, {}, {"no_wet": True}], "no_wet"),
    ],
)
def test_who_may_not_drive_is_named_with_the_rule(people, rule):
    race = exact_race(laps=4, instance=problem(drivers=people))
    if rule == "no_wet":
        race = replace(race, weather=((race.now_ms, True),))

    assert rule in {v.rule for v in swap(race, 2, 2).breaches}


def test_a_driver_not_rested_is_named():
    race = exact_race(laps=12, instance=problem(drivers=[{"min_rest_ms": 7_200_000}, {}]))

    assert "rest" not in {v.rule for v in consequences(race, kept(race)).breaches}
    outcome = swap(race, 2, 0, after_laps=1)
    # he would have rested less than planned, but the plan breaks the same rule already
    assert all(v.driver == 0 for v in outcome.breaches)


@pytest.mark.parametrize(("number", "seat"), [(1, 1), (1, 0)])
def test_a_stint_that_is_over_is_not_swapped(number, seat):
    with pytest.raises(WrongMove):
        swap(exact_race(laps=10), number, seat)


def test_a_driver_is_not_swapped_with_himself_or_nobody():
    with pytest.raises(InvalidInput, match="already"):
        swap(exact_race(laps=3), 1, 0)
    with pytest.raises(InvalidInput):
        swap(exact_race(laps=3), 1, 7)


def test_an_extension_shifts_what_follows_and_the_last_gives():
    race = exact_race(laps=4)
    full = replace(race, stints=tuple(replace(s, fuel_in_ml=62_000) for s in race.stints))

    outcome = extend(full, 1, 2)

    assert shape(outcome) == [(0, 10), (1, 8), (0, 6)]
    assert outcome.window is not None
    assert outcome.window.predicted_lap == 10


def test_an_extension_beyond_the_fuel_names_the_most():
    with pytest.raises(ImpossiblePlan, match="fuel allows not a lap more") as refusal:
        extend(exact_race(laps=4), 1, 1)
    assert refusal.value.fields["laps"] == ["At most 0 (fuel)."]

    race = exact_race(laps=4)
    full = replace(race, stints=tuple(replace(s, fuel_in_ml=62_000) for s in race.stints))
    with pytest.raises(ImpossiblePlan, match="fuel allows at most 4 more"):
        extend(full, 1, 5)


@pytest.mark.parametrize(
    ("change", "limit"),
    [({"car": {"tyre": {"life_laps": 9, "deg_ms": 60, "deg2_us": 900, "cold_ms": 3_000,
                        "wrong_ms": 15_000}}}, "tyres"),
     ({"rules": {"min_stint_laps": 3, "max_stint_laps": 9}}, "longest stint"),
     ({"drivers": [{"max_continuous_ms": 9 * 184_000}, {}]}, "continuous driving"),
     ({"drivers": [{"available_ms": [[0, 9 * 184_000], [3_000_000, 10**9]]}, {}]}, "hours")],
)  # fmt: skip
def test_an_extension_beyond_another_limit_names_it(change, limit):
    race = exact_race(laps=4, instance=problem(**change))
    full = replace(race, stints=tuple(replace(s, fuel_in_ml=62_000) for s in race.stints))

    with pytest.raises(ImpossiblePlan, match=limit):
        extend(full, 1, 4)


def test_a_stint_is_shortened_the_same_way_but_not_below_what_is_driven():
    race = exact_race(laps=4)

    assert shape(extend(race, 1, -2)) == [(0, 6), (1, 8), (0, 10)]
    with pytest.raises(ImpossiblePlan, match="driven already"):
        extend(race, 1, -5)


def test_a_last_stint_grown_too_short_joins_the_one_before():
    race = exact_race(laps=4, plan=SHORT, instance=problem())
    full = replace(race, stints=tuple(replace(s, fuel_in_ml=62_000) for s in race.stints))

    outcome = extend(full, 1, 2)

    assert shape(outcome) == [(0, 12), (1, 12)]
    assert outcome.breaches == ()


@pytest.mark.parametrize("number", [2, 3])
def test_only_the_running_stint_is_extended(number):
    with pytest.raises(WrongMove):
        extend(exact_race(laps=4), number, 1)


def test_ways_on_hold_the_plan_against_others_and_none_of_a_good_plan_gains_much():
    race = exact_race(laps=4, instance=problem(drivers=THREE))

    ways = ways_on(race, seconds=2, races=60)

    keep = next(way for way in ways if way.label == "Keep the plan")
    assert (keep.gain_ms, keep.low_ms, keep.high_ms) == (0, 0, 0)
    assert len(ways) >= 3
    assert all(sum(a.laps for a in way.outcome.projection.stints) == 24 for way in ways)
    ranked = [way.gain_ms for way in ways if not way.outcome.breaches]
    assert ranked == sorted(ranked, reverse=True)


def test_ways_on_mend_a_plan_that_has_become_a_bad_one():
    """Planned: a fourth stop for nothing. Two stops are enough, so a way on gains about a stop."""
    plan = [Stint(driver=0, laps=6), Stint(driver=1, laps=6), Stint(driver=0, laps=6),
            Stint(driver=1, laps=6)]  # fmt: skip
    race = exact_race(laps=4, plan=plan)

    best = ways_on(race, seconds=2, races=60)[0]

    assert best.label != "Keep the plan"
    assert best.gain_ms > 30_000
    assert best.is_clear
    assert best.outcome.breaches == ()


def test_in_the_rain_no_way_on_uses_who_may_not():
    people = [{}, {"no_wet": True}, {"pace": 183_000}]
    race = exact_race(laps=4, instance=problem(drivers=people))
    wet = replace(race, weather=((race.now_ms, True),))

    best = ways_on(wet, seconds=2, races=60)[0]

    later = best.outcome.projection.stints[1:]
    assert 1 not in {a.seat for a in later}
    assert {s.compound for s in best.stints[1:]} == {1}


def test_under_the_safety_car_stopping_now_is_worth_more_than_later():
    """Out for twelve of the expected eighteen minutes: this lap still ends under it, the next not."""
    race = exact_race(laps=6)
    under = replace(race, neutrals=(Neutral("sc", race.now_ms - 750_000),))

    def gain(race) -> int:
        ways = ways_on(race, seconds=2, races=100)
        return next(way.gain_ms for way in ways if way.pit_lap == 7)

    assert gain(under) > gain(race) + 10_000


def test_in_the_pits_the_way_on_starts_with_the_next_stint():
    race = exact_race(laps=8)
    inside = replace(race, marks=(Mark("pit_in", race.now_ms, 8),))

    ways = ways_on(inside, seconds=1, races=40)

    assert all(way.stints[0].laps == 8 for way in ways)
    assert {way.pit_lap for way in ways} == {8}


@pytest.mark.parametrize("state", ["scheduled", "grid"])
def test_before_the_start_there_are_no_ways_on(state):
    with pytest.raises(NotReady):
        ways_on(replace(exact_race(laps=0), state=state))


def test_ways_on_of_a_stint_that_is_overdue_all_lie_ahead():
    race = exact_race(laps=6)
    late = replace(
        race, stints=(replace(race.stints[0], laps=4), *race.stints[1:])
    )  # in was due two laps ago

    ways = ways_on(late, seconds=1, races=40)

    assert min(way.pit_lap for way in ways) == 7
    assert {way.label for way in ways} >= {"Keep the plan"}
