"""Events: make one, sign up with hours on a grid, form teams."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, Value, WordsFilter, chosen
from racecontrol.shared.zones import set_zone
from strategy import access, queries
from strategy.domain.regulations import PRESETS
from strategy.forms import EventForm, SignupForm, StrategyFilter, take_refusal
from strategy.forms.rules import TITLES, RuleSheet
from strategy.models import RaceStrategy, StrategyEvent, Team
from strategy.queries.analytics import measured_pace
from strategy.rules_in_words import told_rules
from strategy.services import drivers, events, hosting

Status = RaceStrategy.Status
STRATEGY_COLUMNS: dict[str, Value] = {
    "strategy": "name",
    "event": "event.name",
    "team": "team.name",
    "state": "get_status_display",
    "is_locked": "is_locked",
    "race_time_ms": "current.z1_ms",
    "broken_rules": "current.broken_rules",
    "is_proven": "current.is_proven",
    "made_at": "created_at",
    "id": "pk",
}
EVENT_COLUMNS: dict[str, Value] = {
    "event": "name",
    "host": "host.name",
    "track": "track",
    "duration_ms": "duration_ms",
    "first_start_at": lambda event: min(
        (one.starts_at for one in event.instances.all()), default=None
    ),
    "time_zone": "time_zone",
    "id": "pk",
}
SIGNUP_COLUMNS: dict[str, Value] = {
    "person": lambda row: str(row.user),
    "state": "get_status_display",
    "team": "assigned_team.name",
    "dry_lap_ms": "lap_ms",
    "name_in_timing": "timing_driver.name",
    "rating": "skill",
    "category": "category",
    "may_spot": "may_spot",
    "may_strategize": "may_strategize",
    "signed_up_at": "created_at",
}
SIGNUPS_SHOWN = 100


def home(request: HttpRequest) -> HttpResponseBase:
    """Strategies and events one has to do with."""
    filters = StrategyFilter(request.GET)
    values = chosen(filters)
    words = values.get("q", "")
    rows = queries.strategies_for(request.user, words=words)
    status = values.get("status")
    rows = rows.filter(status=status) if status else rows.exclude(status=Status.ARCHIVED)
    strategies = Listing(
        request,
        rows,
        name="strategies",
        columns=STRATEGY_COLUMNS,
        filters=filters,
        api="/api/v1/strategies",
    )
    events = Listing(
        request,
        queries.events_for(request.user, words=words).prefetch_related("instances"),
        name="events",
        columns=EVENT_COLUMNS,
        filters=filters,
        api="/api/v1/strategy-events",
        cursor="events-cursor",
    )
    for found in (strategies, events):
        if found.wants_csv:
            return found.as_csv()
    context = {
        "strategies": strategies,
        "events": events,
        "has_team": queries.teams_of(request.user).exists(),
    }
    return answer(request, page="strategy/home.html", context=context, ok=strategies.is_ok)


def _likely_host(teams: list[Team]) -> int | None:
    """The team that has a car: those formed for one event have none of their own."""
    cars = queries.cars_of(team.pk for team in teams)
    return cars[0].team_id if cars else None


@require_http_methods(["GET", "HEAD", "POST"])
def new_event(request: HttpRequest) -> HttpResponse:
    teams = queries.teams_where(request.user, access.PLANNERS)
    form = EventForm(request.POST or None, teams=teams, zone=request.user.time_zone,
                     initial={"team": request.GET.get("team") or _likely_host(teams)})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            event = events.create_event(
                team_id=int(data["team"]), by=request.user,
                **{n: data[n] for n in ("name", "track", "hours", "lap_ms", "time_zone",
                                        "starts_at", "preset")},
            )  # fmt: skip
        except RaceError as refusal:
            take_refusal(form, refusal)
        else:
            return redirect("strategy:event", event.pk)
    context = {"form": form, "teams": teams}
    return answer(request, page="strategy/event_new.html", context=context, ok=not form.errors)


def event_page(request: HttpRequest, event_id: int) -> HttpResponseBase:
    """The event, its rules, who signed up, its strategies."""
    event = access.event_for(request.user, event_id)
    role = event.your_role
    mine = queries.signup_of(event, request.user)
    strategies = queries.strategies_for(request.user).filter(event=event)
    rows = queries.signups_of(event, words=request.GET.get("q", "")[:100])
    signups = Listing(
        request,
        rows if role else rows.none(),
        name="sign-ups",
        columns=SIGNUP_COLUMNS,
        order=("created_at", "pk"),
        filters=WordsFilter(request.GET),
        api=f"/api/v1/strategy-events/{event.pk}/participations",
        per_page=SIGNUPS_SHOWN,
    )
    if signups.wants_csv:
        return signups.as_csv()
    context = {
        "event": event, "instances": event.instances.all(), "mine": mine, "link": _link(request, event),
        "is_planner": role in access.PLANNERS,
        "signups": signups, "signup_count": event.signups.count() if role else 0,
        "strategies": strategies, "formations": event.formations.all()[:10] if role else [],
        "rules": told_rules(event), "teams": queries.teams_in(event),
        "zone": request.user.time_zone,
    }  # fmt: skip
    return answer(request, page="strategy/event.html", context=context, ok=signups.is_ok)


def _link(request: HttpRequest, event: StrategyEvent) -> str:
    if event.signup_token is None:
        return ""
    return request.build_absolute_uri(reverse("strategy:signup-link", args=[event.signup_token]))


@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, event_id: int) -> HttpResponse:
    """The rules and the weather as forms; as JSON for those who have them as a file."""
    event = access.event_for(request.user, event_id, access.PLANNERS)
    preset = PRESETS.get(request.GET.get("preset", ""))
    names = [str(row.user) for row in queries.signups_of(event)]
    is_json = "regulations" in request.POST
    sheet = RuleSheet(
        names=names, regulations=event.regulations if preset is None else preset,
        conditions=event.conditions,
        data=request.POST if request.method == "POST" and not is_json else None,
    )  # fmt: skip
    problem = ""
    if is_json or (request.method == "POST" and sheet.is_valid()):
        try:
            typed = _typed_json(request) if is_json else (sheet.regulations(), sheet.conditions())
            events.save_rules(
                event_id=event_id, regulations=typed[0], conditions=typed[1], by=request.user
            )
        except RaceError as refusal:
            if is_json:
                problem = str(refusal)
            else:
                refusal.fields = {
                    name.removeprefix("regulations."): texts
                    for name, texts in refusal.fields.items()
                }
                take_refusal(sheet.form, refusal)
        else:
            messages.success(
                request, "The rules are saved. Strategies made before take them over at a press of "
                "“Read numbers anew” on their board."
            )  # fmt: skip
            return redirect("strategy:event", event_id)
    context = {
        "event": event, "sheet": sheet, "problem": problem, "presets": PRESETS,
        "tables": [(name, TITLES[name], table) for name, table in sheet.tables.items()],
        "rules": json.dumps(event.regulations, indent=1), "spans": json.dumps(event.conditions),
    }  # fmt: skip
    ok = request.method != "POST"
    return answer(request, page="strategy/rules.html", context=context, ok=ok)


def _typed_json(request: HttpRequest) -> tuple:
    try:
        return (json.loads(request.POST.get("regulations") or "{}"),
                json.loads(request.POST.get("conditions") or "[]"))  # fmt: skip
    except ValueError:
        raise InvalidInput(
            "Rules and weather are written as JSON.", fields={"regulations": ["Not JSON."]}
        ) from None


def grid_of(event, signup, zone: str) -> list[dict]:
    """The half hours of the event by local day: each cell is one moment, whatever clocks do."""
    windows = [(w.starts_at, w.ends_at) for w in signup.windows.all()] if signup else []
    days: dict[str, list[dict]] = {}
    for moment in events.slots_of(event):
        local = moment.astimezone(ZoneInfo(zone))
        cell = {
            "value": int(moment.timestamp()),
            "text": local.strftime("%H:%M"),
            "zone": local.strftime("%Z"),
            "is_free": any(a <= moment and moment + events.SLOT <= b for a, b in windows),
        }
        days.setdefault(local.strftime("%a %d %b"), []).append(cell)
    return [{"day": day, "cells": cells} for day, cells in days.items()]


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, event_id: int) -> HttpResponse:
    """Paint the hours you can drive, in your own time zone; plain checkboxes without JavaScript."""
    return _sign_up(request, access.event_for(request.user, event_id))


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up_by_link(request: HttpRequest, token: UUID) -> HttpResponse:
    """The same page for whoever holds the event's link."""
    return _sign_up(request, access.event_by_link(token), token)


def _sign_up(request: HttpRequest, event: StrategyEvent, token: UUID | None = None) -> HttpResponse:
    if "time_zone" in request.POST:
        set_zone(user=request.user, name=request.POST["time_zone"])
        return redirect(request.get_full_path())
    signup = queries.signup_of(event, request.user)
    cars = list(event.host.cars.all())
    initial = {"base_version": signup.version if signup else None}
    if signup:
        initial |= {
            "lap_ms": signup.lap_ms / 1000 if signup.lap_ms else None,
            "wet_lap_ms": signup.wet_lap_ms / 1000 if signup.wet_lap_ms else None,
            "skill": signup.skill, "preferred_car": signup.preferred_car_id,
            "may_spot": signup.may_spot, "may_strategize": signup.may_strategize,
            "notes": signup.notes, "category": signup.category,
            "no_night": signup.no_night, "no_wet": signup.no_wet,
            "timing_driver": f"#{signup.timing_driver_id}" if signup.timing_driver_id else "",
        }  # fmt: skip
    raced = measured_pace(request.user, event.track)
    if raced is not None and not (initial.get("lap_ms") or initial.get("wet_lap_ms")):
        initial |= {"lap_ms": raced.dry_ms / 1000 if raced.dry_ms else None,
                    "wet_lap_ms": raced.wet_ms / 1000 if raced.wet_ms else None}  # fmt: skip
    else:
        raced = None
    form = SignupForm(request.POST or None, cars=cars, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            events.sign_up(
                event_id=event.pk, token=token, by=request.user, windows=_painted(request),
                preferred_car_id=int(data["preferred_car"]) if data["preferred_car"] else None,
                skill=data["skill"] or 0,
                **{n: data[n] for n in ("lap_ms", "wet_lap_ms", "may_spot", "may_strategize",
                                        "notes", "base_version", "category", "no_night", "no_wet",
                                        "timing_driver")},
            )  # fmt: skip
        except RaceError as refusal:
            take_refusal(form, refusal)
        else:
            messages.success(request, "You are signed up. Change it here until the sign-up closes.")
            return redirect("strategy:event", event.pk)
    context = {
        "zones": sorted(available_timezones()),
        "pace": drivers.pace_of(signup) if signup else None,
        "filled_in": raced.source if raced else "",
        "event": event, "form": form, "grid": grid_of(event, signup, request.user.time_zone),
        "zone": request.user.time_zone,
    }  # fmt: skip
    return answer(request, page="strategy/signup.html", context=context, ok=not form.errors)


def _painted(request: HttpRequest) -> list[tuple[datetime, datetime]]:
    moments = []
    for text in request.POST.getlist("slot")[:2000]:
        if not text.isdecimal() or len(text) > 11:
            raise InvalidInput(
                "That half hour is not on the grid.", fields={"windows": ["Unknown."]}
            )
        moments.append(datetime.fromtimestamp(int(text), tz=UTC))
    return [(moment, moment + timedelta(minutes=30)) for moment in moments]


@require_POST
def move_signup(request: HttpRequest, signup_id: int) -> HttpResponse:
    """Another state, or with `team` into a team by hand."""
    team = request.POST.get("team", "")
    if team:
        number = int(team) if team.isdecimal() and len(team) < 18 else 0
        row = hosting.assign(signup_id=signup_id, team_id=number, by=request.user)
    else:
        if request.POST.get("status") == "withdrawn":
            row = access.signup_for(request.user, signup_id)
            lost = f"{row.user} is no longer counted in at {row.event}; the hours stay as they were told."
            undo = "Signing up again is possible while the sign-up is open."
            if asked := ask_first(
                request, "Withdraw this sign-up?", lost=lost, yes="Withdraw", undo=undo
            ):
                return asked
        row = events.move(signup_id=signup_id, to=request.POST.get("status", ""), by=request.user)
    return redirect("strategy:event", row.event_id)


@require_POST
def set_link(request: HttpRequest, event_id: int) -> HttpResponse:
    is_on = request.POST.get("is_on") == "yes"
    event = access.event_for(request.user, event_id, access.PLANNERS)
    if event.signup_token is not None:
        lost = "The link you gave out stops to work. Who signed up by it stays signed up."
        title = "Make another link?" if is_on else "Withdraw the link?"
        if asked := ask_first(request, title, lost=lost, yes="Go on"):
            return asked
    hosting.set_link(event_id=event_id, is_on=is_on, by=request.user)
    return redirect("strategy:event", event_id)


@require_POST
def set_signup_open(request: HttpRequest, event_id: int) -> HttpResponse:
    is_open = request.POST.get("is_open") == "yes"
    hosting.change_event(event_id=event_id, is_signup_open=is_open, by=request.user)
    return redirect("strategy:event", event_id)
