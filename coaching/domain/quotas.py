"""Request limits of a provider that counts for the whole site: when may the next request go out?"""

from datetime import UTC, datetime, timedelta

STOP_AT = 0.9  # of a limit; the rest is for people who are just connecting


def quarter_after(now: datetime) -> datetime:
    """The next :00, :15, :30 or :45, when quarter-hour windows begin anew."""
    start = now.astimezone(UTC).replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    return start + timedelta(minutes=15)


def midnight_after(now: datetime) -> datetime:
    """The next midnight UTC, when daily windows begin anew."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def read_pair(text: str | None) -> tuple[int, int] | None:
    """ "200,2000" as (quarter hour, day), None for anything else."""
    parts = (text or "").split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def resting_until(
    *, limit: tuple[int, int], usage: tuple[int, int], now: datetime
) -> datetime | None:
    """Until when to leave the provider alone with (quarter hour, day) figures; None: go on."""
    quarter, day = (used >= STOP_AT * most for used, most in zip(usage, limit, strict=True))
    if day:
        return midnight_after(now)
    return quarter_after(now) if quarter else None


def retry_moment(retry_after: str | None, *, now: datetime, otherwise: datetime) -> datetime:
    """When a 429 says to come again: its Retry-After in seconds (at most a day), else `otherwise`."""
    text = (retry_after or "").strip()
    if text.isdigit() and int(text) <= 86_400:
        return now + timedelta(seconds=int(text))
    return otherwise
