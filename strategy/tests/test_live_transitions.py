"""Every move of a stint from every state: allowed once the way is free, refused otherwise."""

from dataclasses import replace
from itertools import product

import pytest

from racecontrol.shared.errors import InvalidInput, NotFound
from strategy.domain.live.log import LapDone, Mark, Neutral, Race
from strategy.domain.live.transitions import MOVES, WrongMove, check_move
from strategy.tests.live_races import exact_race

STATUSES = ("planned", "ready", "in_progress", "completed", "skipped", "aborted")
ALLOWED = {
    ("planned", "ready"), ("planned", "skipped"), ("ready", "in_progress"), ("ready", "planned"),
    ("ready", "skipped"), ("in_progress", "completed"), ("in_progress", "aborted"),
    ("completed", "in_progress"), ("skipped", "planned"),
}  # fmt: skip


def race_with(status: str, to: str) -> tuple[Race, int]:
    """A race in which a stint is in this state and nothing else stands in the way of the move."""
    race = exact_race(laps=5)
    first, second, third = race.stints
    ended = Mark("pit_in", race.now_ms, 5)
    if status == "planned":
        return race, 2
    if status == "ready":
        ready = replace(race, stints=(first, replace(second, is_ready=True), third))
        waiting = replace(race, marks=(ended,))
        return (waiting if to == "in_progress" else ready), 2
    if status == "in_progress":
        return race, 1
    if status == "completed":
        return replace(race, marks=(ended,)), 1
    if status == "skipped":
        return replace(race, stints=(first, replace(second, is_skipped=True), third)), 2
    return replace(race, marks=(replace(ended, kind="abort"),)), 1


@pytest.mark.parametrize(("status", "to"), list(product(STATUSES, STATUSES)))
def test_every_move(status, to):
    race, number = race_with(status, to)
    assert next(s for s in race.driven if s.number == number).status == status

    if (status, to) in ALLOWED:
        assert check_move(race, number, to).number == number
    else:
        with pytest.raises(WrongMove, match="cannot become"):
            check_move(race, number, to)


def test_the_table_says_what_the_test_says():
    assert {(a, b) for a, ways in MOVES.items() for b in ways} == ALLOWED
    assert set(MOVES) == set(STATUSES)


def test_before_the_start_stints_may_only_be_skipped():
    race = replace(exact_race(laps=0), state="scheduled")

    assert check_move(race, 2, "skipped")
    with pytest.raises(WrongMove, match="not on"):
        check_move(race, 1, "ready")


@pytest.mark.parametrize("to", ["completed", "aborted"])
def test_after_the_flag_nothing_moves(to):
    race = replace(exact_race(laps=5), state="finished", finished_ms=10**7)

    with pytest.raises(WrongMove):
        check_move(race, 1, to)


def test_on_the_grid_the_first_stint_waits_for_the_green_flag():
    race = replace(exact_race(laps=0), state="grid")

    with pytest.raises(WrongMove, match="green flag"):
        check_move(race, 1, "in_progress")
    with pytest.raises(WrongMove, match="waits"):
        check_move(race, 1, "planned")


def test_nobody_starts_under_red():
    race, number = race_with("ready", "in_progress")

    with pytest.raises(WrongMove, match="red"):
        check_move(replace(race, neutrals=(Neutral("red", 0),)), number, "in_progress")
    for kind in ("fcy", "sc"):
        assert check_move(replace(race, neutrals=(Neutral(kind, 0),)), number, "in_progress")


def test_nobody_starts_while_another_drives():
    race, _ = race_with("ready", "planned")

    with pytest.raises(WrongMove, match="Stint 1 is still under way"):
        check_move(race, 2, "in_progress")


def test_a_stint_out_of_turn_is_not_readied():
    with pytest.raises(WrongMove, match="Stint 2 comes before"):
        check_move(exact_race(laps=5), 3, "ready")


def test_a_completed_stint_stays_once_another_drove():
    with pytest.raises(WrongMove, match="Stint 2"):
        check_move(exact_race(laps=10), 1, "in_progress")


def test_a_skipped_stint_stays_once_a_later_one_ran():
    race = exact_race(laps=10)
    first, second, third = race.stints
    passed = replace(race, stints=(first, replace(second, is_skipped=True), third))

    with pytest.raises(WrongMove, match="Somebody drove after"):
        check_move(passed, 2, "planned")


def test_the_last_stint_cannot_be_skipped_while_the_car_waits_for_it():
    race = exact_race(laps=16)
    waiting = replace(race, marks=(*race.marks[:2], Mark("pit_in", race.now_ms, 16)))

    with pytest.raises(WrongMove, match="last stint"):
        check_move(waiting, 3, "skipped")


def test_a_stint_that_is_not_there():
    with pytest.raises(NotFound):
        check_move(exact_race(laps=1), 9, "ready")
    with pytest.raises(InvalidInput):
        check_move(replace(exact_race(laps=1), laps=(LapDone(1, 5),)), 1, "flying")
