"""Who drives with whom: how well people fit, and teams that cover the race.

Availability is compared on the race clock, as merged windows clipped to the race; how somebody typed
them in does not matter. Teams are judged by how well they cover the race together, because two people
with the same free hours fit each other and still leave the rest of the race empty.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from random import Random
from time import monotonic

from racecontrol.shared.errors import ImpossiblePlan

SLOT_MS = 30 * 60 * 1000
HOUR_MS = 3_600_000
EXACT_UP_TO = 16
Window = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Person:
    """One signup. Windows in ms on the race clock; cars best first; skill: higher is faster."""

    key: int
    windows: tuple[Window, ...]
    cars: tuple[int, ...] = ()
    roles: frozenset[str] = frozenset()
    skill: float = 0.0


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of a team's score counts; they are scaled to add up to 1."""

    cover_one: float = 0.35
    cover_two: float = 0.15
    car: float = 0.20
    roles: float = 0.10
    pair: float = 0.05
    skill: float = 0.15


@dataclass(frozen=True, slots=True)
class TeamScore:
    """Each part 0..1, the weighted total, and the first ms of the emptiest half hour."""

    total: float
    parts: dict[str, float]
    weakest_ms: int
    weakest_free: int
    cover: list[int]


@dataclass(frozen=True, slots=True)
class PairFit:
    """Hours in common, that over the shorter of both, and the four parts of the fit (0..1)."""

    hours: float
    overlap: float
    car: float
    skill: float
    roles: float
    total: float


@dataclass(frozen=True, slots=True)
class Teams:
    """Keys of people by team; `is_proven`: no other split scores higher."""

    teams: list[list[int]]
    scores: list[TeamScore]
    is_proven: bool

    @property
    def total(self) -> float:
        return sum(s.total for s in self.scores) / max(len(self.scores), 1)


@dataclass(frozen=True, slots=True)
class Limits:
    smallest: int = 2
    largest: int = 4
    together: tuple[tuple[int, int], ...] = ()
    apart: tuple[tuple[int, int], ...] = ()
    fixed: dict[int, int] = field(default_factory=dict)  # person -> team number


def merged(windows: Iterable[Window], *, race_ms: int) -> list[Window]:
    """Windows clipped to the race, sorted, joined where they touch or overlap."""
    joined: list[Window] = []
    for start, end in sorted((max(a, 0), min(b, race_ms)) for a, b in windows):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def free_ms(windows: Iterable[Window]) -> int:
    return sum(b - a for a, b in windows)


def common_ms(a: Sequence[Window], b: Sequence[Window]) -> int:
    """Time both are free; the windows of each must be merged."""
    return sum(max(0, min(x[1], y[1]) - max(x[0], y[0])) for x in a for y in b)


def overlap(a: Person, b: Person, *, race_ms: int) -> tuple[float, float]:
    """Hours in common and their share of the shorter availability (0 if either is never free)."""
    mine, theirs = merged(a.windows, race_ms=race_ms), merged(b.windows, race_ms=race_ms)
    both, least = common_ms(mine, theirs), min(free_ms(mine), free_ms(theirs))
    return both / HOUR_MS, both / least if least else 0.0


def car_worth(person: Person, car: int) -> float:
    """1 for the first choice, .7 and .4 for the next two, 0 for a car he did not name."""
    place = person.cars.index(car) if car in person.cars else 3
    return (1.0, 0.7, 0.4, 0.0)[min(place, 3)]


def pair_fit(
    a: Person,
    b: Person,
    *,
    race_ms: int,
    spread: float,
    weights: tuple[float, float, float, float] = (0.5, 0.2, 0.15, 0.15),
) -> PairFit:
    """How well two people fit: availability, car, skill, roles; `spread` is the field's deviation."""
    hours, share = overlap(a, b, race_ms=race_ms)
    cars = set(a.cars) | set(b.cars)
    car = max(((car_worth(a, c) + car_worth(b, c)) / 2 for c in cars), default=1.0)
    skill = 1.0 - min(1.0, abs(a.skill - b.skill) / (2 * spread)) if spread else 1.0
    roles = len((a.roles | b.roles) & {"spot", "strategize"}) / 2
    parts = (share, car, skill, roles)
    total = sum(w * p for w, p in zip(weights, parts, strict=True)) / (sum(weights) or 1.0)
    return PairFit(hours, share, car, skill, roles, total)


class Signups:
    """Everyone who may be put in a team, with what scoring needs worked out once."""

    def __init__(
        self, people: Sequence[Person], *, race_ms: int, weights: Weights | None = None
    ) -> None:
        if race_ms < 1:
            raise ImpossiblePlan("The race has no length.")
        self.people = list(people)
        self.index = {p.key: n for n, p in enumerate(self.people)}
        self.race_ms = race_ms
        w = weights or Weights()
        names = ("cover_one", "cover_two", "car", "roles", "pair", "skill")
        total = sum(getattr(w, n) for n in names) or 1.0
        self.weights = {n: getattr(w, n) / total for n in names}
        self.slots = max(-(-race_ms // SLOT_MS), 1)
        self.windows = [merged(p.windows, race_ms=race_ms) for p in self.people]
        self.masks = [self._mask(w) for w in self.windows]
        size = len(self.people)
        self.pair = [[0.0] * size for _ in range(size)]
        for a, b in combinations(range(size), 2):
            least = min(free_ms(self.windows[a]), free_ms(self.windows[b]))
            share = common_ms(self.windows[a], self.windows[b]) / least if least else 0.0
            self.pair[a][b] = self.pair[b][a] = share
        skills = [p.skill for p in self.people] or [0.0]
        self.mean = sum(skills) / len(skills)
        self.spread = math.sqrt(sum((s - self.mean) ** 2 for s in skills) / len(skills))
        self.cars = sorted({c for p in self.people for c in p.cars})
        self._memory: dict[tuple[int, ...], float] = {}

    def _mask(self, windows: list[Window]) -> int:
        """One bit for each half hour that lies wholly inside a window."""
        mask = 0
        for start, end in windows:
            first = -(-start // SLOT_MS)
            last = self.slots if end >= self.race_ms else end // SLOT_MS
            if last > first:
                mask |= ((1 << (last - first)) - 1) << first
        return mask

    def parts(self, team: Sequence[int]) -> dict[str, float]:
        """Parts of the score of a team, by position in the field."""
        once = twice = 0
        for n in team:
            twice |= once & self.masks[n]
            once |= self.masks[n]
        size = len(team)
        people = [self.people[n] for n in team]
        car = max((sum(car_worth(p, c) for p in people) / size for c in self.cars), default=1.0)
        roles = frozenset().union(*(p.roles for p in people))
        pairs = list(combinations(team, 2))
        pair = sum(self.pair[a][b] for a, b in pairs) / len(pairs) if pairs else 0.0
        mean = sum(p.skill for p in people) / size
        away = abs(mean - self.mean) / self.spread if self.spread else 0.0
        return {
            "cover_one": once.bit_count() / self.slots,
            "cover_two": twice.bit_count() / self.slots,
            "car": car,
            "roles": len(roles & {"spot", "strategize"}) / 2,
            "pair": pair,
            "skill": 1.0 - min(1.0, away),
        }

    def quick(self, team: Sequence[int]) -> float:
        key = tuple(sorted(team))
        known = self._memory.get(key)
        if known is None:
            if len(self._memory) > 300_000:
                self._memory.clear()
            parts = self.parts(key)
            known = sum(self.weights[name] * value for name, value in parts.items())
            self._memory[key] = known
        return known

    def judge(self, team: Sequence[int]) -> TeamScore:
        parts = self.parts(team)
        cover = [sum(self.masks[n] >> slot & 1 for n in team) for slot in range(self.slots)]
        weakest = min(range(self.slots), key=cover.__getitem__)
        total = sum(self.weights[name] * value for name, value in parts.items())
        return TeamScore(total, parts, weakest * SLOT_MS, cover[weakest], cover)


def snake_draft(people: Sequence[Person], *, teams: int) -> list[list[int]]:
    """The classic: by skill, there and back again. Keys by team."""
    if teams < 1:
        raise ImpossiblePlan("There must be at least one team.")
    order = sorted(people, key=lambda p: (-p.skill, p.key))
    drafted: list[list[int]] = [[] for _ in range(teams)]
    for n, person in enumerate(order):
        lap, seat = divmod(n, teams)
        drafted[seat if lap % 2 == 0 else teams - 1 - seat].append(person.key)
    return drafted


def team_count(people: int, limits: Limits) -> int:
    """The fewest teams that hold everyone; raises ImpossiblePlan where sizes cannot work out."""
    if not 1 <= limits.smallest <= limits.largest:
        raise ImpossiblePlan("The smallest team must not be larger than the largest.")
    count = -(-people // limits.largest)
    if people < 1 or count * limits.smallest > people:
        raise ImpossiblePlan(
            f"{people} people cannot be split into teams of "
            f"{limits.smallest} to {limits.largest}: change the sizes."
        )
    return count


def form_teams(
    signups: Signups,
    *,
    limits: Limits,
    teams: int | None = None,
    seconds: float = 3.0,
    seed: int = 1,
    clock: Callable[[], float] = monotonic,
    keep_going: Callable[[], bool] = lambda: True,
) -> Teams:
    """Teams with the highest mean score: proven for few people, annealed swaps for many."""
    people = signups.people
    count = teams or team_count(len(people), limits)
    if not count * limits.smallest <= len(people) <= count * limits.largest:
        raise ImpossiblePlan(
            f"{len(people)} people do not fill {count} teams of {limits.smallest} to {limits.largest}."
        )
    best = _anneal(signups, count, limits, seconds, seed, clock, keep_going)
    proven = False
    if len(people) <= EXACT_UP_TO:
        exact = _exact(signups, count, limits, seconds=max(seconds, 5.0))
        if exact is not None:
            best, proven = exact
    if _broken(signups, best, limits):
        raise ImpossiblePlan("Pairs kept together and apart leave no way to fill the teams.")
    return Teams(
        [[people[n].key for n in team] for team in best], [signups.judge(t) for t in best], proven
    )


def _broken(signups: Signups, teams: list[list[int]], limits: Limits) -> int:
    home = {signups.people[n].key: t for t, team in enumerate(teams) for n in team}
    bad = sum(home.get(a) != home.get(b) for a, b in limits.together)
    bad += sum(a in home and home.get(a) == home.get(b) for a, b in limits.apart)
    return bad + sum(home.get(person) != team for person, team in limits.fixed.items())


def _anneal(
    signups: Signups,
    count: int,
    limits: Limits,
    seconds: float,
    seed: int,
    clock: Callable[[], float],
    keep_going: Callable[[], bool],
) -> list[list[int]]:
    """Swap or move people between two teams, worse steps ever more rarely."""
    rng = Random(seed)
    drafted = snake_draft(signups.people, teams=count)
    teams = [[signups.index[key] for key in team] for team in drafted]
    is_bound = bool(limits.together or limits.apart or limits.fixed)
    bad = _broken(signups, teams, limits) if is_bound else 0
    worth = [signups.quick(t) for t in teams]
    best, best_value = [list(t) for t in teams], sum(worth) - 2.0 * bad
    value, started, steps, heat = best_value, clock(), 0, 0.05
    while count > 1:
        if steps % 64 == 0:
            spent = (clock() - started) / seconds if seconds > 0 else 1.0
            if spent >= 1.0 or not keep_going():
                break
            heat = 0.05 * (1.0 - spent) ** 2 + 1e-5
        steps += 1
        a, b = rng.sample(range(count), 2)
        one, two = list(teams[a]), list(teams[b])
        if rng.random() < 0.15 and len(one) > limits.smallest and len(two) < limits.largest:
            two.append(one.pop(rng.randrange(len(one))))
        else:
            x, y = rng.randrange(len(one)), rng.randrange(len(two))
            one[x], two[y] = two[y], one[x]
        new_one, new_two = signups.quick(one), signups.quick(two)
        gain = new_one + new_two - worth[a] - worth[b]
        old = teams[a], teams[b]
        if is_bound:
            teams[a], teams[b] = one, two
            now_bad = _broken(signups, teams, limits)
            gain -= 2.0 * (now_bad - bad)
            teams[a], teams[b] = old
        if gain >= 0 or rng.random() < math.exp(gain / heat):
            teams[a], teams[b], worth[a], worth[b] = one, two, new_one, new_two
            value += gain
            if is_bound:
                bad = now_bad
            if value > best_value + 1e-12:
                best, best_value = [list(t) for t in teams], value
    return best


def _exact(
    signups: Signups, count: int, limits: Limits, *, seconds: float
) -> tuple[list[list[int]], bool] | None:
    """Every possible team as a column, each person in exactly one (CP-SAT)."""
    from ortools.sat.python import cp_model

    people = signups.people
    together = [(signups.index[a], signups.index[b]) for a, b in limits.together]
    apart = [(signups.index[a], signups.index[b]) for a, b in limits.apart]
    teams = [
        team
        for size in range(limits.smallest, limits.largest + 1)
        for team in combinations(range(len(people)), size)
        if all((a in team) == (b in team) for a, b in together)
        and not any(a in team and b in team for a, b in apart)
    ]
    if limits.fixed or len(teams) > 60_000:
        return None
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in teams]
    for n in range(len(people)):
        model.add_exactly_one(x for x, team in zip(chosen, teams, strict=True) if n in team)
    model.add(sum(chosen) == count)
    worth = [round(signups.quick(team) * 1_000_000) for team in teams]
    model.maximize(cp_model.LinearExpr.weighted_sum(chosen, worth))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False  # Ctrl-C is the process's own affair
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    picked = [list(team) for x, team in zip(chosen, teams, strict=True) if solver.value(x)]
    return picked, status == cp_model.OPTIMAL
