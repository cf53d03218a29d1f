"""The race under way as calculation: the log folded, the clock, fuel, window and projection."""

import random
from dataclasses import replace

import pytest

from strategy.domain.live.log import LapDone, Mark, Neutral, Punished, Reading, plan_of
from strategy.domain.live.pace import burn_of, pace_of
from strategy.domain.live.projection import live_instance, project, whole_plan
from strategy.domain.live.wall import read_wall
from strategy.domain.stints.instance import Stint
from strategy.domain.stints.scoring import score
from strategy.tests.live_races import PLAN, exact_race
from strategy.tests.stint_problems import problem


@pytest.mark.parametrize("laps", [1, 7, 8, 9, 15, 16, 23])
def test_a_race_driven_to_the_plan_is_expected_to_end_as_planned(laps):
    race = exact_race(laps=laps)

    ahead = project(race)

    whole = score(race.instance, PLAN)
    assert (ahead.laps, ahead.finish_ms) == (24, whole.z1_ms)
    assert [s.end_lap for s in whole_plan(ahead)] == [8, 16, 24]
    assert ahead.laps_without_driver == 0


@pytest.mark.parametrize("laps", [5, 12, 20])
def test_the_race_as_one_problem_breaks_no_rule_the_plan_keeps(laps):
    ahead = project(exact_race(laps=laps))

    judged = score(live_instance(ahead), plan_of(whole_plan(ahead)))

    assert judged.violations == []
    assert judged.z1_ms == score(problem(), PLAN).z1_ms


def test_a_log_told_out_of_order_gives_the_same_race():
    race = exact_race(laps=20)
    laps, marks = list(race.laps), list(race.marks)
    for seed in range(5):
        random.Random(seed).shuffle(laps)
        random.Random(seed).shuffle(marks)

        told = replace(race, laps=tuple(laps), marks=tuple(marks))

        assert told.driven == race.driven


def test_two_who_press_the_same_button_make_one_stop():
    race = exact_race(laps=12)
    first_in, first_out = race.marks
    twice = (first_in, Mark("pit_in", first_in.at_ms + 4_000), first_out,
             Mark("pit_out", first_out.at_ms + 3_000))  # fmt: skip

    assert replace(race, marks=twice).driven == race.driven


def test_a_stint_ends_with_the_lap_even_if_the_line_lies_behind_the_pit_entry():
    race = exact_race(laps=12)
    pit_in, pit_out = race.marks
    early = (Mark("pit_in", pit_in.at_ms - 6_000), pit_out)

    assert [s.laps for s in replace(race, marks=early).driven] == [8, 4, 0]


def test_a_stint_that_stopped_on_track_is_aborted_and_the_next_is_ready():
    race = exact_race(laps=5)

    stopped = replace(race, marks=(Mark("abort", race.now_ms + 1, 5),))

    assert [s.status for s in stopped.driven] == ["aborted", "ready", "planned"]
    assert [s.laps for s in stopped.driven] == [5, 0, 0]


def test_a_skipped_stint_is_passed_over():
    race = exact_race(laps=12)
    first, second, third = race.stints

    passed = replace(race, stints=(first, replace(second, is_skipped=True), third))

    assert [s.status for s in passed.driven] == ["completed", "skipped", "in_progress"]


def test_on_the_grid_the_first_stint_is_ready_and_before_nobody_is():
    race = exact_race(laps=0)

    assert [s.status for s in replace(race, state="grid").driven] == ["ready", "planned", "planned"]
    assert {s.status for s in replace(race, state="scheduled").driven} == {"planned"}


def test_red_flags_stop_the_race_clock_only_where_the_rules_say_so():
    race = exact_race(laps=5, neutrals=(Neutral("red", 100_000, 400_000),))

    runs, stands = read_wall(race), read_wall(replace(race, red_stops_clock=True))

    assert runs.clock.race_ms == race.now_ms
    assert stands.clock.race_ms == race.now_ms - 300_000
    assert stands.clock.left_ms == runs.clock.left_ms + 300_000


def test_the_clock_stands_while_a_red_flag_is_out():
    race = exact_race(laps=5, red_stops_clock=True, neutrals=(Neutral("red", 500_000),))

    later = replace(race, now_ms=race.now_ms + 60_000)

    assert read_wall(race).clock.race_ms == read_wall(later).clock.race_ms == 500_000
    assert not read_wall(later).clock.is_ticking
    assert read_wall(later).clock.flag == "red"


def test_slower_laps_move_the_finish_and_name_the_drift():
    race = exact_race(laps=7, slower_ms=3_000)

    wall = read_wall(race)

    assert pace_of(race).drift_ms == (3_000, 3_000)  # the other driver as the team
    assert wall.finish.pace_drift_ms == 3_000
    assert wall.projection.finish_ms == score(problem(), PLAN).z1_ms + 3_000 * wall.finish.laps


def test_laps_under_a_flag_do_not_count_for_the_pace():
    race = exact_race(laps=7)
    slow = [replace(lap, at_ms=lap.at_ms + 200_000 * (n >= 3)) for n, lap in enumerate(race.laps)]
    under = Neutral("sc", race.laps[2].at_ms, slow[3].at_ms)

    drift = pace_of(replace(race, laps=tuple(slow), neutrals=(under,)))

    assert drift.drift_ms == (0, 0)


def test_readings_correct_the_burn_and_the_fuel():
    """5 l a lap planned, 5.5 l read from lap to lap: ten in the hundred more."""
    race = exact_race(laps=6)
    start = race.stints[0].fuel_in_ml  # reserve and eight laps: 42 l
    readings = tuple(
        Reading(lap, race.crossings[lap].at_ms, start - lap * 5_500) for lap in range(1, 7)
    )

    told = replace(race, readings=readings)
    wall = read_wall(told)

    assert burn_of(told).ratio == pytest.approx(1.1)
    assert wall.fuel is not None
    assert (wall.fuel.left_ml, wall.fuel.is_read) == (42_000 - 6 * 5_500, True)
    assert wall.fuel.burn_ml == 5_500
    assert wall.fuel.laps == 1  # 9 l and a reserve of 2 l
    assert wall.window is not None
    assert (wall.window.closes_lap, wall.window.closes_by) == (7, "fuel")
    assert wall.window.predicted_lap == 7


def test_one_reading_pair_moves_the_estimate_a_third_of_the_way():
    race = exact_race(laps=2)
    readings = (
        Reading(1, race.crossings[1].at_ms, 40_000),
        Reading(2, race.crossings[2].at_ms, 34_000),
    )

    assert burn_of(replace(race, readings=readings)).ratio == pytest.approx(1 + 0.2 / 3)


def test_without_a_reading_the_fuel_is_less_sure_the_longer_the_stint():
    early, late = (read_wall(exact_race(laps=n)).fuel for n in (2, 7))

    assert early is not None
    assert late is not None
    assert early.left_ml == 42_000 - 2 * 5_000
    assert late.high_ml - late.low_ml > early.high_ml - early.low_ml


def test_the_window_opens_when_the_rest_can_be_carried_and_closes_with_the_tank():
    wall = read_wall(exact_race(laps=6))

    assert wall.window is not None
    # twelve laps on a tank, two stints to come: 24 - 24 laps, but at least the shortest stint of 3
    assert (wall.window.opens_lap, wall.window.is_open) == (6, True)
    assert (wall.window.closes_lap, wall.window.closes_by) == (8, "fuel")  # filled for eight
    assert (wall.window.predicted_lap, wall.window.binding) == (8, "plan")


def test_a_driver_near_his_limit_must_get_out_and_the_wall_says_when():
    people = [{"max_continuous_ms": 8 * 183_000}, {"pace": 181_000}]
    race = exact_race(laps=7, instance=problem(drivers=people))

    wall = read_wall(race)

    bar = wall.bars[0]
    assert bar.is_in
    assert bar.must_out_ms == 8 * 183_000
    assert bar.level == "amber"
    assert "driver_limit" in {alert.code for alert in wall.alerts}
    assert wall.bars[1].may_in_ms == race.now_ms


def test_a_driver_not_rested_in_time_is_named():
    people = [{"min_rest_ms": 6 * 3_600_000}, {"pace": 181_000}]
    race = exact_race(laps=12, instance=problem(drivers=people))

    wall = read_wall(race)

    assert wall.next_up is not None
    assert "d0 is not rested" in wall.next_up.why_not
    assert wall.alerts[0].level == "red"


def test_in_the_pits_the_next_stint_and_its_work_are_shown():
    race = exact_race(laps=8)
    inside = replace(race, marks=(Mark("pit_in", race.now_ms, 8),), now_ms=race.now_ms + 5_000)

    wall = read_wall(inside)

    assert wall.in_car is None
    assert wall.in_pits is not None
    assert wall.in_pits.is_driver_change
    assert wall.in_pits.add_ml == 8 * 5_000
    assert wall.next_up is not None
    assert (wall.next_up.name, wall.next_up.is_ready) == ("d1", True)


def test_too_few_stints_for_a_longer_race_are_told():
    race = exact_race(laps=20, duration_ms=40 * 180_000)

    wall = read_wall(race)

    assert wall.finish.laps_without_driver > 0
    assert "one_more_stop" in {alert.code for alert in wall.alerts}


def test_rain_is_the_weather_until_told_otherwise():
    race = exact_race(laps=5)
    rain = ((race.laps[3].at_ms, True),)

    wet = replace(race, weather=rain)
    dry = replace(race, weather=(*rain, (race.now_ms, False)))

    assert "".join(wet.letter(n) for n in (2, 3, 4, 5, 20)) == "DDWWW"
    assert dry.letter(20) == "D"
    assert project(wet).finish_ms > project(race).finish_ms
    assert "wrong_tyres" in {alert.code for alert in read_wall(wet).alerts}


@pytest.mark.parametrize(("kind", "extra_ms"), [("drive_through", 0), ("stop_go", 10_000)])
def test_a_penalty_to_be_served_is_in_the_expected_finish(kind, extra_ms):
    race = exact_race(laps=20)
    before = read_wall(race)
    lane_ms = race.instance.pit.lane_ms
    assert lane_ms > 0

    wall = read_wall(replace(race, penalties=(Punished(kind, extra_ms),)))

    assert wall.finish.owed_ms == lane_ms + extra_ms
    if wall.finish.laps == before.finish.laps:
        assert wall.finish.finish_ms == before.finish.finish_ms + lane_ms + extra_ms
    assert wall.projection.lap_ends[0] == before.projection.lap_ends[0] + lane_ms + extra_ms


def test_penalties_of_time_and_laps_are_told_beside_the_finish():
    race = exact_race(laps=20)
    given = (Punished("time", 30_000), Punished("time", 5_000), Punished("laps", 2))

    wall = read_wall(replace(race, penalties=given))

    assert (wall.finish.penalty_ms, wall.finish.penalty_laps, wall.finish.owed_ms) == (35_000, 2, 0)
    assert wall.finish.finish_ms == read_wall(race).finish.finish_ms


def test_a_lap_overdue_moves_what_follows():
    race = exact_race(laps=5)

    late = project(replace(race, now_ms=race.now_ms + 600_000))

    assert late.finish_ms > project(race).finish_ms
    assert late.lap_ends[0] == race.now_ms + 600_000


def test_the_driver_is_told_when_and_in_how_many_laps():
    wall = read_wall(exact_race(laps=5))

    assert (wall.turns[0].is_in, wall.turns[0].in_laps) == (True, 3)
    assert (wall.turns[1].is_in, wall.turns[1].in_laps, wall.turns[1].plus_minus_laps) == (
        False,
        3,
        1,
    )
    assert wall.turns[1].at_ms == wall.stints[1].start_ms


def test_a_lap_the_transponder_missed_leaves_the_rest_standing():
    race = exact_race(laps=12)

    missed = replace(race, laps=tuple(lap for lap in race.laps if lap.lap != 6))

    assert [s.laps for s in missed.driven] == [8, 4, 0]
    assert score(live_instance(project(missed)), PLAN).violations == []


def test_a_lap_told_twice_counts_once():
    race = exact_race(laps=12)

    twice = replace(race, laps=(*race.laps, LapDone(12, race.now_ms + 2)))

    assert twice.laps_done == 12
    assert twice.crossings[12].at_ms == race.now_ms


def test_whoever_stays_in_for_another_stint_is_ready():
    plan = [Stint(driver=0, laps=8), Stint(driver=0, laps=8), Stint(driver=1, laps=8)]

    coming = read_wall(exact_race(laps=7, plan=plan)).next_up

    assert coming is not None
    assert (coming.seat, coming.is_ready, coming.is_confirmed) == (0, True, True)
