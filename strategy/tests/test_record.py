"""The record of a race taken from its log: laps without stops, fuel, tyres, cautions."""

from dataclasses import replace

import pytest

from strategy.domain.analytics.from_log import Visit, record_of
from strategy.domain.analytics.replay import replay
from strategy.domain.live.log import Neutral, Reading, plan_of
from strategy.domain.stints.scoring import score
from strategy.tests.live_races import PLAN, exact_race
from strategy.tests.stint_problems import problem


def finished(**changes):
    race = exact_race(laps=24, **changes)
    return replace(race, state="finished", finished_ms=race.now_ms)


def test_a_race_to_the_millisecond_of_the_plan_is_recorded_so():
    record = record_of(finished())

    planned = score(problem(), PLAN)
    assert [s.laps for s in record.stints] == [8, 8, 8]
    assert record.finish_ms == planned.z1_ms
    assert [lap.ms for lap in record.laps] == replay(problem(), PLAN).lap_ms
    assert [stop.ms for stop in record.stops] == [s.stop_ms for s in planned.stints[1:]]
    assert [s.fuel_out_ml for s in record.stints] == [s.fuel_out_ml for s in planned.stints]
    assert record.as_plan() == plan_of(finished().stints)


def test_first_and_last_laps_of_a_stint_are_marked():
    record = record_of(finished())

    assert [lap.number for lap in record.laps if lap.is_in] == [7, 15]
    assert [lap.number for lap in record.laps if lap.is_out] == [0, 8, 16]


def test_readings_tell_the_burn_and_what_was_left():
    # planned 5 l a lap; 4 l a lap were read between laps 2 and 6 of the first stint
    race = finished()
    at = race.crossings
    race = replace(race, readings=(Reading(2, at[2].at_ms, 34_000), Reading(6, at[6].at_ms, 18_000)))  # fmt: skip

    first = record_of(race).stints[0]

    assert (first.fuel_in_ml, first.fuel_out_ml) == (42_000, 10_000)


def test_what_a_stop_put_in_is_taken_from_the_pit_log():
    race = finished()
    before, after = race.driven[0], race.driven[1]
    visit = Visit(
        before.end_ms or 0, after.start_ms, added_ml=33_000, tyres="keep", repair_ms=5_000
    )

    record = record_of(race, [visit])

    stop = record.stops[0]
    assert (stop.added_ml, stop.new_tyres, stop.repair_ms) == (33_000, False, 5_000)
    assert [lap.age for lap in record.laps_of(1)] == list(range(8, 16))
    assert [lap.age for lap in record.laps_of(2)] == list(range(8))


def test_laps_under_a_caution_are_marked_and_give_its_pace():
    race = exact_race(laps=24)
    start, end = race.crossings[3].at_ms, race.crossings[5].at_ms
    laps = tuple(
        replace(lap, at_ms=lap.at_ms + (90_000 * min(max(lap.lap - 3, 0), 2))) for lap in race.laps
    )
    marks = tuple(replace(m, at_ms=m.at_ms + 180_000) for m in race.marks)
    race = replace(
        race, laps=laps, marks=marks, state="finished", now_ms=race.now_ms + 180_000,
        finished_ms=race.now_ms + 180_000, neutrals=(Neutral("sc", start, end + 180_000),),
    )  # fmt: skip

    record = record_of(race)

    assert [lap.number for lap in record.laps if lap.neutral] == [3, 4]
    assert record.neutrals[0].pace == pytest.approx(1.5, abs=0.01)


def test_a_race_still_running_has_only_the_laps_that_were_told():
    record = record_of(exact_race(laps=10))

    assert (len(record.laps), [s.laps for s in record.stints]) == (10, [8, 2])
