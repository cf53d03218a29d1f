"""Stints, fuel and time of one run. Volumes and times are whole steps of `RunInputs.scale`."""

from dataclasses import dataclass

from runplans.domain.inputs import RunInputs


@dataclass(frozen=True, slots=True)
class Stint:
    """One drive without a stop: `refuel` went in just before it, `fuel_end` is left after it."""

    number: int
    laps: int
    fuel_start: int
    refuel: int
    fuel_end: int


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run that can be driven. `total_time` is None where no pace is known."""

    laps: int
    total_fuel: int
    laps_possible: int
    stints: tuple[Stint, ...]
    total_time: int | None

    @property
    def stops(self) -> int:
        return len(self.stints) - 1


def plan_run(run: RunInputs) -> RunPlan:
    """The plan for checked inputs (`read_inputs` has refused what cannot be driven).

    Laps are whole and the reserve is never touched. A car whose fuel does not last one lap is
    fuelled before the start, which is not a pit stop.
    """
    laps = run.laps
    start = run.fuel_at_start(laps)
    total = laps * run.burn + run.reserve
    stint_laps = _even(run, laps) if run.fill_policy == "even" else _full_first(run, laps)
    added = _fuel_added(run, stint_laps, start, total)

    stints, carried = [], start
    for number, (driven, refuel) in enumerate(zip(stint_laps, added, strict=True), start=1):
        fuel_start = carried + refuel
        carried = fuel_start - driven * run.burn
        stints.append(Stint(number, driven, fuel_start, refuel, carried))

    time = None
    if run.pace is not None:
        time = laps * run.pace
        if run.pit_time_counts:
            time += (len(stints) - 1) * (run.pit_loss or 0)
    return RunPlan(
        laps=laps,
        total_fuel=total,
        laps_possible=max(start - run.reserve, 0) // run.burn,
        stints=tuple(stints),
        total_time=time,
    )


def _full_first(run: RunInputs, laps: int) -> list[int]:
    """Each stint as long as its fuel lasts; the last takes what is left."""
    first = min(laps, run.first_stint(laps))
    left = laps - first
    if left == 0:
        return [first]
    whole, rest = divmod(left, run.per_stint or left)
    return [first, *[run.per_stint or left] * whole, *([rest] if rest else [])]


def _even(run: RunInputs, laps: int) -> list[int]:
    """As many stints as the fullest plan needs, as equal as whole laps and the first tank allow.

    Left-over laps go to the earlier stints, but never beyond what the car starts with.
    """
    stints, first_holds = run.stops(laps) + 1, run.first_stint(laps)
    first = min(first_holds, -(-laps // stints))
    if stints == 1:
        return [first]
    each, rest = divmod(laps - first, stints - 1)
    return [first, *(each + (n < rest) for n in range(stints - 1))]


def _fuel_added(run: RunInputs, stint_laps: list[int], start: int, total: int) -> list[int]:
    """What goes in before each stint; for the first that is the garage, and mostly nothing.

    minimum: what the next stint needs beyond what is carried. full: to the brim at every stop.
    even: the same at every stop, as near as each tank and the next stint allow (what is left to
    add is shared anew at each stop, rounded up to a whole step).
    """
    added, carried, driven = [], start, 0
    for index, laps in enumerate(stint_laps):
        least = max(0, laps * run.burn + run.reserve - carried)
        most = None if run.tank is None else run.tank - carried
        stops_left = len(stint_laps) - index
        if index == 0 and least == 0:
            refuel = 0
        elif run.fill_policy == "full" and most is not None:
            refuel = most
        elif run.fill_policy == "even" and index > 0:
            still_to_add = max(0, total - driven - carried)
            share = -(-still_to_add // stops_left)
            refuel = max(least, share if most is None else min(share, most))
        else:
            refuel = least
        added.append(refuel)
        carried += refuel - laps * run.burn
        driven += laps * run.burn
    return added
