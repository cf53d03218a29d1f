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


def _without(instance: Instance, *, part: str, item: object) -> Instance:
    kept = [other.model_dump() for other in getattr(instance.rules, part) if other != item]
    return _change(instance, "rules", {part: kept})


def loosenings(instance: Instance) -> dict[str, Callable[[Instance], Instance]]:
    """Each rule that is in force, in words, and the instance without it."""
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
    everybody: list[tuple[str, dict, bool]] = [
        ("continuous drive time", {"max_continuous_ms": LARGEST_NUMBER}, True),
        ("stints in a row", {"max_consecutive": 1000}, True),
        ("rest between turns", {"min_rest_ms": 0}, any(d.min_rest_ms for d in instance.drivers)),
    ]
    for words, values, is_on in everybody:
        if is_on:

            def everyone(i: Instance, values=values) -> Instance:
                for d in range(len(i.drivers)):
                    i = _change(i, "", values, d)
                return i

            found[words] = everyone
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
    """Drop rules one after another while the rest still contradict; what stays is the conflict."""
    started = clock()
    loosen = loosenings(instance)

    def is_impossible(without: set[str]) -> bool | None:
        trial = instance
        for words in without:
            trial = loosen[words](trial)
        status = solve(trial, time_limit=each, first_only=True, clock=clock).status
        return None if status == "unknown" else status == "infeasible"

    dropped: set[str] = set()
    sure = True
    for words in loosen:
        if clock() - started > seconds:
            sure = False
            break
        still = is_impossible({*dropped, words})
        if still:
            dropped.add(words)
        elif still is None:
            sure = False
    core = [words for words in loosen if words not in dropped]
    if is_impossible(set(loosen)):
        return Conflict(["tank, stint length and tyre life against the race"], [], sure)
    frees = [
        words
        for words in core
        if clock() - started < 2 * seconds and is_impossible({words}) is False
    ]
    return Conflict(core, frees, sure)
