"""Changes by hand: one stint at a time, or a whole plan read from a file."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotReady
from strategy.domain.stints import editing
from strategy.domain.stints.instance import Instance, Stint, read_instance, read_plan
from strategy.domain.stints.scoring import score
from strategy.models import PlanVersion
from strategy.services.news import tell_named
from strategy.services.plans.pins import marks_after
from strategy.services.plans.states import make_current, open_for_change
from strategy.services.plans.versions import plan_of, save_version

EDITS: dict[str, Callable[[Instance, list[Stint], int, Any], list[Stint]]] = {
    "move": lambda i, plan, n, v: editing.move_end(plan, n, int(v)),
    "split": lambda i, plan, n, v: editing.split(plan, n, int(v)),
    "merge": lambda i, plan, n, v: editing.merge(plan, n),
    "give": lambda i, plan, n, v: editing.give(i, plan, n, int(v)),
    "swap": lambda i, plan, n, v: editing.swap(plan, n, int(v)),
    "tyres": lambda i, plan, n, v: editing.tyres(plan, n, str(v)),
    "drop": lambda i, plan, n, v: _without(i, plan, n),
}


def _without(instance: Instance, plan: Sequence[Stint], number: int) -> list[Stint]:
    """The plan without a stint: the driver before does its laps, of the first the one after."""
    if number > 1:
        return editing.merge(plan, number - 1)
    return editing.give(instance, editing.merge(plan, 1), 1, plan[1].driver)


@transaction.atomic
def edit_stint(
    *,
    strategy_id: int,
    base_version: int,
    change: str,
    stint: int,
    value: Any = 0,
    note: str = "",
    by: Any,
) -> PlanVersion:
    """One change by hand as a new version, checked at once; broken rules are kept and shown.

    `note` says why; people of the team it names (@sam) get it by mail.
    """
    row = open_for_change(strategy_id, base_version, by)
    if row.current is None:
        raise NotReady("There is no plan yet.")
    instance, before = read_instance(row.problem), plan_of(row.current)
    if change not in EDITS:
        raise InvalidInput("There is no such change.", fields={"change": ["Unknown change."]})
    try:
        after = EDITS[change](instance, before, stint, value)
    except ValueError:
        raise InvalidInput("That needs a whole number.", fields={"value": ["A number."]}) from None
    note = " ".join(note.split())[:160]
    version = save_version(
        row, after, score(instance, after), origin=str(PlanVersion.Origin.MANUAL), by=by,
        reason=f"{change} stint {stint}{': ' if note else ''}{note}", parent=row.current,
        bound_ms=row.current.bound_ms, marks=marks_after(row.current, after),
    )  # fmt: skip
    make_current(row, version, by=by)
    audit.record(by=by, verb=f"plan.{change}", obj=row, before={"version": base_version}, reason=note,
                 after={"version": row.version, "stint": stint, "value": str(value)[:40]})  # fmt: skip
    tell_named(row, note, by=by)
    return version


@transaction.atomic
def remove_stint(*, strategy_id: int, base_version: int, stint: int, by: Any) -> PlanVersion:
    """Take a stint away: the driver before does its laps too, of the first the driver after."""
    same: dict[str, Any] = {"strategy_id": strategy_id, "base_version": base_version, "by": by}
    return edit_stint(change="drop", stint=stint, **same)


def _seated(plan: Sequence[Stint], theirs: Instance, ours: Instance) -> list[Stint]:
    """The stints of another race's file, each with the seat its driver has here."""
    seats = {who.id: n for n, who in enumerate(ours.drivers)}
    names = [who.id for who in theirs.drivers]
    found = []
    for n, stint in enumerate(plan):
        name = names[stint.driver] if stint.driver < len(names) else None
        if name not in seats:
            raise InvalidInput(
                f"{name or 'Nobody'} does not drive in this strategy.",
                fields={f"plan.{n}.driver": ["Not a driver of this strategy."]},
            )
        found.append(stint.model_copy(update={"driver": seats[name]}))
    return found


@transaction.atomic
def import_plan(*, strategy_id: int, base_version: int, data: object, by: Any) -> PlanVersion:
    """Read a plan back as a new current version: a list of stints, or the whole file as exported.

    A whole file names its drivers: their stints follow them to their seat in this strategy.
    """
    row = open_for_change(strategy_id, base_version, by)
    stints = data.get("plan") if isinstance(data, dict) else data
    plan, instance = read_plan(stints), read_instance(row.problem)
    if isinstance(data, dict) and data.get("instance"):
        plan = _seated(plan, read_instance(data["instance"]), instance)
    judged = score(instance, plan)
    if any(v.rule in ("coverage", "driver") for v in judged.violations):
        raise InvalidInput(
            "The plan does not fit this race.", fields={"plan": [judged.violations[0].message]}
        )
    version = save_version(
        row, plan, judged, origin=str(PlanVersion.Origin.IMPORTED), reason="imported", by=by,
        parent=row.current,
    )  # fmt: skip
    make_current(row, version, by=by)
    audit.record(by=by, verb="plan.imported", obj=row, after={"number": version.number})
    return version
