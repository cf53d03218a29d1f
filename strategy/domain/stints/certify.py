"""The same turns as a mixed-integer programme: proves races with rolling windows fast.

Only turns that may be part of a plan below the ceiling are in the model, so a good plan comes first.
SCIP comes with OR-tools and keeps quiet on standard output (its HiGHS does not); never add
the highspy package, the two cannot share a process.
"""

from dataclasses import dataclass

import numpy as np

from strategy.domain.stints.columns import FAR
from strategy.domain.stints.relaxation import Bound, Path, Relaxation

OPTIMAL, INFEASIBLE = 0, 2


@dataclass(slots=True)
class Certificate:
    """The best plan below the ceiling (None: there is none) when the model was solved to the end."""

    path: Path | None
    is_complete: bool
    columns: int


def certify(
    relaxation: Relaxation,
    bound: Bound,
    *,
    ceiling: int,
    seconds: float,
    most_columns: int = 6_000,
) -> Certificate:
    """The cheapest plan costing at most `ceiling` ms."""
    from ortools.linear_solver import pywraplp

    columns, track = relaxation.columns, relaxation.columns.track
    alive = relaxation.through(bound) <= ceiling + 1e-3
    turns: list[tuple[int, int, int, int]] = []
    costs: list[int] = []
    for layer, table in enumerate(columns.cost):
        for d, i, length in np.argwhere(alive & (table < FAR)):
            turns.append((int(d), int(i), int(length), columns.stints[layer]))
            costs.append(int(table[d, i, length]))
    if not turns:
        return Certificate(None, True, 0)
    if len(turns) > most_columns:
        return Certificate(None, False, len(turns))
    solver = pywraplp.Solver.CreateSolver("SCIP")
    solver.SuppressOutput()
    free = solver.infinity()
    chosen = [solver.BoolVar("") for _ in turns]
    covers = [solver.Constraint(1, 1) for _ in range(relaxation.n)]
    busy: dict[tuple[int, int], list[int]] = {}
    for at, (d, i, length, _) in enumerate(turns):
        for lap in range(i, i + length):
            covers[lap].SetCoefficient(chosen[at], 1)
        # in the car or resting; at least the next boundary too, for two turns in a row are one
        until = int(max(track.rested[d, i + length], i + length + 1))
        for b in range(i, min(until, relaxation.n + 1)):
            busy.setdefault((d, b), []).append(at)
    last: set[int] = set()
    for key in sorted(busy):
        now = set(busy[key])
        if len(now) > 1 and not now <= last:
            row = solver.Constraint(-free, 1)
            for at in now:
                row.SetCoefficient(chosen[at], 1)
        last = now
    for least, each in _sums(relaxation, np.array(turns)):
        row = solver.Constraint(least / 1000, free)  # seconds: better scaled
        for x, amount in zip(chosen, each, strict=True):
            if amount:
                row.SetCoefficient(x, float(amount) / 1000)
    # take the bound's share off every lap, so the objective is the small difference that matters
    share = bound.value / float(track.nominal_upto[-1])
    for at, (_, i, length, _) in enumerate(turns):
        run = float(track.nominal_upto[i + length] - track.nominal_upto[i])
        solver.Objective().SetCoefficient(chosen[at], costs[at] - share * run)
    solver.Objective().SetMinimization()
    solver.SetTimeLimit(int(max(seconds, 0.1) * 1000))
    parameters = pywraplp.MPSolverParameters()
    parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, 0.0)
    status = solver.Solve(parameters)
    if status == INFEASIBLE:
        return Certificate(None, True, len(turns))
    if status != OPTIMAL:
        return Certificate(None, False, len(turns))
    picked = [at for at, x in enumerate(chosen) if x.solution_value() > 0.5]
    path = Path(
        sorted((turns[at] for at in picked), key=lambda t: t[1]), sum(costs[at] for at in picked)
    )
    return Certificate(path, True, len(turns))


def _sums(relaxation: Relaxation, turns: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The rules that add up: (least, contribution of each turn)."""
    track, rolling = relaxation.columns.track, relaxation.columns.instance.rules.rolling
    d, i, length, k = turns.T
    sums = [
        (t.least, t.upto[d, i + length] - t.upto[d, i] + t.per_stint * k)
        for t in relaxation.totals
        if t.name != "rolling"
    ]
    if rolling is None:
        return sums
    upto = track.nominal_upto
    for lap in range(relaxation.n):
        low, high = upto[lap], upto[track.window_end[lap]]
        inside = np.clip(upto[i + length], low, high) - np.clip(upto[i], low, high)
        for who in range(relaxation.drivers):
            each = np.where(d == who, inside, 0)
            if high - low > rolling.max_ms and int(each.sum()) > rolling.max_ms:
                sums.append((-rolling.max_ms, -each))
    return sums
