"""Practice days and sessions as rows, filled in where a test does not care."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

from ingestion.domain.labels import class_key
from ingestion.domain.practice import day_id, day_name
from ingestion.models import Driver, Event, Lap, PracticeDay, PracticeSession, Race
from ingestion.tests.builders import make_driver, make_event, make_race, make_result, make_track

_numbers = count(1)


def make_practice_day(
    *, track=None, day: date = date(2026, 11, 13), figures=None, **values
) -> Event:
    track = track or make_track()
    values = {
        "kind": Event.Kind.PRACTICE_DAY,
        "source_event_id": day_id(track.slug, day),
        "name": day_name(track.name, day),
        "last_ingested_at": datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1),
    } | values
    event = make_event(track=track, day=day, **values)
    PracticeDay.objects.create(event=event, **(figures or {}))
    return event


def make_practice_session(
    event: Event,
    laps_ms: list[int] | None = None,
    *,
    driver: Driver | None = None,
    class_name: str = "1/8 Nitro Buggy",
    **values,
) -> PracticeSession:
    """An imported session with its laps; without laps one that is only listed."""
    number = next(_numbers)
    name = values.pop("driver_name", driver.name if driver else f"Driver {number}")
    started_at = datetime.combine(event.starts_on, datetime.min.time(), UTC)
    values = {
        "source_session_id": str(21_000_000 + number),
        "listed_on": event.starts_on,
        "driver_name": name,
        "class_name": class_name,
        "class_key": class_key(class_name),
        "started_at": started_at + timedelta(minutes=20 * number % 600),
        "laps": len(laps_ms or []),
        "length_ms": sum(laps_ms or []),
        "fast_lap_ms": min(laps_ms, default=None) if laps_ms else None,
    } | values
    session = PracticeSession.objects.create(event=event, **values)
    if laps_ms:
        _imported(session, laps_ms, driver or make_driver(name, source_driver_id=None))
    return session


def _imported(session: PracticeSession, laps_ms: list[int], driver: Driver) -> None:
    session.race = make_race(
        event=session.event,
        label=f"{session.driver_name}, {session.class_name}",
        class_name=session.class_name,
        source=Race.Source.PRACTICE,
        source_race_id=session.source_session_id,
        session_type="practiceday",
        started_at=session.started_at,
        fetched_at=session.started_at,
        round_label="",
    )
    session.save(update_fields=["race"])
    result = make_result(
        session.race, laps_ms, driver=driver, position=None, transponder=session.transponder
    )
    moment = session.started_at
    for lap in Lap.objects.filter(result=result).order_by("number"):
        moment += timedelta(milliseconds=lap.ms)
        Lap.objects.filter(result=result, number=lap.number).update(crossed_at=moment)
