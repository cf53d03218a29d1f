"""Taking over what changed since a strategy was made: signups, imported pace, rules, the car."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from racecontrol.shared import audit
from racecontrol.shared.errors import NotReady, StaleWrite
from strategy import access
from strategy.domain.stints.instance import Instance, Stint, read_instance
from strategy.domain.stints.scoring import score
from strategy.models import PlanVersion, RaceStrategy
from strategy.services import plans
from strategy.services.drivers import drivers_of
from strategy.services.problems import Wishes, as_columns, problem_of, wishes_of


def _fitting(instance: Instance, plan: Sequence[Stint]) -> list[Stint] | None:
    """The plan as it is, if its laps and drivers still fill the race."""
    laps = sum(stint.laps for stint in plan)
    known = all(stint.driver < len(instance.drivers) for stint in plan)
    return list(plan) if laps == instance.race.laps and known else None


def refresh(
    *,
    strategy_id: int,
    base_version: int,
    user_ids: Sequence[int] | None = None,
    wishes: Wishes | None = None,
    by: Any,
) -> RaceStrategy:
    """Read drivers, rules and car anew; the plan stays if it still fills the race, else a first
    plan follows. `user_ids` changes who drives, `wishes` the team's own numbers. The numbers before stay with the versions before.

    Raises StaleWrite, InvalidInput for people who did not sign up, ImpossiblePlan.
    """
    row = access.strategy_for(by, strategy_id, access.PLANNERS)
    if row.instance is None:
        raise NotReady("This strategy has no start: its hours cannot be read.")
    before = [who["user_id"] for who in row.drivers]
    ids = list(dict.fromkeys(before if user_ids is None else user_ids))
    drivers = drivers_of(row.event, row.instance, ids)
    wishes = wishes or wishes_of(row)
    problem = problem_of(row.event, row.car, drivers, wishes)
    instance = read_instance(problem)
    plan = plans.plan_of(row.current) if row.current and ids == before else []
    kept = _fitting(instance, plan)
    found = None if kept else plans.initial_plan(instance)
    with transaction.atomic():
        row = plans.open_for_change(strategy_id, base_version, by)
        if [who["user_id"] for who in row.drivers] != before:
            raise StaleWrite("Somebody changed the drivers: look at the strategy again.")
        old = row.drivers
        row.drivers, row.problem = drivers, problem
        columns = as_columns(wishes)
        for column, value in columns.items():
            setattr(row, column, value)
        row.save(update_fields=["drivers", "problem", *columns])
        if found is not None:
            version = plans.add_version(row, found, "initial", "numbers read anew", by)
        else:
            version = plans.save_version(
                row, kept or [], score(instance, kept or []), by=by,
                origin=str(PlanVersion.Origin.MANUAL), reason="numbers read anew",
                marks=plans.marks_after(row.current, kept or []) if row.current else None,
            )  # fmt: skip
        plans.make_current(row, version, by=by)
        audit.record(by=by, verb="strategy.refreshed", obj=row,
                     before={"drivers": _told(old)}, after={"drivers": _told(drivers)})  # fmt: skip
    return row


def _told(drivers: Sequence[dict]) -> list[list]:
    return [[who["name"], who["lap_ms"], who["source"]] for who in drivers]
