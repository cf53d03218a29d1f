"""Importing a race event over real HTTP from the stand-in: once, again, interrupted, in trouble."""

import pytest

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import Event, Lap
from ingestion.services import imports

EVENT = str(DEMO_EVENT_ID)
pytestmark = pytest.mark.django_db


def do_import(**more):
    return imports.import_event(source_event_id=EVENT, track_slug=DEMO, **more)


def test_an_event_arrives_whole(site):
    summary = do_import()

    event = Event.objects.get(source_event_id=EVENT)
    meeting = site.world.meeting(site.world.track(DEMO), DEMO_EVENT_ID)
    assert event.state == "imported"
    assert event.races.count() == summary.races == len(meeting.races)
    laps = sum(len(run.laps_ms) for race in meeting.races for run in race.runs)
    assert Lap.objects.count() == laps == summary.laps
    assert summary.failed == []
