"""The pit wall: the race now, the commands, a big screen, and a driver's own next turn."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from racecontrol.shared.errors import RaceError
from racecontrol.shared.htmx import answer
from strategy import access
from strategy.models import RaceReport, RaceStrategy
from strategy.queries.live import WallState, run_with_all, wall_of
from strategy.wall_controls import controls, ways
from strategy.wall_parts import drawn, is_part
from strategy.wall_presentation import figures, turn_of
from strategy.wall_typed import forms_seen, opening, typed


def _context(request: HttpRequest, row: RaceStrategy, state: WallState | None) -> dict[str, Any]:
    is_screen = bool(request.GET.get("screen"))
    here = reverse("strategy:wall", args=[row.pk])
    context: dict[str, Any] = {
        "row": row, "run": state.run if state else None, "is_screen": is_screen,
        "part_url": f"{here}?screen=1" if is_screen else here, "zone": request.user.time_zone,
        "is_planner": row.your_role in access.PLANNERS,
        "has_report": RaceReport.objects.filter(run__strategy=row).exists(),
        "problem": "", "typed": [], "age": 0, "forms_seen": forms_seen(state),
    }  # fmt: skip
    if state is not None:
        context |= {
            "state": state,
            "wall": state.wall,
            "controls": [],
            "ways": ways(state),
            "last": next((c for c in state.log if c.name != "undo" and not c.undone_by_id), None),
            "typed": [],
            **figures(state),
        }
        if context["is_planner"] and not is_screen:
            context |= {"controls": controls(state), "typed": typed(state)}
    elif context["is_planner"]:
        context["typed"] = [opening()]
    return context


def _state(row: RaceStrategy) -> WallState | None:
    run = run_with_all(row.pk)
    return wall_of(run) if run is not None else None


@require_http_methods(["GET", "HEAD"])
def wall(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """The wall; ?screen=1 for a screen on the wall of the pit."""
    row = access.strategy_for(request.user, strategy_id)
    if request.htmx.target == "wall-more":  # type: ignore[attr-defined]
        context = _context(request, row, _state(row))
        return answer(request, page="strategy/_wall_more.html", context=context)
    if is_part(request):
        role = row.your_role in access.PLANNERS
        looks = (role, bool(request.GET.get("screen")), request.user.time_zone)
        return drawn("strategy/_wall.html", row.pk, looks,
                     lambda: _context(request, row, _state(row)))  # fmt: skip
    return answer(request, page="strategy/wall.html", context=_context(request, row, _state(row)))


def refused_wall(request: HttpRequest, strategy_id: int, refusal: RaceError) -> HttpResponse:
    """The wall as it is, with what was refused on top."""
    row = access.strategy_for(request.user, strategy_id)
    named = [text for texts in refusal.fields.values() for text in texts]
    context = _context(request, row, _state(row))
    context["problem"] = " ".join([str(refusal), *(t for t in named if t not in str(refusal))])
    response = answer(request, page="strategy/wall.html", context=context, ok=False)
    response.status_code = refusal.status
    return response


def previewed_wall(
    request: HttpRequest, strategy_id: int, name: str, form: Any, shown: dict[str, Any]
) -> HttpResponse:
    """The wall with one form open and what it would come to, for browsers without scripts."""
    row = access.strategy_for(request.user, strategy_id)
    context = _context(request, row, _state(row))
    context["typed"] = [
        replace(one, form=form, preview=shown, is_open=True) if one.key == name else one
        for one in context["typed"]
    ]
    return answer(request, page="strategy/wall.html", context=context)


@require_GET
def my_turn(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """For the phone of a driver: when am I in, by my own clock."""
    row = access.strategy_for(request.user, strategy_id)
    if is_part(request):
        return drawn("strategy/_my_turn.html", row.pk, (request.user.pk, request.user.time_zone),
                     lambda: _my_context(request, row))  # fmt: skip
    return answer(request, page="strategy/my_turn.html", context=_my_context(request, row))


def _my_context(request: HttpRequest, row: RaceStrategy) -> dict[str, Any]:
    state = _state(row)
    context = _context(request, row, state)
    seat = state.seat_of(request.user) if state else None
    return context | {
        "mine": turn_of(state, seat) if state else None, "seat": seat,
        "part_url": reverse("strategy:my-turn", args=[row.pk]),
    }  # fmt: skip
