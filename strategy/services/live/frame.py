"""The frame of every command on the wall: who may, on which version, once, in one transaction.

A command carries a key of its client's (sent twice it is done once) and the version it was based on.
If somebody else changed the same in between it is refused with what changed; else it is done on top.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared import audit, live
from racecontrol.shared.errors import InvalidInput, NotReady, StaleWrite
from strategy import access
from strategy.domain.live.log import SAME_MOMENT_MS, Race
from strategy.models import LiveCommand, LiveRun, PitStop, RaceStrategy, StintPlan
from strategy.queries.live import MILLISECOND, now_ms, race_of, run_with_all
from strategy.services.analytics import queue_report

LONGEST_MS = 10 * 86_400_000
FUTURE_MS = 60_000  # clocks differ; a minute ahead is not a mistake yet
Status = StintPlan.Status


class NoRace(NotReady):
    code = "race_not_open"


@dataclass(frozen=True, slots=True)
class Order:
    """What every command carries. `knows`: keys of the sender's own commands, sent before this one
    and not yet in the version it was based on; they are no news to whoever pressed the button."""

    strategy_id: int
    by: Any
    key: UUID = field(default_factory=uuid4)
    base_version: int | None = None
    at_ms: int | None = None
    at: datetime | None = None
    knows: frozenset[UUID] = frozenset()


@dataclass(slots=True)
class Done:
    """What a command did; None for `words` means somebody had done it already."""

    words: str | None
    touched: set[str] = field(default_factory=set)
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    reason: str = ""


def locked_run(strategy_id: int, by: Any, roles: frozenset = access.PLANNERS) -> LiveRun:
    """The race with its rows locked for this transaction. Raises NotFound, NotAllowed, NoRace."""
    access.strategy_for(by, strategy_id, roles)
    strategy = RaceStrategy.objects.select_for_update(of=["self"]).get(pk=strategy_id)
    run = run_with_all(strategy_id)
    if run is None:
        raise NoRace("The race is not open on the wall yet.")
    list(StintPlan.objects.select_for_update().filter(plan_id=strategy.current_id))
    return run


@transaction.atomic
def command(
    order: Order,
    name: str,
    act: Callable[[LiveRun, int], Done],
    *,
    body: dict,
    touches: Iterable[str],
    depends: Iterable[str] = (),
    roles: frozenset = access.PLANNERS,
) -> LiveCommand | None:
    """Do `act(run, at_ms)` once. The command as logged; None where there was nothing left to do."""
    run = locked_run(order.strategy_id, order.by, roles)
    known = run.commands.filter(key=order.key).first()
    if known is not None:
        if known.name != name or known.body != body:
            raise InvalidInput("This key was used for another command.",
                               fields={"key": ["Take a new one for each command."]})  # fmt: skip
        return known
    refuse_stale(run, order.base_version, {*touches, *depends}, order.knows)
    at_ms = moment_of(run, order)
    done = act(run, at_ms)
    if done.words is None:
        return None
    return keep(run, order, name, body, at_ms, done)


def keep(run: LiveRun, order: Order, name: str, body: dict, at_ms: int, done: Done) -> LiveCommand:
    """Log what was done, count the version, bring the stints in line, tell the pages."""
    assert done.words is not None
    base = run.version if order.base_version is None else order.base_version
    run.version += 1
    if run.is_retold and name != "undo":
        run.heard_ms = max(run.heard_ms, at_ms)
    run.save()
    row = LiveCommand.objects.create(
        run=run, key=order.key, name=name, base_version=base, version=run.version, at_ms=at_ms,
        touched=sorted(done.touched), body=body, before=done.before, after=done.after,
        words=done.words[:300], reason=done.reason[:300], by=order.by,
    )  # fmt: skip
    audit.record(by=order.by, verb=f"live.{name}", obj=run.strategy, before=done.before,
                 after=done.after, reason=done.reason)  # fmt: skip
    sync(run)
    publish(run)
    return row


def publish(run: LiveRun, **more: Any) -> None:
    """Tell the pages; a race that is over is measured, and again after each correction."""
    live.publish(
        f"strategy:{run.strategy_id}", {"live": run.version, "heard_ms": run.heard_ms} | more
    )
    if run.state == LiveRun.State.FINISHED:
        queue_report(run)


def refuse_stale(
    run: LiveRun,
    base_version: int | None,
    concerns: set[str],
    knows: frozenset[UUID] = frozenset(),
) -> None:
    """Raise StaleWrite, with every change since, if one of them is of what the command is about."""
    if base_version is None or base_version == run.version:
        return
    if base_version > run.version:
        raise InvalidInput("There is no such version yet.",
                           fields={"base_version": [f"At most {run.version}."]})  # fmt: skip
    since = (
        run.commands.filter(version__gt=base_version).exclude(key__in=knows).select_related("by")
    )
    clashes = [row for row in since if concerns & set(row.touched)]
    if clashes:
        last = clashes[-1]
        raise StaleWrite(
            f"You saw version {base_version}; meanwhile {last.by or 'somebody'}: {last.words} "
            "Look again, then decide.",
            fields={"base_version": [
                f"{row.created_at:%H:%M:%S} UTC {row.by or 'somebody'}: {row.words}" for row in clashes
            ]},
        )  # fmt: skip


def moment_of(run: LiveRun, order: Order) -> int:
    """When it happened, ms since green: as told, else now. Raises InvalidInput for the future."""
    ceiling = now_ms(run, now())
    if order.at_ms is not None:
        at_ms = order.at_ms
    elif order.at is not None and run.green_at is not None:
        at_ms = round((order.at - run.green_at) / MILLISECOND)
    else:
        return ceiling
    check_moment(run, at_ms, ceiling)
    return at_ms


def check_moment(run: LiveRun, at_ms: int, ceiling: int) -> None:
    if at_ms < 0:
        raise InvalidInput(
            "That was before the green flag.", fields={"at_ms": ["Before the race."]}
        )
    if at_ms > LONGEST_MS:
        raise InvalidInput("No race is that long.", fields={"at_ms": ["More than ten days."]})
    limit = LONGEST_MS if run.is_training or run.is_retold else ceiling + FUTURE_MS
    if run.state == LiveRun.State.RACING and at_ms > limit:
        raise InvalidInput("That moment is still to come.", fields={"at_ms": ["In the future."]})


def sync(run: LiveRun) -> Race:
    """Write onto the stints what the log says of them, and the visits to the pits."""
    assert run.strategy.current is not None
    race = race_of(run)
    rows = {row.number: row for row in run.strategy.current.stints.all()}
    changed = []
    for stint in race.driven:
        row = rows[stint.number]
        start = run.moment(stint.start_ms) if stint.start_ms is not None else None
        end = run.moment(stint.end_ms) if stint.end_ms is not None else None
        laps = stint.laps if stint.end_ms is not None else None
        now_so = (stint.status, start, end, stint.start_lap, laps)
        was_so = (row.status, row.actual_start_at, row.actual_end_at, row.actual_start_lap,
                  row.actual_laps)  # fmt: skip
        if now_so != was_so:
            (row.status, row.actual_start_at, row.actual_end_at, row.actual_start_lap,
             row.actual_laps) = now_so  # fmt: skip
            changed.append(row)
    if changed:
        # one may be ready and one under way: make room before the new ones take their place
        ids = [row.pk for row in changed]
        StintPlan.objects.filter(pk__in=ids, status__in=[Status.READY, Status.RUNNING]).update(
            status=Status.PLANNED
        )
        StintPlan.objects.bulk_update(
            changed,
            ["status", "actual_start_at", "actual_end_at", "actual_start_lap", "actual_laps"],
        )
    _sync_stops(run, race)
    return race


def _sync_stops(run: LiveRun, race: Race) -> None:
    """A row for each visit that ended a stint; what people noted on it stays."""
    begun = [s for s in race.driven if s.start_ms is not None]
    visits = {}
    for n, stint in enumerate(begun):
        if stint.status == "completed" and stint.end_ms not in (None, run.finished_ms):
            after = begun[n + 1] if n + 1 < len(begun) else None
            lap = (stint.start_lap or 0) + stint.laps
            visits[stint.end_ms] = (after.start_ms if after else None, lap)
    known = {row.in_ms: row for row in run.stops.filter(is_drive_through=False)}
    moved = [row for at_ms, row in known.items() if at_ms not in visits]
    for in_ms, (out_ms, lap) in visits.items():
        # the same visit told earlier by somebody else keeps its notes
        row = known.get(in_ms) or next(
            (m for m in moved if abs(m.in_ms - in_ms) <= SAME_MOMENT_MS), None
        )
        if row is None:
            PitStop.objects.create(run=run, in_ms=in_ms, out_ms=out_ms, lap=lap)
        elif (row.in_ms, row.out_ms, row.lap) != (in_ms, out_ms, lap):
            PitStop.objects.filter(pk=row.pk).update(in_ms=in_ms, out_ms=out_ms, lap=lap)
