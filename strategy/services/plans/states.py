"""What counts now: the current version, and whether a strategy is active, archived or locked."""

from typing import Any

from django.db import transaction

from racecontrol.shared import audit, live
from racecontrol.shared.errors import InvalidInput, NotReady, RaceError, StaleWrite
from strategy import access
from strategy.models import LiveRun, PlanVersion, RaceStrategy
from strategy.services.news import tell_later
from strategy.services.plans.versions import version_of


class Locked(RaceError):
    code = "strategy_locked"


def open_for_change(strategy_id: int, base_version: int, by: Any) -> RaceStrategy:
    """The strategy, locked for this transaction, if it is as the person saw it and may change."""
    access.strategy_for(by, strategy_id, access.PLANNERS)
    row = RaceStrategy.objects.select_for_update(of=["self"]).get(pk=strategy_id)
    if row.version != base_version:
        raise StaleWrite(
            f"Somebody changed this strategy (it is at {row.version}, you saw {base_version}): "
            "look at theirs, then make your change again."
        )
    if row.is_locked:
        raise Locked(f"{row.name} is locked: unlock it first.")
    if LiveRun.objects.filter(strategy=row, state__in=LiveRun.STARTED).exists():
        raise Locked("The race is on or over: its plan is changed on the pit wall.")
    return row


def save_change(row: RaceStrategy, *fields: str) -> None:
    """Save a change of the strategy and tell those who look at it."""
    row.version += 1
    row.save(update_fields=["version", *fields])
    live.publish(f"strategy:{row.pk}", {"version": row.version})


def make_current(row: RaceStrategy, version: PlanVersion, *, by: Any) -> None:
    """Let a version count from now on; those it concerns hear of it if the strategy is active."""
    before, row.current = row.current, version
    save_change(row, "current")
    if row.status == RaceStrategy.Status.ACTIVE:
        tell_later(row, since=before, by=by)


@transaction.atomic
def undo(*, strategy_id: int, base_version: int, by: Any) -> RaceStrategy:
    """Take the last change by hand back: the plan it was made to counts again; both stay to see."""
    row = open_for_change(strategy_id, base_version, by)
    undone = row.current
    if undone is None or undone.parent is None:
        raise NotReady("There is no change by hand to undo.")
    make_current(row, undone.parent, by=by)
    audit.record(by=by, verb="plan.undone", obj=row, before={"number": undone.number},
                 after={"number": undone.parent.number})  # fmt: skip
    return row


@transaction.atomic
def use_version(*, strategy_id: int, base_version: int, number: int, by: Any) -> RaceStrategy:
    """Make a version the plan that counts; the others stay."""
    row = open_for_change(strategy_id, base_version, by)
    before = row.current.number if row.current else None
    make_current(row, version_of(row, number), by=by)
    audit.record(by=by, verb="plan.version_chosen", obj=row, before={"number": before},
                 after={"number": number})  # fmt: skip
    return row


@transaction.atomic
def set_state(
    *,
    strategy_id: int,
    base_version: int,
    status: str | None = None,
    is_locked: bool | None = None,
    by: Any,
) -> RaceStrategy:
    """Activate, archive, lock or unlock; one strategy at a time is active for a start."""
    access.strategy_for(by, strategy_id, access.PLANNERS)
    row = RaceStrategy.objects.select_for_update(of=["self"]).get(pk=strategy_id)
    if row.version != base_version:
        raise StaleWrite("Somebody changed this strategy: look at it again.")
    before = {"status": row.status, "is_locked": row.is_locked}
    if status is not None:
        if status not in RaceStrategy.Status.values:
            raise InvalidInput("There is no such state.", fields={"status": ["Unknown state."]})
        if status == RaceStrategy.Status.ACTIVE:
            RaceStrategy.objects.filter(
                team_id=row.team_id, event_id=row.event_id, instance_id=row.instance_id,
                status=RaceStrategy.Status.ACTIVE,
            ).exclude(pk=row.pk).update(status=RaceStrategy.Status.DRAFT)  # fmt: skip
        if status == RaceStrategy.Status.ACTIVE != row.status:
            tell_later(row, since=None, by=by)
        row.status = status
    if is_locked is not None:
        row.is_locked = is_locked
    save_change(row, "status", "is_locked")
    audit.record(by=by, verb="strategy.state_changed", obj=row, before=before,
                 after={"status": row.status, "is_locked": row.is_locked})  # fmt: skip
    return row
