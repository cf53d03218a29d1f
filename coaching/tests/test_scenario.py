"""Scenario A and B, and the sentences said about a score."""

import pytest

from coaching.domain.advice import advice_for
from coaching.domain.orp_v2 import orp_v2
from coaching.domain.scenario import PARAMETERS, scenario_for, warnings_for

STEADY = [58.12, 58.03, 58.2, 57.95, 58.31, 58.08, 57.99, 58.15, 58.05, 58.22, 57.97, 58.11]


@pytest.mark.parametrize(("rounds", "code"), [(0, "B"), (2, "B"), (3, "A"), (10, "A")])
def test_three_rounds_of_practice_open_experiments(rounds, code):
    scenario = scenario_for(practice_rounds=rounds, qualifying_rounds=4)

    assert scenario.code == code
    assert (scenario.practice_rounds, scenario.qualifying_rounds) == (rounds, 4)


def test_tyres_are_safe_in_both_and_diffs_only_with_practice():
    few, many = scenario_for(practice_rounds=1), scenario_for(practice_rounds=5)

    assert {"Tread", "Compound", "SO_F", "RH_R", "C_F"} <= set(few.allowed) < set(many.allowed)
    assert {"DF", "DC", "DR", "P_F", "Toe_R"} <= set(many.allowed) - set(few.allowed)
    assert set(many.allowed) <= set(PARAMETERS)


def test_a_change_outside_the_scenario_is_warned_about():
    few = scenario_for(practice_rounds=1)

    assert warnings_for("SO_F", scenario=few, confidence=4) == []
    assert "Front diff oil" in warnings_for("DF", scenario=few, confidence=4)[0]
    assert "Confidence is 2" in warnings_for("SO_F", scenario=few, confidence=2)[0]


def test_advice_names_what_costs_most():
    crashed = advice_for(orp_v2([*STEADY[:3], 88.4, *STEADY[4:]]))
    fading = advice_for(orp_v2([58 + 0.3 * n for n in range(12)]))
    uneven = advice_for(orp_v2([57.0, 59.2] * 7))

    assert "incidents: 1 slow lap, 30.3 s" in " ".join(crashed)
    assert "fades by 0.300 s a lap" in " ".join(fading)
    assert "uneven laps" in " ".join(uneven)


def test_advice_counts_the_laps_still_missing():
    assert advice_for(orp_v2([58.0, 58.1])) == ["No score yet: 2 clean laps so far, 3 more needed."]


def test_a_closed_gate_advises_no_change_and_no_scenario():
    said = advice_for(
        orp_v2(STEADY, confidence=2), scenario=scenario_for(practice_rounds=4), confidence=2
    )

    assert said[0].startswith("No setup change")
    assert not [line for line in said if "Scenario" in line]
