"""Races past midnight and through a changed clock, from the listing page's wall clock to the rows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingestion.fake_liverc.pages.event import event_page
from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.site import Site
from ingestion.fake_liverc.world import DEMO_EVENT_ID, World
from ingestion.liverc.pages.event import read_event
from ingestion.liverc.pages.race import read_race
from ingestion.services.saving.events import save_event
from ingestion.services.saving.races import save_race
from ingestion.tests.builders import make_track

pytestmark = pytest.mark.django_db

STEP = timedelta(minutes=40)
SYDNEY = ZoneInfo("Australia/Sydney")


def saved(first: datetime, step: timedelta = STEP, *, untimed: int | None = None):
    """The demo event, its races `step` apart from the moment `first`, listed in Sydney's wall clock."""
    world = World(seed=1)
    meeting = world.meeting(world.track(DEMO), DEMO_EVENT_ID)
    races = tuple(
        replace(race, completed_at=(first + n * step).astimezone(SYDNEY).replace(tzinfo=None))
        for n, race in enumerate(meeting.races)
    )
    day = first.astimezone(SYDNEY).date()
    listing = event_page(replace(meeting, races=races, first_day=day, last_day=day))
    page = read_event(listing)
    if untimed is not None:
        rows = [
            replace(row, completed_local=None) if row.race_id == str(races[untimed].id) else row
            for row in page.races
        ]
        page = replace(page, races=tuple(rows))
    done = save_event(
        track=make_track("sydney", timezone="Australia/Sydney"),
        source_event_id=str(DEMO_EVENT_ID),
        page=page,
        parsed_hash="1",
    )
    return list(done.event.races.order_by("run_order"))


@pytest.mark.parametrize("step", [timedelta(minutes=40), timedelta(minutes=25)], ids=["40", "25"])
@pytest.mark.parametrize(
    "first",
    [
        datetime(2026, 11, 14, 12, 30, tzinfo=UTC),  # 23:30, past midnight
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # 1:30, half an hour before 2:00 becomes 3:00
        datetime(2026, 4, 4, 14, 50, tzinfo=UTC),  # 1:50, 70 minutes before 3:00 becomes 2:00
        datetime(2026, 4, 4, 12, 40, tzinfo=UTC),  # 23:40 of the evening before
    ],
    ids=["midnight", "spring", "autumn", "midnight of the autumn night"],
)
def test_races_that_follow_each_other_do_so_as_moments(first, step):
    races = saved(first, step)

    assert [race.completed_at for race in races] == [first + n * step for n in range(len(races))]


def test_a_start_is_derived_through_the_hour_that_comes_twice():
    """On 5 April 2026 Sydney's clocks go from 3:00 back to 2:00: a race of half an hour ends at 2:10."""
    races = saved(datetime(2026, 4, 4, 14, 50, tzinfo=UTC), timedelta(minutes=20))
    race = next(
        one for one in races if one.completed_at == datetime(2026, 4, 4, 16, 10, tzinfo=UTC)
    )
    url = f"/{DEMO}/results/?p=view_race_result&id={race.source_race_id}"
    page = read_race(Site(World(seed=1)).body_of(url))

    save_race(
        race,
        replace(page, length_ms=1_800_000),
        parsed_hash="1",
        is_inferring=False,
        first_main_order=None,
    )

    race.refresh_from_db()
    assert race.started_at == datetime(2026, 4, 4, 15, 40, tzinfo=UTC)
    assert f"{race.completed_local:%H:%M}" == "02:10"
    assert f"{race.started_local:%H:%M}" == "02:40"


def test_a_race_without_a_time_keeps_its_place_in_the_hour_that_comes_twice():
    first = datetime(2026, 4, 4, 14, 50, tzinfo=UTC)

    races = saved(first, timedelta(minutes=20), untimed=5)

    assert races[5].completed_at is None
    assert [race.run_order for race in races] == list(range(1, len(races) + 1))
    assert [race.completed_at for race in races[6:8]] == [
        first + n * timedelta(minutes=20) for n in (6, 7)
    ]


def test_a_race_after_midnight_is_on_the_next_day_of_the_same_event():
    races = saved(datetime(2026, 11, 14, 12, 30, tzinfo=UTC))

    assert races[0].completed_local.date() == races[0].event.starts_on == date(2026, 11, 14)
    assert races[1].completed_local.date() == date(2026, 11, 15)
