"""Practice past midnight and on nights the clock is changed: days, starts, crossings."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from ingestion.domain.practice import (
    crossing_moments,
    day_id,
    day_name,
    months_of,
    read_day_id,
    start_moments,
)
from ingestion.fake_liverc.facts import Session
from ingestion.fake_liverc.people import DEMO
from ingestion.models import Event, Lap, PracticeDay, PracticeSession, Race, Track
from ingestion.services.practice.importing import import_day
from ingestion.services.tracks import set_timezone
from ingestion.tests.practice_days import age_pages, do_import
from racecontrol.shared.errors import InvalidInput

SYDNEY = ZoneInfo("Australia/Sydney")
BERLIN = ZoneInfo("Europe/Berlin")


def at(text):
    return datetime.fromisoformat(text)


def utc(moment):
    return moment.strftime("%d %H:%M:%S")


# -- by themselves


def test_ids_and_names():
    assert day_id("canberraoffroad", date(2025, 10, 25)) == "canberraoffroad-practice-2025-10-25"
    assert read_day_id("a-practice-b-practice-2025-10-25") == ("a-practice-b", date(2025, 10, 25))
    name = day_name("Canberra Off Road", date(2025, 10, 5))
    assert name == "Canberra Off Road - Practice Day - October 5, 2025"
    with pytest.raises(InvalidInput):
        read_day_id("canberraoffroad-practice-2025-02-30")


def test_months_of_a_range():
    assert months_of(date(2025, 11, 30), date(2026, 2, 1)) == [
        "2025-11", "2025-12", "2026-01", "2026-02",
    ]  # fmt: skip


def test_an_hour_that_comes_twice_is_told_by_the_ids():
    """Berlin, 25 October 2026: 02:00 to 03:00 comes twice; ids count up through both."""
    found = start_moments(
        [
            ("12", at("2026-10-25T02:10:00")),
            ("11", at("2026-10-25T02:50:00")),
            ("10", at("2026-10-25T02:20:00")),
            ("13", at("2026-10-25T03:05:00")),
        ],
        BERLIN,
    )

    assert [utc(found[one]) for one in ("10", "11", "12", "13")] == [
        "25 00:20:00", "25 00:50:00", "25 01:10:00", "25 02:05:00",
    ]  # fmt: skip


def test_ids_of_another_length_still_count():
    found = start_moments(
        [("100", at("2026-10-25T02:10:00")), ("99", at("2026-10-25T02:50:00"))], BERLIN
    )
    assert found["99"] < found["100"]


def test_laps_run_on_through_the_hour_that_comes_twice():
    crossed = [at("2026-10-25T02:59:30"), at("2026-10-25T02:00:10"), at("2026-10-25T02:00:50")]

    found = crossing_moments(crossed, BERLIN, started_at=at("2026-10-25T00:59:00+00:00"))

    assert [utc(one) for one in found] == ["25 00:59:30", "25 01:00:10", "25 01:00:50"]


def test_a_session_without_a_time_has_none():
    assert start_moments([("1", None)], SYDNEY) == {"1": None}


# -- through the pipeline

pytestmark = pytest.mark.django_db


def put(site, id_, start, laps=6, *, lap_ms=40_000, listed_on=None):
    session = Session(
        id=id_,
        driver_name="Ada Byron",
        class_name="1/8 Nitro Buggy",
        transponder="4815162",
        started_at=at(start),
        laps_ms=(lap_ms,) * laps,
        valid_ms=(20_000, 70_000),
    )
    site.world.put_session(DEMO, session, listed_on=listed_on)


def bring(day):
    return import_day(source_event_id=day_id(DEMO, date.fromisoformat(day)))


def test_a_session_past_midnight_belongs_to_the_day_it_began_on(site):
    put(site, 901, "2026-04-03T23:58:00")
    bring("2026-04-03")

    event = Event.objects.get()
    race = Race.objects.get(source_race_id="901")
    zone = event.zone
    crossings = [lap.crossed_at.astimezone(zone) for lap in Lap.objects.order_by("number")]
    assert race.event == event
    assert (event.starts_on, event.ends_on) == (date(2026, 4, 3), date(2026, 4, 3))
    assert crossings[0].date() == date(2026, 4, 3)
    assert crossings[-1].date() == date(2026, 4, 4)
    gaps = [b - a for a, b in pairwise(crossings)]
    assert set(gaps) == {timedelta(seconds=40)}
    day = PracticeDay.objects.get()
    assert day.last_ended_at.astimezone(zone).date() == date(2026, 4, 4)


def test_a_session_the_next_days_overview_shows_goes_to_its_own_day(site):
    put(site, 901, "2026-04-03T20:00:00")
    put(site, 902, "2026-04-03T23:59:00", listed_on=date(2026, 4, 4))
    put(site, 903, "2026-04-04T10:00:00")
    bring("2026-04-04")

    late = PracticeSession.objects.get(source_session_id="902")
    assert late.event.starts_on == date(2026, 4, 3)
    assert Event.objects.get(starts_on=date(2026, 4, 3)).state == "listed"
    assert PracticeDay.objects.get(event__starts_on=date(2026, 4, 4)).sessions == 1

    bring("2026-04-03")
    late.refresh_from_db()
    assert late.missing_since is None  # its own day's overview does not show it, and need not
    assert late.race.state == "imported"
    assert PracticeDay.objects.get(event__starts_on=date(2026, 4, 3)).sessions == 2
    age_pages()
    bring("2026-04-04")
    late.refresh_from_db()
    assert (late.event.starts_on, late.missing_since) == (date(2026, 4, 3), None)


def test_a_start_that_is_put_right_takes_the_session_to_its_day(site):
    put(site, 901, "2026-04-03T20:00:00")
    put(site, 902, "2026-04-03T23:59:00")
    bring("2026-04-03")
    site.world.practice_extra.clear()
    put(site, 901, "2026-04-03T20:00:00")
    put(site, 902, "2026-04-04T00:01:00")
    age_pages()

    bring("2026-04-04")

    moved = PracticeSession.objects.get(source_session_id="902")
    assert (moved.event.starts_on, moved.race.event.starts_on) == (date(2026, 4, 4),) * 2
    assert moved.race.race_class.event == moved.event
    by_day = dict(PracticeDay.objects.values_list("event__starts_on__day", "sessions"))
    assert by_day == {3: 1, 4: 1}
    age_pages()
    bring("2026-04-03")
    moved.refresh_from_db()
    assert moved.missing_since is None


def test_the_night_the_clock_is_set_back(site):
    """Sydney, 5 April 2026: at 3:00 the clock goes back to 2:00."""
    put(site, 901, "2026-04-05T01:50:00")
    put(site, 902, "2026-04-05T02:40:00")
    put(site, 903, "2026-04-05T02:10:00")
    put(site, 904, "2026-04-05T03:30:00")
    bring("2026-04-05")

    starts = Race.objects.order_by("source_race_id").values_list("started_at", flat=True)
    assert [utc(one) for one in starts] == [
        "04 14:50:00", "04 15:40:00", "04 16:10:00", "04 17:30:00",
    ]  # fmt: skip
    orders = list(Race.objects.order_by("started_at").values_list("run_order", "source_race_id"))
    assert orders == [(1, "901"), (2, "902"), (3, "903"), (4, "904")]
    for race in Race.objects.all():
        first = Lap.objects.filter(result__race=race).order_by("number").first()
        assert first.crossed_at - race.started_at == timedelta(seconds=40)


def test_the_night_the_clock_is_set_forward(site):
    """Sydney, 4 October 2026: 2:00 to 3:00 is skipped; a session runs across it."""
    put(site, 901, "2026-10-04T01:59:00", laps=3)
    real = site.site.body_of

    def jumped(path):
        body = real(path)
        return body and body.replace('"time":"02:00', '"time":"03:00').replace("2:00:", "3:00:")

    site.site.body_of = jumped
    bring("2026-10-04")

    crossings = list(Lap.objects.order_by("number").values_list("crossed_at", flat=True))
    assert [utc(one) for one in crossings] == ["03 15:59:40", "03 16:00:20", "03 16:01:00"]


def test_another_zone_moves_every_moment_and_no_clock(site, staff):
    do_import()
    track = Track.objects.get(slug=DEMO)
    before = clocks(track.zone)

    set_timezone(track_id=track.pk, timezone="America/Denver", by=staff)

    assert clocks(ZoneInfo("America/Denver")) == before
    age_pages()
    summary = do_import()
    assert (summary.changed, summary.has_drift) == (0, False)


def clocks(zone):
    """Every wall clock of practice as the track showed it."""
    moments = [
        *Lap.objects.order_by("result_id", "number").values_list("crossed_at", flat=True),
        *Race.objects.order_by("pk").values_list("started_at", flat=True),
        *PracticeSession.objects.order_by("pk").values_list("started_at", flat=True),
        *PracticeSession.objects.order_by("pk").values_list("ended_at", flat=True),
        *PracticeDay.objects.values_list("first_started_at", flat=True),
        *PracticeDay.objects.values_list("last_ended_at", flat=True),
    ]
    return [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]
