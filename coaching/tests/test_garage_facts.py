"""What a coach is told of a racer's laps."""

from datetime import UTC, date, datetime

import pytest
from django.conf import settings

from coaching.queries.garage_facts import facts
from coaching.tests.builders import drive, make_session

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
