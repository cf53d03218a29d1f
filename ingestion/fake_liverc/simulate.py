"""A small race simulator: pace, noise, traffic at the start, crashes. The same seed gives the same race."""

from math import ceil
from random import Random

from ingestion.fake_liverc.facts import Race, Racer, Run

CRASH_CHANCE = 0.035
RETIRE_CHANCE = 0.0015


def drive(
    rng: Random, racer: Racer, *, slot: int, lap_ms: int, length_ms: int, from_grid: bool
) -> tuple[int, ...]:
    """Lap times of one car. The lap under way when time runs out is finished."""
    pace_ms = lap_ms * racer.skill * rng.gauss(1, 0.008)
    laps: list[int] = []
    clock = 0
    while clock < length_ms:
        ms = pace_ms * rng.lognormvariate(0.004, 0.011)
        if rng.random() < 0.12:
            ms += rng.uniform(0.4, 2.2) * 1000
        if rng.random() < CRASH_CHANCE:
            ms += rng.expovariate(1 / 7_000) + 1_500
        if not laps:
            # From the grid lap 1 carries the queue; in a heat the clock starts at the line.
            ms = ms * 0.97 + (slot * 420 if from_grid else 0)
        laps.append(round(ms))
        clock += laps[-1]
        if rng.random() < RETIRE_CHANCE:
            break
    return tuple(laps)


def classify(runs: list[Run]) -> tuple[Run, ...]:
    """Most laps first, then least time; who did not start stands last, by grid."""
    order = sorted(runs, key=lambda run: (-len(run.laps_ms), run.total_ms, run.slot))
    return tuple(
        Run(racer=run.racer, slot=run.slot, laps_ms=run.laps_ms, position=n)
        for n, run in enumerate(order, start=1)
    )


def run_race(
    rng: Random,
    grid: list[Racer],
    *,
    lap_ms: int,
    length_ms: int,
    from_grid: bool,
    absent: frozenset[int] = frozenset(),
    crashes: dict[int, int] | None = None,
) -> tuple[Run, ...]:
    """Everybody's laps, classified. `absent` slots do not start; `crashes` {slot: ms} adds one bad lap."""
    runs = []
    for slot, racer in enumerate(grid, start=1):
        laps = drive(rng, racer, slot=slot, lap_ms=lap_ms, length_ms=length_ms, from_grid=from_grid)
        if slot in absent:
            laps = ()
        elif crashes and slot in crashes and len(laps) > 3:
            laps = with_crash(laps, crashes[slot], length_ms)
        runs.append(Run(racer=racer, slot=slot, laps_ms=laps))
    return classify(runs)


def with_crash(laps: tuple[int, ...], lost_ms: int, length_ms: int) -> tuple[int, ...]:
    """A marshal is slow: one lap in the first third loses much, the end of the race comes sooner."""
    bad = max(1, len(laps) // 3)
    slower = list(laps)
    slower[bad] += lost_ms
    kept, clock = [], 0
    for ms in slower:
        if clock >= length_ms:
            break
        kept.append(ms)
        clock += ms
    return tuple(kept)


def lap_positions(race: Race) -> dict[int, list[int]]:
    """Driver id -> place at the end of each lap, among those who completed that lap."""
    crossings: dict[int, list[tuple[int, int, int]]] = {}
    for run in race.runs:
        clock = 0
        for lap, ms in enumerate(run.laps_ms, start=1):
            clock += ms
            crossings.setdefault(lap, []).append((clock, run.position, run.racer.id))
    places: dict[int, list[int]] = {run.racer.id: [] for run in race.runs}
    for lap in sorted(crossings):
        for place, (_, _, racer_id) in enumerate(sorted(crossings[lap]), start=1):
            places[racer_id].append(place)
    return places


def pace(laps_ms: list[int], length_ms: int) -> tuple[int, int]:
    """Laps and time the driver is on course for: whole laps of the mean so far."""
    mean = sum(laps_ms) / len(laps_ms)
    laps = max(ceil(length_ms / mean), len(laps_ms))
    return laps, round(laps * mean)
