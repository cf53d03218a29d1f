"""Strategies: the board, versions beside each other, what if, schedule, print, files."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from racecontrol.shared import audit
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.jobs import Job
from racecontrol.shared.listing import Listing, Value
from racecontrol.shared.spreadsheets import csv_answer
from strategy import access, history, queries
from strategy.forms import StrategyForm, WhatIfForm, take_refusal
from strategy.models import RaceStrategy
from strategy.presentation import (
    COLUMNS,
    as_calendar,
    as_json,
    csv_rows,
    fuel_chart,
    rows_of,
    side_by_side,
    stint_chart,
)
from strategy.rules_in_words import told_numbers
from strategy.services import hosting, plans, refresh, what_if
from strategy.services.standing import standing_of
from strategy.strip import strip_of

TURN_COLUMNS: dict[str, Value] = {
    "starts_at": "starts_at",
    "ends_at": "ends_at",
    "event": "stint.strategy.event.name",
    "team": "stint.strategy.team.name",
    "stint": "stint.number",
    "laps": "stint.laps",
    "driving_ms": "stint.planned_ms",
}


# what is pinned of a stint: driver, stop
PINS = {"hold": (True, True), "pin_driver": (True, False), "pin_stop": (False, True),
        "release": (False, False)}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def new_strategy(request: HttpRequest, event_id: int) -> HttpResponse:
    """Choose car, start and drivers; a first plan follows at once, or the rules in conflict."""
    event = access.event_for(request.user, event_id)
    teams = queries.teams_where(request.user, access.PLANNERS, event=event)
    if not teams:
        access.must_be(event.your_role, access.PLANNERS)
    cars = queries.cars_of([event.host_id, *(team.pk for team in teams)])
    signups = list(queries.signups_of(event).exclude(status="withdrawn"))
    people = [
        (row.user_id, f"{row.user} ({row.assigned_team or row.get_status_display()})")
        for row in signups
    ]
    team = _asked_team(request, teams, signups)
    theirs = {team, None} if team == event.host_id else {team}
    drive_for = [row.user_id for row in signups if team and row.assigned_team_id in theirs]
    form = StrategyForm(
        request.POST or None, initial={"team": team, "drivers": drive_for}, teams=teams, instances=list(event.instances.all()),
        cars=cars, people=people, zone=request.user.time_zone,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            row = plans.create_strategy(
                team_id=int(data["team"]), event_id=event_id, car_id=int(data["car"]),
                instance_id=int(data["instance"]), name=data["name"],
                user_ids=[int(n) for n in data["drivers"]], wishes=form.wishes(), by=request.user,
            )  # fmt: skip
        except RaceError as refusal:
            take_refusal(form, refusal)
        else:
            return redirect("strategy:strategy", row.pk)
    context = {"event": event, "form": form, "has_cars": bool(cars), "has_people": bool(people)}
    return answer(request, page="strategy/strategy_new.html", context=context, ok=not form.errors)


def _asked_team(request: HttpRequest, teams: list, signups: list) -> int | None:
    """The team of ?team=, else the one team that drives, else the host; the plan starts with it."""
    asked = request.GET.get("team", "")
    formed = {row.assigned_team_id for row in signups if row.assigned_team_id}
    mine = [team.pk for team in teams]
    if asked.isdecimal() and int(asked) in mine:
        return int(asked)
    driving = [pk for pk in mine if pk in formed]
    return driving[0] if len(driving) == 1 else None if driving else mine[0] if mine else None


def board_context(request: HttpRequest, row: RaceStrategy, problem: str = "") -> dict:
    """Everything the board and its part show, read anew."""
    is_planner = row.your_role in access.PLANNERS
    stints = list(queries.stints_of(row.current)) if row.current else []
    judged = plans.validate_plan(row) if row.current else None
    versions = list(row.versions.all()[:20])
    job = Job.objects.filter(key=f"optimise:{row.pk}").order_by("-created_at").first()
    drive = [
        {"name": who["name"], "ms": judged.drive_ms[n], "laps": judged.laps[n],
         "source": who["source"], "lap_ms": who["lap_ms"], "spread_ms": who.get("spread_ms"), "user_id": who.get("user_id"),
         "look": row.look_of(n)}
        for n, who in enumerate(row.drivers)
    ] if judged else []  # fmt: skip
    return {
        "row": row, "plan": row.current, "rows": rows_of(row, stints), "judged": judged,
        "chart": stint_chart(row, stints, "Stints by driver", "stints"),
        "fuel": fuel_chart(stints), "versions": versions, "job": job, "drive": drive,
        "standing": standing_of(row), "strip": strip_of(row, stints, judged),
        "numbers": told_numbers(row), "trail": history.told(audit.trail_of(row)[:20]),
        "is_planner": is_planner, "problem": problem, "may_edit": is_planner and not row.is_locked,
        "drivers": list(enumerate(who["name"] for who in row.drivers)),
        "zone": request.user.time_zone,
    }  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def strategy_page(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """The board. Every change by hand is checked at once and is a version of its own."""
    row = access.strategy_for(request.user, strategy_id)
    problem = ""
    if request.method == "POST":
        if request.POST.get("do") == "delete" and (
            asked := ask_first(
                request,
                f"Delete {row.name}?",
                lost="The strategy goes with all its versions. Cars, drivers and sign-ups stay.",
            )
        ):
            return asked
        try:
            _change(request, strategy_id)
        except RaceError as refusal:
            problem = f"{refusal} {_not_done(request)}"
        else:
            if request.POST.get("do") == "delete":
                return redirect("strategy:event", row.event_id)
            if not request.htmx:
                return redirect("strategy:strategy", strategy_id)
        row = access.strategy_for(request.user, strategy_id)
    return answer(
        request, page="strategy/strategy.html", part="strategy/_board.html",
        context=board_context(request, row, problem), ok=not problem,
    )  # fmt: skip


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    try:
        return int(text)
    except ValueError:
        raise InvalidInput("That needs a whole number.", fields={name: ["A number."]}) from None


def _not_done(request: HttpRequest) -> str:
    """What was asked for and refused, so that nobody has to remember it."""
    what, stint = request.POST.get("do", "")[:12], request.POST.get("stint", "")[:6]
    value = request.POST.get("value", "")[:20]
    return f"Not done: {what} stint {stint} {value}".strip() + "." if stint else ""


def _change(request: HttpRequest, strategy_id: int) -> None:
    what, base = request.POST.get("do", ""), _number(request, "base_version")
    common: dict[str, Any] = {"strategy_id": strategy_id, "base_version": base, "by": request.user}
    if what == "use":
        plans.use_version(number=_number(request, "number"), **common)
    elif what in ("lock", "unlock"):
        plans.set_state(is_locked=what == "lock", **common)
    elif what in ("draft", "active", "archived"):
        plans.set_state(status=what, **common)
    elif what == "delete":
        hosting.delete_strategy(strategy_id=strategy_id, by=request.user)
    elif what == "undo":
        plans.undo(**common)
    elif what == "refresh":
        refresh.refresh(**common)
    elif what in PINS:
        driver, stop = PINS[what]
        plans.pin_stint(stint=_number(request, "stint"), driver=driver, stop=stop, **common)
    elif what == "backup":
        seat = _number(request, "value") if request.POST.get("value") else None
        plans.name_backup(stint=_number(request, "stint"), seat=seat, **common)
    else:
        value = request.POST.get("value", "0")[:20]
        plans.edit_stint(
            change=what, stint=_number(request, "stint"), value=value,
            note=request.POST.get("note", ""), **common,
        )  # fmt: skip


@require_POST
def optimise(request: HttpRequest, strategy_id: int) -> HttpResponse:
    access.strategy_for(request.user, strategy_id, access.PLANNERS)
    seconds = _number(request, "seconds")
    even = request.POST.get("even_out") == "on"
    plans.request_optimisation(
        strategy_id=strategy_id, seconds=seconds, even_out=even, by=request.user
    )
    messages.info(request, "The optimiser is at it; what it finds will be a version beside yours.")
    return redirect("strategy:strategy", strategy_id)


@require_GET
def compare(request: HttpRequest, strategy_id: int, number: int) -> HttpResponse:
    """A version beside the current one: what differs, stint by stint."""
    row = access.strategy_for(request.user, strategy_id)
    other = plans.version_of(row, number)
    mine = _stints(row)
    theirs = mine if other == row.current else list(queries.stints_of(other))
    context = {
        "row": row, "plan": row.current, "other": other,
        "pairs": side_by_side(rows_of(row, mine), rows_of(row, theirs)),
        "difference_ms": other.z1_ms - row.current.z1_ms if row.current else None,
        "charts": [stint_chart(row, mine, "Current plan", "mine"),
                   stint_chart(row, theirs, f"Version {number}", "theirs")],
        "is_planner": row.your_role in access.PLANNERS,
    }  # fmt: skip
    return answer(request, page="strategy/compare.html", context=context)


@require_GET
def simulate(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """What if the numbers change, and how plans fare over many races with luck."""
    row = access.strategy_for(request.user, strategy_id)
    asked = "races" in request.GET
    form = WhatIfForm(request.GET if asked else None)
    chosen = [int(n) for n in request.GET.getlist("version")[:4] if n.isdecimal() and len(n) < 8]
    trials = []
    if asked and form.is_valid():
        data = form.cleaned_data
        wet = (
            (data["wet_from"] - 1, data["wet_to"]) if data["wet_from"] and data["wet_to"] else None
        )
        try:
            trials = what_if.simulate(
                strategy_id=strategy_id, numbers=chosen, races=data["races"], by=request.user,
                wet=wet, pace_percent=data["pace_percent"], burn_percent=data["burn_percent"],
                pit_loss_ms=round(data["pit_loss_s"] * 1000),
            )  # fmt: skip
        except RaceError as refusal:
            take_refusal(form, refusal)
    context = {"row": row, "form": form, "trials": trials, "chosen": chosen,
               "laps_at_flag": what_if.laps_at_flag(trials),
               "versions": list(row.versions.all()[:20])}  # fmt: skip
    return answer(request, page="strategy/simulate.html", context=context, ok=not form.errors)


@require_GET
def schedule(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """One's own stints, in one's own time zone."""
    row = access.strategy_for(request.user, strategy_id)
    mine = list(queries.stints_of_driver(row, request.user))
    context = {"row": row, "rows": rows_of(row, mine), "zone": request.user.time_zone}
    return answer(request, page="strategy/schedule.html", context=context)


@require_GET
def my_schedule(request: HttpRequest) -> HttpResponseBase:
    """One's own stints ahead in all active strategies, in one's own time zone."""
    found = Listing(
        request,
        queries.upcoming_stints(request.user, now()),
        name="my-stints",
        columns=TURN_COLUMNS,
        api="/api/v1/stints",
    )
    if found.wants_csv:
        return found.as_csv()
    context = {"found": found, "zone": request.user.time_zone}
    return answer(request, page="strategy/my_schedule.html", context=context)


@require_GET
def my_ics(request: HttpRequest) -> HttpResponse:
    """The same for a calendar; a stint has the UID of its strategy's own calendar file."""
    stints = [turn.stint for turn in queries.upcoming_stints(request.user, now())]
    return _file(
        as_calendar(stints, queries.turn_numbers(stints)),
        "text/calendar; charset=utf-8",
        "my-stints.ics",
    )


@require_GET
def print_sheet(request: HttpRequest, strategy_id: int) -> HttpResponse:
    row = access.strategy_for(request.user, strategy_id)
    return answer(request, page="strategy/print.html", context=board_context(request, row))


def _file(content: str | bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _stints(row: RaceStrategy) -> list:
    return list(queries.stints_of(row.current)) if row.current else []


@require_GET
def plan_csv(request: HttpRequest, strategy_id: int) -> HttpResponse:
    row = access.strategy_for(request.user, strategy_id)
    return csv_answer(f"strategy-{row.pk}", COLUMNS, csv_rows(row, _stints(row)))


@require_GET
def plan_json(request: HttpRequest, strategy_id: int) -> HttpResponse:
    row = access.strategy_for(request.user, strategy_id)
    body = as_json(row, row.current, _stints(row)) if row.current else {}
    response = JsonResponse(body)
    response["Content-Disposition"] = f'attachment; filename="strategy-{row.pk}.json"'
    return response


@require_GET
def plan_ics(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """All stints, with ?mine=1 one's own, with ?driver=7 one driver's, for a calendar."""
    row = access.strategy_for(request.user, strategy_id)
    stints = _stints(row)
    if request.GET.get("mine"):
        stints = [s for s in stints if s.driver_id == request.user.pk]
    if driver := request.GET.get("driver"):
        stints = [s for s in stints if str(s.driver_id) == driver]
    return _file(
        as_calendar(stints, queries.turn_numbers(stints)),
        "text/calendar; charset=utf-8",
        f"strategy-{row.pk}.ics",
    )


@require_POST
def import_plan(request: HttpRequest, strategy_id: int) -> HttpResponse:
    access.strategy_for(request.user, strategy_id, access.PLANNERS)
    try:
        data = json.loads(request.POST.get("plan", ""))
    except ValueError:
        raise InvalidInput("The plan is not JSON.", fields={"plan": ["Not JSON."]}) from None
    base = _number(request, "base_version")
    plans.import_plan(strategy_id=strategy_id, base_version=base, data=data, by=request.user)
    return redirect("strategy:strategy", strategy_id)
