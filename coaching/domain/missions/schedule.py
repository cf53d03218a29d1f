"""One run a local morning: when it is due, until when, when to try again, which days were missed.

Everything is a function of now and the rows. Instants are aware datetimes, compared as
instants; a day is a calendar date in the mission's zone, never "24 hours".
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from racecontrol.shared.errors import InvalidInput

# Between these two wall times every zone has every morning exactly once (02:30 and 00:00 do not).
EARLIEST_RUN_AT: Final = time(4, 30)
LATEST_RUN_AT: Final = time(11, 0)
WINDOW: Final = timedelta(hours=6)
LEASE: Final = timedelta(minutes=5)
METRICS_FRESH: Final = timedelta(minutes=60)
NO_DATA_WAIT: Final = timedelta(hours=2)
MAX_JITTER_S: Final = 8 * 60
LONGEST_GAP_DAYS: Final = 400


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; InvalidInput when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as unknown:
        raise InvalidInput(
            f"{str(name)[:60]!r} is not a time zone.",
            fields={"timezone": ["Choose a zone such as Europe/Berlin."]},
        ) from unknown


def check_run_at(run_at: time) -> time:
    """The wall time of the daily run, within the hours every zone has every day."""
    if not EARLIEST_RUN_AT <= run_at <= LATEST_RUN_AT:
        raise InvalidInput(
            "The morning run must lie between 04:30 and 11:00.",
            fields={"run_at": ["Choose a time from 04:30 to 11:00."]},
        )
    return run_at


def local_date(now: datetime, tz: str) -> date:
    return now.astimezone(zone(tz)).date()


def run_moment(on: date, *, tz: str, run_at: time) -> datetime:
    """The instant (UTC) at which the run of that local date is due."""
    return datetime.combine(on, run_at, tzinfo=zone(tz)).astimezone(UTC)


def jitter(mission_id: int) -> timedelta:
    """0 to 8 minutes, fixed per mission, so that a zone's mornings do not come all at once."""
    return timedelta(seconds=(mission_id * 2_654_435_761) % 2**32 % (MAX_JITTER_S + 1))


@dataclass(frozen=True, slots=True)
class Morning:
    """The run of one local date: from when it is due and when it is too late."""

    on: date
    due_at: datetime
    closes_at: datetime


def morning(on: date, *, tz: str, run_at: time, delay: timedelta = timedelta()) -> Morning:
    due_at = run_moment(on, tz=tz, run_at=run_at)
    return Morning(on=on, due_at=due_at + delay, closes_at=due_at + WINDOW)


@dataclass(frozen=True, slots=True)
class Agenda:
    """What the scheduler has to do for one mission now."""

    due: Morning | None
    missed: tuple[Morning, ...]
    next_at: datetime


def agenda(
    now: datetime,
    *,
    tz: str,
    run_at: time,
    started_at: datetime,
    taken: Collection[date],
    last_day: date,
    delay: timedelta = timedelta(),
) -> Agenda:
    """Today's run if it is due, the mornings that closed without a row, and when to look again.

    `taken` are the local dates that have a row already, whatever its state: a date is never
    used twice, not even by someone who flies back over the date line. `last_day` is the last
    local date that may have a run (the event's last day).
    """
    today = local_date(now, tz)
    first = local_date(started_at, tz)
    if morning(first, tz=tz, run_at=run_at).closes_at <= started_at:
        first += timedelta(days=1)  # started in the afternoon: that morning was never promised
    known = [on for on in taken if on <= today]
    since = max([first, *(on + timedelta(days=1) for on in known)])
    since = max(since, today - timedelta(days=LONGEST_GAP_DAYS))

    due, missed = None, []
    on = since
    while on <= min(today, last_day):
        slot = morning(on, tz=tz, run_at=run_at, delay=delay)
        if on not in taken:
            if slot.closes_at <= now:
                missed.append(slot)
            elif slot.due_at <= now:
                due = slot
        on += timedelta(days=1)

    on = max(today, first)
    while True:
        slot = morning(on, tz=tz, run_at=run_at, delay=delay)
        if slot.due_at > now and on not in taken:
            return Agenda(due=due, missed=tuple(missed), next_at=slot.due_at)
        on += timedelta(days=1)


# -- trying again ----------------------------------------------------------------------------

CROWDED_WAIT: Final = timedelta(minutes=2)  # until there may be a place at the model again

_MINUTES: Final[dict[str, tuple[int, ...]]] = {
    "model_down": (10, 30, 60, 120),
    "bad_answer": (30,),
    "source_down": (10, 20, 40),
    "email": (15, 60, 240),
}


def retry_at(
    kind: str, *, failures: int, now: datetime, closes_at: datetime | None = None
) -> datetime | None:
    """When to try again after the `failures`-th failure of this kind; None when it is over.

    `model_down`: transport and overload. `bad_answer`: the model's words failed the checks.
    A try that would begin after the morning's window closed is not made.
    """
    waits = _MINUTES[kind]
    if failures < 1 or failures > len(waits):
        return None
    at = now + timedelta(minutes=waits[failures - 1])
    return None if closes_at is not None and at >= closes_at else at


def no_data_again_at(now: datetime, *, due_at: datetime) -> datetime | None:
    """Without a single usable number the run looks again for two hours, then is skipped."""
    at = now + timedelta(minutes=20)
    return at if at <= due_at + NO_DATA_WAIT else None


def are_metrics_fresh(gathered_at: datetime | None, now: datetime) -> bool:
    return gathered_at is not None and timedelta() <= now - gathered_at < METRICS_FRESH
