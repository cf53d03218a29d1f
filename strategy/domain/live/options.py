"""Ways on from here: the rest of the race planned anew for several ends of the running stint.

What is driven is input: time at the wheel, last exits, stops made. Pins are kept where a legal plan
can keep them; a way that breaks one says which and why. Each way covers the same laps, is judged by
the rules as a whole race, and meets the same luck in the simulator as the plan now.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from racecontrol.shared.errors import NotReady
from racecontrol.shared.progress import OnProgress, Progress, silent
from strategy.domain.live.changes import Consequences, consequences, kept, longest_end
from strategy.domain.live.log import Planned, Race, plan_of
from strategy.domain.live.pins import marked, rules_from
from strategy.domain.live.projection import Projection, live_instance, project, whole_plan
from strategy.domain.simulation import Luck, Outcome, Simulator, duel
from strategy.domain.stints.instance import Instance, read_instance
from strategy.domain.stints.pins import NO_MARK
from strategy.domain.stints.solve import Solution, solve

RACES = 300
# How long a flag that is out is expected to stay out, in all; assumptions, as in Luck.
EXPECTED_MS = {"sc": 18 * 60_000, "fcy": 5 * 60_000, "red": 20 * 60_000}


@dataclass(frozen=True, slots=True)
class _Trial:
    """`why` a pin of a stint to come is not kept, where none could be."""

    label: str
    stints: list[Planned]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way on. `gain_ms` against the plan now over the same simulated races, `low`..`high` its
    95 % interval; `risk_ms` how much worse its worst tenth is (below 0: better)."""

    label: str
    words: str
    stints: tuple[Planned, ...]
    outcome: Consequences
    gain_ms: int
    low_ms: int
    high_ms: int
    wins: float
    risk_ms: int
    runs_dry: float
    pit_lap: int
    broken_pins: tuple[str, ...] = ()

    @property
    def is_clear(self) -> bool:
        return self.low_ms > 0 or self.high_ms < 0


def ways_on(
    race: Race,
    *,
    seconds: float = 8.0,
    races: int = RACES,
    seed: int = 1,
    on_progress: OnProgress = silent,
) -> list[Way]:
    """The plan now and up to five others, the best first; then those that break pins, then rules."""
    if race.state != "racing":
        raise NotReady("There are ways on only while the race is on.")
    now = _whole(race)
    projection = project(replace(race, stints=tuple(now)))
    base = live_instance(projection)
    found = [_Trial("Keep the plan", now)]
    ends = _ends(projection)
    for n, (label, end) in enumerate(ends):
        on_progress(Progress(n, len(ends) + 1, label))
        rest = _rest(base, projection, end, seconds / max(len(ends), 1))
        if rest is not None:
            stints, why = rest
            found.append(_Trial(label, _joined(projection, end, stints), why))
    on_progress(Progress(len(ends), len(ends) + 1, "simulating"))
    return _ranked(race, base, projection, found, races, seed)


def _whole(race: Race) -> list[Planned]:
    """The plan now; where it ends before the flag its last driver goes on, and a stint that is
    longer than planned already ends with this lap."""
    stints, running = kept(race), race.running
    stints = [
        replace(s, laps=running.laps + 1, mark=replace(s.mark, pinned_lap=None))
        if running and s.number == running.number and s.laps <= running.laps
        else s
        for s in stints
    ]
    short = project(race).laps_without_driver
    if short:
        last = stints[-1]
        more = replace(last, laps=short, tyres="new", is_skipped=False, is_ready=False)
        stints.append(replace(more, mark=NO_MARK))
    return [replace(s, number=n) for n, s in enumerate(stints, start=1)]


def _ends(projection: Projection) -> list[tuple[str, int]]:
    """Laps at which the running stint could end, with words; now, where the car stands in the pits."""
    race, running = projection.race, projection.race.running
    if running is None or running.start_lap is None:
        return [("The rest anew", race.laps_done)]
    least = running.start_lap + race.instance.rules.min_stint_laps
    latest, limit = longest_end(projection)
    soonest = max(race.laps_done + 1, min(least, latest))
    planned = min(running.start_lap + running.plan.laps, latest)
    ends = {soonest: "In at the end of this lap" if soonest == race.laps_done + 1
            else "In as soon as allowed"}  # fmt: skip
    if planned > race.laps_done:
        ends.setdefault(planned, "In as planned, the rest anew")
    ends.setdefault(latest, f"Stay out to the limit ({limit})")
    middle = (max(planned, soonest) + latest) // 2
    ends.setdefault(middle, "In between plan and limit")
    return [(label, end) for end, label in sorted(ends.items()) if end < projection.laps]


def remainder(
    base: Instance, projection: Projection, end: int, *, pins: Sequence[dict] = ()
) -> Instance | None:
    """The race from lap `end` on as a problem of its own; None where nobody may drive it."""
    race = projection.race
    data, clock = base.model_dump(), base.race.clock_ms
    laps = base.race.laps - end
    if laps < 1:
        return None
    data["race"] = {"laps": laps, "clock_ms": clock[end:],
                    "lap_nominal_ms": base.race.lap_nominal_ms[end:]}  # fmt: skip
    data["conditions"] = {"by_lap": "".join(base.conditions.by_lap)[end:]}
    data["pit"]["closed_laps"] = [n - end for n in data["pit"]["closed_laps"] if n > end]
    driven, laps_of, exits = _so_far(base, projection, end)
    typical = sum(base.race.lap_nominal_ms) // base.race.laps
    fair = base.fair_share_laps()
    for seat, who in enumerate(data["drivers"]):
        owed = max(fair - laps_of[seat], 0) * typical
        who["min_drive_ms"] = max(who["min_drive_ms"] - driven[seat], owed, 0)
        who["max_drive_ms"] = max(who["max_drive_ms"] - driven[seat], 0)
        free_from = 0 if seat not in exits else clock[exits[seat]] + max(who["min_rest_ms"], 1)
        who["available_ms"] = [
            [max(a, free_from), b] for a, b in who["available_ms"] if b > free_from
        ]
    rules = data["rules"]
    for group in rules["groups"]:
        done = sum(driven[seat] for seat in group["drivers"])
        group["min_drive_ms"] = max(group["min_drive_ms"] - done, 0)
    stops = sum(1 for s in race.driven if s.status == "completed") + (race.running is not None)
    rules |= {
        "fair_share_pct": 0,
        "pins": list(pins),
        "start_drivers": None,
        "min_stops": max(rules["min_stops"] - stops, 0),
    }
    return read_instance(data)


def _so_far(
    base: Instance, projection: Projection, end: int
) -> tuple[list[int], list[int], dict[int, int]]:
    """Driving and laps of each seat up to lap `end`, and the lap of his last exit."""
    driven, laps = [0] * len(base.drivers), [0] * len(base.drivers)
    exits: dict[int, int] = {}
    for stint in whole_plan(projection):
        first, last = stint.start_lap, min(stint.end_lap, end)
        is_running = projection.race.running and stint.number == projection.race.running.number
        if is_running:
            last = end
        if first >= end or last <= first:
            continue
        driven[stint.seat] += base.race.nominal_ms(first, last)
        laps[stint.seat] += last - first
        exits[stint.seat] = last
    return driven, laps, exits


def _rest(
    base: Instance, projection: Projection, end: int, seconds: float
) -> tuple[list[Planned], str] | None:
    """The stints from lap `end` on, and why pins were left out, where they had to be."""
    pins, why = rules_from(projection, end), ""
    solution = _solved(remainder(base, projection, end, pins=pins), seconds / (2 if pins else 1))
    if pins and (solution is None or solution.score is None):
        is_proven = solution is not None and solution.status == "infeasible"
        why = "no legal plan from there keeps it" if is_proven else "none was found that keeps it"
        solution = _solved(remainder(base, projection, end), seconds / 2)
    if solution is None or solution.score is None:
        return None
    stints = [
        Planned(0, s.driver, s.laps, tyres="new" if n == 0 else s.tyres, compound=s.compound)
        for n, s in enumerate(solution.plan)
    ]
    return marked(projection, end, stints), why


def _solved(problem: Instance | None, seconds: float) -> Solution | None:
    return None if problem is None else solve(problem, time_limit=max(seconds, 0.5))


def _joined(projection: Projection, end: int, rest: list[Planned]) -> list[Planned]:
    race, stints = projection.race, []
    for stint in race.driven:
        if stint.status == "in_progress":
            stops = stint.plan.mark.pinned_lap == end
            mark = stint.plan.mark if stops else replace(stint.plan.mark, pinned_lap=None)
            laps = max(end - (stint.start_lap or 0), 1)
            stints.append(replace(stint.plan, laps=laps, mark=mark))
        elif stint.is_closed and stint.status != "skipped":
            stints.append(stint.plan)
    return [replace(s, number=n) for n, s in enumerate([*stints, *rest], start=1)]


def _ranked(
    race: Race,
    base: Instance,
    projection: Projection,
    found: Sequence[_Trial],
    races: int,
    seed: int,
) -> list[Way]:
    under = race.neutral_at(race.now_ms)
    known = []
    if under is not None:
        pace = {"sc": Luck().safety_car_pace, "fcy": Luck().yellow_pace, "red": 3.0}[under.kind]
        until = max(under.from_ms + EXPECTED_MS[under.kind], race.now_ms + 60_000)
        known = [(float(under.from_ms), float(until), pace)]
    simulator = Simulator(base, races=races, seed=seed, known=known)
    here = projection.end_of_lap(race.laps_done)
    ways: list[Way] = []
    first: Outcome | None = None
    seen = set()
    for trial in found:
        plan = plan_of(_to_cover(base, projection, trial.stints))
        shape = tuple((s.driver, s.laps, s.tyres, s.compound) for s in plan)
        if shape in seen:
            continue
        seen.add(shape)
        outcome = simulator.run(plan, from_lap=race.laps_done, from_ms=float(here))
        first = first or outcome
        match = duel(first, outcome)
        whole = consequences(race, trial.stints)
        running = whole.projection.race.running
        pit = running.start_lap + running.plan.laps if running and running.start_lap is not None else (
            race.laps_done)  # fmt: skip
        ways.append(
            Way(trial.label, _words(race, whole, pit), tuple(trial.stints), whole,
                -round(match.difference_ms), -round(match.high_ms), -round(match.low_ms), match.b_wins,
                round(outcome.worst_tenth_ms - first.worst_tenth_ms), outcome.runs_dry, pit,
                _broken(race, whole, trial.why, pit))
        )  # fmt: skip
    return sorted(
        ways, key=lambda way: (len(way.outcome.breaches), len(way.broken_pins), -way.gain_ms)
    )


def _broken(race: Race, whole: Consequences, why: str, pit: int) -> tuple[str, ...]:
    """The pins a way breaks, each with the reason."""
    stop = race.running.plan.mark.pinned_lap if race.running else None
    told = []
    for words in whole.broken_pins:
        is_own = words.endswith(f"stop is pinned to lap {stop}.")
        reason = f"this way stops after lap {pit}" if is_own else why or "the stints before it move"
        told.append(f"{words} Broken: {reason}.")
    return tuple(told)


def _to_cover(base: Instance, projection: Projection, stints: Sequence[Planned]) -> list[Planned]:
    """The stints with the laps really driven, cut or stretched to the laps of the race."""
    done = {s.number: s for s in projection.race.driven if s.is_closed and s.status != "skipped"}
    plan, left = [], base.race.laps
    for stint in stints:
        laps = done[stint.number].laps if stint.number in done else stint.laps
        laps = min(laps, left)
        if laps > 0:
            plan.append(replace(stint, laps=laps))
            left -= laps
    if left and plan:
        plan[-1] = replace(plan[-1], laps=plan[-1].laps + left)
    return plan


def _words(race: Race, whole: Consequences, pit: int) -> str:
    later = [
        a for a in whole.projection.stints if not race.running or a.number != race.running.number
    ]
    names = [race.instance.drivers[a.seat].id for a in later]
    head = f"Stop after lap {pit}" if race.running else "Go on now"
    return f"{head}; then {', '.join(names)}." if names else f"{head}."
