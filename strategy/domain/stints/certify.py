"""The turns that are left as an exact-cover model for CP-SAT: best where many drivers share totals.

Only turns that may be part of a plan below the ceiling are in the model. One thread and a fixed seed;
CP-SAT comes with OR-tools (never add highspy, the two cannot share a process).
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

import numpy as np

from strategy.domain.stints.columns import FAR
from strategy.domain.stints.relaxation import Path, Relaxation

LARGEST_SUM = 1 << 50


@dataclass(slots=True)
class Certificate:
    """The best plan below the ceiling found (if any), a lower bound of all, and whether it is solved."""

    path: Path | None
    bound: float
    is_complete: bool
    columns: int


def certify(
    relaxation: Relaxation,
    alive: np.ndarray,
    *,
    best: Path,
    keep_going: Callable[[], bool],
    most_columns: int = 9_000,
) -> Certificate:
    """The cheapest plan no dearer than `best` that uses only turns of `alive` [d, start, length].

    `keep_going` is asked a few times a second, from another thread.
    """
    from ortools.sat.python import cp_model

    turns, costs = _turns(relaxation, alive)
    if not len(turns):
        return Certificate(None, float(best.cost), True, 0)
    if len(turns) > most_columns:
        return Certificate(None, 0.0, False, len(turns))
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in turns]
    for lap in _covers(relaxation, turns):
        model.add_exactly_one(chosen[at] for at in lap)
    for together in _cliques(relaxation, turns):
        model.add_at_most_one(chosen[at] for at in together)
    for least, each in _sums(relaxation, turns):
        at = np.flatnonzero(each)
        if len(at):
            amount = cp_model.LinearExpr.weighted_sum(
                [chosen[x] for x in at], [int(v) for v in each[at]]
            )
            model.add_linear_constraint(amount, least, LARGEST_SUM)
        elif least > 0:
            return Certificate(None, float(best.cost), True, len(turns))
    cost = cp_model.LinearExpr.weighted_sum(chosen, [int(c) for c in costs])
    model.add(cost <= best.cost)
    model.minimize(cost)
    known = set(best.turns)
    for x, turn in zip(chosen, turns.tolist(), strict=True):
        model.add_hint(x, tuple(turn) in known)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 8
    solver.parameters.linearization_level = 2
    status = _solve(solver, model, keep_going)
    if status == cp_model.INFEASIBLE:
        return Certificate(None, float(best.cost), True, len(turns))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Certificate(None, solver.best_objective_bound, False, len(turns))
    picked = [at for at, x in enumerate(chosen) if solver.boolean_value(x)]
    rows = sorted(turns[picked].tolist(), key=lambda row: row[1])
    path = Path([(d, i, n, k) for d, i, n, k in rows], sum(int(costs[at]) for at in picked))
    return Certificate(path, solver.best_objective_bound, status == cp_model.OPTIMAL, len(turns))


def _solve(solver, model, keep_going: Callable[[], bool]) -> int:
    """Solve; a watcher stops the solver soon after time is up or a person cancels."""
    done = Event()

    def watch() -> None:
        while not done.wait(0.25):
            if not keep_going():
                solver.stop_search()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return int(solver.solve(model))
    finally:
        done.set()
        watcher.join()


def _turns(relaxation: Relaxation, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[turn, (driver, start, length, table)] and what each costs."""
    columns = relaxation.columns
    rows, costs = [np.zeros((0, 4), dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for layer, table in enumerate(columns.cost):
        good = alive & (table < FAR)
        at = np.argwhere(good)
        rows.append(np.hstack([at, np.full((len(at), 1), layer)]))
        costs.append(table[good])
    return np.concatenate(rows), np.concatenate(costs)


def _covers(relaxation: Relaxation, turns: np.ndarray) -> list[list[int]]:
    """For each lap the turns that drive it."""
    laps: list[list[int]] = [[] for _ in range(relaxation.n)]
    for at, (_, i, length, _) in enumerate(turns.tolist()):
        for lap in range(i, i + length):
            laps[lap].append(at)
    return laps


def _cliques(relaxation: Relaxation, turns: np.ndarray) -> list[list[int]]:
    """Turns of one driver of which only one can be: he is in the car or still resting."""
    rested = relaxation.columns.track.rested
    busy: dict[tuple[int, int], list[int]] = {}
    for at, (d, i, length, _) in enumerate(turns.tolist()):
        # at least the next boundary too, for two turns in a row are one
        until = int(max(rested[d, i + length], i + length + 1))
        for b in range(i, min(until, relaxation.n + 1)):
            busy.setdefault((d, b), []).append(at)
    cliques: list[list[int]] = []
    last: set[int] = set()
    for key in sorted(busy):
        now = set(busy[key])
        if len(now) > 1 and not now <= last:
            cliques.append(busy[key])
        last = now
    return cliques


def _sums(relaxation: Relaxation, turns: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The rules that add up: (least, contribution of each turn)."""
    track, rolling = relaxation.columns.track, relaxation.columns.instance.rules.rolling
    d, i, length, k = turns.T
    sums = [
        (t.least, t.upto[d, i + length] - t.upto[d, i] + np.array(t.per_layer or (0,))[k])
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
