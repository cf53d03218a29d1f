"""Load and form against closed forms and hand-computed numbers."""

from datetime import date, timedelta
from math import exp

import pytest

from coaching.domain import fitness

FIRST = date(2026, 1, 1)


def days_of(load: float, count: int) -> dict[date, float]:
    return {FIRST + timedelta(days=n): load for n in range(count)}


@pytest.mark.parametrize("count", [1, 7, 42, 400])
def test_a_constant_load_approaches_itself_as_the_closed_form_says(count):
    last = fitness.series(days_of(80, count), until=FIRST + timedelta(days=count - 1))[-1]

    assert last.ctl == pytest.approx(80 * (1 - exp(-count / 42)), abs=1e-6)
    assert last.atl == pytest.approx(80 * (1 - exp(-count / 7)), abs=1e-6)
    assert last.tsb == pytest.approx(last.ctl - last.atl)


def test_rest_decays_by_the_same_constants_and_gaps_are_rest():
    days = fitness.series({FIRST: 100.0}, until=FIRST + timedelta(days=30))

    assert len(days) == 31
    assert days[-1].ctl == pytest.approx(100 * (1 - exp(-1 / 42)) * exp(-30 / 42), abs=1e-9)
    assert days[-1].atl == pytest.approx(100 * (1 - exp(-1 / 7)) * exp(-30 / 7), abs=1e-9)


def test_a_known_start_is_carried_on():
    [day] = fitness.series({FIRST: 0.0}, until=FIRST, start_ctl=50, start_atl=70)

    assert day.ctl == pytest.approx(50 * exp(-1 / 42))
    assert day.atl == pytest.approx(70 * exp(-1 / 7))


def test_a_short_history_says_so():
    days = fitness.series(days_of(50, 41), until=FIRST + timedelta(days=40))
    assert fitness.building(days) == 41

    days = fitness.series(days_of(50, 42), until=FIRST + timedelta(days=41))
    assert fitness.building(days) is None
    assert fitness.series({}, until=FIRST) == []


@pytest.mark.parametrize(
    ("seconds", "watts", "points"),
    [(3600, 250, 100.0), (1800, 250, 50.0), (3600, 200, 64.0), (7200, 175, 98.0)],
)
def test_power_load_is_hours_times_intensity_squared(seconds, watts, points):
    load = fitness.power_load(seconds=seconds, normalised_w=watts, threshold_w=250)

    assert load.points == pytest.approx(points)
    assert load.method == "power"
    assert "250 W" in load.formula


def test_an_hour_at_threshold_is_100_by_every_formula():
    heart = fitness.heart_rate_load(
        seconds=3600, average_bpm=165, resting_bpm=50, max_bpm=185, threshold_bpm=165
    )

    assert heart.points == pytest.approx(100)
    assert fitness.perceived_load(seconds=3600, effort=7).points == pytest.approx(100)


def test_harder_is_never_less():
    loads = [
        fitness.heart_rate_load(
            seconds=3600, average_bpm=bpm, resting_bpm=50, max_bpm=185, threshold_bpm=165
        ).points
        for bpm in range(40, 200, 5)
    ]

    assert loads == sorted(loads)
    assert loads[0] == 0


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="above zero"):
        fitness.power_load(seconds=0, normalised_w=200, threshold_w=250)
    with pytest.raises(ValueError, match="rise"):
        fitness.heart_rate_load(
            seconds=60, average_bpm=1, resting_bpm=60, max_bpm=50, threshold_bpm=55
        )
    with pytest.raises(ValueError, match="1 to 10"):
        fitness.perceived_load(seconds=60, effort=11)


def test_normalised_power_weighs_surges():
    assert fitness.normalised_power([200] * 600) == pytest.approx(200)
    assert fitness.normalised_power([200] * 29) is None
    surges = fitness.normalised_power(([400] * 60 + [0] * 60) * 10)
    assert surges > 200
    assert fitness.normalised_power([None] * 60) == 0
