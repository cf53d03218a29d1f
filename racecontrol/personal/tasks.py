"""The long parts: packing a person's data, and purging it."""

from uuid import UUID

from racecontrol.personal import deletion, export
from racecontrol.shared import jobs


def export_person(job: jobs.Running, export_id: str) -> dict[str, int]:
    return export.write_export(export_id=UUID(export_id), on_progress=job.show)


def purge_person(job: jobs.Running, deletion_id: str) -> dict[str, int]:
    return deletion.purge(deletion_id=UUID(deletion_id))
