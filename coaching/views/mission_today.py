"""A mission's today: the guidance, the check-in, the answer to it, and a demonstration's clock."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from coaching.domain.missions.facts import from_data
from coaching.domain.missions.profile import SAFETY_NOTICE, has_red_flag
from coaching.forms.missions import CheckInForm, ResponseForm
from coaching.models import Mission
from coaching.queries import missions as read
from coaching.queries.mission_facts import morning_of
from coaching.services import mission_days, mission_demo, mission_runs
from coaching.views.missions import context_of, day_named, mission_for
from racecontrol.shared.errors import RaceError
from racecontrol.shared.htmx import answer

TODAY_PARTS = {
    "guidance": "coaching/missions/_guidance.html",
    "check-in": "coaching/missions/_check_in.html",
}


def _today(
    request: HttpRequest, row: Mission, *, check_in_form: Any = None, response_form: Any = None
) -> HttpResponse:
    day = row.today(now())
    run = read.todays_run(row, now())
    said = read.check_in_of(request.user, day)
    facts = (
        from_data(run.facts)
        if run and run.facts
        else morning_of(row, now=row.now(now())).day.facts
        if row.is_running
        else ()
    )
    response = getattr(run, "response", None) if run else None
    initial = {**(said.values if said else {}), "note": said.note if said else ""}
    forms_ = {
        "check_in_form": check_in_form or CheckInForm(initial=initial),
        "response_form": response_form or ResponseForm(initial=ResponseForm.initial_of(response)),
    }
    used = set((run.guidance or {}).get("used_facts", ())) if run else set()
    errors = any(form.errors for form in forms_.values())
    return answer(
        request,
        page="coaching/missions/today.html",
        parts=TODAY_PARTS,
        context=context_of(
            row, run=run, day=day, facts=facts, used=used, response=response, check_in=said,
            red_flag=SAFETY_NOTICE if said and has_red_flag(said.note) else "",
            has_consent=row.is_demo or read.has_consent(request.user), **forms_,
        ),
        ok=not errors,
    )  # fmt: skip


@never_cache
@require_safe
def mission_today(request: HttpRequest, mission_id: int) -> HttpResponse:
    """What to do today, and why."""
    return _today(request, mission_for(request, mission_id))


@never_cache
@require_POST
def mission_check_in(request: HttpRequest, mission_id: int) -> HttpResponse:
    row = mission_for(request, mission_id)
    form = CheckInForm(request.POST)
    if form.is_valid():
        try:
            mission_days.check_in(
                by=request.user, data=form.values(), note=form.cleaned_data["note"], now=now(),
                mission=row,
            )  # fmt: skip
        except RaceError as refusal:
            form.add_refusal(refusal)
        else:
            if not request.htmx:
                return redirect("coaching:mission_today", row.pk)
            return _today(request, row)
    return _today(request, row, check_in_form=form)


@never_cache
@require_POST
def mission_answer(request: HttpRequest, mission_id: int) -> HttpResponse:
    """Done, adjusted or skipped; for today, or for an earlier day named by `on`."""
    row = mission_for(request, mission_id)
    day = day_named(request.POST.get("on") or row.today(now()).isoformat())
    form = ResponseForm(request.POST)
    if form.is_valid():
        try:
            mission_days.respond(
                by=request.user, mission_id=row.pk, local_date=day, now=now(), **form.cleaned_data
            )
        except RaceError as refusal:
            form.add_refusal(refusal)
        else:
            if request.htmx and day == row.today(now()):
                return _today(request, row)
            if day != row.today(now()):
                return redirect("coaching:mission_day", row.pk, day.isoformat())
            return redirect("coaching:mission_today", row.pk)
    return _today(request, row, response_form=form)


@require_POST
def mission_run_now(request: HttpRequest, mission_id: int) -> HttpResponse:
    """Today's guidance at once, or once more."""
    row = read.mission_of(request.user, mission_id)
    mission_runs.run_now(
        mission_id=row.pk, by=request.user, now=now(), is_mail_wanted="mail" in request.POST
    )
    return redirect("coaching:mission_today", row.pk)


@require_POST
def mission_clock(request: HttpRequest, mission_id: int) -> HttpResponse:
    """Step a demonstration's clock."""
    row = read.mission_of(request.user, mission_id)
    mission_demo.step_clock(
        mission_id=row.pk, by=request.user, to=request.POST.get("to", "morning")
    )
    return redirect("coaching:mission_today", row.pk)
