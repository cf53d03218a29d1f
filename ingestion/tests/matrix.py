"""Who may open ingestion's addresses. Timing data is for every signed-in person; staff correct."""

from ingestion.services.imports import request_import
from ingestion.tests import matrix_bumpups, matrix_practice, matrix_practice_pages
from ingestion.tests.builders import make_race, make_result

_OF_EVENT = {"event", "event-refresh", "event-csv"}
_OF_RACE = {"race", "race-retry", "race-csv", "laps-csv"}
_PLAIN = {"home", "discover", "import", "imports", "search", "tracks", "tracks-sync", "drivers"}
_OF_TRACK = {"track", "favourite"}
SHARED = {f"ingestion:{name}" for name in _PLAIN | _OF_EVENT | _OF_RACE | _OF_TRACK | {"driver"}}
SHARED |= matrix_bumpups.SHARED | matrix_practice.SHARED | matrix_practice_pages.SHARED
_API = {
    "get /api/v1/imports/{import_id}",
    "post /api/v1/events/{source_event_id}/import",
    "get /api/v1/events/{event_id}",
    "get /api/v1/races/{race_id}",
    "get /api/v1/races/{race_id}/laps",
    "get /api/v1/drivers/{driver_id}",
}
SHARED |= {f"api:{name}" for name in _API}
STAFF = {"ingestion:timezone", "ingestion:session-type", "ingestion:review"}
STAFF |= matrix_practice_pages.STAFF


def samples(owner):
    race = make_race()
    result = make_result(race, [31_000, 30_500, 30_200])
    job = request_import(source_event_id=race.event.source_event_id, by=owner)
    api = {
        "import_id": job.pk,
        "source_event_id": race.event.source_event_id,
        "event_id": race.event_id,
        "race_id": race.pk,
        "driver_id": result.driver_id,
    }
    return (
        matrix_bumpups.samples(owner)
        | matrix_practice.samples(owner)
        | matrix_practice_pages.samples(owner)
        | {
            **{f"ingestion:{name}": {"event_id": race.event_id} for name in _OF_EVENT},
            **{f"ingestion:{name}": {"race_id": race.pk} for name in _OF_RACE | {"session-type"}},
            **{
                f"ingestion:{name}": {"track_id": race.event.track_id}
                for name in _OF_TRACK | {"timezone"}
            },
            "ingestion:driver": {"driver_id": result.driver_id},
            **{
                f"api:{name}": {key: value for key, value in api.items() if f"{{{key}}}" in name}
                for name in _API
            },
        }
    )
