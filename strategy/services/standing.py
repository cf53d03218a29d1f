"""How a plan stands: against the best plan known for the same problem, the bound, and its last change."""

from dataclasses import dataclass

from racecontrol.shared.units import format_ms
from strategy.models import PlanVersion, RaceStrategy


@dataclass(frozen=True, slots=True)
class Standing:
    """`cost_ms`: race time over the best valid version; `off_bound_ms`: at most this over any plan.

    `step_ms`: what the last change by hand cost (below zero: won). None where there is nothing to
    compare with.
    """

    best: PlanVersion | None
    cost_ms: int | None
    off_bound_ms: int | None
    step_ms: int | None
    may_undo: bool

    @property
    def cost(self) -> str:
        return _signed(self.cost_ms)

    @property
    def off_bound(self) -> str:
        return _signed(self.off_bound_ms)

    @property
    def step(self) -> str:
        return _signed(self.step_ms)

    @property
    def is_against_proven(self) -> bool:
        return self.best is not None and self.best.is_proven


def _signed(ms: int | None) -> str:
    """-62345 -> '−1:02.345'; nothing without a number."""
    if ms is None:
        return ""
    return f"{'−' if ms < 0 else '+'}{format_ms(abs(ms))}"


def standing_of(row: RaceStrategy) -> Standing:
    """Compares only versions that answer the problem as it is now."""
    current = row.current
    if current is None:
        return Standing(None, None, None, None, may_undo=False)
    same = [v for v in row.versions.select_related("parent") if v.problem == current.problem]
    valid = [v for v in same if not v.broken_rules]
    best = min(valid, key=lambda v: (v.z1_ms, not v.is_proven, v.number), default=None)
    bound = max((v.bound_ms for v in same if v.bound_ms), default=None)
    parent = current.parent
    return Standing(
        best=best,
        cost_ms=current.z1_ms - best.z1_ms if best else None,
        off_bound_ms=max(current.z1_ms - bound, 0) if bound else None,
        step_ms=current.z1_ms - parent.z1_ms if parent else None,
        may_undo=parent is not None,
    )
