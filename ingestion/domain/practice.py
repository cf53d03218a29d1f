"""Practice days in names, days and figures. Days are the track's; a session belongs to the day it began."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ingestion.domain.labels import person_key
from ingestion.domain.moments import to_utc
from racecontrol.shared.errors import InvalidInput

UNKNOWN_DRIVER = "Unknown Driver"
_DAY_ID = re.compile(
    r"(?P<slug>[a-z0-9][a-z0-9-]{0,62})-practice-(?P<day>\d{4}-\d{2}-\d{2})", re.IGNORECASE
)


def day_id(slug: str, day: date) -> str:
    """The id of a practice day: one per track and date."""
    return f"{slug}-practice-{day.isoformat()}"


def read_day_id(text: str) -> tuple[str, date]:
    """Track slug and date of `{slug}-practice-{YYYY-MM-DD}`. Raises InvalidInput for anything else."""
    found = _DAY_ID.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        return found["slug"], date.fromisoformat(found["day"])
    except ValueError:
        raise InvalidInput(
            f"{text[:80]!r} is not a practice day: write track-practice-YYYY-MM-DD.",
            fields={"source_event_id": ["Not a practice day."]},
        ) from None


def day_name(track_name: str, day: date) -> str:
    return f"{track_name} - Practice Day - {day:%B} {day.day}, {day.year}"


def session_label(driver_name: str, class_name: str, started_local: datetime | None) -> str:
    """How a session is called in lists: who, in what, at what time of the track's clock."""
    at = f", {started_local:%H:%M}" if started_local else ""
    return f"{driver_name}, {class_name}{at}"


def is_unknown(driver_name: str) -> bool:
    """LiveRC writes 'Unknown Driver' for a transponder nobody registered. Nobody is no driver."""
    return person_key(driver_name) in ("", UNKNOWN_DRIVER.casefold())


def months_of(first: date, last: date) -> list[str]:
    """Every month the range touches, as YYYY-MM, oldest first."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    steps = (first.year * 12 + first.month - 1 + n for n in range(count))
    return [f"{step // 12:04d}-{step % 12 + 1:02d}" for step in steps]


def start_moments(
    starts: Iterable[tuple[str, datetime | None]], zone: ZoneInfo
) -> dict[str, datetime | None]:
    """The moment each session began, by its id.

    Session ids count up through the day (56 of 56 in the recorded one), so when the clock is set
    back they tell which of the two equal hours is meant.
    """
    found: dict[str, datetime | None] = {}
    latest: datetime | None = None
    for session_id, local in sorted(starts, key=lambda pair: _counted(pair[0])):
        found[session_id] = to_utc(local, zone, not_before=latest) if local else None
        latest = found[session_id] or latest
    return found


def _counted(session_id: str) -> tuple[int, str]:
    return (int(session_id) if session_id.isdecimal() else 0, session_id)


def crossing_moments(
    locals_: Iterable[datetime | None], zone: ZoneInfo, *, started_at: datetime | None
) -> list[datetime | None]:
    """Wall-clock crossings as moments; laps follow each other, also over a clock set back."""
    found: list[datetime | None] = []
    latest = started_at
    for local in locals_:
        moment = to_utc(local, zone, not_before=latest) if local else None
        found.append(moment)
        latest = moment or latest
    return found


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What one session adds to its day. `driver` is who (an id or a key), None for nobody known."""

    driver: object | None
    class_key: str
    laps: int
    length_ms: int
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DayFigures:
    sessions: int
    total_laps: int
    track_time_ms: int
    unique_drivers: int
    unique_classes: int
    first_started_at: datetime | None
    last_started_at: datetime | None
    last_ended_at: datetime | None


def sum_up(sessions: Iterable[SessionFacts]) -> DayFigures:
    """A day's figures. As on LiveRC unknown drivers are nobody, while the unknown class counts."""
    rows = list(sessions)
    starts = [row.started_at for row in rows if row.started_at]
    ends = [row.ended_at for row in rows if row.ended_at]
    return DayFigures(
        sessions=len(rows),
        total_laps=sum(row.laps for row in rows),
        track_time_ms=sum(row.length_ms for row in rows),
        unique_drivers=len({row.driver for row in rows if row.driver is not None}),
        unique_classes=len({row.class_key for row in rows}),
        first_started_at=min(starts, default=None),
        last_started_at=max(starts, default=None),
        last_ended_at=max(ends, default=None),
    )
