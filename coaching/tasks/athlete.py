"""Background work on athletes' own data."""

from uuid import UUID

from coaching.services import athlete
from racecontrol.shared import jobs
from racecontrol.shared.progress import Progress


def read_athlete_upload(job: jobs.Running, upload_id: str) -> dict[str, int]:
    """Read one file an athlete brought; a second delivery finds it read and does nothing."""

    def show(step: Progress) -> None:
        job.progress(step.done, step.total, step.label)

    return athlete.read_upload(upload_id=UUID(upload_id), on_progress=show)
