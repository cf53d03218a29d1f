"""Bump-ups: read by anybody signed in, corrected by staff and event editors."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from ingestion import access
from ingestion.models import BumpUp, Event
from ingestion.queries import bumpup_stats
from ingestion.queries import bumpups as queries
from ingestion.schemas.bumpups import BumpUpOut, ByHandIn, DecisionIn, StatisticsOut
from ingestion.services import bumpups as services
from racecontrol.shared.errors import InvalidInput, NotFound
from racecontrol.shared.paging import Paged, page_of

router = Router(tags=["bump-ups"])

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Text = Annotated[str, Field(max_length=200)]


def statuses_of(status: str) -> list[str]:
    """'detected,confirmed' -> the two; raises InvalidInput for a word that is none."""
    wanted = [word.strip() for word in status.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in BumpUp.Status.values]
    if unknown:
        known = ", ".join(BumpUp.Status.values)
        raise InvalidInput(
            f"There is no status {unknown[0]!r}.", fields={"status": [f"Use {known}."]}
        )
    return wanted


@router.get("/events/{event_id}/bump-ups", response=Paged[BumpUpOut])
def read_event_bump_ups(
    request: HttpRequest, event_id: Id, status: str = "", limit: int = 100, cursor: str = ""
) -> Any:
    """Every move of an event, also those to be looked at; `status` takes one or several, by comma."""
    if not Event.objects.filter(pk=event_id).exists():
        raise NotFound("There is no such event.")
    rows = queries.bump_ups().filter(event_id=event_id)
    if wanted := statuses_of(status):
        rows = rows.filter(status__in=wanted)
    return page_of(rows, limit=limit, cursor=cursor, order=("pk",))


@router.post("/events/{event_id}/bump-ups", response={201: BumpUpOut})
def add_bump_up(request: HttpRequest, event_id: Id, body: ByHandIn) -> Any:
    """A move the results do not show, added by hand. Audited."""
    access.need_correct(request.user)
    row = services.add_by_hand(event_id=event_id, by=request.user, **body.dict())
    return Status(201, queries.bump_ups().get(pk=row.pk))


@router.get("/bump-ups", response=Paged[BumpUpOut])
def search_bump_ups(
    request: HttpRequest,
    driver: Id | None = None,
    track: Text = "",
    class_name: Annotated[str, Query(alias="class", max_length=200)] = "",
    from_day: Annotated[date | None, Query(alias="from")] = None,
    to_day: Annotated[date | None, Query(alias="to")] = None,
    status: Text = "",
    limit: int = 50,
    cursor: str = "",
) -> Any:
    """Moves by driver id, track slug, class in any spelling, days of the event, status; newest first."""
    rows = queries.bump_ups_like(
        driver_id=driver,
        track=track,
        class_name=class_name,
        from_day=from_day,
        to_day=to_day,
        statuses=statuses_of(status),
    )
    return page_of(rows, limit=limit, cursor=cursor, order=("-pk",))


@router.get("/bump-ups/statistics", response=StatisticsOut)
def read_statistics(
    request: HttpRequest,
    driver: Id | None = None,
    track: Text = "",
    class_name: Annotated[str, Query(alias="class", max_length=200)] = "",
    season: Annotated[int | None, Query(ge=1970, le=9999)] = None,
) -> Any:
    """How many move up per format, how they fare against direct qualifiers, who bumps often."""
    rows = queries.bump_ups_like(
        driver_id=driver, track=track, class_name=class_name, season=season
    )
    return {
        "overall": bumpup_stats.fares(rows),
        "by_class": bumpup_stats.fares(rows, "class"),
        "by_track": bumpup_stats.fares(rows, "track"),
        "by_season": bumpup_stats.fares(rows, "season"),
        "formats": bumpup_stats.formats(rows),
        "frequent": bumpup_stats.frequent(rows),
    }


@router.get("/bump-ups/{bump_up_id}", response=BumpUpOut)
def read_bump_up(request: HttpRequest, bump_up_id: Id) -> Any:
    row = queries.bump_ups().filter(pk=bump_up_id).first()
    if row is None:
        raise NotFound("There is no such bump-up.")
    return row


@router.patch("/bump-ups/{bump_up_id}", response=BumpUpOut)
def correct_bump_up(request: HttpRequest, bump_up_id: Id, body: DecisionIn) -> Any:
    """Confirm, reject, or hand back to detection. Detection never overrides what was decided."""
    access.need_correct(request.user)
    row = services.decide(
        bump_up_id=bump_up_id, status=body.status, note=body.note, by=request.user
    )
    return queries.bump_ups().filter(pk=bump_up_id).first() or row
