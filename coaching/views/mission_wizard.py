"""The wizard: five small steps that keep their answers, then the model's draft to read and edit."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from coaching.forms.mission_parts import (
    EventPart,
    LimitsPart,
    RiderPart,
    StagesPart,
    TimePart,
    merged,
    told,
)
from coaching.forms.missions import DraftForm
from coaching.models import Consent, MissionDraft
from coaching.queries import missions as read
from coaching.queries.athlete import numbers_of
from coaching.services import mission_days, mission_demo, mission_drafts
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, NotFound, RaceError
from racecontrol.shared.htmx import answer

FORM_PAGE = ["GET", "HEAD", "POST"]
STEPS: Final[dict[str, tuple[str, type[forms.Form]]]] = {
    "event": ("Event", EventPart),
    "stages": ("Stages", StagesPart),
    "time": ("Time", TimePart),
    "rider": ("You", RiderPart),
    "limits": ("Limits", LimitsPart),
}
NAMES: Final = tuple(STEPS)


@never_cache
@require_http_methods(FORM_PAGE)
def mission_new(request: HttpRequest) -> HttpResponse:
    """The first step; its answers make the draft that keeps all further ones."""
    initial = {"timezone": request.user.time_zone}
    form = EventPart(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        answers = form.answers()
        if mission_demo.is_for(request.user):
            answers["is_demo"] = True
        draft = mission_drafts.keep_answers(by=request.user, draft_id=None, answers=answers)
        return redirect("coaching:mission_draft", draft.pk, "stages")
    return _step_page(request, form, "event", None)


@never_cache
@require_http_methods(FORM_PAGE)
def mission_draft(request: HttpRequest, draft_id: int, step: str) -> HttpResponse:
    """One step of a draft; every step can be visited again in any order."""
    draft = read.draft_of(request.user, draft_id)
    if draft.status == MissionDraft.Status.SAVED and draft.mission_id:
        return redirect("coaching:mission", draft.mission_id)
    if step == "review":
        return _review(request, draft)
    if step == "draft":
        return _proposal(request, draft)
    if step not in STEPS:
        raise NotFound("There is no such step.")
    part = STEPS[step][1]
    answers = draft.answers or {}
    initial = part.initial_of(answers) if hasattr(part, "initial_of") else answers
    if step == "rider" and "rider_profile" not in answers:
        initial = {"ftp": numbers_of(request.user).threshold_w}  # told once, asked once
    form = part(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        mission_drafts.keep_answers(
            by=request.user, draft_id=draft.pk, answers=merged(answers, form.answers())
        )
        return redirect("coaching:mission_draft", draft.pk, _after(step))
    return _step_page(request, form, step, draft)


def _after(step: str) -> str:
    at = NAMES.index(step) + 1
    return NAMES[at] if at < len(NAMES) else "review"


def _step_page(
    request: HttpRequest, form: forms.Form, step: str, draft: MissionDraft | None
) -> HttpResponse:
    at = NAMES.index(step)
    return answer(
        request,
        page="coaching/missions/wizard.html",
        context={
            "form": form,
            "step": step,
            "steps": [(name, title) for name, (title, _part) in STEPS.items()],
            "number": at + 1,
            "draft": draft,
            "back": NAMES[at - 1] if at else "",
            "is_scripted": _is_demo(request, draft),
        },
        ok=not form.errors,
    )


def _is_demo(request: HttpRequest, draft: MissionDraft | None) -> bool:
    if draft is None:
        return mission_demo.is_for(request.user)
    return bool((draft.answers or {}).get("is_demo"))


def _review(request: HttpRequest, draft: MissionDraft) -> HttpResponse:
    """All answers on one page; from here the model is asked."""
    problems: dict[str, list[str]] = {}
    refused = ""
    if request.method == "POST":
        try:
            if "consent" in request.POST:
                mission_days.give_consent(
                    by=request.user, purposes=Consent.Purpose.values, now=now()
                )
            mission_drafts.ask_model(draft_id=draft.pk, by=request.user, now=now())
        except InvalidInput as wrong:
            problems, refused = wrong.fields, str(wrong)
        except RaceError as refusal:
            refused = str(refusal)
        else:
            return redirect("coaching:mission_draft", draft.pk, "draft")
    return answer(
        request,
        page="coaching/missions/review.html",
        context={
            "draft": draft,
            "told": told(draft.answers or {}),
            "steps": [(name, title) for name, (title, _part) in STEPS.items()],
            "step": "review",
            "problems": problems,
            "refused": refused,
            "has_consent": _is_demo(request, draft) or read.has_consent(request.user),
            "is_scripted": _is_demo(request, draft),
        },
        ok=not refused,
    )


def _proposal(request: HttpRequest, draft: MissionDraft) -> HttpResponse:
    """What the model proposes, problems beside it; nothing is saved before it is confirmed."""
    initial = DraftForm.initial_of(draft.answers or {}, draft.proposal)
    form = DraftForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            mission = mission_drafts.confirm(
                draft_id=draft.pk, by=request.user, data=form.mission_data(draft.answers or {}),
                now=now(),
            )  # fmt: skip
        except RaceError as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, f"{mission.name} is saved. Start it when you are ready.")
            return redirect("coaching:mission", mission.pk)
    context: dict[str, Any] = {
        "draft": draft,
        "form": form,
        "proposal": draft.proposal or {},
        "problems": draft.problems or {},
        "steps": [(name, title) for name, (title, _part) in STEPS.items()],
        "step": "draft",
        "is_scripted": _is_demo(request, draft),
    }
    response = answer(
        request,
        page="coaching/missions/draft.html",
        parts={"draft-status": "coaching/missions/_draft_status.html"},
        context=context,
        ok=not form.errors,
    )
    if request.htmx.target == "draft-status" and draft.status != MissionDraft.Status.ASKED:
        response["HX-Refresh"] = "true"  # the form with the proposal takes the waiting's place
    return response


@require_POST
def mission_draft_discard(request: HttpRequest, draft_id: int) -> HttpResponse:
    draft = read.draft_of(request.user, draft_id)
    lost = "What you told us, and what the model made of it, goes."
    if asked := ask_first(request, f"Discard {draft}?", lost=lost, yes="Discard the draft"):
        return asked
    mission_drafts.discard(draft_id=draft.pk, by=request.user)
    messages.success(request, "The draft is gone.")
    return redirect("coaching:missions")
