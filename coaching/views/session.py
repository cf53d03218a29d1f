"""The session page: laps in, scores out, changes, and the audit that closes it.

Each part is swapped on its own; every form works without JavaScript, by a redirect.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from coaching.domain import xfactor
from coaching.domain.laps import FLAGS, RawLap, read_lap_ms
from coaching.domain.scenario import scenario_for
from coaching.forms.garage import CONFIDENCE, ChangeForm, FileForm, HeatForm, LapForm, PasteForm
from coaching.models import Heat, Session
from coaching.queries import garage as queries
from coaching.services import changes, garage, laps
from coaching.views.run_panel import run_panel
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, RaceError
from racecontrol.shared.htmx import answer

MOST_MENDED = 400  # a form in each row of a longer heat would make a page of megabytes
PARTS = {
    "heat-panel": "coaching/garage/_heat.html",
    "changes": "coaching/garage/_changes.html",
    "audit": "coaching/garage/_audit.html",
}


@require_safe
def session(request: HttpRequest, session_id: int) -> HttpResponse:
    """The session with one of its heats open (`?heat=`; `?new=1` opens an empty one)."""
    row = queries.session_for(request.user, session_id)
    heat = None
    if not request.GET.get("new"):
        heat = _heat(row, request.GET.get("heat", ""))
    return show(request, row, heat)


def show(
    request: HttpRequest, session: Session, heat: Heat | None, *, ok: bool = True, **forms_
) -> HttpResponse:
    """The page, or the part HX-Target names, as it stands in the database now."""
    context = session_context(session, heat) | forms_
    return answer(
        request,
        page="coaching/garage/session.html",
        part="coaching/garage/_heat.html",
        parts=PARTS,
        context=context,
        ok=ok,
    )


def session_context(session: Session, heat: Heat | None) -> dict[str, Any]:
    scenario = scenario_for(
        practice_rounds=session.practice_rounds, qualifying_rounds=session.qualifying_rounds
    )
    panel = None
    if heat is not None:
        rows = list(heat.laps.order_by("lap_number"))
        rated = [row.confidence for row in rows if row.confidence is not None]
        panel = run_panel(
            [(row.lap_number, row.lap_ms, row.flag) for row in rows],
            title=heat.name,
            kind=heat.kind,
            experience=session.profile.experience_level,
            confidence=rated[-1] if rated else None,
            scenario=scenario,
            basis=heat.stats_basis,
            published_consistency=heat.published_consistency,
            rows=rows,
        )
    scores = {row.formula: row for row in session.scores.filter(heat=None)}
    overall, _ = queries.summary_of(session)
    open_audit = session.audits.exclude(state__in=xfactor.LAST).first()
    return {
        "session": session,
        "heats": list(queries.heats_of(session)),
        "heat": heat,
        "panel": panel,
        "may_mend": not session.is_closed and panel is not None and len(panel.laps) <= MOST_MENDED,
        "summary": overall,
        "best_clean_ms": queries.best_clean_ms(session),
        "session_score": scores.get("v2"),
        "session_score_v1": scores.get("v1"),
        "scenario": scenario,
        "setup_changes": list(session.changes.all()),
        "audit": open_audit,
        "past_audits": list(session.audits.filter(state="complete").select_related("change")),
        "symptoms": xfactor.SYMPTOMS,
        "gains": xfactor.GAINS,
        "flags": FLAGS,
        "confidences": CONFIDENCE[1:],
        "lap_form": LapForm(auto_id="lap_%s"),
        "paste_form": PasteForm(auto_id="paste_%s"),
        "heat_form": HeatForm(auto_id="heat_%s", initial={"name": _next_name(session)}),
        "file_form": FileForm(auto_id="file_%s"),
        "change_form": ChangeForm(auto_id="change_%s"),
        "audit_fault": "",
        "change_fault": "",
        "change_asked": None,
    }


@require_POST
def add_lap(request: HttpRequest, session_id: int) -> HttpResponse:
    """One lap: type, Enter, the next."""
    row = queries.session_for(request.user, session_id)
    heat_name = request.POST.get("heat_name", "")
    form = LapForm(request.POST, auto_id="lap_%s")
    heat = row.heats.filter(name=heat_name).first()
    if form.is_valid():
        told = form.cleaned_data
        try:
            lap = laps.add_lap(
                session_id=row.pk,
                by=request.user,
                heat_name=heat_name,
                kind=request.POST.get("kind", ""),
                lap=RawLap(told["lap_time"], None, told["confidence"], told["flag"]),
            )
        except RaceError as refusal:
            form.add_error(None, str(refusal))
        else:
            return _done(request, row, lap.heat)
    return show(request, row, heat, ok=False, lap_form=form, **_wanted(request))


@require_POST
def paste_laps(request: HttpRequest, session_id: int) -> HttpResponse:
    """A column of times, all or nothing."""
    row = queries.session_for(request.user, session_id)
    heat_name = request.POST.get("heat_name", "")
    form = PasteForm(request.POST, auto_id="paste_%s")
    if form.is_valid():
        typed = form.cleaned_data["times"]
        rows = [RawLap(lap.ms / 1000, None, None, lap.flag) for lap in typed]
        rows[-1] = RawLap(
            typed[-1].ms / 1000, None, form.cleaned_data["confidence"], typed[-1].flag
        )
        try:
            laps.add_laps(
                session_id=row.pk,
                by=request.user,
                heat_name=heat_name,
                laps=rows,
                kind=request.POST.get("kind", ""),
            )
        except RaceError as refusal:
            form.add_error(None, str(refusal))
        else:
            return _done(request, row, row.heats.get(name=" ".join(heat_name.split())))
    heat = row.heats.filter(name=heat_name).first()
    return show(request, row, heat, ok=False, paste_form=form, **_wanted(request))


@require_POST
def change_lap(request: HttpRequest, session_id: int, lap_id: int) -> HttpResponse:
    """Flag a lap, or delete it (flag "delete")."""
    row = queries.session_for(request.user, session_id)
    heat = row.heats.filter(laps__pk=lap_id).first()
    if request.POST.get("flag") == "delete":
        lost = "The others of its heat keep their numbers; scores are computed again."
        if asked := ask_first(request, "Delete this lap?", lost=lost):
            return asked
        laps.delete_lap(session_id=row.pk, lap_id=lap_id, by=request.user)
    else:
        laps.flag_lap(
            session_id=row.pk, lap_id=lap_id, by=request.user, flag=request.POST.get("flag", "")
        )
    heat = row.heats.filter(pk=heat.pk).first() if heat else None
    return _done(request, row, heat or row.heats.first())


@require_POST
def change_heat(request: HttpRequest, session_id: int, heat_id: int) -> HttpResponse:
    """What kind of run it was, and how far the car is trusted."""
    told = request.POST.get("confidence", "")
    heat = garage.change_heat(
        session_id=session_id,
        heat_id=heat_id,
        by=request.user,
        kind=request.POST.get("kind", ""),
        confidence=int(told) if told in {*"12345"} else None,
    )
    return _done(request, queries.session_for(request.user, session_id), heat)


@require_POST
def delete_heat(request: HttpRequest, session_id: int, heat_id: int) -> HttpResponse:
    row = queries.session_for(request.user, session_id)
    heat = row.heats.filter(pk=heat_id).first()
    lost = "All laps of the heat go; scores are computed again."
    if asked := ask_first(request, f"Delete {heat.name if heat else 'the heat'}?", lost=lost):
        return asked
    if heat:
        laps.delete_laps(session_id=row.pk, by=request.user, heat_name=heat.name)
    return _done(request, row, row.heats.first())


@require_POST
def set_status(request: HttpRequest, session_id: int, status: str) -> HttpResponse:
    act = {
        "start": garage.start_session,
        "close": garage.close_session,
        "reopen": garage.reopen_session,
    }[status]
    if status == "close":
        row = queries.session_for(request.user, session_id)
        lost = "Nothing can be logged after that, and no change gets its verdict."
        undo = "The session can be reopened."
        if asked := ask_first(
            request, f"Close {row} without an audit?", lost=lost, yes="Close", undo=undo
        ):
            return asked
    act(session_id=session_id, by=request.user)
    return redirect("coaching:session", session_id)


@require_POST
def propose_change(request: HttpRequest, session_id: int) -> HttpResponse:
    row = queries.session_for(request.user, session_id)
    form = ChangeForm(request.POST, auto_id="change_%s")
    if form.is_valid():
        try:
            changes.propose_change(session_id=row.pk, by=request.user, **form.cleaned_data)
        except RaceError as refusal:
            form.add_error(None, str(refusal))
        else:
            return _done(request, row, _heat(row, ""))
    return show(request, row, _heat(row, ""), ok=False, change_form=form)


@require_POST
def decide_change(request: HttpRequest, session_id: int, change_id: int) -> HttpResponse:
    """Make or drop a change; one that is not advised is asked about first."""
    row = queries.session_for(request.user, session_id)
    decision = request.POST.get("decision", "")
    if decision not in ("accept", "force", "deny"):
        raise InvalidInput("Say accept, force or deny.", fields={"decision": ["Unknown."]})
    try:
        changes.decide_change(
            session_id=row.pk,
            change_id=change_id,
            by=request.user,
            accept=decision != "deny",
            force=decision == "force",
            reason=request.POST.get("reason", "")[:2000],
        )
    except changes.NotAdvised as refusal:
        return show(
            request,
            row,
            _heat(row, ""),
            ok=False,
            change_fault=str(refusal),
            change_asked=change_id,
        )
    return _done(request, queries.session_for(request.user, session_id), _heat(row, ""))


@require_POST
def begin_audit(request: HttpRequest, session_id: int) -> HttpResponse:
    told = request.POST.get("change", "")
    changes.begin_audit(
        session_id=session_id,
        by=request.user,
        change_id=int(told) if told.isdigit() and len(told) < 18 else None,
    )
    row = queries.session_for(request.user, session_id)
    return _done(request, row, _heat(row, ""))


@require_POST
def answer_audit(request: HttpRequest, session_id: int, audit_id: int) -> HttpResponse:
    """One answer; the next question comes back."""
    row = queries.session_for(request.user, session_id)
    told = request.POST
    try:
        best = told.get("best_lap", "").strip()
        audit = changes.answer_audit(
            session_id=row.pk,
            audit_id=audit_id,
            by=request.user,
            action=told.get("action", ""),
            rating=int(told["rating"]) if told.get("rating", "") in {*"12345"} else None,
            choice=told.get("choice", ""),
            observation=told.get("observation", ""),
            best_lap_ms=read_lap_ms(best) if best else None,
        )
    except RaceError as refusal:
        return show(request, row, _heat(row, ""), ok=False, audit_fault=str(refusal))
    row = queries.session_for(request.user, session_id)
    if row.is_closed and request.htmx and audit.state == "complete":
        response = HttpResponse(status=204)  # the whole page changes: laps can no longer be added
        response["HX-Redirect"] = reverse("coaching:session", args=[row.pk])
        return response
    return _done(request, row, _heat(row, ""))


def _done(request: HttpRequest, session: Session, heat: Heat | None) -> HttpResponse:
    """After a success: the part, drawn afresh, or back to the page."""
    if request.htmx:
        return show(request, session, heat)
    where = reverse("coaching:session", args=[session.pk])
    return redirect(f"{where}?{urlencode({'heat': heat.pk})}" if heat else where)


def _heat(session: Session, told: str) -> Heat | None:
    """The heat asked for by id, else the last one driven."""
    if told.isdigit() and len(told) < 18:
        found = session.heats.filter(pk=int(told)).first()
        if found:
            return found
    return session.heats.order_by("order", "pk").last()


def _wanted(request: HttpRequest) -> dict[str, forms.Form]:
    """Keep the name typed for a heat that is not there yet."""
    told = {"name": request.POST.get("heat_name", ""), "kind": request.POST.get("kind", "")}
    return {"heat_form": HeatForm(auto_id="heat_%s", initial=told)}


def _next_name(session: Session) -> str:
    """Q1 after nothing or a Q; Practice 2 after Practice 1."""
    base = {
        Session.Kind.PRACTICE: "Practice ",
        Session.Kind.QUALIFYING: "Q",
        Session.Kind.CLUB_RACE: "Q",
    }.get(session.session_type, "A-Main")
    names = set(session.heats.values_list("name", flat=True))
    if base == "A-Main" and base not in names:
        return base
    return next(f"{base}{n}" for n in range(1, 1000) if f"{base}{n}" not in names)
