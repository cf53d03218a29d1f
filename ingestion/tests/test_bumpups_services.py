"""Bump-ups as rows: found, found again, corrected, and never doubled."""

import pytest

from ingestion.models import BumpUp, Driver, Race, RaceResult
from ingestion.services import bumpups as services
from ingestion.services.races import override_session_type
from ingestion.tests.bumpup_builders import make_event, make_main, make_night, save_demo
from racecontrol.models import AuditEvent
from racecontrol.shared.errors import InvalidInput, NotFound

pytestmark = pytest.mark.django_db


def rows(event) -> set[tuple]:
    return {
        (row.source_race.main, row.target_race.main, row.driver.source_driver_id, row.status)
        for row in event.bump_ups.select_related("source_race", "target_race", "driver")
    }


def the(event, main: str, driver: str) -> BumpUp:
    return event.bump_ups.get(target_race__main=main, driver__source_driver_id=driver)


NIGHT = {
    ("C", "B", "m", "detected"),
    ("C", "B", "n", "detected"),
    ("B", "A", "n", "detected"),
    ("B", "A", "g", "detected"),
}


def test_the_moves_of_an_event_are_stored_with_what_speaks_for_them():
    event = make_night()

    summary = services.detect_for_event(event.pk)

    assert rows(event) == NIGHT
    assert (summary.created, summary.standing, summary.flagged) == (4, 4, 0)
    climber = the(event, "A", "n")
    assert (climber.source_position, climber.source_slot) == (1, 6)
    assert (climber.target_slot, climber.target_position) == (5, 2)
    assert (climber.places, climber.direct, climber.beaten) == (2, 4, 3)
    assert climber.confidence == "high"
    assert climber.evidence["grid_fits"] is True
    assert the(event, "B", "n").moved_again == climber
    assert the(event, "B", "m").moved_again is None


def test_a_second_detection_changes_no_row():
    event = make_night()
    services.detect_for_event(event.pk)
    before = list(event.bump_ups.order_by("pk").values())

    summary = services.detect_for_event(event.pk)

    assert (summary.created, summary.updated, summary.removed) == (0, 0, 0)
    assert list(event.bump_ups.order_by("pk").values()) == before


def test_changed_results_change_the_rows():
    event = make_night()
    services.detect_for_event(event.pk)
    a_main = event.races.get(main="A")
    a_main.results.filter(source_driver_id="g").delete()
    a_main.results.filter(source_driver_id="n").update(position=4)

    summary = services.detect_for_event(event.pk)

    assert (summary.updated, summary.removed) == (1, 1)
    assert rows(event) == {row for row in NIGHT if row[2:] != ("g", "detected")}
    assert the(event, "A", "n").target_position == 4


def test_a_withdrawn_race_takes_its_moves_along_and_brings_them_back():
    event = make_night()
    services.detect_for_event(event.pk)
    race = event.races.get(main="A")
    race.missing_since = race.completed_at
    race.save()

    services.detect_for_event(event.pk)
    assert {row[1] for row in rows(event)} == {"B"}

    race.missing_since = None
    race.save()
    services.detect_for_event(event.pk)
    assert rows(event) == NIGHT


def test_a_race_whose_result_is_missing_gives_only_hints():
    event = make_night()
    event.races.get(main="C").results.all().delete()

    services.detect_for_event(event.pk)

    assert {r for r in rows(event) if r[0] == "C"} == {
        ("C", "B", "m", "flagged"),
        ("C", "B", "n", "flagged"),
    }


def test_the_heat_sheet_makes_it_official():
    event = make_night()
    a_main = event.races.get(main="A")

    assert services.note_official_slots(race_id=a_main.pk, slots=[5, 6])
    assert not services.note_official_slots(race_id=a_main.pk, slots=[6, 5])
    services.detect_for_event(event.pk)

    assert {row.confidence for row in event.bump_ups.filter(target_race=a_main)} == {"official"}


def test_a_decision_survives_detection(staff):
    event = make_night()
    services.detect_for_event(event.pk)
    refused, agreed = the(event, "A", "g"), the(event, "B", "m")

    services.decide(bump_up_id=refused.pk, status="rejected", by=staff, note="Swapped cars")
    services.decide(bump_up_id=agreed.pk, status="confirmed", by=staff)
    event.races.get(main="A").results.filter(source_driver_id="g").update(position=5, laps=12)
    services.detect_for_event(event.pk)

    refused.refresh_from_db()
    agreed.refresh_from_db()
    assert (refused.status, refused.note, refused.decided_by) == ("rejected", "Swapped cars", staff)
    assert refused.target_laps == 12
    assert agreed.status == "confirmed"
    event.races.get(main="B").results.all().delete()
    services.detect_for_event(event.pk)
    assert {row.pk for row in event.bump_ups.all()} >= {refused.pk, agreed.pk}


def test_handing_back_lets_detection_speak_again(staff):
    event = make_night()
    services.detect_for_event(event.pk)
    row = the(event, "A", "n")
    services.decide(bump_up_id=row.pk, status="rejected", by=staff)
    assert the(event, "B", "n").moved_again is None

    back = services.decide(bump_up_id=row.pk, status="detected", by=staff)

    assert (back.status, back.decided_by, back.confidence) == ("detected", None, "high")
    assert the(event, "B", "n").moved_again == row


def test_every_correction_leaves_a_trace(staff):
    event = make_night()
    services.detect_for_event(event.pk)

    services.decide(bump_up_id=the(event, "A", "n").pk, status="rejected", by=staff, note="Wrong")

    line = AuditEvent.objects.get(verb="bump_up.rejected")
    assert line.by == staff
    assert (line.before["status"], line.after["status"]) == ("detected", "rejected")
    assert line.reason == "Wrong"


def test_people_add_what_results_do_not_show(staff):
    event = make_event()
    b = make_main(event, "Buggy B-Main", "efgh", number=1)
    a = make_main(event, "Buggy A-Main", "abcx", number=2)
    driver = Driver.objects.get(source_driver_id="x")

    row = services.add_by_hand(
        event_id=event.pk, source_race_id=b.pk, target_race_id=a.pk, driver_id=driver.pk, by=staff,
        note="Entered under another id",
    )  # fmt: skip
    services.detect_for_event(event.pk)

    row.refresh_from_db()
    assert (row.status, row.confidence, row.target_position) == ("manual", "person", 4)
    assert AuditEvent.objects.filter(verb="bump_up.added").exists()
    services.decide(bump_up_id=row.pk, status="detected", by=staff)
    assert not event.bump_ups.exists()


def test_a_move_that_does_not_fit_the_event_is_refused(staff):
    event, elsewhere = make_night(), make_event(source_event_id="901")
    other = make_main(elsewhere, "Buggy A-Main", "ab", number=1)
    a, b = event.races.get(main="A"), event.races.get(main="B")
    driver = Driver.objects.get(source_driver_id="r")

    def add(**values):
        given = {"source_race_id": b.pk, "target_race_id": a.pk, "driver_id": driver.pk} | values
        return services.add_by_hand(event_id=event.pk, by=staff, **given)

    for values, field in (
        ({}, "driver_id"),
        ({"source_race_id": other.pk}, "source_race_id"),
        ({"target_race_id": b.pk}, "target_race_id"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            add(**values)
        assert list(refusal.value.fields) == [field]
    with pytest.raises(NotFound):
        services.decide(bump_up_id=10**12, status="confirmed", by=staff)
    services.detect_for_event(event.pk)
    with pytest.raises(InvalidInput, match="confirmed, rejected"):
        services.decide(bump_up_id=the(event, "A", "n").pk, status="perhaps", by=staff)
    assert not AuditEvent.objects.exists()


def test_a_merged_driver_is_one_person():
    event = make_night()
    twin = Driver.objects.get(source_driver_id="n")
    other = Driver.objects.create(source_driver_id="n2", name="N", name_key="n")
    RaceResult.objects.filter(race__main="A", driver=twin).update(driver=other)
    services.detect_for_event(event.pk)
    assert ("B", "A", "n", "detected") not in rows(event)

    other.merged_into = twin
    other.save()
    services.detect_for_event(event.pk)

    assert rows(event) == NIGHT


def test_practice_and_heats_are_no_mains():
    event = make_night()
    Race.objects.filter(main="B").update(round_label="Practice Round 1")

    services.detect_for_event(event.pk)

    assert {row[3] for row in rows(event)} <= {"flagged"}


def test_calling_a_main_practice_takes_its_moves_away(staff):
    event = make_night()
    services.detect_for_event(event.pk)
    race = event.races.get(main="C")

    override_session_type(race_id=race.pk, session_type="practice", by=staff)

    assert {row[0] for row in rows(event)} == {"B"}


def test_the_demo_meeting():
    event = save_demo()

    summary = services.detect_for_event(event.pk)

    moves = event.bump_ups.all()
    assert (summary.standing, summary.flagged) == (8, 0)
    assert {row.race_class.name for row in moves} == {"1/8 Nitro Buggy"}
    assert sum(row.is_dns for row in moves) == 1


def test_many_events_cost_the_same_number_of_queries(django_assert_max_num_queries):
    events = [make_night(make_event(source_event_id=str(n))) for n in range(12)]
    ids = [event.pk for event in events]
    services.detect_for_events(ids)

    with django_assert_max_num_queries(12):
        summary = services.detect_for_events(ids)

    assert (summary.events, summary.standing, summary.updated) == (12, 48, 0)
