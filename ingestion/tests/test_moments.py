"""Wall clocks and moments: the hour that comes twice, the hour that is skipped, midnight."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingestion.domain.moments import in_order, to_utc
from ingestion.domain.timezones import guess_timezone

SYDNEY = ZoneInfo("Australia/Sydney")


def test_summer_time_counts():
    assert to_utc(datetime(2025, 11, 16, 17, 30), SYDNEY) == datetime(
        2025, 11, 16, 6, 30, tzinfo=UTC
    )
    assert to_utc(datetime(2025, 7, 20, 17, 30), SYDNEY) == datetime(2025, 7, 20, 7, 30, tzinfo=UTC)


def test_the_hour_that_comes_twice_goes_by_what_was_before():
    """On 5 April 2026 the clocks of Sydney go from 3:00 back to 2:00."""
    half_past = datetime(2026, 4, 5, 2, 30)

    first = to_utc(half_past, SYDNEY)
    second = to_utc(half_past, SYDNEY, not_before=datetime(2026, 4, 4, 15, 50, tzinfo=UTC))

    assert first == datetime(2026, 4, 4, 15, 30, tzinfo=UTC)
    assert second == datetime(2026, 4, 4, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clocks", "in_utc"),
    [
        # Nothing before it, the next one ten minutes after the second pass.
        ("2:20 2:50 3:00", "16:20 16:50 17:00"),
        # Something less than an hour before the first pass.
        ("1:40 2:20 3:10", "14:40 15:20 17:10"),
        # The evening ended at midnight; what follows is near the second pass only.
        ("0:10 2:50 3:00", "13:10 16:50 17:00"),
        # The clock goes back between them: both passes, whatever comes after.
        ("2:20 2:10 3:00", "15:20 16:10 17:00"),
        ("2:20 2:50 2:05 3:00", "15:20 15:50 16:05 17:00"),
        # Nothing near: the first pass.
        ("2:30", "15:30"),
        ("2:30 9:00", "15:30 23:00"),
    ],
)
def test_neighbours_tell_which_pass_of_the_doubled_hour_is_meant(clocks, in_utc):
    """On 5 April 2026 the clocks of Sydney go from 3:00 (UTC+11) back to 2:00 (UTC+10)."""
    walls = [datetime(2026, 4, 5, *map(int, text.split(":"))) for text in clocks.split()]

    told = in_order(walls, SYDNEY)

    assert " ".join(f"{moment:%H:%M}" for moment in told) == in_utc
    assert told == sorted(told)


def test_the_hour_that_is_skipped_counts_on():
    """On 4 October 2026 2:00 becomes 3:00; a computer that was not set still says 2:15."""
    assert to_utc(datetime(2026, 10, 4, 2, 15), SYDNEY) == datetime(2026, 10, 3, 16, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ({"country": "AU", "city": "Narrabundah", "postcode": "02604"}, "Australia/Sydney"),
        ({"country": "AU", "state": "A2536", "city": "Batemans Bay"}, "Australia/Sydney"),
        ({"country": "AU", "state": "WA", "city": "Perth"}, "Australia/Perth"),
        ({"country": "US", "state": "NC", "city": "Lucama"}, "America/New_York"),
        ({"country": "US", "state": "TX", "city": "El Paso"}, "America/Denver"),
        ({"country": "US", "state": "TX", "city": "Alvin"}, "America/Chicago"),
        ({"country": "CA", "state": "BC", "city": "Abbotsford"}, "America/Vancouver"),
        ({"country": "FR", "city": "Ettlingen-sur-Nulle-Part"}, "Europe/Paris"),
        ({"country": "US", "city": "Nowhere at all"}, None),
        ({"country": "", "city": "Sydney"}, None),
        ({"country": "ZZ"}, None),
    ],
)
def test_an_address_tells_the_zone_or_nothing(address, zone):
    assert guess_timezone(**address) == zone
