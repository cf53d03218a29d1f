"""Pins while a race is on, as calculation: the window, changes, ways on, the backup who may get in."""

from dataclasses import replace

import pytest

from racecontrol.shared.errors import ImpossiblePlan, InvalidInput
from strategy.domain.live.changes import consequences, extend, kept, settle, swap
from strategy.domain.live.options import ways_on
from strategy.domain.live.projection import project
from strategy.domain.live.transitions import WrongMove
from strategy.domain.live.wall import read_wall
from strategy.domain.stints.instance import Stint
from strategy.domain.stints.pins import StintMark
from strategy.tests.live_races import exact_race
from strategy.tests.stint_problems import problem

THREE = [{}, {"pace": 181_000}, {"pace": 182_000}]
PINNED = "pinned by plan"


def marked(race, **marks):
    """The race with marks on stints: `s2=StintMark(...)`."""
    stints = [replace(s, mark=marks.get(f"s{s.number}", s.mark)) for s in race.stints]
    return replace(race, stints=tuple(stints))


def shape(outcome) -> list[tuple[int, int]]:
    return [(a.seat, a.end_lap) for a in outcome.projection.stints]


def codes(wall) -> list[str]:
    return [alert.code for alert in wall.alerts]


# -- the window


def test_a_pinned_stop_is_the_window_and_what_it_would_be_without_stays_in_sight():
    wall = read_wall(marked(exact_race(laps=5), s1=StintMark(pinned_lap=7)))

    window = wall.window
    assert window is not None
    assert (window.opens_lap, window.predicted_lap, window.closes_lap) == (7, 7, 7)
    assert (window.binding, window.closes_by, window.plus_minus_laps) == (PINNED, PINNED, 0)
    assert (window.free_lap, window.limit_lap, window.limit) == (5, 8, "fuel")
    assert wall.next_up is not None
    assert (wall.next_up.in_lap, wall.next_up.plus_minus_laps) == (7, 0)
    assert "pin" not in codes(wall)


def test_a_race_without_pins_has_the_window_of_its_limits():
    window = read_wall(exact_race(laps=5)).window

    assert window is not None
    assert (window.is_pinned, window.pinned_lap, window.binding) == (False, None, "plan")
    assert (window.opens_lap, window.closes_lap) == (window.free_lap, window.limit_lap)


def test_a_pin_beyond_the_fuel_leaves_the_limit_and_is_told():
    wall = read_wall(marked(exact_race(laps=5), s1=StintMark(pinned_lap=10)))

    assert wall.window is not None
    assert (wall.window.is_pinned, wall.window.closes_by) == (False, "fuel")
    assert [a.words for a in wall.alerts if a.code == "pin"] == [
        "d0's stop is pinned to lap 10, but fuel ends the stint after lap 8."
    ]


def test_a_pinned_stop_that_was_missed_binds_no_more():
    wall = read_wall(marked(exact_race(laps=6), s1=StintMark(pinned_lap=4)))

    assert wall.window is not None
    assert not wall.window.is_pinned
    assert any("drove past the stop pinned to lap 4" in a.words for a in wall.alerts)


def test_a_pin_too_early_for_the_stints_to_come_is_kept_and_what_follows_told():
    race = exact_race(laps=3, instance=problem(car={"tank_ml": 47_000}))

    wall = read_wall(marked(race, s1=StintMark(pinned_lap=5)))

    assert wall.window is not None
    assert (wall.window.is_pinned, wall.window.predicted_lap) == (True, 5)
    assert "one_more_stop" in codes(wall)


def test_the_stop_is_called_as_its_lap_comes():
    wall = read_wall(marked(exact_race(laps=7), s1=StintMark(pinned_lap=7)))

    assert [a.words for a in wall.alerts if a.code == "window_closed"] == [
        "In now: the stop is pinned to lap 7."
    ]


def test_a_later_pinned_stop_stays_where_it_is_when_the_stint_before_ends_early():
    race = marked(exact_race(laps=4), s2=StintMark(pinned_lap=16))

    early = extend(race, 1, -2)

    assert shape(early) == [(0, 6), (1, 16), (0, 24)]
    assert early.broken_pins == ()


def test_the_last_stint_ends_with_the_flag_whatever_was_held():
    race = marked(exact_race(laps=5), s3=StintMark(is_driver_pinned=True, pinned_lap=20))

    assert [a.end_lap for a in project(race).stints] == [8, 16, 24]


# -- changes


def test_an_extension_of_a_pinned_stint_breaks_the_pin_by_name():
    full = exact_race(laps=4)
    full = replace(full, stints=tuple(replace(s, fuel_in_ml=62_000) for s in full.stints))

    outcome = extend(marked(full, s1=StintMark(pinned_lap=8)), 1, 2)

    assert outcome.broken_pins == ("d0's stop is pinned to lap 8.",)
    assert shape(outcome)[0] == (0, 10)


def test_a_swap_that_needs_a_pinned_drivers_stint_says_so():
    """The new driver may do one stint in a row: his own, pinned to him, would go to the relieved one."""
    people = [{}, {"min_rest_ms": 3_600_000, "max_consecutive": 1}]
    plan = [Stint(driver=0, laps=9), Stint(driver=1, laps=8), Stint(driver=0, laps=7)]
    rules = {"min_stint_laps": 3, "max_stint_laps": 10}
    race = exact_race(laps=4, plan=plan, instance=problem(drivers=people, rules=rules))

    outcome = swap(marked(race, s2=StintMark(is_driver_pinned=True)), 1, 1)

    assert shape(outcome)[:3] == [(0, 5), (1, 9), (0, 17)]
    assert outcome.broken_pins == ("d1 is pinned for laps 10 to 17.",)


def test_the_rest_of_a_swapped_stint_keeps_its_pinned_stop():
    race = marked(exact_race(laps=3, instance=problem(drivers=THREE)), s1=StintMark(pinned_lap=8))

    outcome = swap(race, 1, 2)

    assert shape(outcome) == [(0, 4), (2, 8), (1, 16), (0, 24)]
    assert outcome.broken_pins == ()
    assert outcome.projection.race.stints[1].mark.pinned_lap == 8


def test_giving_a_pinned_drivers_stint_away_is_named():
    race = marked(exact_race(laps=3, instance=problem(drivers=THREE)),
                  s2=StintMark(is_driver_pinned=True))  # fmt: skip

    assert swap(race, 2, 2).broken_pins == ("d1 is pinned for laps 9 to 16.",)


def test_pinning_moves_the_stop_and_the_last_stint_gives():
    race = exact_race(laps=4)

    outcome = settle(race, 2, StintMark(pinned_lap=18))

    assert shape(outcome) == [(0, 8), (1, 18), (0, 24)]
    assert (outcome.broken_pins, outcome.breaches) == ((), ())
    freed = settle(replace(race, stints=outcome.stints), 2, StintMark())
    assert shape(freed) == [(0, 8), (1, 18), (0, 24)]
    assert freed.broken_pins == ()


@pytest.mark.parametrize(
    ("number", "lap", "words"),
    [(1, 4, "to lap 5 to 8 .fuel"), (1, 9, "to lap 5 to 8"), (2, 30, "to lap 11 to 20"),
     (3, 20, "ends with the flag")],
)  # fmt: skip
def test_a_stop_is_pinned_only_where_it_can_be(number, lap, words):
    with pytest.raises(ImpossiblePlan, match=words):
        settle(exact_race(laps=4), number, StintMark(pinned_lap=lap))


def test_what_is_over_is_not_pinned_and_nobody_backs_himself_up():
    with pytest.raises(WrongMove, match="nothing of it can be pinned"):
        settle(exact_race(laps=12), 1, StintMark(is_driver_pinned=True))
    with pytest.raises(InvalidInput, match="drives it already"):
        settle(exact_race(laps=4), 2, StintMark(backup=1))


def test_a_pin_that_moves_another_pinned_stop_is_told():
    race = marked(exact_race(laps=4), s1=StintMark(pinned_lap=8), s2=StintMark(pinned_lap=16))

    assert settle(race, 1, StintMark(pinned_lap=7)).broken_pins == ()
    assert consequences(race, kept(race)).broken_pins == ()


# -- ways on


def test_ways_on_keep_the_pins_of_stints_to_come():
    race = marked(exact_race(laps=3, instance=problem(drivers=THREE)),
                  s2=StintMark(is_driver_pinned=True, pinned_lap=17))  # fmt: skip

    ways = ways_on(race, seconds=4, races=40)

    assert len(ways) > 2
    for way in ways:
        ahead = way.outcome.projection.stints
        drives = {lap: a.seat for a in ahead for lap in range(a.start_lap, a.end_lap)}
        assert way.broken_pins == ()
        assert 17 in {a.end_lap for a in ahead}
        assert {drives[lap] for lap in range(8, 17)} == {1}
        marks = [s.mark for s in way.stints]
        assert any(m.pinned_lap == 17 and m.is_driver_pinned for m in marks)


def test_a_way_that_stops_elsewhere_says_which_pin_it_breaks_and_comes_later():
    race = marked(exact_race(laps=3, instance=problem(drivers=THREE)), s1=StintMark(pinned_lap=7))

    ways = ways_on(race, seconds=3, races=40)

    kept_ones = [way for way in ways if not way.broken_pins]
    others = [way for way in ways if way.broken_pins]
    assert {way.pit_lap for way in kept_ones} == {7}
    assert others
    assert ways == [*kept_ones, *others] or any(way.outcome.breaches for way in ways)
    for way in others:
        words = f"d0's stop is pinned to lap 7. Broken: this way stops after lap {way.pit_lap}."
        assert way.broken_pins == (words,)


def test_a_pin_no_legal_plan_can_keep_is_left_out_and_the_reason_told():
    people = [{}, {}, {"available_ms": [[0, 60_000]]}]
    race = marked(exact_race(laps=3, instance=problem(drivers=people)),
                  s2=StintMark(is_driver_pinned=True))  # fmt: skip
    stints = [replace(s, seat=2) if s.number == 2 else s for s in race.stints]

    ways = ways_on(replace(race, stints=tuple(stints)), seconds=4, races=40)

    anew = [way for way in ways if way.broken_pins]
    assert anew
    assert all("no legal plan from there keeps it" in way.broken_pins[0] for way in anew)


# -- the backup


def test_the_backup_is_called_when_the_planned_driver_cannot_get_in():
    people = [{}, {"available_ms": [[0, 60_000]]}, {}]
    race = marked(exact_race(laps=5, instance=problem(drivers=people)), s2=StintMark(backup=2))

    wall = read_wall(race)

    assert wall.next_up is not None
    assert wall.next_up.why_not
    backup = wall.next_up.backup
    assert backup is not None
    assert (backup.name, backup.is_eligible, backup.is_called) == ("d2", True, True)
    assert any("d2 is the backup and may get in" in a.words for a in wall.alerts)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ({"max_drive_ms": 0}, "no driving time"),
        ({"available_ms": [[0, 60_000]]}, "no driving time or no hours"),
        ({"available_ms": [[0, 60_000], [9_000_000, 10**9]]}, "not rested or not free"),
        ({"no_wet": True}, "may not drive in the wet"),
    ],
)
def test_a_backup_is_held_to_the_same_limits(who, words):
    race = exact_race(laps=5, instance=problem(drivers=[{}, {"available_ms": [[0, 60_000]]}, who]))
    race = marked(race, s2=StintMark(backup=2))
    if "no_wet" in who:
        race = replace(race, weather=((race.now_ms, True),))

    backup = read_wall(race).next_up.backup

    assert words in backup.why_not
    assert (backup.is_eligible, backup.is_called) == (False, False)


def test_a_ready_driver_needs_no_backup():
    race = exact_race(laps=5, instance=problem(drivers=THREE))
    stints = [replace(s, is_ready=s.number == 2) for s in race.stints]

    wall = read_wall(marked(replace(race, stints=tuple(stints)), s2=StintMark(backup=2)))

    assert wall.next_up.backup.is_eligible
    assert not wall.next_up.backup.is_called
    assert "backup" not in codes(wall)
