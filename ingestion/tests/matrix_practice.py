"""A sample practice day for the test of who may enter. Practice, like all timing, is for everybody signed in."""

from datetime import date

from ingestion.tests.practice_builders import make_practice_day, make_practice_session

_ON_DAY = ("get", ""), ("get", "/status"), ("post", "/import"), ("post", "/refresh")
_DAY = {f"api:{method} /api/v1/practice-days/{{source_event_id}}{end}" for method, end in _ON_DAY}
_RETRY = "api:post /api/v1/practice-days/{source_event_id}/sessions/{session_id}/retry"
SHARED = {*_DAY, _RETRY}


def samples(owner):
    day = make_practice_day(day=date(2026, 10, 3))
    session = make_practice_session(day)
    of_day = {"source_event_id": day.source_event_id}
    return {
        **dict.fromkeys(_DAY, of_day),
        _RETRY: of_day | {"session_id": session.source_session_id},
    }
