"""The athlete's own data as JSON: consent, connections, files, activities, days, form.

The very services the pages call, with the same refusals.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now
from ninja import File, Router, Status
from ninja.files import UploadedFile

from coaching.models import DailyMetric
from coaching.queries import athlete as read
from coaching.queries import connections as doors
from coaching.queries.missions import standing_consents
from coaching.schemas.athlete import (
    ActivityOut,
    ConnectionOut,
    ConsentIn,
    ConsentOut,
    DayValueOut,
    EffortIn,
    FormOut,
    KeyIn,
    NumbersIn,
    NumbersOut,
    ProviderName,
    Purpose,
    UploadOut,
    WorkOut,
    activity_out,
    connection_out,
)
from coaching.services import athlete as services
from coaching.services import connections, llm_accounts, mission_days, upload_care
from racecontrol.shared.errors import InvalidInput, NotFound
from racecontrol.shared.paging import MOST, Paged, page_of

router = Router(tags=["athlete data"])
LONGEST_SPAN = 732


# -- consent ---------------------------------------------------------------------------------


@router.get("/athlete/consents", response=list[ConsentOut])
def list_consents(request: HttpRequest):
    """Both purposes and whether you agreed to them in their present wording."""
    standing = standing_consents(request.user)
    return [
        {"purpose": purpose, "is_given": row is not None}
        | ({"given_at": row.given_at, "host": row.host} if row else {})
        for purpose in ("health", "model")
        for row in [standing.get(purpose)]
    ]


@router.put("/athlete/consents/{purpose}", response=list[ConsentOut])
def decide_consent(request: HttpRequest, purpose: Purpose, body: ConsentIn):
    """Agree to a purpose, or take it back: what waits for it then stops at once."""
    if body.is_given:
        host = llm_accounts.host_of(request.user)
        mission_days.give_consent(by=request.user, purposes=[purpose], now=now(), host=host)
    else:
        mission_days.withdraw_consent(by=request.user, purpose=purpose, now=now())
    return list_consents(request)


# -- connections -----------------------------------------------------------------------------


def _door(request: HttpRequest, door: doors.Door) -> dict[str, Any]:
    path = reverse("coaching:connection_start", args=[door.provider.name])
    return connection_out(door, connect_url=request.build_absolute_uri(path))


@router.get("/athlete/connections", response=list[ConnectionOut])
def list_connections(request: HttpRequest):
    """Every service this site knows, connected or not."""
    return [_door(request, door) for door in doors.doors_of(request.user)]


@router.get("/athlete/connections/{provider}", response=ConnectionOut)
def read_connection(request: HttpRequest, provider: ProviderName):
    found = doors.doors_of(request.user)
    return next(_door(request, door) for door in found if door.provider.name == provider)


@router.put("/athlete/connections/intervals/key", response=ConnectionOut)
def connect_with_key(request: HttpRequest, body: KeyIn):
    """Connect intervals.icu with your own key; the other services need your browser."""
    connections.connect_with_key(by=request.user, api_key=body.api_key)
    return read_connection(request, "intervals")


@router.post("/athlete/connections/{provider}/sync", response={202: WorkOut})
def sync_connection(request: HttpRequest, provider: ProviderName):
    """Fetch what is new, in the background."""
    return Status(202, connections.request_sync(by=request.user, provider=provider))


@router.post("/athlete/connections/{provider}/test", response={202: WorkOut})
def check_connection(request: HttpRequest, provider: ProviderName):
    """Ask the service the lightest question; read `last_test` afterwards."""
    return Status(202, connections.request_test(by=request.user, provider=provider))


@router.delete("/athlete/connections/{provider}", response={204: None})
def end_connection(request: HttpRequest, provider: ProviderName, drop: bool = False):
    """Forget the permission and give it back; `drop` also deletes what came with it."""
    connections.disconnect(by=request.user, provider=provider, is_data_dropped=drop)
    return Status(204, None)


# -- files -----------------------------------------------------------------------------------


@router.get("/athlete/uploads", response=Paged[UploadOut])
def list_uploads(request: HttpRequest, limit: int = 50, cursor: str | None = None):
    upload_care.look_after(owner=request.user)
    return page_of(read.upload_rows(request.user), limit=limit, cursor=cursor)


@router.post("/athlete/uploads", response={202: UploadOut})
def bring_file(request: HttpRequest, file: UploadedFile = File(...)):  # noqa: B008 - ninja's way
    """An Apple Health export, or FIT, GPX, TCX (also zipped), as a form's `file`; up to 2 GB."""
    upload_care.look_after(owner=request.user)
    return Status(
        202, services.request_upload(by=request.user, file=file, name=file.name or "file")
    )


def _upload(request: HttpRequest, upload_id: UUID):
    upload_care.look_after(owner=request.user)
    row = read.upload_rows(request.user).filter(pk=upload_id).first()
    if row is None:
        raise NotFound("There is no such upload.")
    return row


@router.get("/athlete/uploads/{uuid:upload_id}", response=UploadOut)
def read_upload(request: HttpRequest, upload_id: UUID):
    return _upload(request, upload_id)


@router.post("/athlete/uploads/{uuid:upload_id}/cancel", response=UploadOut)
def cancel_upload(request: HttpRequest, upload_id: UUID):
    """Stop reading; nothing of the file is kept."""
    services.cancel_upload(by=request.user, upload_id=upload_id)
    return _upload(request, upload_id)


@router.post("/athlete/uploads/{uuid:upload_id}/retry", response={202: UploadOut})
def retry_upload(request: HttpRequest, upload_id: UUID):
    """Read a file again whose reading broke off."""
    return Status(202, upload_care.retry(by=request.user, upload_id=upload_id))


# -- numbers, activities, days, form ---------------------------------------------------------


@router.get("/athlete/numbers", response=NumbersOut)
def read_numbers(request: HttpRequest):
    return read.numbers_of(request.user)


@router.put("/athlete/numbers", response=NumbersOut)
def save_numbers(request: HttpRequest, body: NumbersIn):
    """What turns activities into load; every load is worked out anew."""
    values = body.dict()
    values["source_order"] = list(dict.fromkeys(values["source_order"]))
    return services.save_numbers(by=request.user, values=values)


@router.get("/athlete/activities", response=Paged[ActivityOut])
def list_activities(request: HttpRequest, limit: int = 50, cursor: str | None = None):
    """Every recording with its load, newest first."""
    if not 1 <= limit <= MOST:
        raise InvalidInput(f"limit goes from 1 to {MOST}.", fields={"limit": [f"1 to {MOST}."]})
    begin = 0
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 8):
            raise InvalidInput("This cursor is not one of ours.", fields={"cursor": ["Unknown."]})
        begin = int(cursor)
    found = read.activities_of(request.user)[::-1]
    more = begin + limit < len(found)
    return {
        "items": [activity_out(one) for one in found[begin : begin + limit]],
        "next_cursor": str(begin + limit) if more else None,
    }


@router.put("/athlete/activities/{int:activity_id}/effort", response=ActivityOut)
def rate_effort(request: HttpRequest, activity_id: int, body: EffortIn):
    """How hard it felt, 1 to 10; null takes it back."""
    services.rate_effort(by=request.user, activity_id=activity_id, effort=body.effort)
    one = read.activity_of(request.user, activity_id)
    if one is None:
        raise NotFound("There is no such activity.")
    return activity_out(one)


def _span(request: HttpRequest, since: date | None, until: date | None) -> tuple[date, date]:
    """Both ends, the last six weeks by default. Raises InvalidInput."""
    today = now().astimezone(ZoneInfo(request.user.time_zone)).date()
    until = until or today
    if until > today:
        raise InvalidInput(
            "Nothing is known of days to come.", fields={"until": [f"At most {today}."]}
        )
    since = since or max(until, date(1971, 1, 1)) - timedelta(days=41)
    if not 0 <= (until - since).days < LONGEST_SPAN:
        message = f"At most {LONGEST_SPAN} days, the first one first."
        raise InvalidInput(message, fields={"since": [message]})
    return since, until


@router.get("/athlete/days", response=list[DayValueOut])
def list_days(request: HttpRequest, since: date | None = None, until: date | None = None):
    """Each metric of each day, from the source that speaks for it; six weeks unless told."""
    since, until = _span(request, since, until)
    found = read.daily_values(request.user, since=since, until=until)
    rows: list[DailyMetric] = [row for days in found.values() for row in days.values()]
    return sorted(rows, key=lambda row: (row.on, row.metric))


@router.get("/athlete/form", response=FormOut)
def read_form(request: HttpRequest, since: date | None = None, until: date | None = None):
    """Fitness (CTL), fatigue (ATL) and form (TSB) of each day, over the whole history."""
    since, until = _span(request, since, until)
    form = read.form_of(request.user, until=until)
    days = [
        {"on": day.on, "load": day.load, "ctl": day.ctl, "atl": day.atl, "tsb": day.tsb}
        for day in form.days
        if day.on >= since
    ]
    return {"building": form.building, "days": days}
