"""A practice day for the pages of the test of who may enter."""

from datetime import date

from ingestion.tests.builders import make_event, make_race, make_result
from ingestion.tests.practice_builders import make_practice_day, make_practice_session

_PLAIN = {"practice", "practice-discover", "practice-import"}
_DAY = {"practice-day", "practice-refresh"}
_SESSION = {"practice-session", "practice-session-csv"}
_COMPARED = {"practice-driver-day", "practice-driver-days", "practice-class-day"}
_NAMES = _PLAIN | _DAY | _SESSION | _COMPARED | {"practice-session-retry", "event-practice"}
_BESIDE = "api:get /api/v1/drivers/{driver_id}/events/{event_id}/practice"
SHARED = {f"ingestion:{name}" for name in _NAMES} | {_BESIDE}
STAFF = {"ingestion:practice-session-driver"}


def samples(owner):
    event = make_practice_day(day=date(2026, 10, 10))
    session = make_practice_session(event, [31_000, 30_500, 30_200])
    driver = session.race.results.get().driver
    driver_id = driver.pk
    race = make_race(event=make_event(track=event.track), class_name=session.class_name)
    make_result(race, [31_000, 30_400, 30_300], driver=driver)
    beside = {"event_id": race.event_id, "driver_id": driver_id}
    return {
        **{f"ingestion:{name}": {"event_id": event.pk} for name in _DAY},
        **{f"ingestion:{name}": {"race_id": session.race_id} for name in _SESSION},
        "ingestion:practice-driver-day": {"event_id": event.pk, "driver_id": driver_id},
        "ingestion:practice-driver-days": {"driver_id": driver_id, "track_id": event.track_id},
        "ingestion:practice-class-day": {
            "event_id": event.pk,
            "class_id": session.race.race_class_id,
        },
        "ingestion:event-practice": beside,
        _BESIDE: beside,
        "ingestion:practice-session-retry": {"session_id": session.pk},
        "ingestion:practice-session-driver": {"session_id": session.pk},
    }
