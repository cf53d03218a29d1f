"""Taking back the last command on the wall, whoever gave it: its inverse, as a command of its own.

What the feed told since is never lost: where it stands in the way, the refusal says so. Commands
taken back leave the way to the one before them free.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction

from racecontrol.shared.errors import RaceError, StaleWrite
from strategy.models import (
    FlagPeriod,
    FuelReading,
    LapEvent,
    LiveCommand,
    LiveProposal,
    LiveRun,
    Penalty,
    PitStop,
    StintPlan,
)
from strategy.queries.live import last_command, planned
from strategy.services.live.frame import Done, Order, command
from strategy.services.live.unplanned import save_live_version

State = LiveRun.State
MARKS = (LapEvent.Kind.PIT_IN, LapEvent.Kind.PIT_OUT, LapEvent.Kind.ABORT)


class CannotUndo(RaceError):
    code = "cannot_undo"
    status = 409


@transaction.atomic
def undo_last(order: Order, *, target: UUID | None = None) -> LiveCommand | None:
    """Take the last command back. `target`: the key of the one the person saw as the last.

    Raises StaleWrite if another one is the last by now, CannotUndo with what stands in the way.
    """

    undone: list[LiveCommand] = []

    def act(run: LiveRun, _: int) -> Done:
        last = last_command(run)
        if last is None:
            raise CannotUndo("There is nothing to take back.")
        if target is not None and last.key != target:
            raise StaleWrite(
                f"Meanwhile {last.by or 'somebody'}: {last.words} Look again, then decide.",
                fields={"command": [f"The last one is {last.key}."]},
            )
        if last.name not in INVERSES:
            raise CannotUndo(
                f"“{last.words}” is no command of a person: put the log right instead."
            )
        after = INVERSES[last.name](run, last, order.by) or {}
        undone.append(last)
        if run.is_retold:  # it stands at the newest moment told
            run.heard_ms = _newest(run, last)
        return Done(f"Taken back: {last.words}", set(last.touched), last.after, last.before | after)

    row = command(order, "undo", act, body={"target": str(target or "")}, touches=[])
    for last in undone:
        last.undone_by = row
        last.save(update_fields=["undone_by"])
    return row


def _newest(run: LiveRun, last: LiveCommand) -> int:
    """The newest moment of the race that was told and still counts without `last`."""
    commands = run.commands.filter(undone_by=None).exclude(name="undo").exclude(pk=last.pk)
    told = [
        *commands.values_list("at_ms", flat=True),
        *run.laps.filter(is_void=False).values_list("at_ms", flat=True),
        *run.weather.values_list("at_ms", flat=True),
        *(ms for span in run.flags.values_list("from_ms", "to_ms") for ms in span if ms),
    ]
    return max(told, default=0)


def _race(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    before, now_is = last.before["state"], last.after["state"]
    if now_is == State.RACING and before != State.FINISHED:
        if run.laps.filter(is_void=False).exists() or run.stops.exists():
            raise CannotUndo("Laps were told since the green flag: the start stands.")
        run.green_at, run.heard_at = None, None
    elif now_is == State.FINISHED:
        run.finished_ms = None
        run.flags.filter(pk__in=last.after.get("closed", [])).update(to_ms=None)
    elif before == State.FINISHED:
        run.finished_ms = last.before.get("finished_ms", last.at_ms)
    run.state = before
    return None


def _flag(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    at_ms, before = last.after["at_ms"], last.before["flag"]
    later = run.flags.filter(from_ms__gt=at_ms) | run.flags.filter(to_ms__gt=at_ms)
    if later.exists():
        raise CannotUndo("A later flag was told since: wave the right one instead.")
    if last.after["flag"] != "green":
        run.flags.filter(kind=last.after["flag"], from_ms=at_ms).delete()
    if before != "green":
        FlagPeriod.objects.filter(run=run, kind=before, to_ms=at_ms).update(to_ms=None)
    return None


def _weather(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    run.weather.filter(at_ms=last.after["at_ms"], is_wet=last.after["is_wet"]).delete()
    return None


def _lap(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    _void(run, last)
    return None


def _void(run: LiveRun, last: LiveCommand) -> LapEvent:
    event = run.laps.filter(source="wall", key=str(last.key), is_void=False).first()
    if event is None:
        raise CannotUndo("That was put right by hand since: put the log right again instead.")
    event.is_void = True
    event.save(update_fields=["is_void"])
    return event


def _progress(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    was, now_is = last.before["status"], last.after["status"]
    number = last.body["stint"]
    if now_is in ("ready", "planned", "skipped"):
        stints = StintPlan.objects.filter(plan_id=run.strategy.current_id, number=number)
        _refuse_if_moved(run, last)
        if was == StintPlan.Status.READY:
            StintPlan.objects.filter(strategy=run.strategy, status=was).update(
                status=StintPlan.Status.PLANNED
            )
        stints.update(status=was)
        return None
    if "plan" in last.after:
        raise CannotUndo("The driver's next stint was made of it: put the log right instead.")
    _refuse_if_moved(run, last)
    # whoever was next by this command alone waits again
    StintPlan.objects.filter(strategy=run.strategy, status=StintPlan.Status.READY).exclude(
        number__in=last.before.get("ready", [])
    ).update(status=StintPlan.Status.PLANNED)
    if now_is == "in_progress" and was == "completed":
        run.laps.filter(kind=LapEvent.Kind.PIT_IN, at_ms=last.before.get("at_ms")).update(
            is_void=False
        )
        _bring_back(run, last)
        return None
    event = _void(run, last)
    if event.kind == LapEvent.Kind.PIT_IN:
        PitStop.objects.filter(run=run, in_ms=event.at_ms).delete()
    return None


def _bring_back(run: LiveRun, last: LiveCommand) -> None:
    """Stops that went with the command, with what was noted on them."""
    PitStop.objects.bulk_create(PitStop(**row) for row in last.before.get("dropped") or [])


def _refuse_if_moved(run: LiveRun, last: LiveCommand) -> None:
    """Who came in or went out after the command stands in its way back."""
    marks = run.laps.filter(kind__in=MARKS, is_void=False, is_drive_through=False)
    if marks.filter(told_at__gt=last.created_at).exists():
        raise CannotUndo("The car came in or went out since: change the plan from now instead.")


def _plan(run: LiveRun, last: LiveCommand, by: Any) -> dict:
    """The plan before, as a new version over what was driven since."""
    _refuse_if_moved(run, last)
    old = run.strategy.versions.filter(number=last.before.get("plan")).first()
    if old is None:
        raise CannotUndo("The plan before is not kept any more.")
    stints = [planned(stint) for stint in old.stints.order_by("number")]
    version = save_live_version(run, stints, reason=f"taken back: {last.words}", by=by)
    if last.name == "accept":
        LiveProposal.objects.filter(run=run, pk=last.after["proposal"]).update(
            accepted=None, accepted_at=None
        )
    return {"plan": version.number}


def _stop(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    rows = run.stops.filter(pk=last.after["stop_id"])
    if last.body["stop_id"] is None:
        rows.delete()
    else:
        rows.update(**last.before)
    return None


def _penalty(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    Penalty.objects.filter(run=run, pk=last.after["penalty_id"]).delete()
    return None


def _served(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    Penalty.objects.filter(run=run, pk=last.body["penalty_id"]).update(served_ms=None)
    return None


def _fuel(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    rows = FuelReading.objects.filter(run=run, at_ms=last.after.get("at_ms", last.at_ms))
    if last.before:
        rows.update(**last.before)
    else:
        rows.delete()
    return None


def _correct(run: LiveRun, last: LiveCommand, by: Any) -> dict | None:
    rows = run.laps.filter(pk=last.body["event_id"])
    event = rows.first()
    if event is None or {n: getattr(event, n) for n in last.after} != last.after:
        raise CannotUndo("That was put right again since.")
    was = {name: last.before[name] for name in last.after}
    visit = PitStop.objects.filter(run=run, in_ms=event.at_ms)
    if event.kind == LapEvent.Kind.PIT_IN and was["is_void"]:
        visit.delete()
    elif event.kind == LapEvent.Kind.PIT_IN and event.at_ms != was["at_ms"]:
        visit.update(in_ms=was["at_ms"])
    rows.update(**was)
    _bring_back(run, last)
    return None


INVERSES: dict[str, Callable[[LiveRun, LiveCommand, Any], dict | None]] = {
    "race": _race, "flag": _flag, "weather": _weather, "lap": _lap, "progress": _progress,
    "swap": _plan, "extend": _plan, "accept": _plan, "stop": _stop, "penalty": _penalty,
    "penalty_served": _served, "fuel": _fuel, "correct": _correct, "pin": _plan, "backup": _plan,
}  # fmt: skip
