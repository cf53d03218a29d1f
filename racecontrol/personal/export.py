"""Everything of one person as one ZIP: a JSON file per table, and their files."""

import base64
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from django.core.files import File
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.timezone import now

from racecontrol.models import PersonExport
from racecontrol.personal import belongings
from racecontrol.shared import audit, jobs, secrets
from racecontrol.shared.errors import NotFound
from racecontrol.shared.progress import OnProgress, Progress, silent
from racecontrol.shared.store import files

KEPT = timedelta(hours=24)
# What opens doors is not handed out: a copy of it in a download folder would open them, too.
SECRETS = {
    "password", "sha256", "access_token", "refresh_token", "previous_refresh_token", "api_key",
    "signup_token",
}  # fmt: skip
SEALED = ".sealed"
README = """Race Control: everything kept about {name}, {at:%Y-%m-%d %H:%M} UTC.

yours/      one JSON file per table of what is yours
mentioned/  rows of teams and of the house that name you
files/      what lies in the store for you

Times are UTC. Passwords, tokens and keys are left out.
"""


@transaction.atomic
def request_export(*, by: Any) -> PersonExport:
    """Queue the packing; one that is open already is returned instead of a second."""
    row = PersonExport.objects.filter(owner=by, job__state__in=jobs.Job.OPEN).first()
    if row is not None:
        return row
    row = PersonExport.objects.create(owner=by, created_at=now(), expires_at=now() + KEPT)
    row.job = jobs.enqueue(
        "racecontrol.personal.tasks.export_person", str(row.pk), key=f"export:{by.pk}",
        owner=by, title="Pack your data", queue="slow",
    )  # fmt: skip
    row.save(update_fields=["job"])
    audit.record(by=by, verb="account.export_asked", obj=row)
    return row


def write_export(*, export_id: UUID, on_progress: OnProgress = silent) -> dict[str, int]:
    """Pack and keep the ZIP; a second call after the first does nothing.

    Rows are written as they are read, to a temporary file: memory does not grow with the history.
    """
    row = PersonExport.objects.select_related("owner").filter(pk=export_id).first()
    if row is None or row.stored_as:
        return {}
    with tempfile.TemporaryFile() as file:
        count = pack(row.owner, file, on_progress)
        row.size = file.tell()
        file.seek(0)
        row.stored_as = files().save(f"exports/{row.pk}.zip", File(file))
    row.save(update_fields=["size", "stored_as"])
    return {"rows": count}


def pack(user: Any, file: IO[bytes], on_progress: OnProgress = silent) -> int:
    """Write the ZIP of this person to `file`; returns how many rows are in it."""
    tables = [("yours", table) for table in belongings.owned()]
    tables += [("mentioned", table) for table in belongings.mentioning()]
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("README.txt", README.format(name=user.username, at=now()))
        for number, (folder, table) in enumerate(tables):
            on_progress(Progress(number, len(tables), table.label))
            rows = table.rows(user)
            if rows.exists():
                with box.open(f"{folder}/{table.label}.json", "w") as entry:
                    count += _write_rows(entry, rows)
        for table, name in belongings.files_of(user):
            if table.model is not PersonExport and files().exists(name):
                _copy_file(box, table, name)
        on_progress(Progress(len(tables), len(tables), "packed"))
    return count


def _write_rows(entry: IO[bytes], rows: models.QuerySet) -> int:
    count = 0
    for row in rows.iterator(chunk_size=500):
        entry.write(b"[\n" if count == 0 else b",\n")
        entry.write(json.dumps(plain(row), cls=DjangoJSONEncoder, ensure_ascii=False).encode())
        count += 1
    entry.write(b"\n]\n" if count else b"[]\n")
    return count


def plain(row: models.Model) -> dict[str, Any]:
    """A row as JSON values, opened where it lies sealed, without what opens doors."""
    values = {}
    for field in row._meta.concrete_fields:
        if field.name in SECRETS:
            continue
        value = field.value_from_object(row)
        if isinstance(value, bytes | memoryview):
            value = base64.b64encode(bytes(value)).decode()
        values[field.attname] = value
    return values


def _copy_file(box: zipfile.ZipFile, table: belongings.Table, name: str) -> None:
    """Files that lie sealed are opened; the others are copied a piece at a time."""
    with files().open(name, "rb") as stored:
        if name.endswith(SEALED):
            text = secrets.unseal(stored.read().decode(), context=table.model._meta.label)
            box.writestr(f"files/{name.removesuffix(SEALED)}.json", text)
            return
        with box.open(f"files/{name}", "w", force_zip64=True) as entry:
            entry.writelines(_pieces(stored))


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(1024 * 1024):
        yield piece


def open_export(*, by: Any, export_id: UUID) -> PersonExport:
    """An export that may be fetched now. Raises NotFound."""
    row = PersonExport.objects.filter(pk=export_id, owner=by, expires_at__gt=now()).first()
    if row is None or not row.stored_as or not files().exists(row.stored_as):
        raise NotFound("There is no such file any more; ask for a new one.")
    return row


def drop_old() -> int:
    """Exports are for fetching, not for keeping: a day, then they go."""
    count = 0
    for row in PersonExport.objects.filter(expires_at__lte=now()):
        if row.stored_as:
            files().delete(row.stored_as)
        row.delete()
        count += 1
    return count
