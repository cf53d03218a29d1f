"""Versions of a plan: each is kept with its stints as judged, and read back as it was."""

from collections.abc import Sequence
from typing import Any

from racecontrol.shared.errors import NotFound, NotReady
from strategy.domain.stints.instance import Stint, read_instance
from strategy.domain.stints.pins import NO_MARK, Marks, StintMark
from strategy.domain.stints.scoring import score
from strategy.domain.stints.solve import Solution
from strategy.domain.stints.verdict import Score
from strategy.models import PlanVersion, RaceStrategy, StintPlan


def add_version(
    row: RaceStrategy,
    solution: Solution,
    origin: str,
    reason: str,
    by: Any,
    *,
    marks: Marks | None = None,
) -> PlanVersion:
    """`marks`: of the solution's stints; where something was pinned no bound of all plans is known."""
    if solution.score is None:
        raise NotReady("There is no plan to keep.")
    judged = score(read_instance(row.problem), list(solution.plan))
    is_optimal = solution.status == "optimal" and solution.bound_ms == solution.score.z1_ms
    is_free = not any(mark.is_pinned for mark in (marks or {}).values())
    # a faster plan is none if it breaks a rule
    is_proven = is_optimal and judged.is_valid and is_free
    return save_version(
        row, solution.plan, judged, origin=origin, reason=reason, by=by, marks=marks,
        bound_ms=(solution.bound_ms or None) if is_free else None, is_proven=is_proven,
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
    marks: Marks | None = None,
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
    users, marks = [who.get("user_id") for who in row.drivers], marks or {}
    StintPlan.objects.bulk_create(
        StintPlan(
            strategy=row, plan=version, number=n, seat=stint.driver, driver_id=users[stint.driver],
            start_lap=facts.start_lap, laps=stint.laps, planned_start_ms=facts.start_ms,
            planned_ms=facts.drive_ms, stop_ms=facts.stop_ms, fuel_in_ml=facts.fuel_in_ml,
            fuel_out_ml=facts.fuel_out_ml, tyres=stint.tyres, compound=stint.compound,
            **as_fields(marks.get(n, NO_MARK)),
            pit_instructions={
                "add_ml": facts.fuel_added_ml if n > 1 else 0,
                "tyres": ("wet" if stint.compound else "dry") if stint.tyres == "new" else "keep",
                "driver_change": n > 1 and plan[n - 2].driver != stint.driver,
            },
        )
        for n, (stint, facts) in enumerate(zip(plan, judged.stints, strict=True), start=1)
    )  # fmt: skip
    return version


def as_fields(mark: StintMark) -> dict[str, Any]:
    """A mark as the stint's row keeps it."""
    return {
        "is_driver_pinned": mark.is_driver_pinned, "pinned_lap": mark.pinned_lap,
        "backup_seat": mark.backup,
    }  # fmt: skip


def marks_of(version: PlanVersion | None) -> dict[int, StintMark]:
    """What is settled of the version's stints, by number."""
    rows = version.stints.all() if version else ()
    return {row.number: row.mark for row in rows if row.mark != NO_MARK}


def plan_of(version: PlanVersion) -> list[Stint]:
    return [stint_of(row) for row in version.stints.order_by("number")]


def stint_of(row: StintPlan) -> Stint:
    return Stint(driver=row.seat, laps=row.laps, tyres=row.tyres, compound=row.compound)


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
