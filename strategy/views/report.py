"""After the race: the report, its files, and a team across its races."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from racecontrol.shared.errors import InvalidInput, NotFound
from racecontrol.shared.htmx import answer
from racecontrol.shared.jobs import Job
from racecontrol.shared.listing import Listing, Value, WordsFilter
from racecontrol.shared.spreadsheets import csv_answer
from strategy import access
from strategy.models import RaceReport
from strategy.queries import analytics
from strategy.queries.live import run_with_all
from strategy.report_presentation import (
    TABLES,
    context_of,
    csv_rows,
    driver_trends,
    label_of,
    percent,
    trend_charts,
)
from strategy.services import analytics as services

TREND_COLUMNS: dict[str, Value] = {
    "race": "run.strategy.event.name",
    "green_at": "run.green_at",
    "laps": "laps",
    "equality": "driver_equality",
    "pit_efficiency": "pit_efficiency",
    "consistency_ms": "pace_consistency_ms",
    "adherence": "strategy_adherence",
    "lost_ms": "loss_ms",
    "burn_ml_per_lap": "burn_ml",
}


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """What the race came to; a POST measures it (again)."""
    row = access.strategy_for(request.user, strategy_id)
    if request.method == "POST":
        services.request_report(strategy_id=strategy_id, by=request.user)
        return redirect("strategy:report", strategy_id)
    run, found = run_with_all(strategy_id), analytics.report_of(strategy_id)
    context = {
        "row": row, "run": run, "report": found, "tables": TABLES, "zone": request.user.time_zone,
        "is_planner": row.your_role in access.PLANNERS,
        "is_outdated": bool(found and run and found.log_seen != analytics.log_seen(run)),
        "job": Job.objects.filter(key=f"report:{run.pk}").order_by("-created_at").first()
        if run else None,
    }  # fmt: skip
    if found is not None:
        context |= context_of(found)
    return answer(request, page="strategy/report.html", context=context)


def _report(request: HttpRequest, strategy_id: int) -> RaceReport:
    access.strategy_for(request.user, strategy_id)
    found = analytics.report_of(strategy_id)
    if found is None:
        raise NotFound("This race has no report yet.")
    return found


@require_GET
def report_csv(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """One table of the report: ?table=stints (else drivers, stops, decisions)."""
    found = _report(request, strategy_id)
    table = request.GET.get("table", TABLES[0])
    if table not in TABLES:
        raise InvalidInput("There is no such table.", fields={"table": [", ".join(TABLES)]})
    return csv_answer(f"race-{strategy_id}-{table}", *csv_rows(found.body, table))


@require_GET
def report_json(request: HttpRequest, strategy_id: int) -> HttpResponse:
    response = JsonResponse(_report(request, strategy_id).body)
    response["Content-Disposition"] = f'attachment; filename="race-{strategy_id}.json"'
    return response


@require_POST
def take_burn(request: HttpRequest, strategy_id: int) -> HttpResponse:
    car = services.take_burn(strategy_id=strategy_id, by=request.user)
    messages.success(request, f"{car} now burns {car.burn_ml / 1000:.2f} L a lap in plans.")
    return redirect("strategy:report", strategy_id)


@require_GET
def trends(request: HttpRequest, team_id: int) -> HttpResponseBase:
    team = access.team_for(request.user, team_id)
    found = Listing(
        request,
        list(analytics.reports_of(team, words=request.GET.get("q", "")[:100])),
        name="races",
        columns=TREND_COLUMNS,
        filters=WordsFilter(request.GET),
        api=f"/api/v1/teams/{team.pk}/race-results",
        per_page=analytics.REPORTS_SHOWN,
    )
    if found.wants_csv:
        return found.as_csv()
    reports = list(found.rows)
    people = driver_trends(reports)
    context = {
        "team": team, "reports": reports, "found": found, "charts": trend_charts(reports) if reports else [],
        "people": [who | {"share_text": percent(who["share"])} for who in people],
        "races": [
            {"report": one, "label": label_of(one), "equality": percent(one.driver_equality),
             "efficiency": percent(one.pit_efficiency),
             "adherence": percent(one.strategy_adherence)}
            for one in reports
        ],
    }  # fmt: skip
    return answer(request, page="strategy/trends.html", context=context, ok=found.is_ok)
