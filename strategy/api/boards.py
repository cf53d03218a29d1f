"""/api/v1 for strategy boards: single stints, undo, standing, differences, files, history."""

from typing import Any

from django.http import HttpRequest
from django.utils.timezone import now
from ninja import Status

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady
from strategy import access, queries
from strategy import schemas as common
from strategy.api import shapes
from strategy.api.base import router
from strategy.models import RaceStrategy
from strategy.presentation import as_json
from strategy.schemas import boards as s
from strategy.services import hosting, plans, refresh
from strategy.services.problems import Wishes
from strategy.services.standing import standing_of

ONE = "/strategies/{int:strategy_id}"


def _shown(request: HttpRequest, strategy_id: int) -> dict:
    return shapes.strategy_out(access.strategy_for(request.user, strategy_id))


def _stint(row: RaceStrategy, number: int) -> dict:
    found = [stint for stint in shapes.stints_out(row, row.current) if stint["number"] == number]
    if not found:
        raise NotFound("There is no such stint.")
    return found[0]


@router.delete(ONE, response={204: None})
def delete_strategy(request: HttpRequest, strategy_id: int):
    """Delete a draft or an archived strategy; one that is active, locked or was driven stays."""
    hosting.delete_strategy(strategy_id=strategy_id, by=request.user)
    return Status(204, None)


@router.post(f"{ONE}/undo", response=common.StrategyOut)
def undo(request: HttpRequest, strategy_id: int, body: common.BaseIn):
    """Take the last change by hand back."""
    plans.undo(strategy_id=strategy_id, base_version=body.base_version, by=request.user)
    return _shown(request, strategy_id)


@router.post(f"{ONE}/refresh", response=common.StrategyOut)
def read_anew(request: HttpRequest, strategy_id: int, body: s.RefreshIn):
    """Take over signups, imported pace, rules and car as they are now; `driver_ids` changes who drives."""
    refresh.refresh(
        strategy_id=strategy_id, base_version=body.base_version, user_ids=body.driver_ids,
        wishes=Wishes(**body.wishes.dict()) if body.wishes else None, by=request.user,
    )  # fmt: skip
    return _shown(request, strategy_id)


@router.get(f"{ONE}/standing", response=s.StandingOut)
def read_standing(request: HttpRequest, strategy_id: int):
    """What the plan costs against the best plan known and the bound, and what the last change cost."""
    row = access.strategy_for(request.user, strategy_id)
    if row.current is None:
        raise NotReady("There is no plan yet.")
    found = standing_of(row)
    return {
        "version": row.current.number, "best_version": found.best.number if found.best else None,
        "best_is_proven": found.is_against_proven, "cost_ms": found.cost_ms,
        "off_bound_ms": found.off_bound_ms, "last_change_ms": found.step_ms,
        "may_undo": found.may_undo,
    }  # fmt: skip


@router.get(ONE + "/versions/{int:number}", response=s.DifferenceOut)
def compare(request: HttpRequest, strategy_id: int, number: int):
    """A version beside the current one, stint by stint."""
    row = access.strategy_for(request.user, strategy_id)
    other = plans.version_of(row, number)
    mine = shapes.stints_out(row, row.current)
    theirs = mine if other == row.current else shapes.stints_out(row, other)
    longest = max(len(mine), len(theirs))
    return {
        "current": row.current, "other": other,
        "difference_ms": other.z1_ms - row.current.z1_ms if row.current else None,
        "stints": [
            {"number": n + 1, "current": mine[n] if n < len(mine) else None,
             "other": theirs[n] if n < len(theirs) else None}
            for n in range(longest)
        ],
    }  # fmt: skip


@router.get(ONE + "/stints/{int:number}", response=common.StintOut)
def read_stint(request: HttpRequest, strategy_id: int, number: int):
    return _stint(access.strategy_for(request.user, strategy_id), number)


@router.patch(ONE + "/stints/{int:number}", response=common.StrategyOut)
def change_stint(request: HttpRequest, strategy_id: int, number: int, body: s.StintPatchIn):
    """Change one thing of a stint: held or pinned, backup, driver, end, tyres. The last three are a
    version of their own, checked at once."""
    access.strategy_for(request.user, strategy_id, access.PLANNERS)
    wanted = {"give": body.seat, "move": body.move_end, "tyres": body.tyres}
    changes = [(what, value) for what, value in wanted.items() if value is not None]
    settled = [body.is_held, body.pinned, body.backup_seat]
    if len(changes) + sum(value is not None for value in settled) != 1:
        raise InvalidInput(
            "Change one thing at a time.",
            fields={"body": ["One of is_held, pinned, backup_seat, seat, move_end, tyres."]},
        )
    same: dict[str, Any] = {
        "strategy_id": strategy_id, "base_version": body.base_version, "stint": number,
        "by": request.user,
    }  # fmt: skip
    if body.is_held is not None:
        plans.lock_stint(is_locked=body.is_held, **same)
    if body.pinned is not None:
        plans.pin_stint(driver="driver" in body.pinned, stop="stop" in body.pinned, **same)
    if body.backup_seat is not None:
        plans.name_backup(seat=None if body.backup_seat < 0 else body.backup_seat, **same)
    for what, value in changes:
        plans.edit_stint(change=what, value=value, note=body.note, **same)
    return _shown(request, strategy_id)


@router.delete(ONE + "/stints/{int:number}", response=common.StrategyOut)
def remove_stint(request: HttpRequest, strategy_id: int, number: int, base_version: int):
    """Take a stint away: the driver before does its laps too, of the first the driver after."""
    row = access.strategy_for(request.user, strategy_id, access.PLANNERS)
    _stint(row, number)
    plans.remove_stint(
        strategy_id=strategy_id, base_version=base_version, stint=number, by=request.user
    )
    return _shown(request, strategy_id)


@router.get(f"{ONE}/plan", response=s.PlanFileOut, by_alias=True)
def export_plan(request: HttpRequest, strategy_id: int, version: int | None = None):
    """The plan as a file (`stintopt-plan/1`) that reads back in."""
    row = access.strategy_for(request.user, strategy_id)
    chosen = plans.version_of(row, version) if version else row.current
    if chosen is None:
        raise NotReady("There is no plan yet.")
    return as_json(row, chosen, list(queries.stints_of(chosen)))


@router.get(f"{ONE}/history", response=list[s.TrailOut])
def history(request: HttpRequest, strategy_id: int):
    """Who changed what and why, the newest hundred."""
    row = access.strategy_for(request.user, strategy_id)
    return [
        {"at": line.at, "by": str(line.by or ""), "verb": line.verb, "before": line.before,
         "after": line.after, "reason": line.reason}
        for line in audit.trail_of(row)[:100]
    ]  # fmt: skip


@router.get("/stints", response=list[s.MyStintOut])
def my_stints(request: HttpRequest):
    """One's own stints ahead, of the active strategies of all one's teams."""
    return [
        shapes.stint_out(turn.stint, turn.stint.strategy)
        | {"strategy_id": turn.stint.strategy_id, "event": turn.stint.strategy.event.name,
           "team": turn.stint.strategy.team.name, "starts_at": turn.starts_at,
           "ends_at": turn.ends_at}
        for turn in queries.upcoming_stints(request.user, now())
    ]  # fmt: skip
