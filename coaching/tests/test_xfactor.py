"""The order of the audit's questions."""

import pytest

from coaching.domain.xfactor import WrongStep, result_of, step
from racecontrol.shared.errors import InvalidInput


@pytest.mark.parametrize(
    ("rating", "branch", "result"),
    [
        (1, "symptom", "failure"),
        (2, "symptom", "failure"),
        (3, "observation", "neutral"),
        (4, "gain", "success"),
        (5, "gain", "success"),
    ],
)
def test_the_rating_decides_the_next_question(rating, branch, result):
    state = step(step("idle", "begin"), "rate", rating=rating)

    assert state == branch
    if branch != "observation":
        state = step(state, "explain")
    assert step(state, "observe") == "complete"
    assert result_of(rating) == result


@pytest.mark.parametrize("state", ["idle", "rating", "symptom", "gain", "observation"])
def test_it_can_be_cancelled_until_it_is_complete(state):
    assert step(state, "cancel") == "cancelled"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("complete", "cancel"),
        ("cancelled", "begin"),
        ("rating", "observe"),
        ("idle", "rate"),
        ("gain", "rate"),
        ("observation", "explain"),
    ],
)
def test_no_question_is_skipped(state, action):
    with pytest.raises(WrongStep):
        step(state, action, rating=3)


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_a_rating_goes_from_1_to_5(rating):
    with pytest.raises(InvalidInput):
        step("rating", "rate", rating=rating)
