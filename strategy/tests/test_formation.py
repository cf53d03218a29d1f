"""Fitting people together: hours in common, coverage, drafts, proven teams, many signups."""

from itertools import combinations
from random import Random

import pytest

from racecontrol.shared.errors import ImpossiblePlan
from strategy.domain.formation import (
    HOUR_MS,
    Limits,
    Person,
    Signups,
    form_teams,
    overlap,
    pair_fit,
    snake_draft,
    team_count,
)

DAY = 24 * HOUR_MS


def person(key, *hours, **values):
    return Person(key, tuple((a * HOUR_MS, b * HOUR_MS) for a, b in hours), **values)


@pytest.mark.parametrize(
    ("mine", "theirs", "hours", "share"),
    [
        pytest.param([(0, 12)], [(0, 12)], 12, 1.0, id="the same"),
        pytest.param([(0, 12)], [(0, 6), (6, 12)], 12, 1.0, id="typed as two windows"),
        pytest.param([(0, 12)], [(0, 3), (3, 6), (6, 9), (9, 12)], 12, 1.0, id="as four"),
        pytest.param([(10, 12)], [(0, 24)], 2, 1.0, id="short inside long"),
        pytest.param([(0, 10)], [(8, 18)], 2, 0.2, id="a corner"),
        pytest.param([(0, 6), (2, 8)], [(0, 8)], 8, 1.0, id="typed twice"),
        pytest.param([(0, 12)], [(12, 24)], 0, 0.0, id="a relay"),
        pytest.param([], [(0, 24)], 0, 0.0, id="never free"),
    ],
)
def test_hours_in_common_do_not_depend_on_how_the_form_was_filled_in(mine, theirs, hours, share):
    assert overlap(person(1, *mine), person(2, *theirs), race_ms=DAY) == (hours, share)


def test_hours_outside_the_race_do_not_count():
    assert overlap(person(1, (-5, 3)), person(2, (0, 40)), race_ms=DAY) == (3.0, 1.0)


def test_a_relay_covers_the_race_although_nobody_has_hours_in_common():
    relay = [person(1, (0, 12)), person(2, (12, 24))]
    twins = [person(1, (0, 12)), person(2, (0, 12))]

    relayed, doubled = (Signups(p, race_ms=DAY).judge([0, 1]) for p in (relay, twins))

    assert (relayed.parts["cover_one"], relayed.parts["pair"]) == (1.0, 0.0)
    assert (doubled.parts["cover_one"], doubled.parts["pair"]) == (0.5, 1.0)
    assert relayed.total > doubled.total
    assert (doubled.weakest_ms, doubled.weakest_free) == (12 * HOUR_MS, 0)


def test_a_pair_is_judged_by_its_four_parts():
    a = person(1, (0, 12), cars=(7,), roles=frozenset({"spot"}), skill=100)
    b = person(2, (0, 12), cars=(8, 7), roles=frozenset({"strategize"}), skill=300)

    fit = pair_fit(a, b, race_ms=DAY, spread=100)

    assert (fit.hours, fit.overlap, fit.skill, fit.roles) == (12, 1.0, 0.0, 1.0)
    assert fit.car == pytest.approx(0.85)
    assert fit.total == pytest.approx(0.5 * 1 + 0.2 * 0.85 + 0.15 * 0 + 0.15 * 1)


def test_the_snake_goes_there_and_back():
    people = [Person(n, (), skill=100 - n) for n in range(8)]

    assert snake_draft(people, teams=2) == [[0, 3, 4, 7], [1, 2, 5, 6]]


def crowd(count, seed=5):
    """People of six time zones, mostly awake by day."""
    rng, people = Random(seed), []
    for key in range(count):
        zone, windows = rng.choice((0, 1, 8, 9, 17, 20)), []
        for day in (-1, 0, 1):
            start = day * 24 + zone + rng.randint(6, 10)
            windows.append((start, start + rng.randint(6, 14)))
        roles = frozenset(r for r in ("spot", "strategize") if rng.random() < 0.4)
        people.append(
            person(key, *windows, cars=tuple(rng.sample((1, 2, 3), 3)), roles=roles,
                   skill=rng.gauss(2000, 600))
        )  # fmt: skip
    return people


def test_few_people_get_the_best_teams_there_are():
    signups = Signups(crowd(8), race_ms=DAY)
    everybody = set(range(8))
    best = max(
        (signups.quick(team) + signups.quick(tuple(everybody - set(team)))) / 2
        for team in combinations(range(8), 4)
    )

    found = form_teams(signups, limits=Limits(4, 4), seconds=0.3)

    assert found.is_proven
    assert found.total == pytest.approx(best, abs=1e-5)


def test_pairs_stay_together_and_apart():
    signups = Signups(crowd(12), race_ms=DAY)
    limits = Limits(3, 4, together=((0, 1), (2, 3)), apart=((4, 5), (0, 2)))

    found = form_teams(signups, limits=limits, seconds=0.3)

    home = {key: n for n, team in enumerate(found.teams) for key in team}
    assert home[0] == home[1] != home[2] == home[3]
    assert home[4] != home[5]
    assert sorted(home) == list(range(12))
    assert all(3 <= len(team) <= 4 for team in found.teams)


def test_two_hundred_signups_are_formed_in_time_and_better_than_the_draft():
    signups = Signups(crowd(200), race_ms=DAY)
    drafted = snake_draft(signups.people, teams=50)
    draft = sum(signups.quick([signups.index[k] for k in team]) for team in drafted) / 50

    found = form_teams(signups, limits=Limits(4, 4), seconds=1.0)

    assert sorted(k for team in found.teams for k in team) == list(range(200))
    assert found.total > draft + 0.03


@pytest.mark.parametrize(
    ("people", "limits"), [(5, Limits(4, 4)), (0, Limits(2, 4)), (3, Limits(5, 4))]
)
def test_sizes_that_cannot_work_out_are_refused(people, limits):
    with pytest.raises(ImpossiblePlan):
        team_count(people, limits)


def test_pairs_that_contradict_are_refused():
    signups = Signups(crowd(4), race_ms=DAY)
    limits = Limits(2, 2, together=((0, 1),), apart=((0, 1),))

    with pytest.raises(ImpossiblePlan, match="together and apart"):
        form_teams(signups, limits=limits, seconds=0.1)
