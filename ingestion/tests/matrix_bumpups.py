"""Sample bump-ups for the test of who may enter."""

from ingestion.services import bumpups
from ingestion.tests.bumpup_builders import make_event, make_night

SHARED = {
    "ingestion:event-bump-ups",
    "api:get /api/v1/events/{event_id}/bump-ups",
    "api:get /api/v1/bump-ups/{bump_up_id}",
}


def samples(owner):
    event = make_night(make_event(source_event_id="matrix-bump-ups"))
    bumpups.detect_for_event(event.pk)
    of_event, of_row = {"event_id": event.pk}, {"bump_up_id": event.bump_ups.first().pk}
    return {
        "ingestion:event-bump-ups": of_event,
        "ingestion:bump-up": of_row,
        "api:get /api/v1/events/{event_id}/bump-ups": of_event,
        "api:post /api/v1/events/{event_id}/bump-ups": of_event,
        "api:get /api/v1/bump-ups/{bump_up_id}": of_row,
        "api:patch /api/v1/bump-ups/{bump_up_id}": of_row,
    }
