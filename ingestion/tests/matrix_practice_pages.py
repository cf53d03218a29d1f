"""A practice day for the pages of the test of who may enter."""

from datetime import date

from ingestion.tests.practice_builders import make_practice_day, make_practice_session

_PLAIN = {"practice", "practice-discover", "practice-import"}
_DAY = {"practice-day", "practice-refresh"}
_SESSION = {"practice-session", "practice-session-csv"}
_COMPARED = {"practice-driver-day", "practice-driver-days", "practice-class-day"}
_NAMES = _PLAIN | _DAY | _SESSION | _COMPARED | {"practice-session-retry"}
SHARED = {f"ingestion:{name}" for name in _NAMES}
STAFF = {"ingestion:practice-session-driver"}


def samples(owner):
    event = make_practice_day(day=date(2026, 10, 10))
    session = make_practice_session(event, [31_000, 30_500, 30_200])
    driver_id = session.race.results.get().driver_id
    return {
        **{f"ingestion:{name}": {"event_id": event.pk} for name in _DAY},
        **{f"ingestion:{name}": {"race_id": session.race_id} for name in _SESSION},
        "ingestion:practice-driver-day": {"event_id": event.pk, "driver_id": driver_id},
        "ingestion:practice-driver-days": {"driver_id": driver_id, "track_id": event.track_id},
        "ingestion:practice-class-day": {
            "event_id": event.pk,
            "class_id": session.race.race_class_id,
        },
        "ingestion:practice-session-retry": {"session_id": session.pk},
        "ingestion:practice-session-driver": {"session_id": session.pk},
    }
