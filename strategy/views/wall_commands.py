"""Commands from the wall: a plain form goes back to the wall, the page's own script gets JSON."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, RaceError
from strategy import access
from strategy.domain.live.changes import Consequences
from strategy.forms import wall as forms
from strategy.models import LiveCommand, LiveRun
from strategy.queries.live import run_with_all, wall_of
from strategy.services.live import changes, notes, pins, race, stints, undo
from strategy.services.live.frame import Order
from strategy.views.wall import previewed_wall, refused_wall
from strategy.wall_controls import question_about
from strategy.wall_typed import choices_of

Do = Callable[..., LiveCommand | LiveRun | None]
COMMANDS: dict[str, tuple[type[forms.CommandForm], Do]] = {
    "state": (forms.StateForm, race.set_state),
    "flag": (forms.FlagForm, race.set_flag),
    "progress": (forms.ProgressForm, stints.update_stint_progress),
    "correct": (forms.CorrectForm, stints.correct_event),
    "stop": (forms.StopForm, notes.log_stop),
    "penalty": (forms.PenaltyForm, notes.give_penalty),
    "served": (forms.ServedForm, notes.serve_penalty),
    "weather": (forms.WeatherForm, notes.change_weather),
    "fuel": (forms.FuelForm, notes.read_fuel),
    "swap": (forms.SwapForm, changes.emergency_driver_swap),
    "extend": (forms.ExtendForm, changes.extend_current_stint),
    "pin": (forms.PinForm, pins.pin_stint),
    "backup": (forms.BackupForm, pins.name_backup),
    "undo": (forms.UndoForm, undo.undo_last),
    "accept": (forms.AcceptForm, changes.accept_way),
}


@require_POST
def do(request: HttpRequest, strategy_id: int, name: str) -> HttpResponse:
    """One command. Refusals name their fields; a stale one says what changed meanwhile."""
    access.strategy_for(request.user, strategy_id)
    if name in PREVIEWS and "is_preview" in request.POST:
        return preview(request, strategy_id, name)
    wants_json = "application/json" in request.headers.get("Accept", "")
    if not wants_json and (asked := _asked(request, strategy_id, name)):
        return asked
    try:
        words, version = _act(request, strategy_id, name)
    except RaceError as refusal:
        if wants_json:
            return _refusal(refusal)
        if isinstance(refusal, NotFound | NotAllowed):
            raise
        return refused_wall(request, strategy_id, refusal)
    if wants_json:
        return JsonResponse({"words": words, "version": version})
    messages.success(request, words)
    return redirect("strategy:wall", strategy_id)


def _asked(request: HttpRequest, strategy_id: int, name: str) -> HttpResponse | None:
    """The question as a page; the page's own script has asked before it sends."""
    run = run_with_all(strategy_id)
    question = question_about(name, request.POST, wall_of(run)) if run else None
    if question is None:
        return None
    return ask_first(
        request, question.ask, lost=question.lost, yes=question.yes, undo=question.undo
    )


def _act(request: HttpRequest, strategy_id: int, name: str) -> tuple[str, int]:
    if name == "open":
        form = _read(forms.OpenForm(request.POST))
        run = race.open_race(strategy_id=strategy_id, by=request.user, **form.values())
        return "The race is on the wall.", run.version
    if name == "ways":
        row = changes.request_ways(strategy_id=strategy_id, by=request.user)
        return "Looking for ways on.", row.run.version
    if name not in COMMANDS:
        raise NotFound("There is no such command.")
    kind, service = COMMANDS[name]
    form = _read(_form(kind, strategy_id, request))
    order = Order(strategy_id=strategy_id, by=request.user, **form.frame())
    done = service(order, **form.values())
    if done is None:
        return "That was told already.", LiveRun.objects.get(strategy_id=strategy_id).version
    return done.words, done.version


PREVIEWS: dict[str, Callable[..., Consequences]] = {
    "swap": lambda reason, override, **values: changes.preview_swap(**values),
    "extend": lambda reason, override, **values: changes.preview_extension(**values),
    "pin": lambda reason, override, **values: pins.preview_pin(**values),
}


def preview(request: HttpRequest, strategy_id: int, name: str) -> HttpResponse:
    """What a change would come to, beside its form; nothing changes."""
    data = request.POST.copy()
    data["reason"] = data.get("reason") or "to look at"  # only doing it takes a reason
    kind, _ = COMMANDS[name]
    run = run_with_all(strategy_id)
    form = kind(data, auto_id=f"{kind.__name__.lower()}-%s", **choices_of(kind, run))
    shown: dict[str, Any] = {"key": name, "version": run.version if run else 0}
    try:
        outcome = PREVIEWS[name](strategy_id=strategy_id, by=request.user, **_read(form).values())
        shown |= {"outcome": outcome, "stints": changes.changed_stints(outcome),
                  "breaches": changes.breaches_of(outcome), "window": outcome.window,
                  "cost_ms": -outcome.gain_ms}  # fmt: skip
    except RaceError as refusal:
        if isinstance(refusal, NotFound | NotAllowed):
            raise
        shown["problem"] = str(refusal)
    if request.htmx:
        context = {"command": {"key": name, "preview": shown}}
        return TemplateResponse(request, "strategy/_wall_preview.html", context)
    return previewed_wall(request, strategy_id, name, form, shown)


def _form(
    kind: type[forms.CommandForm], strategy_id: int, request: HttpRequest
) -> forms.CommandForm:
    run = run_with_all(strategy_id)
    return kind(request.POST, **choices_of(kind, run))


def _read(form: forms.CommandForm) -> forms.CommandForm:
    if form.is_valid():
        return form
    fields = {name: [str(e) for e in errors] for name, errors in form.errors.items()}
    first = next(iter(fields))
    raise InvalidInput(f"{form.fields[first].label or first}: {fields[first][0]}"
                       if first in form.fields else fields[first][0], fields=fields)  # fmt: skip


def _refusal(refusal: RaceError) -> JsonResponse:
    error: dict[str, Any] = {"code": refusal.code, "message": str(refusal)}
    if refusal.fields:
        error["fields"] = refusal.fields
    return JsonResponse({"error": error}, status=refusal.status)
