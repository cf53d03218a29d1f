"""Several heats together."""

from coaching.domain.orp_v1 import orp_v1
from coaching.domain.session_score import HeatScore, SessionScore, difference, session_score


def test_two_steady_heats_at_different_pace_are_two_steady_heats():
    """The forerunner joined them lap by lap (92.7) or end to end (97.3); each alone is 99.8."""
    slow, fast = [60.0, 60.1, 60.2, 60.1, 60.0], [57.0, 57.1, 57.2, 57.1, 57.0]
    interleaved = [lap for pair in zip(slow, fast, strict=True) for lap in pair]
    each = [orp_v1(laps)["orp_score"] for laps in (slow, fast)]

    together = session_score([HeatScore("Q1", 5, each[0]), HeatScore("Q2", 5, each[1])])

    assert together.score == round(sum(each) / 2, 1) == 99.8
    assert orp_v1(interleaved)["orp_score"] < 94


def test_longer_heats_weigh_more():
    together = session_score(
        [HeatScore("Q1", 10, 90.0, 80, 95), HeatScore("A-Main", 30, 70.0, 60, 75)]
    )

    assert (together.score, together.low, together.high) == (75.0, 65.0, 80.0)
    assert (together.laps, together.heats) == (40, 2)


def test_a_heat_without_a_score_is_left_out_not_counted_as_zero():
    together = session_score([HeatScore("Q1", 10, 90.0), HeatScore("Q2", 3, None)])

    assert (together.score, together.laps, together.heats) == (90.0, 10, 1)
    assert session_score([HeatScore("Q2", 3, None)]).status == "insufficient_data"
    assert session_score([]).score is None


def test_a_difference_counts_when_the_intervals_part():
    calm = SessionScore("valid", 90.0, 87.0, 92.0, 20, 1)
    close = SessionScore("valid", 86.0, 83.0, 89.0, 20, 1)
    far = SessionScore("valid", 70.0, 66.0, 74.0, 20, 1)

    assert difference(calm, close) == (-4.0, False)
    assert difference(calm, far) == (-20.0, True)
    assert difference(calm, session_score([])) == (None, False)
