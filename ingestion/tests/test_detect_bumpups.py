"""The command over history, and its JSON against the recorded event."""

import json
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ingestion.domain.labels import class_key, read_label
from ingestion.models import BumpUp, Race, RaceClass, RaceResult
from ingestion.tests.bumpup_builders import make_driver, make_event, make_main, make_night
from racecontrol.testing.shared_cases import needs_shared, shared_json

pytestmark = pytest.mark.django_db


def run(*args) -> str:
    out = StringIO()
    call_command("detect_bumpups", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def recorded_event():
    """The recorded event list with the results of the two mains whose pages exist."""
    page = shared_json("liverc/dev/event_486677.expected.json")
    event = make_event(source_event_id="486677")
    told = {
        "6304829": shared_json("liverc/dev/race_6304829_amain_2026.expected.json"),
        "6304830": shared_json("liverc/dev/race_6304830_bmain_2026.expected.json"),
    }
    for row in page["races"]:
        read = read_label(row["race_label"])
        race_class = RaceClass.objects.get_or_create(
            event=event, key=class_key(read.class_name), defaults={"name": read.class_name}
        )[0]
        race = Race.objects.create(
            event=event,
            race_class=race_class,
            source_race_id=row["race_id"],
            round_label=row["round"],
            race_number=row["race_number"],
            run_order=row["run_order"],
            label=row["race_label"],
            main=read.main or "",
            leg=read.leg,
            heat=read.heat,
            heats=read.heats,
            completed_at=datetime.fromisoformat(row["completed_local"]).replace(tzinfo=event.zone),
        )
        RaceResult.objects.bulk_create(
            RaceResult(
                race=race,
                driver=make_driver(one["driver_id"]),
                row_key=one["driver_id"],
                source_driver_id=one["driver_id"],
                driver_name=one["driver_name"],
                position=one["position"],
                qual=one["qual"],
                laps=one["laps"],
            )
            for one in told.get(row["race_id"], {}).get("results", [])
        )
    return event


@needs_shared
def test_the_recorded_event_prints_as_the_ground_truth_has_it():
    truth = shared_json("liverc/bumpups_ground_truth.json")
    recorded_event()

    printed = json.loads(run("--event", "486677", "--json"))

    (pair,), (expected,) = printed["positive"], truth["positive"]
    assert pair["lower"] == expected["lower"]
    assert pair["upper"] == expected["upper"]
    assert pair["class_name"] == expected["class_name"]
    assert [{key: edge[key] for key in expected["edges"][0]} for edge in pair["edges"]] == expected[
        "edges"
    ]
    assert pair["direct_qualifiers"] == expected["direct_qualifiers"]
    assert sorted(pair["lower_only"]) == sorted(expected["lower_only"])
    (guess,) = printed["flagged"]
    assert {edge["driver_id"] for edge in guess["edges"]} == {
        one["driver_id"] for one in truth["inferred_unconfirmed"][0]["candidates"]
    }


@needs_shared
@pytest.mark.parametrize(
    "case", (shared_json("liverc/bumpups_ground_truth.json") or {"negative": []})["negative"]
)
def test_negatives_print_no_edges(case):
    event = make_event(source_event_id=case["event_id"])
    name = case["class_name"]
    if "lower" in case:
        make_main(event, f"{name} B-Main", "klmnopqrst", number=1, source_race_id=case["lower"])
        make_main(event, f"{name} A-Main", "abcdefghij", number=2, source_race_id=case["upper"])
    else:
        legs = len(case["races"]) > 1
        for n, race_id in enumerate(case["races"], start=1):
            label = f"{name} A{n if legs else ''}-Main"
            make_main(event, label, "abcdefghij", number=n, source_race_id=race_id)

    printed = json.loads(run("--event", case["event_id"], "--json"))

    assert printed == {"event_id": case["event_id"], "positive": [], "flagged": [], "rejected": []}


def test_history_is_searched_and_searched_again():
    for n in range(3):
        make_night(make_event(source_event_id=str(n)))

    assert "3 events: 12 bump-ups, 0 to look at (12 new, 0 changed, 0 gone)" in run("--all")
    assert "(0 new, 0 changed, 0 gone)" in run("--track", "redgum")
    assert BumpUp.objects.count() == 12


def test_an_unknown_event_is_a_plain_refusal():
    with pytest.raises(CommandError, match="import it first"):
        run("--event", "nope")
    with pytest.raises(CommandError, match="goes with --event"):
        run("--all", "--json")
