"""Pins and backups on the wall: who stays in a stint, after which lap it stops, who jumps in for him.

Each is a new version of the plan, so that taking the command back is taking the version back.
"""

from dataclasses import replace
from typing import Any

from racecontrol.shared.errors import InvalidInput
from strategy.domain.live import changes
from strategy.domain.live.changes import Consequences
from strategy.domain.live.log import Driven, Race
from strategy.domain.live.transitions import stint_of
from strategy.domain.stints.pins import StintMark
from strategy.models import LiveCommand, LiveRun
from strategy.queries.live import race_of
from strategy.services.live.changes import change_plan, open_run, seat_of
from strategy.services.live.frame import Done, Order, command
from strategy.services.news import tell_people

LAST_LAP = 5_000


def preview_pin(
    *, strategy_id: int, stint: int, driver: bool, lap: int | None, by: Any
) -> Consequences:
    """What the pins would mean; nothing changes."""
    return _pinned(race_of(open_run(strategy_id, by)), stint, driver, lap)


def pin_stint(
    order: Order,
    *,
    stint: int,
    driver: bool = False,
    lap: int | None = None,
    reason: str = "",
    override: bool = False,
) -> LiveCommand | None:
    """Pin a stint's driver, its stop after `lap` laps of the race, or both; neither unpins it.

    Refused where car, rules or other pins stand in the way; rules and pins may be overridden with a
    reason.
    """

    def act(run: LiveRun, _: int) -> Done:
        race = race_of(run)
        here = stint_of(race, stint)
        outcome = _pinned(race, stint, driver, lap)
        if _mark(here, driver, lap) == here.plan.mark:
            return Done(None)
        words = _words(race, here, driver, lap)
        return change_plan(run, outcome, words, reason, override, order.by)

    body = {"stint": stint, "driver": driver, "lap": lap}
    return command(
        order, "pin", act, body=body, touches=["plan", f"stint:{stint}.pin"],
        depends=[f"stint:{stint}.{what}" for what in ("status", "driver", "laps")],
    )  # fmt: skip


def name_backup(order: Order, *, stint: int, driver_id: int | None) -> LiveCommand | None:
    """Name who gets in if the stint's driver cannot; None: nobody."""

    def act(run: LiveRun, _: int) -> Done:
        race = race_of(run)
        here = stint_of(race, stint)
        seat = None if driver_id is None else seat_of(run, driver_id)
        mark = replace(here.plan.mark, backup=seat)
        outcome = changes.settle(race, stint, mark)
        if mark == here.plan.mark:
            return Done(None)
        who = "Nobody" if seat is None else race.instance.drivers[seat].id
        words = f"{who} is the backup of stint {stint} ({race.instance.drivers[here.seat].id})."
        done = change_plan(run, outcome, words, "", False, order.by)
        if driver_id is not None:
            tell_people([driver_id], subject=f"You are the backup of stint {stint}",
                        text=f"{run.strategy.team}, {run.strategy.event}: {words}")  # fmt: skip
        return done

    body = {"stint": stint, "driver_id": driver_id}
    return command(order, "backup", act, body=body, touches=["plan", f"stint:{stint}.pin"],
                   depends=[f"stint:{stint}.status", f"stint:{stint}.driver"])  # fmt: skip


def _pinned(race: Race, stint: int, driver: bool, lap: int | None) -> Consequences:
    if lap is not None and not 1 <= lap <= LAST_LAP:
        raise InvalidInput("Laps are counted from 1.", fields={"lap": [f"1 to {LAST_LAP}."]})
    return changes.settle(race, stint, _mark(stint_of(race, stint), driver, lap))


def _mark(stint: Driven, driver: bool, lap: int | None) -> StintMark:
    return replace(stint.plan.mark, is_driver_pinned=driver, pinned_lap=lap)


def _words(race: Race, stint: Driven, driver: bool, lap: int | None) -> str:
    name = race.instance.drivers[stint.seat].id
    pinned = [f"{name} stays in"] if driver else []
    pinned += [f"the stop after lap {lap}"] if lap is not None else []
    what = f"pinned: {' and '.join(pinned)}" if pinned else f"({name}) is free again"
    return f"Stint {stint.number} {what}."
