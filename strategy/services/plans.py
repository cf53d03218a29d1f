"""Strategies and their versions: first plan, check, optimise, change by hand, what if."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from django.db import IntegrityError, transaction

from racecontrol.shared import audit, jobs, live
from racecontrol.shared.errors import (
    ImpossiblePlan,
    InvalidInput,
    NotFound,
    NotReady,
    RaceError,
    StaleWrite,
)
from racecontrol.shared.progress import OnProgress, silent
from strategy import access
from strategy.domain.stints import editing
from strategy.domain.stints.balance import Trade, balance
from strategy.domain.stints.conflict import explain
from strategy.domain.stints.instance import Instance, Stint, read_instance, read_plan
from strategy.domain.stints.scoring import Score, score
from strategy.domain.stints.solve import Solution, solve
from strategy.models import (
    Car,
    LiveRun,
    PlanVersion,
    RaceStrategy,
    StintPlan,
)
from strategy.services.drivers import drivers_of
from strategy.services.news import tell_later, tell_named
from strategy.services.problems import Wishes, as_columns, problem_of
from strategy.services.teams import NameTaken

Origin = PlanVersion.Origin
FIRST_PLAN_SECONDS = 8.0
LONGEST_SECONDS = 300


class Locked(RaceError):
    code = "strategy_locked"


# -- making one


def create_strategy(
    *,
    team_id: int,
    event_id: int,
    car_id: int,
    instance_id: int,
    name: str,
    user_ids: Sequence[int],
    wishes: Wishes | None = None,
    by: Any,
) -> RaceStrategy:
    """A strategy with a first plan that keeps every rule; refused with the rules in conflict."""
    access.require(by, team_id, access.PLANNERS)
    event = access.event_for(by, event_id)
    car = Car.objects.filter(pk=car_id, team_id__in={team_id, event.host_id}).first()
    instance = event.instances.filter(pk=instance_id).first()
    if car is None or instance is None:
        raise InvalidInput(
            "Choose a car of the team and a start of the event.",
            fields={"car" if car is None else "instance": ["Not one of these."]},
        )
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise InvalidInput("A name takes 1 to 80 characters.", fields={"name": ["1 to 80."]})
    drivers = drivers_of(event, instance, list(dict.fromkeys(user_ids)))
    wishes = wishes or Wishes()
    problem = problem_of(event, car, drivers, wishes)
    solution = initial_plan(read_instance(problem))
    try:
        with transaction.atomic():
            row = RaceStrategy.objects.create(
                team_id=team_id, event=event, instance=instance, car=car, name=name,
                drivers=drivers, problem=problem, **as_columns(wishes),
            )  # fmt: skip
            first = add_version(row, solution, str(Origin.INITIAL), "first plan", by)
            row.current = first
            row.save(update_fields=["current"])
            audit.record(by=by, verb="strategy.created", obj=row)
    except IntegrityError:
        raise NameTaken(f"There is a strategy called {name} for this event already.") from None
    return row


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


def add_version(
    row: RaceStrategy, solution: Solution, origin: str, reason: str, by: Any
) -> PlanVersion:
    if solution.score is None:
        raise NotReady("There is no plan to keep.")
    judged = score(read_instance(row.problem), list(solution.plan))
    is_optimal = solution.status == "optimal" and solution.bound_ms == solution.score.z1_ms
    is_proven = is_optimal and judged.is_valid  # a faster plan is none if it breaks a rule
    return save_version(
        row, solution.plan, judged, origin=origin, reason=reason, by=by,
        bound_ms=solution.bound_ms or None, is_proven=is_proven,
    )  # fmt: skip


def save_version(
    row: RaceStrategy,
    plan: Sequence[Stint],
    judged: Score,
    *,
    origin: str,
    reason: str,
    by: Any,
    bound_ms: int | None = None,
    is_proven: bool = False,
    locked: frozenset[int] = frozenset(),
    parent: PlanVersion | None = None,
) -> PlanVersion:
    """Keep a plan as the next version with its stints; inside the caller's transaction."""
    last = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = PlanVersion.objects.create(
        strategy=row, number=last + 1, origin=origin, reason=reason[:200], problem=row.problem,
        z1_ms=judged.z1_ms, z2_ms=judged.z2_ms, z3_ms=judged.z3_ms, bound_ms=bound_ms,
        is_proven=is_proven, broken_rules=len(judged.violations), created_by=by,
        parent=parent,
    )  # fmt: skip
    users = [who.get("user_id") for who in row.drivers]
    StintPlan.objects.bulk_create(
        StintPlan(
            strategy=row, plan=version, number=n, seat=stint.driver, driver_id=users[stint.driver],
            start_lap=facts.start_lap, laps=stint.laps, planned_start_ms=facts.start_ms,
            planned_ms=facts.drive_ms, stop_ms=facts.stop_ms, fuel_in_ml=facts.fuel_in_ml,
            fuel_out_ml=facts.fuel_out_ml, tyres=stint.tyres, compound=stint.compound,
            is_locked=n in locked,
            pit_instructions={
                "add_ml": facts.fuel_added_ml if n > 1 else 0,
                "tyres": ("wet" if stint.compound else "dry") if stint.tyres == "new" else "keep",
                "driver_change": n > 1 and plan[n - 2].driver != stint.driver,
            },
        )
        for n, (stint, facts) in enumerate(zip(plan, judged.stints, strict=True), start=1)
    )  # fmt: skip
    return version


# -- reading back


def plan_of(version: PlanVersion) -> list[Stint]:
    return [
        Stint(driver=s.seat, laps=s.laps, tyres=s.tyres, compound=s.compound)
        for s in version.stints.order_by("number")
    ]


def validate_plan(row: RaceStrategy, version: PlanVersion | None = None) -> Score:
    """Every rule a version breaks, by stint, with measured value and limit."""
    version = version or row.current
    if version is None:
        raise NotReady("There is no plan yet.")
    return score(read_instance(version.problem), plan_of(version))


def version_of(row: RaceStrategy, number: int) -> PlanVersion:
    version = row.versions.filter(number=number).first()
    if version is None:
        raise NotFound("There is no such version.")
    return version


# -- changing


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


def _step(row: RaceStrategy, *fields: str) -> None:
    row.version += 1
    row.save(update_fields=["version", *fields])
    live.publish(f"strategy:{row.pk}", {"version": row.version})


def make_current(row: RaceStrategy, version: PlanVersion, *, by: Any) -> None:
    """Let a version count from now on; those it concerns hear of it if the strategy is active."""
    before, row.current = row.current, version
    _step(row, "current")
    if row.status == RaceStrategy.Status.ACTIVE:
        tell_later(row, since=before, by=by)


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


def _held(plan: PlanVersion) -> dict[int, Stint]:
    """The stints held as they are, by the lap they start on: their number may change."""
    return {
        s.start_lap: Stint(driver=s.seat, laps=s.laps, tyres=s.tyres, compound=s.compound)
        for s in plan.stints.filter(is_locked=True)
    }


def _numbers_of_held(held: dict[int, Stint], after: Sequence[Stint]) -> frozenset[int]:
    """Where the held stints are in the changed plan; raises Locked if one was touched."""
    starts = [0, *accumulate(stint.laps for stint in after)]
    places = {lap: n for n, lap in enumerate(starts[:-1])}
    for lap, stint in held.items():
        if lap not in places or after[places[lap]] != stint:
            raise Locked(f"The stint from lap {lap + 1} is held: release it before changing it.")
    return frozenset(places[lap] + 1 for lap in held)


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
        row, after, score(instance, after), origin=str(Origin.MANUAL), by=by,
        reason=f"{change} stint {stint}{': ' if note else ''}{note}", parent=row.current,
        bound_ms=row.current.bound_ms, locked=_numbers_of_held(_held(row.current), after),
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


@transaction.atomic
def lock_stint(
    *, strategy_id: int, base_version: int, stint: int, is_locked: bool, by: Any
) -> None:
    """Hold a stint as it is; changes by hand that touch it are refused."""
    row = open_for_change(strategy_id, base_version, by)
    changed = StintPlan.objects.filter(plan_id=row.current_id, number=stint).update(
        is_locked=is_locked
    )
    if not changed:
        raise NotFound("There is no such stint.")
    _step(row)
    audit.record(by=by, verb="plan.stint_held" if is_locked else "plan.stint_released", obj=row,
                 after={"stint": stint})  # fmt: skip


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
    _step(row, "status", "is_locked")
    audit.record(by=by, verb="strategy.state_changed", obj=row, before=before,
                 after={"status": row.status, "is_locked": row.is_locked})  # fmt: skip
    return row


# -- optimising


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
    """Solve the strategy's problem and keep the outcome as a new version, never as the current one."""
    row = access.strategy_for(by, strategy_id, access.PLANNERS)
    reason = f"optimised {job_key}".strip()
    if job_key and (done := row.versions.filter(reason=reason).first()):
        return done, []
    instance = read_instance(row.problem)
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
        if (
            row.problem != instance.model_dump(mode="json")
            and read_instance(row.problem) != instance
        ):
            raise StaleWrite("The strategy's numbers changed while it was optimised: start again.")
        version = add_version(row, solution, str(Origin.OPTIMISED), reason, by)
        audit.record(by=by, verb="plan.optimised", obj=row, after={"number": version.number})
        live.publish(f"strategy:{row.pk}", {"version": row.version, "found": version.number})
    return version, front


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
    version = save_version(row, plan, judged, origin=str(Origin.IMPORTED), reason="imported", by=by,
                           parent=row.current)  # fmt: skip
    make_current(row, version, by=by)
    audit.record(by=by, verb="plan.imported", obj=row, after={"number": version.number})
    return version
