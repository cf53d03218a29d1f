"""A mission's pages: the list, one mission, the calendar, a day, the board."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coaching.domain.missions.facts import from_data
from coaching.forms.missions import EditForm, MissionFilter, ResponseForm, StageForm
from coaching.models import Mission
from coaching.queries import missions as read
from coaching.services import (
    mission_demo,
    mission_results,
    mission_runs,
    missions,
    reasoning_logs,
)
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import NotFound, RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, Value, chosen

FORM_PAGE = ["GET", "HEAD", "POST"]

MISSION_COLUMNS: dict[str, Value] = {
    "mission": "name",
    "event": "event_name",
    "first_day": "event_start",
    "last_day": "event_end",
    "state": "get_state_display",
    "is_demo": "is_demo",
    "id": "pk",
}


def mission_for(request: HttpRequest, mission_id: int) -> Mission:
    """The person's own mission, brought to where the calendar says it is."""
    mission = read.mission_of(request.user, mission_id)
    return missions.settle(mission_id=mission.pk, now=now())


def context_of(mission: Mission, **more: Any) -> dict[str, Any]:
    moment = mission.now(now())
    return {
        "mission": mission,
        "today": mission.today(now()),
        "moment": moment,
        "is_scripted": mission.is_demo,
        **more,
    }


@never_cache
@require_safe
def mission_list(request: HttpRequest) -> HttpResponseBase:
    """All missions of the person, and drafts not finished."""
    form = MissionFilter(request.GET)
    others = Listing(
        request,
        read.missions_of(request.user, **chosen(form)).exclude(state__in=Mission.RUNNING),
        name="missions",
        columns=MISSION_COLUMNS,
        filters=form,
        api="/api/v1/missions",
    )
    if others.wants_csv:
        return others.as_csv()
    return answer(
        request,
        page="coaching/missions/list.html",
        context={
            "running": read.missions_of(request.user).filter(state__in=Mission.RUNNING),
            "found": others,
            "drafts": read.open_drafts(request.user),
            "is_demo_login": mission_demo.is_for(request.user),
        },
        ok=others.is_ok,
    )


@never_cache
@require_safe
def mission(request: HttpRequest, mission_id: int) -> HttpResponse:
    row = mission_for(request, mission_id)
    return answer(
        request,
        page="coaching/missions/mission.html",
        context=context_of(
            row,
            moves=read.moves_of(row),
            guards=missions.guards_of(row) if row.state == "PREP" else None,
            onboarding=read.letter(row, "onboarding"),
            wrapup=read.letter(row, "wrapup"),
            transitions=row.transitions.select_related("by"),
            rules=row.current_rules,
            counts=read.run_words(row),
        ),
    )


@require_POST
def mission_move(request: HttpRequest, mission_id: int) -> HttpResponse:
    """Start, finish or archive; the calendar's own steps follow."""
    row = read.mission_of(request.user, mission_id)
    if asked := _asked_before_move(request, row):
        return asked
    row = missions.change_state(
        mission_id=row.pk, name=request.POST.get("move", ""), by=request.user, now=now(),
        why=request.POST.get("why", ""),
    )  # fmt: skip
    if row.is_running:
        mission_runs.look_after(mission_id=row.pk, now=now())
    messages.success(request, f"{row.name} is now {row.get_state_display()}.")
    return redirect("coaching:mission", row.pk)


def _asked_before_move(request: HttpRequest, row: Mission) -> HttpResponse | None:
    """What ends a mission asks first; starting one does not."""
    move = request.POST.get("move", "")
    lost = "No guidance is written any more; days, points and letters stay to read."
    if move == "finish":
        return ask_first(
            request, f"Finish {row} now?", lost=lost, yes="Finish", undo="It cannot be resumed."
        )
    if move == "archive":
        undo = "Only the operator can take it out of the archive."
        return ask_first(request, f"Archive {row}?", lost=lost, yes="Archive", undo=undo)
    return None


@never_cache
@require_http_methods(FORM_PAGE)
def mission_edit(request: HttpRequest, mission_id: int) -> HttpResponse:
    row = mission_for(request, mission_id)
    groups = read.editable(row)
    form = EditForm(request.POST or None, groups=groups, initial=EditForm.initial_of(row))
    if request.method == "POST" and form.is_valid():
        try:
            missions.edit_mission(
                mission_id=row.pk, by=request.user, data=form.data_for_edit(), now=now(),
                version=form.cleaned_data["version"],
            )  # fmt: skip
        except RaceError as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, "Saved.")
            return redirect("coaching:mission", row.pk)
    return answer(
        request, page="coaching/missions/edit.html", context=context_of(row, form=form, groups=groups),
        ok=not form.errors,
    )  # fmt: skip


# -- history ---------------------------------------------------------------------------------


@never_cache
@require_safe
def mission_calendar(request: HttpRequest, mission_id: int) -> HttpResponse:
    row = mission_for(request, mission_id)
    told = request.GET.get("month", "")
    first = day_named(f"{told}-01") if told else row.today(now()).replace(day=1)
    return answer(
        request,
        page="coaching/missions/calendar.html",
        context=context_of(
            row,
            first=first,
            weeks=read.month(row, first, now()),
            before=_month(first, -1),
            after=_month(first, 1),
        ),
    )


@never_cache
@require_safe
def mission_day(request: HttpRequest, mission_id: int, on: str) -> HttpResponse:
    """One morning as it was: words, facts, answer, and what was sent."""
    return _day(request, mission_for(request, mission_id), day_named(on), "daily")


@never_cache
@require_safe
def mission_letter(request: HttpRequest, mission_id: int, kind: str) -> HttpResponse:
    """The welcome letter or the reflection, and what was sent for it."""
    row = mission_for(request, mission_id)
    run = read.letter(row, kind)
    if run is None or kind not in ("onboarding", "wrapup"):
        raise NotFound("There is no such letter.")
    return _day(request, row, run.local_date, kind)


@never_cache
@require_safe
def mission_reasoning(request: HttpRequest, mission_id: int, on: str, kind: str) -> HttpResponse:
    """The reasoning log of a run as a file."""
    run = read.run_of(request.user, mission_id, day_named(on), kind)
    out = JsonResponse(reasoning_logs.read(run), json_dumps_params={"indent": 2})
    out["Content-Disposition"] = f'attachment; filename="{kind}-{on}.json"'
    return out


def _day(request: HttpRequest, row: Mission, day: date, kind: str) -> HttpResponse:
    run = read.run_of(request.user, row.pk, day, kind)
    response = getattr(run, "response", None)
    return answer(
        request,
        page="coaching/missions/day.html",
        context=context_of(
            row,
            run=run,
            day=day,
            facts=from_data(run.facts or []),
            used=set((run.guidance or {}).get("used_facts", ())),
            response=response,
            exchanges=read.exchanges_of(run),
            revisions=run.revisions.all(),
            notices=run.notices.all(),
            has_log=run.reasoning_logs.exists(),
            response_form=ResponseForm(initial=ResponseForm.initial_of(response)),
        ),
    )


# -- the board -------------------------------------------------------------------------------


@never_cache
@require_http_methods(FORM_PAGE)
def mission_board(request: HttpRequest, mission_id: int) -> HttpResponse:
    """Stages, points and bonuses; a POST enters or corrects a stage."""
    row = mission_for(request, mission_id)
    rules = row.current_rules
    ridden = [stage for stage in rules.plan.stages if stage.on <= row.today(now())]

    def fresh(data: Any = None) -> StageForm:
        return StageForm(data, stages=ridden, modes=rules.schema.modes)

    form = fresh()
    if request.method == "POST":
        form = fresh(request.POST)
        if form.is_valid():
            try:
                mission_results.record_stage(
                    mission_id=row.pk, by=request.user, now=now(), **form.cleaned_data
                )
            except RaceError as refusal:
                form.add_refusal(refusal)
            else:
                if not request.htmx:
                    return redirect(request.path)
                form = fresh()
    return answer(
        request,
        page="coaching/missions/board.html",
        parts={"board": "coaching/missions/_board.html"},
        context=context_of(
            row, score=read.board(row, now()), form=form, schema=rules.schema, rules=rules,
            point_rows=read.point_rows(rules.schema),
            may_enter=bool(ridden) and row.state in ("EVENT_ACTIVE", "MISSION_COMPLETE"),
        ),
        ok=not form.errors,
    )  # fmt: skip


@require_POST
def mission_stage_remove(request: HttpRequest, mission_id: int, number: int) -> HttpResponse:
    row = read.mission_of(request.user, mission_id)
    lost = "The points of the stage go, and any bonus it carried."
    undo = "The result can be entered again while the board is open."
    if asked := ask_first(
        request, f"Take stage {number} back?", lost=lost, yes="Take it back", undo=undo
    ):
        return asked
    mission_results.remove_stage(mission_id=row.pk, number=number, by=request.user, now=now())
    messages.success(request, f"Stage {number} is taken back.")
    return redirect("coaching:mission_board", row.pk)


def day_named(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise NotFound("There is no such day.") from None
    if not 2000 <= found.year <= 2200:
        raise NotFound("There is no such day.")
    return found


def _month(first: date, step: int) -> str:
    year, month = divmod(first.year * 12 + first.month - 1 + step, 12)
    return f"{year:04}-{month + 1:02}"
