"""The formation wizard: options, the proposal with its reasons, and how well pairs fit."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, NotFound, RaceError
from racecontrol.shared.htmx import answer
from strategy import access, queries
from strategy.domain.formation import SLOT_MS
from strategy.forms import take_refusal
from strategy.forms.formation import FormationForm, PairWeightsForm, pair_rows
from strategy.models import EventParticipation, FormationDraft, StrategyEvent
from strategy.services import formation, pairs


@require_http_methods(["GET", "HEAD", "POST"])
def options(request: HttpRequest, event_id: int) -> HttpResponse:
    """Sizes, weights, and who must or must not be together; `?from=` starts from a proposal."""
    event = access.event_for(request.user, event_id, access.PLANNERS)
    waiting = [r for r in queries.signups_of(event) if r.status in formation.FREE]
    before = _before(request, event)
    form = FormationForm(request.POST or None, initial=before)
    rows = pair_rows(request.POST or None, people=waiting, initial=before.get("pairs", []))
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        try:
            draft = formation.request_formation(
                event_id=event_id, options=form.options() | rows.options(), by=request.user
            )
        except RaceError as refusal:
            take_refusal(form, refusal)
        else:
            return redirect("strategy:formation", event_id, draft.pk)
    context = {"event": event, "form": form, "rows": rows, "waiting": waiting}
    ok = request.method != "POST"
    return answer(request, page="strategy/formation_new.html", context=context, ok=ok)


def _before(request: HttpRequest, event: StrategyEvent) -> dict[str, Any]:
    """What a proposal was asked with, and pairs named in the address (?together=3-7)."""
    number = request.GET.get("from", "")
    draft = event.formations.filter(pk=number).first() if number.isdecimal() else None
    asked = draft.options if draft else {}
    found = {name: asked[name] for name in ("smallest", "largest") if name in asked}
    found |= asked.get("weights") or {}
    told = [(kind, *pair) for kind in ("together", "apart") for pair in asked.get(kind) or ()]
    for kind in ("together", "apart"):
        for text in request.GET.getlist(kind)[:50]:
            one, _, two = text.partition("-")
            if one.isdecimal() and two.isdecimal():
                told.append((kind, int(one), int(two)))
    pairs_before = [{"one": one, "kind": kind, "two": two} for kind, one, two in told]
    return found | {"pairs": pairs_before}


@require_GET
def pair_table(request: HttpRequest, event_id: int) -> HttpResponse:
    """How well any two signups fit, part by part; the weights are in the address."""
    event = access.event_for(request.user, event_id, access.PLANNERS)
    form = PairWeightsForm(request.GET if "hours" in request.GET else None)
    weights = form.weights() if form.is_bound and form.is_valid() else pairs.WEIGHTS
    people = queries.people_of(event)
    who = request.GET.get("person", "")
    chosen = int(who) if who.isdecimal() and len(who) < 12 else None
    fits = pairs.fits_of(event, weights=weights)
    fits = [fit for fit in fits if chosen is None or chosen in (fit.one, fit.two)]
    rows = [
        {"one": people[fit.one], "two": people[fit.two], "fit": fit, "hours": round(fit.hours, 1),
         "percents": [round(100 * v) for v in (fit.overlap, fit.car, fit.skill, fit.roles)],
         "total": round(100 * fit.total, 1)}
        for fit in fits[:pairs.MOST_SHOWN] if fit.one in people and fit.two in people
    ]  # fmt: skip
    context = {
        "event": event, "form": form, "rows": rows, "count": len(fits), "chosen": chosen,
        "people": sorted(people.values(), key=str), "most": pairs.MOST_SHOWN,
    }  # fmt: skip
    ok = not (form.is_bound and form.errors)
    return answer(request, page="strategy/pairs.html", context=context, ok=ok)


@require_http_methods(["GET", "HEAD", "POST"])
def formation_page(request: HttpRequest, event_id: int, draft_id: int) -> HttpResponse:
    """The wizard's second half: scores explained, coverage, moving people, confirming, undoing."""
    event = access.event_for(request.user, event_id, access.PLANNERS)
    draft = FormationDraft.objects.select_related("job").filter(pk=draft_id, event=event).first()
    if draft is None:
        raise NotFound("There is no such proposal.")
    problem = ""
    if request.method == "POST":
        if request.POST.get("do") == "undo" and (
            asked := ask_first(
                request,
                "Undo these teams?",
                lost="The teams go, everybody is signed up again, and the sign-up opens.",
                yes="Undo the teams",
                undo="The proposal stays and can be confirmed again.",
            )
        ):
            return asked
        try:
            _change_formation(request, draft_id)
        except RaceError as refusal:
            problem = str(refusal)
        else:
            if not request.htmx:
                return redirect("strategy:formation", event_id, draft_id)
        draft.refresh_from_db()
    people = queries.people_of(event)
    is_confirmed = bool(draft.confirmed_at and not draft.undone_at)
    made = dict(enumerate(draft.made_teams)) if is_confirmed else {}
    scores = formation.judge(draft)
    teams = [
        {"number": n, "people": [people[k] for k in team if k in people], "score": score,
         "percent": round(score.total * 100, 1), "made": made.get(n),
         "parts": [(FormationForm.base_fields[name].label, round(100 * v))
                   for name, v in score.parts.items()],
         "hours": [{"at": f"{i / 2:g} h", "free": free, "level": min(free, 3)}
                   for i, free in enumerate(score.cover)]}
        for n, (team, score) in enumerate(zip(draft.teams, scores, strict=True))
    ]  # fmt: skip
    context = {
        "event": event, "draft": draft, "teams": teams, "problem": problem,
        "is_confirmed": is_confirmed,
        "score": round(100 * sum(s.total for s in scores) / max(len(scores), 1), 1),
        "classic": round(100 * draft.classic_score, 1), "clock": _clock(event),
        "pairs": _pairs(draft, people),
    }  # fmt: skip
    return answer(
        request, page="strategy/formation.html", part="strategy/_formation.html",
        context=context, ok=not problem,
    )  # fmt: skip


def _change_formation(request: HttpRequest, draft_id: int) -> None:
    form = request.POST
    try:
        base = int(form.get("base_version", ""))
        who, team = int(form.get("signup") or 0), int(form.get("team") or 0)
    except ValueError:
        raise InvalidInput(
            "That needs whole numbers.", fields={"base_version": ["A number."]}
        ) from None
    what = form.get("do")
    if what == "confirm":
        formation.confirm(draft_id=draft_id, base_version=base, by=request.user)
    elif what == "undo":
        formation.undo(draft_id=draft_id, base_version=base, by=request.user)
    else:
        formation.move_person(
            draft_id=draft_id, base_version=base, signup_id=who, to_team=team, by=request.user
        )


def _clock(event: StrategyEvent) -> list[dict]:
    """Heads over the half hours of the race: each whole hour over its two cells."""
    slots = -(-event.duration_ms // SLOT_MS)
    return [{"hour": n // 2, "cells": min(2, slots - n)} for n in range(0, slots, 2)]


def _pairs(draft: FormationDraft, people: dict[int, EventParticipation]) -> list[dict]:
    """Who was asked to be together or apart, and whether the teams as they stand do so."""
    home = {n: t for t, team in enumerate(draft.teams) for n in team}
    found = []
    for kind in ("together", "apart"):
        for one, two in draft.options.get(kind) or ():
            if one not in people or two not in people or one not in home or two not in home:
                continue
            is_kept = (home[one] == home[two]) == (kind == "together")
            found.append(
                {"one": people[one].user, "two": people[two].user, "kind": kind, "is_kept": is_kept}
            )
    return found
