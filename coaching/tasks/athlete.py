"""Background work on athletes' own data."""

from uuid import UUID

from django.utils.timezone import now

from coaching.services import athlete, mission_results, upload_care
from racecontrol.shared import jobs


def read_athlete_upload(job: jobs.Running, upload_id: str) -> dict[str, int]:
    """Read one file an athlete brought; a second delivery finds it read and does nothing."""

    counts = athlete.read_upload(upload_id=UUID(upload_id), on_progress=job.show)
    if job.owner_id is not None:
        mission_results.score_activities_of(user_id=job.owner_id, now=now())
    return counts


def look_after_uploads() -> dict[str, int]:
    """Every quarter of an hour: files whose reading broke off are told, old ones let go."""
    moment = now()
    return {
        "broken": upload_care.look_after(moment=moment),
        "dropped": upload_care.drop_kept(moment=moment),
    }
