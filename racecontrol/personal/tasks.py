"""The long parts: packing a person's data, and purging it."""

from uuid import UUID

from racecontrol.personal import deletion, export
from racecontrol.shared import jobs
from racecontrol.shared.progress import Progress


def export_person(job: jobs.Running, export_id: str) -> dict[str, int]:
    def show(step: Progress) -> None:
        job.progress(step.done, step.total, step.label)

    return export.write_export(export_id=UUID(export_id), on_progress=show)


def purge_person(job: jobs.Running, deletion_id: str) -> dict[str, int]:
    return deletion.purge(deletion_id=UUID(deletion_id))
