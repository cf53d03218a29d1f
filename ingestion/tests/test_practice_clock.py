"""The axis of a track's wall clock: round minutes, also on the night the clock is set back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ingestion.presentation_practice import Clock

SYDNEY = ZoneInfo("Australia/Sydney")


def test_ticks_are_round_minutes_between_the_first_and_the_last_moment():
    first = datetime(2026, 11, 14, 10, 34, 16, tzinfo=SYDNEY)

    clock = Clock.of([first, first + timedelta(minutes=15)], SYDNEY)

    assert [words for _, words in clock.ticks()] == ["10:35", "10:40", "10:45"]
    assert clock.exactly(clock.x_of(first)) == "10:34:16"


def test_the_hour_that_comes_twice_is_shown_twice():
    # 5 April 2026: at 03:00 summer time ends, and 02:00 comes again.
    first = datetime(2026, 4, 4, 15, 30, tzinfo=UTC)  # 02:30, still summer

    clock = Clock.of([first, first + timedelta(hours=2)], SYDNEY)

    assert [words for _, words in clock.ticks()] == ["02:30", "02:00", "02:30", "03:00", "03:30"]


def test_one_moment_alone_is_its_own_tick():
    moment = datetime(2026, 11, 14, 10, 34, 16, tzinfo=SYDNEY)

    assert Clock.of([moment], SYDNEY).ticks() == [(2056.0, "10:34:16")]
    assert Clock.of([], SYDNEY).ticks() == [(0.0, "00:00")]
