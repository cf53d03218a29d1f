"""Wall clocks of tracks and the moments they mean."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)


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


def in_order(walls: Sequence[datetime], zone: ZoneInfo) -> list[datetime]:
    """Moments of wall clocks of things that followed each other.

    A clock that goes back shows the second pass of the hour that comes twice. Where it never goes
    back, the neighbours tell: with something less than an hour before, the first pass is meant; else,
    with something less than an hour after the second pass, the second one.
    """
    moments: list[datetime] = []
    for wall in walls:
        moments.append(to_utc(wall, zone, not_before=moments[-1] if moments else None))
    again = [_second_pass(*pair, zone) for pair in zip(walls, moments, strict=True)]
    for comes_again, group in groupby(
        range(len(walls)), key=lambda place: again[place] is not None
    ):
        block = list(group)
        first, last = block[0], block[-1]
        follows = first > 0 and moments[first] - moments[first - 1] < HOUR
        if not comes_again or follows or last + 1 == len(walls):
            continue
        later = [moment for moment in again[first : last + 1] if moment is not None]
        if timedelta(0) <= moments[last + 1] - later[-1] < HOUR:
            moments[first : last + 1] = later
    return moments


def _second_pass(wall: datetime, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When the clock shows this again, if `moment` is the first of two times."""
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return second if second > moment else None
