"""The pit wall: the race now, the commands, a big screen, and a driver's own next turn."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from racecontrol.shared.htmx import answer
from strategy import access
from strategy.models import RaceReport, RaceStrategy
from strategy.queries.live import WallState, run_with_all, wall_of
from strategy.wall_presentation import figures, turn_of


def _context(request: HttpRequest, row: RaceStrategy, state: WallState | None) -> dict[str, Any]:
    is_screen = bool(request.GET.get("screen"))
    here = reverse("strategy:wall", args=[row.pk])
    context: dict[str, Any] = {
        "row": row, "run": state.run if state else None, "is_screen": is_screen,
        "part_url": f"{here}?screen=1" if is_screen else here, "zone": request.user.time_zone,
        "is_planner": access.role_in(request.user, row.team_id) in access.PLANNERS,
        "has_report": RaceReport.objects.filter(run__strategy=row).exists(),
        "problem": "",
    }  # fmt: skip
    if state is not None:
        context |= {"state": state, "wall": state.wall, **figures(state)}
    return context


def _state(row: RaceStrategy) -> WallState | None:
    run = run_with_all(row.pk)
    return wall_of(run) if run is not None else None


@require_http_methods(["GET", "HEAD"])
def wall(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """The wall; ?screen=1 for a screen on the wall of the pit."""
    row = access.strategy_for(request.user, strategy_id)
    context = _context(request, row, _state(row))
    return answer(request, page="strategy/wall.html", part="strategy/_wall.html", context=context)


@require_GET
def my_turn(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """For the phone of a driver: when am I in, by my own clock."""
    row = access.strategy_for(request.user, strategy_id)
    state = _state(row)
    context = _context(request, row, state)
    seat = state.seat_of(request.user) if state else None
    context |= {"mine": turn_of(state, seat) if state else None, "seat": seat,
                "part_url": reverse("strategy:my-turn", args=[row.pk])}  # fmt: skip
    return answer(
        request, page="strategy/my_turn.html", part="strategy/_my_turn.html", context=context
    )
