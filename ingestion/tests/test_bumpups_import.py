"""From the page to the row: an import finds who moved up, with the heat sheet's word for it."""

import pytest

from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import BumpUp, Event
from ingestion.services import imports
from ingestion.tests.builders import import_demo

pytestmark = pytest.mark.django_db


def moves() -> set[tuple]:
    return {
        (m.source_race.main, m.target_race.main, m.driver.source_driver_id, m.confidence, m.status)
        for m in BumpUp.objects.select_related("source_race", "target_race", "driver")
    }


def driven(site) -> set[tuple]:
    """What really happened, by the simulator: the first four of each lower main."""
    meeting = site.world.meeting(site.world.track("redgum"), DEMO_EVENT_ID)
    nitro = {r.letter: r for r in meeting.races if r.class_name == "1/8 Nitro Buggy" and r.letter}
    return {
        (lower, upper, str(run.racer.id))
        for lower, upper in ("CB", "BA")
        for run in nitro[lower].runs[:4]
    }


def test_an_import_finds_who_moved_up_and_the_heat_sheet_says_so(site):
    summary = import_demo()

    assert not summary.failed
    assert {move[:3] for move in moves()} == driven(site)
    assert {move[3:] for move in moves()} == {("official", "detected")}


def test_a_second_import_changes_no_move(site):
    import_demo()
    before = list(BumpUp.objects.order_by("pk").values())

    import_demo()

    assert list(BumpUp.objects.order_by("pk").values()) == before


def test_without_the_heat_sheet_finish_and_grid_speak(site):
    site.fail("view_heat_sheet", "changed", times=None)

    summary = import_demo()

    assert {move[:3] for move in moves()} == driven(site)
    assert {move[3] for move in moves()} == {"high"}
    assert any("No heat sheet" in note for note in summary.notes)
    assert Event.objects.get().state == "imported"


def test_a_lower_main_that_could_not_be_read_gives_hints_until_it_can(site):
    meeting = site.world.meeting(site.world.track("redgum"), DEMO_EVENT_ID)
    c_main = next(r for r in meeting.races if r.label == "1/8 Nitro Buggy C-Main")
    site.fail(f"id={c_main.id}$", "500", times=None)
    import_demo()
    assert {m[4] for m in moves() if m[0] == "C"} == {"flagged"}

    site.faults.clear()
    import_demo()

    assert {move[:3] for move in moves()} == driven(site)
    assert {move[4] for move in moves()} == {"detected"}


def test_a_meeting_of_single_mains_asks_for_no_heat_sheet(site):
    track = site.world.track("cobblepeak")
    programme = next(
        p
        for p in site.world.programmes(track)
        if p.day <= site.world.today and all(cars <= f.cars for f, cars in p.classes)
    )

    imports.import_event(source_event_id=str(programme.id), track_slug=track.slug)

    assert not any("heat_sheet" in path for path in site.hits)
    assert not BumpUp.objects.exists()
