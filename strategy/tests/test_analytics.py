"""Measures of a race that was driven, against figures worked out by hand."""

from dataclasses import replace

import pytest

from strategy.domain.analytics import adherence, drive_time, pace, pits
from strategy.domain.analytics.record import Driven, Lap, Planned, Record, Stop, clean_laps
from strategy.tests.stint_problems import problem

MINUTE = 60_000


def driven(number, seat, laps, minutes, used_ml=0, **values):
    return Driven(number, seat, *laps, *(m * MINUTE for m in minutes), used_ml, 0, **values)


def planned(number, seat, laps, minutes, used_ml=0):
    return Planned(number, seat, *laps, *(m * MINUTE for m in minutes), used_ml, 0)


def race(*stints, **values):
    return Record(problem(), list(stints), **values)


# -- drive time


def test_equal_times_are_equality_one_and_all_for_one_of_two_is_a_half():
    assert drive_time.equality([50, 50, 50]) == 1.0
    assert drive_time.equality([100, 0]) == 0.5


def test_equality_of_three_unequal_drivers():
    # pairs 10, 30 and 20 apart, each counted twice: 120 / (2 * 3 * 90) = 0.2222
    assert drive_time.equality([40, 30, 10]) == pytest.approx(1 - 120 / (2 * 3 * 80))
    assert drive_time.variance([40, 30, 10]) == pytest.approx((13.333**2 + 3.333**2 + 16.667**2) / 3, rel=1e-3)  # fmt: skip


def test_a_plan_that_was_unequal_itself_is_followed_wholly():
    assert drive_time.follows_shares([60, 30, 30], [2, 1, 1]) == 1.0
    assert drive_time.follows_shares([30, 30], [60, 20]) == pytest.approx(1 - 0.5 * (0.25 + 0.25))
    assert drive_time.follows_shares([0, 0], [1, 1]) is None


def test_time_in_the_pits_counts_only_where_the_series_says_so():
    record = race(
        driven(1, 0, (0, 10), (0, 30)), driven(2, 1, (10, 20), (32, 60)),
        stops=[Stop(1, 30 * MINUTE, 32 * MINUTE, 0, True, True)],
    )  # fmt: skip

    assert drive_time.drive_times(record) == [30 * MINUTE, 28 * MINUTE]
    assert drive_time.drive_times(record, with_stops=True) == [30 * MINUTE, 30 * MINUTE]


def test_limits_say_what_each_came_to():
    people = [
        {"min_drive_ms": 40 * MINUTE, "max_continuous_ms": 25 * MINUTE, "min_rest_ms": 30 * MINUTE},
        {"max_drive_ms": 20 * MINUTE},
    ]
    record = Record(problem(drivers=people), [
        driven(1, 0, (0, 7), (0, 21)), driven(2, 1, (7, 15), (22, 45)),
        driven(3, 0, (15, 20), (46, 60)), driven(4, 0, (20, 24), (61, 73)),
    ])  # fmt: skip

    found = {(x.rule, x.seat): (x.measured // MINUTE, x.is_kept)
             for x in drive_time.measure(record).limits}  # fmt: skip

    assert found["min_drive", 0] == (47, True)
    assert found["continuous", 0] == (27, False)
    assert found["rest", 0] == (25, False)
    assert found["max_drive", 1] == (23, False)


def test_shares_stand_beside_the_fair_and_the_planned_one():
    record = race(driven(1, 0, (0, 10), (0, 30)), driven(2, 1, (10, 15), (31, 41)))

    shares = drive_time.measure(record, [planned(1, 0, (0, 24), (0, 60))]).shares

    assert (shares[0].share, shares[0].fair_share, shares[0].planned_share) == (0.75, 0.5, 1.0)
    assert (shares[1].share, shares[1].planned_share) == (0.25, 0.0)


# -- stops: lane 30 s, 2.5 l/s, tyres 20 s after fuel, driver change 24 s beside fuel


def test_a_stop_is_split_into_lane_service_change_and_delay():
    # 25 l take 10 s: the change (24 s) is 14 s longer than that; then 20 s of tyres
    stop = Stop(1, 0, 80_000, 25_000, new_tyres=True, swap=True)

    facts = pits.facts_of(problem(), stop)

    assert facts.reference_ms == 30_000 + 24_000 + 20_000
    assert (facts.lane_ms, facts.service_ms, facts.driver_change_ms) == (30_000, 30_000, 14_000)
    assert (facts.delay_ms, facts.loss_ms) == (6_000, 6_000)


def test_a_logged_time_in_the_box_shows_a_slow_lane():
    stop = Stop(1, 0, 80_000, 25_000, new_tyres=True, swap=True, box_ms=44_000)

    facts = pits.facts_of(problem(), stop)

    assert (facts.lane_ms, facts.delay_ms, facts.loss_ms) == (36_000, 0, 6_000)


def test_efficiency_is_reference_over_actual_and_cautions_stand_apart():
    stops = [
        Stop(1, 0, 50_000, 50_000, False, False),  # reference 30 + 20 s
        Stop(2, 0, 70_000, 50_000, False, False),
        Stop(3, 0, 200_000, 50_000, False, False, neutral="sc"),
    ]
    green, neutral = pits.split(race(driven(1, 0, (0, 1), (0, 1)), stops=stops))

    assert green.efficiency == pytest.approx(100 / 120)
    assert (green.median_ms, green.p90_ms, green.loss_ms) == (60_000, 68_000, 20_000)
    assert (len(neutral.stops), neutral.efficiency) == (1, 0.25)


def test_no_stop_has_no_efficiency():
    assert pits.measure(problem(), []).efficiency is None


# -- pace


def laps_of(times, **values):
    """Fuel falls 5 l a lap from 50 l; tyres age from 0."""
    return [
        replace(Lap(n, ms, 0, 0, 0, age=n, fuel_ml=50_000 - 5_000 * n), **values)
        for n, ms in enumerate(times)
    ]


def test_clean_laps_leave_out_pits_cautions_and_slow_ones():
    laps = laps_of([100_000] * 6)
    laps[0] = replace(laps[0], is_out=True)
    laps[1] = replace(laps[1], neutral="fcy", ms=140_000)
    laps[2] = replace(laps[2], ms=107_001)
    laps[3] = replace(laps[3], ms=107_000)
    laps[5] = replace(laps[5], is_in=True)

    assert [lap.number for lap in clean_laps([*laps, *laps_of([100_000] * 4)])][:2] == [3, 4]


def test_where_age_and_fuel_cannot_be_told_apart_the_cars_fuel_is_taken():
    # 90 s + 60 ms a lap of age + 27 us a ml of fuel, exactly
    laps = laps_of([90_000 + 60 * n + 27 * (50_000 - 5_000 * n) // 1000 for n in range(8)])

    found = pace.measure(laps, problem())

    assert not found.is_fuel_fitted
    assert found.base_ms == pytest.approx(90_000, abs=1)
    assert found.drop_ms == pytest.approx(60, abs=0.01)
    assert found.consistency_ms == pytest.approx(0, abs=0.01)


def test_two_fills_on_one_set_tell_fuel_from_age():
    fuel = [50, 45, 40, 35, 50, 45, 40, 35]
    laps = [
        Lap(n, 90_000 + 40 * n + 30 * litres, 0, 0, 0, age=n, fuel_ml=litres * 1000)
        for n, litres in enumerate(fuel)
    ]

    found = pace.measure(laps, problem())

    assert found.is_fuel_fitted
    assert (found.base_ms, found.drop_ms, found.fuel_us) == pytest.approx((90_000, 40, 30))


def test_consistency_is_the_scaled_median_distance():
    # distances from the median (0): 100, 0, 0, 300, 200 -> median 100
    assert pace.spread_of([-100, 0, 0, 300, 200]) == pytest.approx(148.26)


def test_few_clean_laps_have_a_median_and_no_fit():
    found = pace.measure(laps_of([100_000, 101_000, 103_000]), problem())

    assert (found.median_ms, found.best_ms, found.drop_ms) == (101_000, 100_000, None)


def test_pace_against_plan_and_class():
    # the plan's first laps of d0: 180 s + fuel 27 us a ml + 60 ms and 0.9 ms a lap (squared) of age
    laps = laps_of([183_000 + 1_350 + 3_000, 183_000 + 1_215 + 60], class_ms=184_000)

    found = pace.measure(laps, problem())

    assert found.to_plan_ms == 3_000
    assert found.to_class_ms == (3_350 + 275) / 2


def test_a_driver_who_never_drove_has_no_pace():
    record = race(driven(1, 0, (0, 5), (0, 15)), laps=laps_of([180_000] * 5))

    first, second = pace.by_driver(record)

    assert (first.clean, second.clean, second.median_ms) == (5, 0, None)


# -- adherence

PLAN = [
    planned(1, 0, (0, 10), (0, 30), 50_000),
    planned(2, 1, (10, 20), (31, 61), 50_000),
    planned(3, 0, (20, 24), (62, 74), 20_000),
]


def test_the_plan_driven_as_it_was_is_followed_wholly():
    record = race(*[driven(p.number, p.seat, (p.start_lap, p.end_lap), (0, 1)) for p in PLAN])

    found = adherence.measure(record, PLAN)

    assert (found.timing, found.driver_share) == (1.0, 1.0)
    assert (found.unplanned_stops, found.missed_stops) == (0, 0)


def test_late_stops_and_another_driver_take_their_share():
    record = race(
        driven(1, 0, (0, 12), (0, 37), 63_000), driven(2, 0, (12, 20), (38, 62)),
        driven(3, 0, (20, 24), (63, 75)),
    )  # fmt: skip

    found = adherence.measure(record, PLAN)

    # the first stint ended 2 of 10 laps late: 1 - (0.2 + 0 + 0) / 3
    assert found.timing == pytest.approx(1 - 0.2 / 3)
    # laps 10 to 19 were the other driver's
    assert found.driver_share == pytest.approx(14 / 24)
    first = found.stints[0]
    assert (first.end_laps, first.time_ms, first.fuel_ml) == (2, 7 * MINUTE, 3_000)
    assert [s.is_planned_driver for s in found.stints] == [True, False, True]


def test_an_extra_stop_is_unplanned_and_a_dropped_one_missed():
    extra = race(driven(1, 0, (0, 3), (0, 9)), driven(2, 0, (3, 10), (10, 30)),
                 driven(3, 1, (10, 20), (31, 61)), driven(4, 0, (20, 24), (62, 74)))  # fmt: skip
    fewer = race(driven(1, 0, (0, 10), (0, 30)), driven(2, 1, (10, 24), (31, 74)))

    assert adherence.stops_off_plan(PLAN, extra.stints) == (1, 0)
    assert adherence.stops_off_plan(PLAN, fewer.stints) == (0, 1)


def test_a_stint_nobody_drove_is_wholly_missed():
    record = race(driven(1, 0, (0, 10), (0, 30)), driven(2, 1, (10, 24), (31, 74)))

    # 0 + min(1, 4 / 10) + 1 over three
    assert adherence.timing(PLAN, record.stints) == pytest.approx(1 - 1.4 / 3)
