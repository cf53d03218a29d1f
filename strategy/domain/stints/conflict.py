"""Why no plan exists: the smallest set of rules that contradict each other, and what would free it."""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from time import monotonic
from typing import Any

from strategy.domain.stints.instance import LARGEST_NUMBER, Instance, Stint, read_instance
from strategy.domain.stints.rotation import rotation
from strategy.domain.stints.scoring import score
from strategy.domain.stints.shortage import Shortage
from strategy.domain.stints.solve import solve

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conflict:
    """`rules` cannot all hold; dropping any one of `frees` lets a plan exist.

    `is_smallest`: every rule named is needed for the contradiction (else time ran out).
    """

    rules: list[str]
    frees: list[str]
    is_smallest: bool


def _set(data: Data, *, part: str, values: Data) -> None:
    data[part] = data[part] | values


def _set_driver(data: Data, *, at: int, values: Data) -> None:
    data["drivers"][at] = data["drivers"][at] | values


def _multiply(data: Data, *, field: str, by: int = 2) -> None:
    """Every driver's limit doubled: without any limit a turn could be the race, with all its stops."""
    data["drivers"] = [
        who | {field: min(who[field] * by, LARGEST_NUMBER)} for who in data["drivers"]
    ]


def _take_out(data: Data, *, part: str, item: Data) -> None:
    kept = [other for other in data["rules"][part] if other != item]
    _set(data, part="rules", values={part: kept})


def _of_drivers(instance: Instance) -> dict[str, Callable[[Data], None]]:
    """Each rule of one driver that is in force, in words, and what takes it out."""
    found: dict[str, Callable[[Data], None]] = {}
    clock, whole = instance.race.clock_ms, sum(instance.race.lap_nominal_ms)
    for at, who in enumerate(instance.drivers):
        is_always_there = all(
            any(a <= clock[n] and clock[n + 1] <= b for a, b in who.available_ms)
            for n in range(instance.race.laps)
        )
        rules: list[tuple[str, Data, bool]] = [
            (f"availability of {who.id}", {"available_ms": [[0, LARGEST_NUMBER]]}, not is_always_there),
            (f"{who.id} does not drive at night", {"no_night": False}, who.no_night),
            (f"{who.id} does not drive in the wet", {"no_wet": False}, who.no_wet),
            (f"minimum drive time of {who.id}", {"min_drive_ms": 0}, who.min_drive_ms > 0),
            (f"maximum drive time of {who.id}", {"max_drive_ms": LARGEST_NUMBER}, who.max_drive_ms < whole),
        ]  # fmt: skip
        for words, values, is_on in rules:
            if is_on:
                found[words] = partial(_set_driver, at=at, values=values)
    return found


def _of_race(instance: Instance) -> dict[str, Callable[[Data], None]]:
    """The same for rules of all drivers; limits of a run are doubled."""
    rules = instance.rules
    found: dict[str, Callable[[Data], None]] = {
        "continuous drive time": partial(_multiply, field="max_continuous_ms"),
        "stints in a row": partial(_multiply, field="max_consecutive"),
    }
    if any(d.min_rest_ms for d in instance.drivers):
        found["rest between turns"] = partial(_multiply, field="min_rest_ms", by=0)
    race_rules: list[tuple[str, Data, bool]] = [
        ("fair share", {"fair_share_pct": 0}, rules.fair_share_pct > 0),
        ("group minimums", {"groups": []}, bool(rules.groups)),
        ("start driver", {"start_drivers": None}, rules.start_drivers is not None),
        ("finish driver", {"finish_drivers": None}, rules.finish_drivers is not None),
        ("mandatory stops", {"min_stops": 0}, rules.min_stops > 0),
        ("rolling window", {"rolling": None}, rules.rolling is not None),
        ("shortest stint", {"min_stint_laps": 1}, rules.min_stint_laps > 1),
        ("longest stint", {"max_stint_laps": None}, rules.max_stint_laps is not None),
        ("longest stint time", {"max_stint_ms": None}, rules.max_stint_ms is not None),
        ("sets of tyres", {"tyre_sets": None}, rules.tyre_sets is not None),
    ]
    for words, values, is_on in race_rules:
        if is_on:
            found[words] = partial(_set, part="rules", values=values)
    for at, window in enumerate(rules.pit_windows):
        item = window.model_dump()
        found[f"window {at + 1}: {window.name}"] = partial(_take_out, part="pit_windows", item=item)
    for span in rules.spans:
        names = " and ".join(instance.drivers[d].id for d in span.drivers)
        found[f"{span.name}: {names}"] = partial(_take_out, part="spans", item=span.model_dump())
    for pin in rules.pins:
        found[pin.name] = partial(_take_out, part="pins", item=pin.model_dump())
    if instance.pit.closed_laps:
        found["closed pit lane"] = partial(_set, part="pit", values={"closed_laps": []})
    return found


def explain(
    instance: Instance,
    *,
    seconds: float = 20.0,
    each: float = 5.0,
    clock: Callable[[], float] = monotonic,
) -> Conflict:
    """The smallest set of rules that contradict, by halving (QuickXplain, Junker 2004).

    By counting alone where that sees the contradiction, which takes milliseconds a question; else by
    the solver. That a rule found is needed is shown by a plan without it: one found before with two
    drivers exchanged, one by taking turns, else the solver's. A set is small when
    each of its rules is needed; another, larger or smaller, may exist beside it.
    """
    search = _Search(instance, seconds, each, clock)
    names = list(search.loosen)
    if search.is_impossible(set()):
        reason = "tank, stint length and tyre life against the race"
        return Conflict([reason], [], is_smallest=True)
    everything = set(names)
    asked = search.is_short if search.is_short(everything) else search.is_impossible
    found = set(_core(asked, set(), False, names))
    needed = set()
    for one in sorted(found):
        # a plan that keeps more shows the same, and drivers' hours apart it is quickly found
        if search.is_impossible((found | search.general) - {one}) is False:
            needed.add(one)
        elif is_needless := search.is_impossible(found - {one}):
            found.remove(one)
        elif is_needless is False:
            needed.add(one)
    frees = {one for one in found if search.is_impossible(everything - {one}) is False}
    return Conflict(
        [name for name in names if name in found],
        [name for name in names if name in frees],
        found == needed,
    )


def _core(
    is_impossible: Callable[[set[str]], bool | None], kept: set[str], is_new: bool, rules: list[str]
) -> list[str]:
    """The rules among `rules` that contradict each other and what is kept."""
    if is_new and is_impossible(kept):
        return []
    if len(rules) == 1:
        return rules
    half = len(rules) // 2
    first, second = rules[:half], rules[half:]
    late = _core(is_impossible, kept | set(first), True, second)
    early = _core(is_impossible, kept | set(late), bool(late), first)
    return early + late


class _Search:
    """Asks about sets of rules while time lasts, and nothing that follows from an earlier answer."""

    def __init__(self, instance: Instance, seconds: float, each: float, clock: Callable[[], float]):
        self.each, self.clock = each, clock
        self.general = set(_of_race(instance))
        self.loosen = _of_drivers(instance) | _of_race(instance)
        self.data = instance.model_dump()
        self.until = clock() + seconds
        self.late = 0.0  # how much longer than it was given the solver took, at most
        self.shortage = Shortage()
        self.plans: list[list[Stint]] = []
        self.impossible: list[set[str]] = []

    def only(self, rules: set[str]) -> Instance:
        """The race with these rules, all others taken out."""
        data = copy(self.data)
        data["drivers"] = list(data["drivers"])
        for words, take_out in self.loosen.items():
            if words not in rules:
                take_out(data)
        return read_instance(data)

    def is_short(self, rules: set[str]) -> bool:
        """Whether counting alone proves that no plan keeps these rules."""
        return self._is_short(rules, self.only(rules))

    def _is_short(self, rules: set[str], race: Instance) -> bool:
        if any(known <= rules for known in self.impossible):
            return True
        is_short = self.shortage.is_proven(race)
        if is_short:
            self.impossible.append(set(rules))
        return is_short

    def is_impossible(self, rules: set[str]) -> bool | None:
        """Whether no plan keeps these rules; None: not found out in time."""
        race = self.only(rules)
        if self._is_short(rules, race):
            return True
        if any(not score(race, plan).violations for plan in self._variants(race)):
            return False
        for spare_laps in (0, 1):
            by_turns = rotation(race, spare_laps=spare_laps)
            if by_turns and not score(race, by_turns).violations:
                self.plans.append(by_turns)
                return False
        began = self.clock()
        limit = min(self.each, self.until - began - self.late)
        if limit <= 0:
            return None
        found = solve(race, time_limit=limit, first_only=True, clock=self.clock)
        self.late = max(self.late, self.clock() - began - limit)
        if found.status == "infeasible":
            self.impossible.append(set(rules))
        elif found.score is not None:
            self.plans.append(list(found.plan))
        return None if found.status == "unknown" else found.status == "infeasible"

    def _variants(self, race: Instance) -> Iterator[list[Stint]]:
        """The plans found so far, and each with two drivers exchanged."""
        for plan in self.plans:
            yield plan
            for one, other in combinations(range(len(race.drivers)), 2):
                swap = {one: other, other: one}
                yield [
                    stint.model_copy(update={"driver": swap.get(stint.driver, stint.driver)})
                    for stint in plan
                ]
