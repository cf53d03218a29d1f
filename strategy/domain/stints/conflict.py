"""Why no plan exists: the smallest set of rules that contradict each other, and what would free it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic

from strategy.domain.stints.instance import LARGEST_NUMBER, Instance, read_instance
from strategy.domain.stints.solve import solve


@dataclass(frozen=True, slots=True)
class Conflict:
    """`rules` cannot all hold; dropping any one of `frees` lets a plan exist.

    `is_smallest`: every rule named is needed for the contradiction (else time ran out).
    """

    rules: list[str]
    frees: list[str]
    is_smallest: bool


def _change(instance: Instance, part: str, values: dict, driver: int | None = None) -> Instance:
    data = instance.model_dump()
    target = data["drivers"][driver] if driver is not None else data[part]
    target.update(values)
    return read_instance(data)


def _twice(instance: Instance, *, field: str, by: int = 2) -> Instance:
    """Every driver's limit doubled: without any limit a turn could be the race, with all its stops."""
    data = instance.model_dump()
    for driver in data["drivers"]:
        driver[field] = min(driver[field] * by, LARGEST_NUMBER)
    return read_instance(data)


def _without(instance: Instance, *, part: str, item: object) -> Instance:
    kept = [other.model_dump() for other in getattr(instance.rules, part) if other != item]
    return _change(instance, "rules", {part: kept})


def loosenings(instance: Instance) -> dict[str, Callable[[Instance], Instance]]:
    """Each rule that is in force, in words, and the instance without it (limits of a run: doubled)."""
    rules = instance.rules
    found: dict[str, Callable[[Instance], Instance]] = {}

    def rule(words: str, part: str, values: dict, driver: int | None = None) -> None:
        found[words] = lambda i: _change(i, part, values, driver)

    for d, who in enumerate(instance.drivers):
        name = who.id
        if not all(
            any(
                a <= instance.race.clock_ms[n] and instance.race.clock_ms[n + 1] <= b
                for a, b in who.available_ms
            )
            for n in range(instance.race.laps)
        ):
            rule(f"availability of {name}", "", {"available_ms": [[0, LARGEST_NUMBER]]}, d)
        if who.no_night:
            rule(f"{name} does not drive at night", "", {"no_night": False}, d)
        if who.no_wet:
            rule(f"{name} does not drive in the wet", "", {"no_wet": False}, d)
        if who.min_drive_ms:
            rule(f"minimum drive time of {name}", "", {"min_drive_ms": 0}, d)
        if who.max_drive_ms < sum(instance.race.lap_nominal_ms):
            rule(f"maximum drive time of {name}", "", {"max_drive_ms": LARGEST_NUMBER}, d)
    found["continuous drive time"] = partial(_twice, field="max_continuous_ms")
    found["stints in a row"] = partial(_twice, field="max_consecutive")
    if any(d.min_rest_ms for d in instance.drivers):
        found["rest between turns"] = partial(_twice, field="min_rest_ms", by=0)
    race_rules: list[tuple[str, dict, bool]] = [
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
            rule(words, "rules", values)
    for at, window in enumerate(rules.pit_windows):
        found[f"window {at + 1}: {window.name}"] = partial(
            _without, part="pit_windows", item=window
        )
    for span in rules.spans:
        names = " and ".join(instance.drivers[d].id for d in span.drivers)
        found[f"{span.name}: {names}"] = partial(_without, part="spans", item=span)
    if instance.pit.closed_laps:
        rule("closed pit lane", "pit", {"closed_laps": []})
    return found


def explain(
    instance: Instance,
    *,
    seconds: float = 20.0,
    each: float = 2.0,
    clock: Callable[[], float] = monotonic,
) -> Conflict:
    """The smallest set of rules that contradict, by halving (QuickXplain, Junker 2004).

    A set is small when each of its rules is needed; another, larger or smaller, may exist beside it.
    """
    search = _Search(instance, seconds, each, clock)
    names = list(search.loosen)
    if search.is_impossible(set()):
        reason = "tank, stint length and tyre life against the race"
        return Conflict([reason], [], search.is_sure)
    found = set(search.core(set(), False, names))
    core = [words for words in names if words in found]
    frees = [words for words in core if search.is_impossible(set(names) - {words}) is False]
    return Conflict(core, frees, search.is_sure)


class _Search:
    """Asks the solver about sets of rules, each set once and only while time lasts."""

    def __init__(self, instance: Instance, seconds: float, each: float, clock: Callable[[], float]):
        self.instance, self.each, self.clock = instance, each, clock
        self.loosen = loosenings(instance)
        self.until = clock() + seconds
        self.is_sure = True
        self.known: dict[frozenset[str], bool | None] = {}

    def is_impossible(self, rules: set[str]) -> bool | None:
        """Whether no plan keeps these rules (all others dropped); None: not found out in time."""
        key = frozenset(rules)
        if key not in self.known:
            self.known[key] = self._ask(rules)
        if self.known[key] is None:
            self.is_sure = False
        return self.known[key]

    def _ask(self, rules: set[str]) -> bool | None:
        left = self.until - self.clock()
        if left <= 0:
            return None
        trial = self.instance
        for words, drop in self.loosen.items():
            if words not in rules:
                trial = drop(trial)
        status = solve(
            trial, time_limit=min(self.each, left), first_only=True, clock=self.clock
        ).status
        return None if status == "unknown" else status == "infeasible"

    def core(self, kept: set[str], is_new: bool, rules: list[str]) -> list[str]:
        """The rules among `rules` that contradict each other and what is kept."""
        if is_new and self.is_impossible(kept):
            return []
        if len(rules) == 1:
            return rules
        half = len(rules) // 2
        first, second = rules[:half], rules[half:]
        late = self.core(kept | set(first), True, second)
        early = self.core(kept | set(late), bool(late), first)
        return early + late
