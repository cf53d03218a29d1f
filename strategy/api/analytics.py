"""/api/v1: the report of a race, measuring it, and a team across its races."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from racecontrol.shared.errors import NotFound
from racecontrol.shared.paging import Paged, page_of
from strategy import access
from strategy.models import RaceReport
from strategy.queries import analytics as reads
from strategy.schemas import QueuedJobOut
from strategy.schemas import analytics as s
from strategy.services import analytics

router = Router(tags=["race reports"])
Limit = Query(50, ge=1, le=200)


def result_out(report: RaceReport) -> dict[str, Any]:
    run = report.run
    own = {"strategy_id", "event", "green_at", "drivers"}
    return {n: getattr(report, n) for n in s.RaceResultOut.model_fields if n not in own} | {
        "strategy_id": run.strategy_id,
        "event": str(run.strategy.event),
        "green_at": run.green_at,
        "drivers": list(report.drivers.all()),
    }


@router.get("/strategies/{int:strategy_id}/report", response=s.RaceReportOut)
def read_report(request: HttpRequest, strategy_id: int):
    """All measures of a race that is over; 404 until it was measured."""
    access.strategy_for(request.user, strategy_id)
    report = reads.report_of(strategy_id)
    if report is None:
        raise NotFound("This race has no report yet.")
    return {
        "strategy_id": strategy_id, "event": str(report.run.strategy.event),
        "computed_at": report.computed_at, "report": report.body,
        "is_outdated": not analytics.is_fresh(report),
    }  # fmt: skip


@router.post("/strategies/{int:strategy_id}/report", response={202: QueuedJobOut})
def measure_race(request: HttpRequest, strategy_id: int):
    """Measure it (again); by itself that happens at the flag and after each correction."""
    job = analytics.request_report(strategy_id=strategy_id, by=request.user)
    return Status(202, {"job_id": job.pk})


@router.get("/teams/{int:team_id}/race-results", response=Paged[s.RaceResultOut])
def list_results(request: HttpRequest, team_id: int, limit: int = Limit, cursor: str | None = None):
    """The team's measured races, the latest first; training races are left out."""
    team = access.team_for(request.user, team_id)
    page = page_of(reads.reports_of(team), limit=limit, cursor=cursor, order=("-run_id", "-pk"))
    return page | {"items": [result_out(report) for report in page["items"]]}
