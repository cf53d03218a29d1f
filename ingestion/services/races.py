"""What people say of a race."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from ingestion.models import Race
from ingestion.models.events import SessionType
from ingestion.services.bumpups import detect_for_event
from racecontrol.shared import audit, jobs
from racecontrol.shared.errors import InvalidInput


@transaction.atomic
def override_session_type(*, race_id: int, session_type: str, by: Any) -> Race:
    """A person says what a session was; '' takes the word back. Survives every import.

    Bump-ups are found anew, and the rooms of AFTER_SESSION_TYPE hear of another kind of run.
    """
    if session_type and session_type not in SessionType.values:
        raise InvalidInput(
            "Not a session type.", fields={"session_type": ["Not one of the types."]}
        )
    race = Race.objects.select_for_update(of=("self",)).get(pk=race_id)
    before, kind_before = race.session_type_override, race.run_kind
    race.session_type_override, race.updated_at = session_type, now()
    race.save(update_fields=["session_type_override", "updated_at"])
    audit.record(
        by=by,
        verb="race.session_type_set",
        obj=race,
        before={"session_type": before or race.session_type},
        after={"session_type": session_type or race.session_type},
    )
    detect_for_event(race.event_id)  # practice is no main
    if race.run_kind != kind_before:
        for task in settings.AFTER_SESSION_TYPE:
            jobs.enqueue(task, race.pk, kind_before, owner=by, title=f"Scores of {race.label}")
    return race
