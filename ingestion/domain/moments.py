"""Wall clocks of tracks and the moments they mean."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def to_utc(local: datetime, zone: ZoneInfo, *, not_before: datetime | None = None) -> datetime:
    """The moment a wall clock showed `local`.

    When the clock is set back an hour comes twice: the first one is meant, unless that lies before
    `not_before` (things that follow each other) and the second does not. An hour that is skipped
    counts on from before the jump, as the clock of a timing computer did.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if not_before is not None and first < not_before <= second:
        return second
    return first


def days_in_utc(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the start of `first` to the end of `last`, local days both, as [from, to) in UTC."""
    start = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    return start, end
