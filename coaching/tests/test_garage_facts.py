"""What a coach is told of a racer's laps."""

from datetime import UTC, date, datetime

import pytest
from django.conf import settings

from coaching.models import ProfileClaim
from coaching.queries import practice_facts
from coaching.queries.garage_facts import facts
from coaching.tests.builders import (
    drive,
    make_driver,
    make_event,
    make_profile,
    make_result,
    make_session,
)
from ingestion.models import Event, Lap, Race

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 5, 30, tzinfo=UTC)


def told(user, day=date(2026, 5, 4)) -> dict:
    return {fact.key: fact for fact in facts(user, day, NOW)}


def test_the_latest_scored_session_is_told_with_its_day(user, other):
    drive(make_session(user, start_date=date(2026, 5, 2)))
    drive(make_session(user, start_date=date(2026, 4, 1)), times=[57.0, 59.2] * 7)
    drive(make_session(other, start_date=date(2026, 5, 3)), times=[50.0] * 9)

    known = told(user)

    assert (known["orp"].value, known["orp"].as_of) == (98.4, date(2026, 5, 2))
    assert (known["practice_laps"].value, known["best_lap_s"].value) == (12, 57.95)
    assert not known["orp"].is_stale
    assert told(user, day=date(2026, 5, 30))["orp"].is_stale


def test_who_logs_no_laps_is_told_nothing(user):
    make_session(user)

    assert told(user) == {}
    assert "coaching.queries.garage_facts.facts" in settings.COACHING_FACT_SOURCES


def test_what_lies_ahead_or_long_ago_is_no_news(user):
    drive(make_session(user, start_date=date(2026, 6, 2)))
    drive(make_session(user, start_date=date(2025, 6, 2)))

    assert told(user) == {}


# -- practice days ---------------------------------------------------------------------------


@pytest.fixture
def driver(user):
    driver = make_driver()
    ProfileClaim.objects.create(profile=make_profile(user), driver=driver, state="approved")
    return driver


def practise(driver, day, times, **values):
    event = make_event(f"Practice {day}", day=day, kind=Event.Kind.PRACTICE_DAY)
    return make_result(driver, times, event=event, source=Race.Source.PRACTICE, **values)


def told_of_practice(user, day=date(2026, 5, 4)) -> dict:
    return {fact.key: fact for fact in practice_facts.facts(user, day, NOW)}


def test_the_newest_practice_day_of_a_claimed_driver_is_told(user, driver):
    practise(driver, date(2026, 4, 11), [50.0] * 8)
    result = practise(driver, date(2026, 5, 2), [58.0, 59.0, 60.0, 21.0])
    practise(make_driver("SOMEBODY ELSE", "77"), date(2026, 5, 3), [40.0] * 5)
    Lap.objects.filter(result=result, number=4).update(is_valid=False)

    known = told_of_practice(user)

    assert {key: fact.value for key, fact in known.items()} == {
        "practice_sessions": 1,
        "practice_day_laps": 3,
        "practice_best_s": 58.0,
        "practice_mean_s": 59.0,
    }
    assert known["practice_best_s"].as_of == date(2026, 5, 2)
    assert not known["practice_best_s"].is_stale
    assert told_of_practice(user, date(2026, 5, 20))["practice_best_s"].is_stale
    assert "coaching.queries.practice_facts.facts" in settings.COACHING_FACT_SOURCES


def test_races_and_days_long_ago_are_no_practice(user, other, driver):
    make_result(driver, [58.0] * 6, event=make_event(day=date(2026, 5, 2)))
    practise(driver, date(2025, 5, 2), [58.0] * 6)

    assert told_of_practice(user) == {}
    assert told_of_practice(other) == {}
