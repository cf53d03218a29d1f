"""ORP v2: what a race engineer expects of it, and the laws it keeps."""

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coaching.domain import orp_v2 as formula
from coaching.domain.orp_v1 import orp_v1
from coaching.domain.orp_v2 import orp_v2
from racecontrol.testing.shared_cases import shared_json

GOLDEN = shared_json("cases/orp_v2.json")
STEADY = [58.12, 58.03, 58.2, 57.95, 58.31, 58.08, 57.99, 58.15, 58.05, 58.22, 57.97, 58.11]

seeds = st.integers(0, 10**9)


def noisy(seed: int, laps: int, *, pace: float = 58.0, percent: float = 1.0, drift: float = 0.0):
    chance = random.Random(seed)
    return [round(pace * (1 + chance.gauss(0, percent / 100)) + drift * n, 3) for n in range(laps)]


@pytest.mark.skipif(GOLDEN is None, reason="the shared cases are not beside this project")
@pytest.mark.parametrize(
    "case", (GOLDEN or {"cases": []})["cases"], ids=lambda case: case.get("id", "")
)
def test_the_shared_cases(case):
    told = case["input"]
    flags = {int(position) + 1: flag for position, flag in told["flags"].items()}

    answer = orp_v2(told["laps"], kind=told["kind"], flags=flags).as_dict()

    assert {name: answer[name] for name in case["v2"]} == case["v2"]
    old = orp_v1(told["laps"])
    assert (old["orp_score"], old["strategy"]) == (case["v1"]["score"], case["v1"]["strat"])


# -- what v1 gets wrong ---------------------------------------------------------------------------


def test_it_does_not_matter_where_a_crash_falls():
    early = orp_v2([*STEADY[:3], 88.4, *STEADY[4:]])
    last = orp_v2([*STEADY[:3], *STEADY[4:], 88.4])

    assert early.score == last.score
    assert (early.incident_laps, early.fade_label) == (1, "steady")


def test_getting_faster_is_called_improving():
    result = orp_v2([61.0, 60.71, 60.12, 59.85, 59.28, 59.09, 58.6, 58.31])

    assert (result.fade_label, result.fade_penalty) == ("improving", 0)
    assert result.fade_pct < 0


def test_a_real_fade_is_charged_once_and_forbids_experiments():
    result = orp_v2([round(58 + 0.12 * n + 0.05 * (n % 2), 3) for n in range(14)])

    assert (result.fade_label, result.strategy) == ("degrading", "balanced")
    assert result.base > 98  # the line itself is no spread
    assert result.fade_penalty == pytest.approx(2 * result.fade_pct, abs=0.06)


def test_two_laps_have_no_score_rather_than_a_good_or_a_bad_one():
    result = orp_v2([58.0, 58.1])

    assert (result.status, result.score, result.strategy) == ("insufficient_data", None, None)
    assert result.notes == ["fewer than 5 usable laps"]


def test_five_laps_of_which_one_is_a_crash_are_too_few():
    result = orp_v2([58.0, 58.1, 58.2, 58.05, 75.0])

    assert (result.status, result.score, result.clean) == ("insufficient_data", None, 4)
    assert result.notes == ["fewer than 5 clean laps"]


@pytest.mark.parametrize(
    ("lap", "reason"),
    [(31.0, "short"), (116.24, "missed_loop"), (174.4, "missed_loop"), (75.2, "slow")],
)
def test_odd_laps_are_named(lap, reason):
    result = orp_v2([*STEADY[:5], lap, *STEADY[5:]])

    assert result.excluded == {6: reason}
    assert result.spread_pct == orp_v2(STEADY).spread_pct
    assert result.incident_laps == (reason == "slow")


@pytest.mark.parametrize("flag", ["pit", "in", "out", "invalid", "yellow"])
def test_a_flagged_lap_leaves_every_figure(flag):
    flagged = orp_v2([75.2, *STEADY], flags={1: flag})

    assert flagged.excluded == {1: flag}
    assert (flagged.score, flagged.incident_penalty) == (orp_v2(STEADY).score, 0)


def test_the_grid_lap_counts_only_in_practice():
    laps = [64.4, *STEADY]

    assert orp_v2(laps, kind="race").excluded == {1: "start"}
    assert orp_v2(laps, kind="practice").incident_laps == 1


def test_making_and_missing_a_jump_is_spread_not_fade():
    result = orp_v2([57.0, 59.2] * 7)

    assert (result.fade_label, result.strategy) == ("steady", "balanced")
    assert result.spread_pct == pytest.approx(2.04, abs=0.01)


def test_a_closed_gate_leaves_the_score_alone():
    trusting, doubting = orp_v2(STEADY, confidence=5), orp_v2(STEADY, confidence=2)

    assert (trusting.gate, doubting.gate) == ("open", "closed")
    assert trusting.score == doubting.score


def test_a_hero_lap_is_not_a_settled_car():
    assert orp_v2([57.93, 62.31, 63.14, 64.62, 65.23]).strategy == "stability"


# -- laws -----------------------------------------------------------------------------------------


@given(seeds, st.integers(5, 60), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
@settings(max_examples=60)
def test_a_longer_track_scores_the_same(seed, laps, factor):
    run = noisy(seed, laps, percent=1.5)

    one, other = orp_v2(run), orp_v2([lap * factor for lap in run])

    assert (one.score, one.low, one.high, one.strategy) == (
        other.score,
        other.low,
        other.high,
        other.strategy,
    )
    assert one.excluded == other.excluded


@given(seeds, st.integers(18, 40))
@settings(max_examples=40)
def test_where_a_single_crash_falls_hardly_matters(seed, laps):
    """0.4 points from 18 laps on. Below, one lap's place in the trend weighs more (8 laps: up to 1.7)."""
    run = noisy(seed, laps)

    kept = []
    for place in range(laps + 1):
        result = orp_v2([*run[:place], 93.0, *run[place:]])
        kept.append(result.base - result.incident_penalty)

    assert max(kept) - min(kept) <= 0.4


@given(
    st.lists(st.floats(15, 200).map(lambda t: round(t, 3)), max_size=40),
    st.sampled_from(["race", "practice"]),
)
def test_no_score_exactly_when_fewer_than_five_laps_are_clean(laps, kind):
    result = orp_v2(laps, kind=kind)

    assert (result.score is None) == (result.clean < 5)
    assert (result.status == "valid") == (result.clean >= 5)
    assert result.laps == len(laps)
    assert result.score is None or 0 <= result.low <= result.score <= result.high <= 100


@given(seeds, st.integers(5, 60), st.floats(-0.3, 0.3))
@settings(max_examples=80)
def test_only_a_degrading_run_pays_for_fading(seed, laps, drift):
    result = orp_v2(noisy(seed, laps, drift=drift))

    assume(result.is_valid)
    assert (result.fade_penalty > 0) == (result.fade_label == "degrading")


@given(seeds, st.integers(5, 60), st.floats(-0.2, 0.2))
@settings(max_examples=60)
def test_driven_backwards_a_run_has_the_mirrored_trend(seed, laps, drift):
    run = noisy(seed, laps, drift=drift)

    there, back = orp_v2(run), orp_v2(run[::-1])

    assume(there.is_valid)
    assert there.trend.slope == pytest.approx(-back.trend.slope, abs=1e-9)
    assert there.trend.low == pytest.approx(-back.trend.high, abs=1e-9)
    assert there.spread_pct == back.spread_pct


@given(seeds, st.integers(18, 50))
@settings(max_examples=60)
def test_one_more_ordinary_lap_does_not_hurt(seed, laps):
    run = noisy(seed, laps)
    before = orp_v2(run)
    assume(before.is_valid)

    after = orp_v2([*run, before.race_pace_s])

    assert after.base >= before.base - 0.3


@given(seeds)
@settings(max_examples=40)
def test_noise_is_rarely_called_fading(seed):
    """At most the nominal 5 % of runs, and half as many again, among 40 at a time."""
    runs = [orp_v2(noisy(seed + n, 20)) for n in range(40)]

    assert sum(run.fade_label == "degrading" for run in runs) <= 10


def test_a_whole_day_of_laps_is_scored_in_bounded_memory():
    laps = noisy(7, 6000, drift=0.0002)

    result = orp_v2(laps)

    assert result.clean > formula.TREND_SAMPLE
    assert result.trend.slope == pytest.approx(0.0002, abs=0.0001)


# -- beside the score -----------------------------------------------------------------------------


def test_the_pace_blend_is_a_figure_of_its_own():
    pace = formula.pace_score(race_pace_s=59.0, field_paces_s=[57.0, 57.5, 58.0, 58.5, 59.0, 62.0])

    assert pace == 86.6  # 1.72 % off the median of the five quickest, 58.0
    assert formula.orp_blend(score=90.0, pace=pace, weights=(0.3, 0.7)) == 87.6
    assert formula.pace_score(race_pace_s=59.0, field_paces_s=[57.0] * 4) is None


def test_the_projection_follows_the_line_and_the_incidents():
    steady = orp_v2([58.0] * 10)
    fading = orp_v2([58.0 + 0.5 * n for n in range(10)])

    assert formula.projection_s(steady, laps=5) == 290.0
    assert formula.projection_s(fading, laps=2) == pytest.approx(63.0 + 63.5)
    crashed = orp_v2([58.0] * 9 + [78.0])
    assert formula.projection_s(crashed, laps=10) == pytest.approx(600.0)
    assert formula.projection_s(orp_v2([58.0]), laps=5) is None
