"""Races past midnight and through a changed clock, from the listing page's wall clock to the rows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingestion.fake_liverc.pages.event import event_page
from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID, World
from ingestion.liverc.pages.event import read_event
from ingestion.services.saving import save_event
from ingestion.tests.builders import make_track

pytestmark = pytest.mark.django_db

STEP = timedelta(minutes=40)
SYDNEY = ZoneInfo("Australia/Sydney")


def saved(first: datetime):
    """The demo event, its races `STEP` apart from the moment `first`, listed in Sydney's wall clock."""
    world = World(seed=1)
    meeting = world.meeting(world.track(DEMO), DEMO_EVENT_ID)
    races = tuple(
        replace(race, completed_at=(first + n * STEP).astimezone(SYDNEY).replace(tzinfo=None))
        for n, race in enumerate(meeting.races)
    )
    day = first.astimezone(SYDNEY).date()
    listing = event_page(replace(meeting, races=races, first_day=day, last_day=day))
    done = save_event(
        track=make_track("sydney", timezone="Australia/Sydney"),
        source_event_id=str(DEMO_EVENT_ID),
        page=read_event(listing),
        parsed_hash="1",
    )
    return list(done.event.races.order_by("run_order"))


@pytest.mark.parametrize(
    "first",
    [
        datetime(2026, 11, 14, 12, 30, tzinfo=UTC),  # 23:30, past midnight
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # 1:30, half an hour before 2:00 becomes 3:00
    ],
    ids=["midnight", "spring"],
)
def test_races_that_follow_each_other_do_so_as_moments(first):
    races = saved(first)

    assert [race.completed_at for race in races] == [first + n * STEP for n in range(len(races))]


def test_a_race_after_midnight_is_on_the_next_day_of_the_same_event():
    races = saved(datetime(2026, 11, 14, 12, 30, tzinfo=UTC))

    assert races[0].completed_local.date() == races[0].event.starts_on == date(2026, 11, 14)
    assert races[1].completed_local.date() == date(2026, 11, 15)
