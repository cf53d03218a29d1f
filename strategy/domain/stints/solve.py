"""Finds the fastest plan and how far from the best possible it can be at most.

First prices for a lower bound, then a narrow search for a first plan, then three things in turn
until the plan is proven or time is up: exact search below a rising ceiling, polishing of the plan
found, and (for rolling windows) a mixed-integer proof. Whatever stops it, the bound is true.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Literal

import numpy as np

from racecontrol.shared.progress import OnProgress, Progress, silent
from strategy.domain.stints.certify import certify
from strategy.domain.stints.columns import FAR, Columns
from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.narrowing import Narrowing
from strategy.domain.stints.polish import Polisher
from strategy.domain.stints.relaxation import Bound, Path, Relaxation, best_prices
from strategy.domain.stints.scoring import score
from strategy.domain.stints.search import Search
from strategy.domain.stints.shortage import Shortage
from strategy.domain.stints.verdict import Score

Status = Literal["optimal", "feasible", "infeasible", "unknown"]
NARROW, WIDE, WIDEST = 150, 2_000, 200_000


@dataclass(frozen=True, slots=True)
class Solution:
    """The outcome: a plan judged by the independent scorer, a true bound, and what is proven.

    optimal: no plan is faster. feasible: `gap_ms` at most above the best. infeasible: proven that no
    plan keeps all rules. unknown: time was up before either was clear.
    """

    status: Status
    plan: list[Stint]
    score: Score | None
    bound_ms: int
    seconds: float
    how: str

    @property
    def gap_ms(self) -> int | None:
        return None if self.score is None else self.score.z1_ms - self.bound_ms


@dataclass(slots=True)
class _State:
    relaxation: Relaxation
    lower: int
    patience: float  # seconds there were at the start
    best: Path | None = None
    how: str = ""

    @property
    def is_proven(self) -> bool:
        return self.best is not None and self.best.cost <= self.lower

    def take(self, path: Path | None, how: str) -> bool:
        if path is None or (self.best is not None and path.cost >= self.best.cost):
            return False
        self.best, self.how = path, how
        return True

    def raise_to(self, value: float) -> None:
        limit = int(np.ceil(value - 1e-3))
        self.lower = max(self.lower, min(limit, self.best.cost) if self.best else limit)


def solve(
    instance: Instance,
    *,
    time_limit: float = 60.0,
    first_only: bool = False,
    on_progress: OnProgress = silent,
    is_cancelled: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = monotonic,
) -> Solution:
    """The fastest plan within the rules, as good as `time_limit` seconds allow.

    `first_only` stops at the first valid plan: usually well under a second.
    """
    started = clock()

    def tell(label: str) -> None:
        on_progress(Progress(int(min(clock() - started, time_limit)), int(time_limit), label))

    def left() -> float:
        return -1.0 if is_cancelled() else time_limit - (clock() - started)

    if Shortage().is_proven(instance):
        return Solution("infeasible", [], None, 0, clock() - started, "too little driving there is")
    solution = _solve(instance, Columns(instance), left, tell, first_only)
    # rules that count stops or sets seldom bind; only then the larger model that counts them
    counts = _counts_needed(instance, solution)
    if any(counts.values()):
        solution = _solve(instance, Columns(instance, **counts), left, tell, first_only)
    return Solution(
        solution.status, solution.plan, solution.score, solution.bound_ms,
        clock() - started, solution.how,
    )  # fmt: skip


def _counts_needed(instance: Instance, solution: Solution) -> dict[str, bool]:
    """Which counts the plan found without them gets wrong (or might, when none was found)."""
    rules = instance.rules
    broken = {v.rule for v in solution.score.violations} if solution.score else set()
    if solution.status == "unknown":
        broken = {"min_stops", "tyre_sets"}
    by_stints = bool(rules.min_stops) and "min_stops" in broken
    by_sets = bool(rules.tyre_sets) and "tyre_sets" in broken
    if by_stints or by_sets:  # mending one may break the other
        return {"by_stints": bool(rules.min_stops), "by_sets": bool(rules.tyre_sets)}
    return {"by_stints": False, "by_sets": False}


def _solve(
    instance: Instance,
    columns: Columns,
    left: Callable[[], float],
    tell: Callable[[str], None],
    first_only: bool,
) -> Solution:
    patience = left()
    if not columns.length:
        return Solution(
            "infeasible", [], None, 0, 0.0, "no stint fits tank, tyres and its shortest length"
        )
    relaxation = Relaxation(columns)
    worst = _dearest(columns)
    pool: list[Bound] = []
    tell("pricing the rules")
    bound = best_prices(relaxation, seen=pool.append, keep_going=lambda: left() > 0)
    if bound.value >= worst + 1:
        return Solution("infeasible", [], None, 0, 0.0, "the rules contradict each other")
    state = _State(relaxation, int(np.ceil(bound.value - 1e-3)), patience)
    others = _other_prices(relaxation, bound, pool)
    search = Search(relaxation, bound, others)
    impossible = _first_plan(state, search, worst, left, tell)
    if impossible:
        return Solution("infeasible", [], None, 0, 0.0, "every plan breaks a rule")
    if state.best is not None and not first_only:
        _improve(state, bound, others, left, tell)
    return _finish(instance, columns, state)


def _dearest(columns: Columns) -> float:
    """More than any plan can cost: the dearest lap of any turn, for every lap."""
    lengths = np.maximum(np.arange(columns.length + 1), 1)
    each = [np.where(t < FAR, t / lengths, 0).max(initial=0.0) for t in columns.cost]
    return float(max(each)) * columns.track.laps


def _other_prices(relaxation: Relaxation, bound: Bound, pool: list[Bound]) -> list[Bound]:
    """A few more sets of prices: each catches chains that the best prices let through."""
    size = len(bound.prices)
    same = [b for b in pool if len(b.prices) == size and b.value > bound.value - 200_000]
    if _has_rolling(relaxation):
        # chains do not carry what they owe to windows; only prices on the other rules can be used
        base = sum(1 for t in relaxation.totals if t.name != "rolling")
        same = [b for b in same if not b.prices[base:].any()]
    others = sorted(same, key=lambda b: -b.value)[:10]
    if _has_rolling(relaxation):
        return others
    trials = [bound.prices * f for f in (0.0, 0.3, 0.6, 1.5, 2.5)]
    for n, total in enumerate(relaxation.totals[:8]):
        for factor in (0.4, 1.6, 3.0) if bound.prices[n] > 0 else ():
            trials.append(bound.prices.copy())
            trials[-1][n] *= factor
        if bound.prices[n] == 0:
            trials.append(bound.prices.copy())
            trials[-1][n] = 0.003 * total.scale
    return others + [relaxation.evaluate(prices, want_path=False) for prices in trials]


def _has_rolling(relaxation: Relaxation) -> bool:
    return relaxation.columns.instance.rules.rolling is not None


def _first_plan(
    state: _State,
    search: Search,
    worst: float,
    left: Callable[[], float],
    tell: Callable[[str], None],
) -> bool:
    """A first plan from a narrow search under a rising ceiling; True: proven that none exists."""
    cap = NARROW
    while left() > 0:
        above = 9_000.0
        while left() > 0:
            tell(f"looking for a plan within {above / 1000:.0f} s of the bound")
            ceiling = min(search.bound.value + above, worst + 1)
            found = search.run(ceiling=ceiling, cap=cap, keep_going=lambda: left() > 0)
            if found.path:
                state.take(found.path, "search")
                if found.is_exact:
                    state.raise_to(found.path.cost)
                return False
            if found.is_exact:
                state.raise_to(ceiling)
                if ceiling > worst:
                    return True
            if ceiling > worst:
                break
            above = above * 3.2 if above < 1_000_000 else worst
        cap *= 4
        if cap > WIDEST * 4:
            return False
    return False


def _improve(
    state: _State,
    bound: Bound,
    others: list[Bound],
    left: Callable[[], float],
    tell: Callable[[str], None],
) -> None:
    """Strike turns, search, polish, and (once that does not finish) CP-SAT, in growing portions."""
    relaxation = state.relaxation
    narrowing = Narrowing(relaxation, bound)
    polisher = Polisher(relaxation, bound)
    cap, portion = WIDE, max(1.0, state.patience - left())
    is_untried = True
    while left() > 0 and not state.is_proven:
        assert state.best is not None
        tell(f"counting; {_off(state)}")
        narrowing.advance(state.best.cost, _until(left, left() - portion))
        state.raise_to(narrowing.value)
        if state.is_proven:
            return
        search = Search(relaxation, narrowing.bound(state.best.cost), others, narrowing.counted)
        reached = state.lower
        _exact(state, search, cap, _until(left, left() - 2 * portion), tell)
        if state.is_proven:
            return
        tell(f"polishing; {_off(state)}")
        state.take(polisher.run(state.best, _until(left, left() - portion)), "polish")
        if is_untried and state.lower == reached and left() > 0:  # the search cannot finish
            is_untried = False
            _certify(state, narrowing, left, tell)
        cap, portion = min(cap * 3, WIDEST), portion * 1.6


def _off(state: _State) -> str:
    assert state.best is not None
    return f"at most {(state.best.cost - state.lower) / 1000:.1f} s from the best"


def _certify(
    state: _State,
    narrowing: Narrowing,
    left: Callable[[], float],
    tell: Callable[[str], None],
) -> None:
    """Most of the time that is left for CP-SAT."""
    assert state.best is not None
    tell(f"proving with CP-SAT; {_off(state)}")
    floor = left() * 0.15
    alive = narrowing.alive(state.best.cost + 1)
    for d, start, length, _ in state.best.turns:
        alive[d, start, length] = True
    done = certify(
        state.relaxation, alive, best=state.best,
        keep_going=lambda: left() > floor,
    )  # fmt: skip
    state.take(done.path, "CP-SAT")
    state.raise_to(state.best.cost if done.is_complete else done.bound)


def _until(left: Callable[[], float], floor: float) -> Callable[[], float]:
    """Time left before only `floor` seconds of the whole remain."""
    return lambda: left() - max(floor, 0.0)


def _exact(
    state: _State,
    search: Search,
    cap: int,
    left: Callable[[], float],
    tell: Callable[[str], None],
) -> None:
    """Exhaust the plans below a rising ceiling; what overflows still finds better plans."""
    above = max(state.lower - search.bound.value, 0.0) + 1_000.0
    while left() > 0 and not state.is_proven and state.best is not None:
        ceiling = min(search.bound.value + above, state.best.cost - 1.0)
        tell(f"proving: no plan below {ceiling / 1000:.1f} s?")
        found = search.run(ceiling=ceiling, cap=cap, keep_going=lambda: left() > 0)
        better = state.take(found.path, "search")
        if found.is_exact:
            state.raise_to(found.path.cost if found.path else np.floor(ceiling) + 1)
        elif better or ceiling >= state.best.cost - 1.0:
            return
        above *= 2.0


def _finish(instance: Instance, columns: Columns, state: _State) -> Solution:
    if state.best is None:
        return Solution("unknown", [], None, state.lower, 0.0, state.how)
    plan = [s for d, i, n, k in state.best.turns for s in columns.stints_of(d, i, n, k)]
    judged = score(instance, plan)
    if judged.z1_ms > state.best.cost:
        raise AssertionError("The optimiser and the scorer disagree about a plan's time.")
    status: Status = "optimal" if state.is_proven else "feasible"
    lower = min(state.lower, judged.z1_ms)
    return Solution(status, plan, judged, lower, 0.0, state.how)
