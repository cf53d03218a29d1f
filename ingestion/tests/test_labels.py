"""Labels of races as event pages write them, in both forms, and what must not fool the reader."""

import pytest

from ingestion.domain.labels import Label, class_key, read_label, read_link_text
from racecontrol.testing.shared_cases import shared_json

TRUTH = shared_json("liverc/labels_ground_truth.json") or {"rows": []}
PARTS = ("class_name", "heat", "heats", "main", "leg", "final", "branch")


@pytest.mark.parametrize("row", TRUTH["rows"], ids=lambda row: row["label"])
def test_every_recorded_label_is_taken_apart_as_it_should(row):
    read = read_label(row["label"])

    assert {part: getattr(read, part) for part in PARTS} == {part: row[part] for part in PARTS}
    if row["link_text"]:
        link = read_link_text(row["link_text"])
        assert (link.class_name, link.label) == (row["class_name"], row["label"])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("1/8 Nitro Buggy A-Main", Label("1/8 Nitro Buggy", main="A")),
        ("EP Buggy D1-Main", Label("EP Buggy", main="D", leg=1)),
        ("Truggy  (Heat 3/12)", Label("Truggy", heat=3, heats=12)),
        ("EP-T STOCK Heat 2", Label("EP-T STOCK", heat=2)),
        ("Buggy 1/16 Odd Final", Label("Buggy", final=16, branch="Odd")),
        ("Buggy 1/1 Final", Label("Buggy", final=1)),
        ("Semi A (Even) Practice A-Main", Label("Semi A (Even) Practice", main="A")),
        ("Buggy (Expert) (Heat 1/2)", Label("Buggy (Expert)", heat=1, heats=2)),
        ("Test", Label("Test")),
        ("A-Main", Label("A-Main", main="A")),
    ],
)
def test_a_label_names_class_and_place_in_the_ladder(text, label):
    assert read_label(text) == label


@pytest.mark.parametrize(
    ("text", "number", "class_name", "label"),
    [
        (
            "Race 14: 1/8 Nitro Buggy (1/8 Nitro Buggy A-Main)",
            14,
            "1/8 Nitro Buggy",
            "1/8 Nitro Buggy A-Main",
        ),
        (
            "Race 6: 1/8 Nitro Buggy (1/8 Nitro Buggy  (Heat 3/3))",
            6,
            "1/8 Nitro Buggy",
            "1/8 Nitro Buggy (Heat 3/3)",
        ),
        ("Race 11: ISTC - 21.5T A3-Main", 11, "ISTC - 21.5T", "ISTC - 21.5T A3-Main"),
        ("Race 4: ISTC - 21.5T  (Heat 2/2)", 4, "ISTC - 21.5T", "ISTC - 21.5T (Heat 2/2)"),
        (
            "Race 2: Buggy (40+) (Buggy (40+) B-Main)",
            2,
            "Buggy (40+)",
            "Buggy (40+) B-Main",
        ),
        ("Buggy B-Main", None, "Buggy", "Buggy B-Main"),
    ],
)
def test_both_forms_of_a_link_give_number_class_and_label(text, number, class_name, label):
    link = read_link_text(text)

    assert (link.race_number, link.class_name, link.label) == (number, class_name, label)


@pytest.mark.parametrize("spelling", ["1/10 Buggy", "1-10 buggy", "1/10  BUGGY", "1/10th Buggy"])
def test_spellings_of_a_class_are_one_class(spelling):
    assert class_key(spelling) == "1/10 buggy"
