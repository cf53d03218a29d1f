"""/api/v1/strategies/{id}/live: the wall, the commands of people, and the timing feed."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from racecontrol.shared.api import FeedToken, SignedIn
from racecontrol.shared.paging import Paged, page_of
from strategy import access
from strategy.domain.live.changes import Consequences, consequences, kept
from strategy.models import LiveCommand, LiveProposal, LiveRun
from strategy.queries import live
from strategy.schemas import live as s
from strategy.services.live import changes, feed, notes, pins, race, stints, undo
from strategy.services.live.frame import NoRace, Order

router = Router(tags=["live"])
BRIDGES = [FeedToken(), SignedIn()]
Limit = Query(50, ge=1, le=200)
BASE = "/strategies/{int:strategy_id}/live"


def run_for(request: HttpRequest, strategy_id: int) -> LiveRun:
    """The race, for members of the team. Raises NotFound for strangers, NoRace before it is open."""
    row = access.strategy_for(request.user, strategy_id)
    run = live.run_with_all(strategy_id)
    if run is None:
        raise NoRace("The race is not open on the wall yet.")
    run.strategy.your_role = row.your_role
    return run


def order_of(request: HttpRequest, strategy_id: int, body: s.OrderIn) -> Order:
    told: dict[str, Any] = {} if body.key is None else {"key": body.key}
    return Order(strategy_id=strategy_id, by=request.user, base_version=body.base_version,
                 at_ms=body.at_ms, at=body.at, **told)  # fmt: skip


def command_out(row: LiveCommand | None) -> dict | None:
    if row is None:
        return None
    names = ("key", "name", "words", "version", "base_version", "at_ms", "reason", "before",
             "after", "created_at")  # fmt: skip
    return {n: getattr(row, n) for n in names} | {
        "by": str(row.by or ""), "is_undone": row.undone_by_id is not None,
    }  # fmt: skip


def answer(request: HttpRequest, strategy_id: int, row: LiveCommand | None) -> dict:
    return {"version": run_for(request, strategy_id).version, "command": command_out(row)}


def wall_out(run: LiveRun) -> dict:
    state = live.wall_of(run)
    wall = state.wall
    names = ("state", "clock", "in_car", "in_pits", "fuel", "window", "next_up", "bars", "stints",
             "turns", "finish", "alerts", "is_wet")  # fmt: skip
    return {n: getattr(wall, n) for n in names} | {
        "strategy_id": run.strategy_id,
        "version": state.version,
        "plan": state.plan.number,
        "your_role": state.strategy.your_role or "",
        "is_training": run.is_training,
        "is_retold": run.is_retold,
        "green_at": run.green_at,
        "heard_ago_ms": state.heard_ago_ms,
        "is_stale": state.is_stale,
        "drivers": [
            {"seat": seat, "user_id": user_id, "name": wall.bars[seat].name}
            for seat, user_id in enumerate(state.user_ids)
        ],
        "stops": state.stops,
        "flags": state.flags,
        "penalties": state.penalties,
        "log": [command_out(row) for row in state.log],
        "proposal_id": state.proposal.pk if state.proposal else None,
    }


@router.get(BASE, response=s.WallOut)
def read_wall(request: HttpRequest, strategy_id: int):
    """The whole wall. Follow the topic `strategy:<id>` on /live/ to hear when to read it again."""
    return wall_out(run_for(request, strategy_id))


@router.post(BASE, response=s.WallOut)
def open_race(request: HttpRequest, strategy_id: int, body: s.OpenRaceIn):
    """Put the strategy on the wall; a race that is open stays as it is."""
    race.open_race(strategy_id=strategy_id, by=request.user, **body.dict())
    return wall_out(run_for(request, strategy_id))


@router.post(BASE + "/state", response=s.LiveAnswerOut)
def set_race_state(request: HttpRequest, strategy_id: int, body: s.RaceStateIn):
    """To the grid, green flag, chequered flag; one step back undoes."""
    order = order_of(request, strategy_id, body)
    return answer(request, strategy_id, race.set_state(order, state=body.state))


@router.post(BASE + "/undo", response=s.LiveAnswerOut)
def undo_last(request: HttpRequest, strategy_id: int, body: s.UndoIn):
    """Take the last command back, whoever gave it; 409 says what stands in the way."""
    order = order_of(request, strategy_id, body)
    return answer(request, strategy_id, undo.undo_last(order, target=body.command))


@router.post(BASE + "/flags", response=s.LiveAnswerOut)
def wave_flag(request: HttpRequest, strategy_id: int, body: s.FlagIn):
    order = order_of(request, strategy_id, body)
    return answer(request, strategy_id, race.set_flag(order, flag=body.flag))


@router.post(BASE + "/stints/{int:number}/progress", response=s.LiveAnswerOut)
def update_progress(request: HttpRequest, strategy_id: int, number: int, body: s.ProgressIn):
    """A stint on to its next state, or a lap it completed. Drivers say "ready" for their own."""
    order = order_of(request, strategy_id, body)
    row = stints.update_stint_progress(order, stint=number, status=body.status, lap=body.lap)
    return answer(request, strategy_id, row)


def consequences_out(
    request: HttpRequest,
    strategy_id: int,
    outcome: Consequences | None,
    row: LiveCommand | None = None,
) -> dict:
    """What a change means; after it was made, what it meant is the plan now."""
    run = run_for(request, strategy_id)
    if outcome is None:
        current = live.race_of(run)
        outcome = consequences(current, kept(current))
    window, next_up = outcome.window, live.wall_of(run).wall.next_up
    return {
        "words": row.words if row else "", "breaches": changes.breaches_of(outcome),
        "broken_pins": list(outcome.broken_pins),
        "stints": changes.changed_stints(outcome), "changed": list(outcome.changed),
        "laps": outcome.projection.laps, "laps_before": outcome.before.laps,
        "finish_ms": outcome.projection.finish_ms, "gain_ms": outcome.gain_ms,
        "opens_lap": window.opens_lap if window else None,
        "closes_lap": window.closes_lap if window else None,
        "add_ml": next_up.add_ml if next_up else None,
        "is_possible": not (outcome.breaches or outcome.broken_pins),
        "command": command_out(row), "version": run.version,
    }  # fmt: skip


@router.post(BASE + "/stints/{int:number}/swap", response=s.ConsequencesOut)
def swap_driver(request: HttpRequest, strategy_id: int, number: int, body: s.SwapIn):
    """Another driver takes the stint, or what is left of it; first with `is_preview`."""
    values = {"stint": number, "driver_id": body.driver_id, "after_laps": body.after_laps}
    if body.is_preview:
        outcome = changes.preview_swap(strategy_id=strategy_id, by=request.user, **values)
        return consequences_out(request, strategy_id, outcome)
    row = changes.emergency_driver_swap(
        order_of(request, strategy_id, body), reason=body.reason, override=body.override, **values
    )
    return consequences_out(request, strategy_id, None, row)


@router.post(BASE + "/stints/{int:number}/extend", response=s.ConsequencesOut)
def extend_stint(request: HttpRequest, strategy_id: int, number: int, body: s.ExtendIn):
    """The running stint longer or shorter; first with `is_preview`."""
    if body.is_preview:
        outcome = changes.preview_extension(
            strategy_id=strategy_id, stint=number, laps=body.laps, by=request.user
        )
        return consequences_out(request, strategy_id, outcome)
    row = changes.extend_current_stint(
        order_of(request, strategy_id, body), stint=number, laps=body.laps, reason=body.reason,
        override=body.override,
    )  # fmt: skip
    return consequences_out(request, strategy_id, None, row)


@router.post(BASE + "/stints/{int:number}/pin", response=s.ConsequencesOut)
def pin_stint(request: HttpRequest, strategy_id: int, number: int, body: s.PinIn):
    """Pin the stint's driver, its stop, or both; neither frees it. First with `is_preview`."""
    values = {"stint": number, "driver": body.driver, "lap": body.lap}
    if body.is_preview:
        outcome = pins.preview_pin(strategy_id=strategy_id, by=request.user, **values)
        return consequences_out(request, strategy_id, outcome)
    row = pins.pin_stint(
        order_of(request, strategy_id, body), reason=body.reason, override=body.override, **values
    )
    return consequences_out(request, strategy_id, None, row)


@router.post(BASE + "/stints/{int:number}/backup", response=s.LiveAnswerOut)
def name_backup(request: HttpRequest, strategy_id: int, number: int, body: s.BackupIn):
    """Who gets in if the stint's driver cannot; null: nobody."""
    order = order_of(request, strategy_id, body)
    row = pins.name_backup(order, stint=number, driver_id=body.driver_id)
    return answer(request, strategy_id, row)


def proposal_out(row: LiveProposal) -> dict:
    names = ("id", "base_version", "at_ms", "job_id", "accepted", "options")
    return {n: getattr(row, n) for n in names} | {"is_ready": bool(row.options)}


@router.post(BASE + "/replan", response={202: s.ProposalOut})
def replan(request: HttpRequest, strategy_id: int):
    """Look for ways on from now; nothing changes until one is accepted."""
    row = changes.request_ways(strategy_id=strategy_id, by=request.user)
    return Status(202, proposal_out(row))


@router.get(BASE + "/proposals/{int:proposal_id}", response=s.ProposalOut)
def read_proposal(request: HttpRequest, strategy_id: int, proposal_id: int):
    return proposal_out(get_object_or_404(run_for(request, strategy_id).proposals, pk=proposal_id))


@router.post(BASE + "/proposals/{int:proposal_id}/accept", response=s.LiveAnswerOut)
def accept(request: HttpRequest, strategy_id: int, proposal_id: int, body: s.AcceptIn):
    order = order_of(request, strategy_id, body)
    row = changes.accept_way(order, proposal_id=proposal_id, option=body.option)
    return answer(request, strategy_id, row)


@router.post(BASE + "/stops", response=s.LiveAnswerOut)
def log_stop(request: HttpRequest, strategy_id: int, body: s.StopIn):
    values = body.dict(include=set(notes.STOP_FIELDS))
    row = notes.log_stop(order_of(request, strategy_id, body), **values)
    return answer(request, strategy_id, row)


@router.patch(BASE + "/stops/{int:stop_id}", response=s.LiveAnswerOut)
def change_stop(request: HttpRequest, strategy_id: int, stop_id: int, body: s.StopIn):
    values = body.dict(include=set(notes.STOP_FIELDS))
    row = notes.log_stop(order_of(request, strategy_id, body), stop_id=stop_id, **values)
    return answer(request, strategy_id, row)


@router.post(BASE + "/penalties", response=s.LiveAnswerOut)
def give_penalty(request: HttpRequest, strategy_id: int, body: s.PenaltyIn):
    row = notes.give_penalty(
        order_of(request, strategy_id, body), kind=body.kind, amount=body.amount, reason=body.reason
    )
    return answer(request, strategy_id, row)


@router.post(BASE + "/penalties/{int:penalty_id}/served", response=s.LiveAnswerOut)
def serve_penalty(request: HttpRequest, strategy_id: int, penalty_id: int, body: s.OrderIn):
    row = notes.serve_penalty(order_of(request, strategy_id, body), penalty_id=penalty_id)
    return answer(request, strategy_id, row)


@router.post(BASE + "/weather", response=s.LiveAnswerOut)
def change_weather(request: HttpRequest, strategy_id: int, body: s.WeatherIn):
    """Wet or dry from now; look at the ways on (`replan`) afterwards."""
    row = notes.change_weather(order_of(request, strategy_id, body), is_wet=body.is_wet)
    return answer(request, strategy_id, row)


@router.post(BASE + "/fuel", response=s.LiveAnswerOut)
def read_fuel(request: HttpRequest, strategy_id: int, body: s.FuelIn):
    """Fuel on board after a lap: corrects the burn and everything reckoned from it."""
    order = order_of(request, strategy_id, body)
    return answer(request, strategy_id, notes.read_fuel(order, fuel_ml=body.fuel_ml, lap=body.lap))


@router.get(BASE + "/events", response=Paged[s.LiveEventOut])
def list_events(
    request: HttpRequest, strategy_id: int, limit: int = Limit, cursor: str | None = None
):
    """What was told of the race, in the order of its moments."""
    run = run_for(request, strategy_id)
    return page_of(run.laps.all(), limit=limit, cursor=cursor, order=("at_ms", "pk"))


@router.patch(BASE + "/events/{int:event_id}", response=s.LiveAnswerOut)
def correct_event(request: HttpRequest, strategy_id: int, event_id: int, body: s.CorrectionIn):
    """Another moment, another lap, or "this never happened", with the reason."""
    row = stints.correct_event(
        order_of(request, strategy_id, body), event_id=event_id, reason=body.reason,
        to_ms=body.to_ms, lap=body.lap, is_void=body.is_void,
    )  # fmt: skip
    return answer(request, strategy_id, row)


@router.get(BASE + "/log", response=Paged[s.LiveCommandOut])
def list_commands(
    request: HttpRequest, strategy_id: int, limit: int = Limit, cursor: str | None = None
):
    """The trail: who did what, when, why, and what it was before; newest first."""
    run = run_for(request, strategy_id)
    rows = run.commands.select_related("by")
    page = page_of(rows, limit=limit, cursor=cursor, order=("-version", "-pk"))
    return page | {"items": [command_out(row) for row in page["items"]]}


def _told(event: s.FeedEventIn) -> feed.Told:
    return feed.Told(**event.dict(exclude={"source"}))


def _heard(heard: feed.Heard) -> dict:
    names = ("new", "known", "version", "laps", "now_ms")
    refused = [{"place": place, "why": why} for place, why in heard.refused]
    return {n: getattr(heard, n) for n in names} | {"refused": refused}


@router.post(BASE + "/feed", response=s.FeedOut, auth=BRIDGES)
def feed_one(request: HttpRequest, strategy_id: int, body: s.FeedOneIn):
    """One event from a timing or telemetry bridge; sent twice it counts once."""
    return _heard(feed.tell(strategy_id=strategy_id, source=body.source, events=[_told(body)],
                            by=request.user))  # fmt: skip


@router.post(BASE + "/feed/batch", response=s.FeedOut, auth=BRIDGES)
def feed_many(request: HttpRequest, strategy_id: int, body: s.FeedIn):
    """Many events at once, in any order; a bad one is named and does not stop the others."""
    told = [_told(event) for event in body.events]
    return _heard(
        feed.tell(strategy_id=strategy_id, source=body.source, events=told, by=request.user)
    )
