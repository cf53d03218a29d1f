"""Your data over the API: everything packed, and the way out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from racecontrol.house_api import JobOut
from racecontrol.models import PersonExport
from racecontrol.personal import deletion, export, leave_codes, pages
from racecontrol.shared.errors import InvalidInput, NotFound

router = Router(tags=["your data"])


class ExportOut(Schema):
    """`is_ready`: the ZIP can be fetched, until `expires_at`."""

    id: UUID
    is_ready: bool
    size: int
    created_at: datetime
    expires_at: datetime
    job: JobOut | None = None

    @staticmethod
    def resolve_is_ready(row: PersonExport) -> bool:
        return bool(row.stored_as)


class LeaveIn(Schema):
    """The same two answers as on the page; `code` instead of `password` where the account has none."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field("", max_length=500)
    code: str = Field("", max_length=40)
    is_sure: bool


class LeaveOut(Schema):
    message: str


def _exports(request: HttpRequest) -> Any:
    return PersonExport.objects.filter(owner=request.user).select_related("job")


@router.get("/me/exports", response=list[ExportOut])
def list_exports(request: HttpRequest):
    """What was packed lately, newest first."""
    return _exports(request)[:10]


@router.post("/me/exports", response={202: ExportOut})
def ask_for_export(request: HttpRequest):
    """Pack everything that is yours; one that is under way is returned instead of a second."""
    return Status(202, export.request_export(by=request.user))


@router.get("/me/exports/{uuid:export_id}", response=ExportOut)
def read_export(request: HttpRequest, export_id: UUID):
    row = _exports(request).filter(pk=export_id).first()
    if row is None:
        raise NotFound("There is no such export; ask for a new one.")
    return row


@router.get("/me/exports/{uuid:export_id}/file")
def fetch_export(request: HttpRequest, export_id: UUID):
    """The ZIP itself."""
    return pages.export_file(export.open_export(by=request.user, export_id=export_id))


@router.post("/me/deletion/code", response={202: LeaveOut})
def mail_code(request: HttpRequest):
    """Mail the code that stands for the password of an account that has none; good for 15 minutes."""
    leave_codes.send(by=request.user)
    return Status(202, {"message": "The code is on its way to the account's address."})


@router.post("/me/deletion", response={202: LeaveOut})
def leave(request: HttpRequest, body: LeaveIn):
    """Delete the account with everything in it, for good: your password, and that you are sure.

    An account without a password (signed in elsewhere) proves itself by a code: `/me/deletion/code`.

    The account is locked at once, its sessions and tokens end with this answer, the purge follows.
    """
    if not body.is_sure:
        message = "Say that you are sure: nothing of it can be brought back."
        raise InvalidInput(message, fields={"is_sure": [message]})
    deletion.request_deletion(by=request.user, password=body.password, code=body.code)
    return Status(202, {"message": "The account is locked; what was yours is being deleted."})
