"""Letting the optimiser work: a first plan at once, a better one in the background."""

from typing import Any

from django.db import transaction

from racecontrol.shared import audit, jobs, live
from racecontrol.shared.errors import ImpossiblePlan, InvalidInput, NotReady, StaleWrite
from racecontrol.shared.progress import OnProgress, silent
from strategy import access
from strategy.domain.stints.balance import Trade, balance
from strategy.domain.stints.conflict import explain
from strategy.domain.stints.instance import Instance, Stint, read_instance
from strategy.domain.stints.pins import StintMark, as_rules, carried, with_pins
from strategy.domain.stints.solve import Solution, solve
from strategy.models import PlanVersion, RaceStrategy
from strategy.services.plans.versions import add_version, marks_of, plan_of

FIRST_PLAN_SECONDS = 8.0
LONGEST_SECONDS = 300


def initial_plan(instance: Instance) -> Solution:
    """A plan that keeps every rule, at once. Raises ImpossiblePlan naming the rules in conflict."""
    solution = solve(instance, time_limit=FIRST_PLAN_SECONDS, first_only=True)
    if solution.status == "infeasible":
        raise _impossible(instance)
    if solution.score is None:
        raise NotReady("No plan was found in time: let the optimiser search longer.")
    return solution


def _impossible(instance: Instance) -> ImpossiblePlan:
    conflict = explain(instance)
    told = f"No plan can keep all of: {', '.join(conflict.rules)}."
    if conflict.frees:
        told += f" Loosening one of these frees it: {', '.join(conflict.frees)}."
    return ImpossiblePlan(told)


@transaction.atomic
def request_optimisation(
    *, strategy_id: int, seconds: int = 60, even_out: bool = False, by: Any
) -> jobs.Job:
    """Let the worker look for a better plan; what it finds is a version beside the current one."""
    row = access.strategy_for(by, strategy_id, access.PLANNERS)
    if not 1 <= seconds <= LONGEST_SECONDS:
        raise InvalidInput(
            f"Search for 1 to {LONGEST_SECONDS} seconds.", fields={"seconds": ["Out of range."]}
        )
    return jobs.enqueue(
        "strategy.tasks.optimise", row.pk, seconds, even_out, by.pk,
        key=f"optimise:{row.pk}", owner=by, title=f"Optimise {row.name}", queue="slow",
    )  # fmt: skip


def optimise(
    *,
    strategy_id: int,
    seconds: int,
    even_out: bool,
    by: Any,
    job_key: str = "",
    on_progress: OnProgress = silent,
) -> tuple[PlanVersion, list[Trade]]:
    """Solve the strategy's problem and keep the outcome as a new version, never as the current one.

    What is held or pinned in the current plan stays as it is, with the backups named. Raises
    StaleWrite where numbers or pins changed meanwhile: it would undo what somebody settled.
    """
    row = access.strategy_for(by, strategy_id, access.PLANNERS)
    reason = f"optimised {job_key}".strip()
    if job_key and (done := row.versions.filter(reason=reason).first()):
        return done, []
    known = read_instance(row.problem)
    pins = as_rules(*_settled(row))
    instance = read_instance(with_pins(known, pins))
    solution = solve(
        instance, time_limit=seconds * (0.6 if even_out else 1.0), on_progress=on_progress
    )
    if solution.status == "infeasible":
        raise _impossible(instance)
    if solution.score is None:
        raise NotReady("No plan was found in time: search longer.")
    front: list[Trade] = []
    if even_out:
        solution, front = balance(instance, solution, seconds=seconds * 0.4)
    with transaction.atomic():
        row = RaceStrategy.objects.select_for_update(of=["self"]).get(pk=strategy_id)
        if row.problem != known.model_dump(mode="json") and read_instance(row.problem) != known:
            raise StaleWrite("The strategy's numbers changed while it was optimised: start again.")
        before, marks = _settled(row)  # with the backups named meanwhile
        if as_rules(before, marks) != pins:
            raise StaleWrite("What is pinned changed while it was optimised: start again.")
        found, _ = carried(before, marks, solution.plan, with_tyres=False)
        version = add_version(
            row, solution, str(PlanVersion.Origin.OPTIMISED), reason, by, marks=found
        )
        audit.record(by=by, verb="plan.optimised", obj=row, after={"number": version.number})
        live.publish(f"strategy:{row.pk}", {"version": row.version, "found": version.number})
    return version, front


def _settled(row: RaceStrategy) -> tuple[list[Stint], dict[int, StintMark]]:
    """The stints of the current plan, and what is settled of them by number."""
    return (plan_of(row.current), marks_of(row.current)) if row.current else ([], {})
