"""What a driver can do about the stops: save enough fuel to skip one, or choose when to make it."""

from dataclasses import dataclass, replace

from runplans.domain.fuel import RunPlan
from runplans.domain.inputs import RunInputs

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class PitWindow:
    """After which laps a stop can be made without needing more stops than planned."""

    stop: int
    earliest_lap: int
    latest_lap: int


def burn_to_save_one_stop(run: RunInputs, plan: RunPlan) -> int | None:
    """The highest burn, in micro-litres a lap, at which the same laps need one stop less.

    None when there is no stop, or no burn is low enough. Laps stay as planned (time won in the
    pits is not spent on another lap), the reserve in laps shrinks with nothing: it stays the
    same volume. Stops never rise as burn falls, so the highest burn is found by halving, in
    whole micro-litres, instead of the usual fuel / laps that forgets whole laps per tank.
    """
    if plan.stops == 0:
        return None
    wanted = plan.stops - 1
    low, high = 0, run.burn * MICRO // run.scale + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _stops_at(run, plan, middle * run.scale // MICRO) <= wanted:
            low = middle
        else:
            high = middle
    return low or None


def pit_windows(run: RunInputs, plan: RunPlan) -> tuple[PitWindow, ...]:
    """Earliest and latest lap of each stop, if every stop fills as much as is needed.

    Latest: every stint so far ran as long as its fuel allows. Earliest: what is left still fits
    the remaining stints with a full tank each. Each stint keeps at least one lap.
    """
    first, per_stint, stints = run.first_stint(plan.laps), run.per_stint, len(plan.stints)
    windows = []
    for stop in range(1, stints):
        later = stints - stop
        reach = plan.laps if per_stint is None else per_stint
        earliest = max(stop, plan.laps - later * reach)
        latest = min(plan.laps - later, first + (stop - 1) * reach)
        windows.append(PitWindow(stop, earliest, latest))
    return tuple(windows)


def _stops_at(run: RunInputs, plan: RunPlan, burn: int) -> int:
    """Stops for the planned laps at another burn, from the fuel the plan starts on."""
    fuelled = replace(run, burn=burn)
    if plan.laps_possible < 1:  # fuelled before the start: as much as the tank takes
        fuelled = replace(fuelled, start=run.tank)
    return fuelled.stops(plan.laps)
