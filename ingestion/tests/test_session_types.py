"""What a session was: headers and codes decide, labels support, sponsors do not."""

import pytest

from ingestion.domain.labels import read_label
from ingestion.domain.session_types import infer_session_type
from racecontrol.testing.shared_cases import shared_json

TRUTH = shared_json("liverc/labels_ground_truth.json") or {"rows": []}


def infer(round_label="", label="", **more):
    parts = read_label(label)
    return infer_session_type(
        round_label=round_label,
        class_name=parts.class_name,
        main=parts.main,
        final=parts.final,
        heat=parts.heat,
        **more,
    )


@pytest.mark.parametrize("row", TRUTH["rows"], ids=lambda row: f"{row['round']}: {row['label']}")
def test_every_recorded_label_gets_its_true_type(row):
    assert infer(row["round"] or "", row["label"]).session_type == row["truth"]


@pytest.mark.parametrize(
    ("round_label", "label", "session_type"),
    [
        ("Practice Round 1", "Buggy (Heat 1/7)", "practice"),
        ("Seeding Round 2", "Buggy Expert  (Heat 1/4)", "qualifying"),
        ("Qualifier Round 3", "Buggy (Heat 1/7)", "qualifying"),
        ("Main Events", "Buggy A-Main", "race"),
        ("Main Event", "Main Event (Heat 1/32)", "race"),
        ("Main Events", "Last Chance Qualifier A-Main", "race"),
        ("Main Events", "Semi A (Even) Practice A-Main", "practice"),
        ("Qualifier Round 1", "Practice Makes Perfect Hobbies 17.5 Buggy (Heat 1/2)", "qualifying"),
        ("Main Events", "Practice Makes Perfect Hobbies 17.5 Buggy A-Main", "race"),
    ],
)
def test_the_round_header_decides(round_label, label, session_type):
    assert infer(round_label, label).session_type == session_type


@pytest.mark.parametrize(
    "text",
    [
        "2026 Metro Masters - Qualifying",
        "Fun Day Practice Race 2",
        "Vip Practice Day 3/5",
        "Norcal Practice 1 25/26",
        "Practice/Club Day 15/09/24",
        "Practice Makes Perfect Hobbies 17.5 Buggy",
    ],
)
def test_words_without_a_header_decide_nothing_and_go_to_review(text):
    inferred = infer("", text)

    assert (inferred.session_type, inferred.confidence) == ("race", "low")


def test_two_signals_that_agree_are_high_and_one_alone_is_medium():
    assert infer("Main Events", "Buggy A-Main").confidence == "high"
    assert infer("Qualifier Round 1", "Buggy (Heat 1/2)").confidence == "medium"
    assert infer("Qualifier Round 1", "Buggy (Heat 1/2)", panel_code="Q").confidence == "high"


def test_strong_signals_that_contradict_are_a_race_until_somebody_looks():
    inferred = infer("Qualifier Round 1", "Buggy (Heat 1/2)", panel_code="M")

    assert (inferred.session_type, inferred.confidence) == ("race", "low")
    assert {signal.says for signal in inferred.signals} == {"qualifying", "race"}


def test_a_heat_alone_is_not_enough():
    inferred = infer("", "Buggy (Heat 1/2)", is_before_first_main=True)

    assert (inferred.session_type, inferred.confidence) == ("race", "low")


def test_a_practice_address_is_a_practice_day():
    assert infer_session_type(url="/practice/?p=view_session&id=1").session_type == "practiceday"
