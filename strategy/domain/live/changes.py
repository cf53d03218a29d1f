"""What a change of the plan would come to, before anybody decides: swap, extension, any other plan.

The whole race, driven and to come, is judged by the rules as one plan. Only rules and pins that the
change itself would break count against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from racecontrol.shared.errors import ImpossiblePlan, InvalidInput
from strategy.domain.live.limits import Window, get_out, window
from strategy.domain.live.log import Driven, Planned, Race, plan_of
from strategy.domain.live.pins import broken
from strategy.domain.live.projection import (
    Ahead,
    Projection,
    live_instance,
    project,
    whole_plan,
)
from strategy.domain.live.transitions import WORDS, WrongMove, stint_of
from strategy.domain.stints.pins import NO_MARK, StintMark
from strategy.domain.stints.scoring import score
from strategy.domain.stints.verdict import Score, Violation


@dataclass(frozen=True, slots=True)
class Consequences:
    """A plan that could be followed from here. `breaches`: rules it breaks and the present one does not;
    `broken_pins`: the same of what is pinned, in words.

    `gain_ms` above 0: the same laps are done earlier. `changed`: numbers of stints to come whose
    driver or laps differ from the plan now.
    """

    stints: tuple[Planned, ...]
    projection: Projection
    before: Projection
    breaches: tuple[Violation, ...]
    changed: tuple[int, ...]
    gain_ms: int
    broken_pins: tuple[str, ...] = ()

    @property
    def window(self) -> Window | None:
        return window(self.projection)


def under(race: Race, stints: Sequence[Planned]) -> tuple[Projection, Score]:
    """The race as it would go on with these stints, judged as one plan from start to flag."""
    numbered = tuple(replace(s, number=n) for n, s in enumerate(stints, start=1))
    projection = project(replace(race, stints=numbered))
    return projection, score(live_instance(projection), plan_of(whole_plan(projection)))


def kept(race: Race) -> list[Planned]:
    """The plan now, without what was skipped."""
    return [s.plan for s in race.driven if s.status != "skipped"]


def consequences(
    race: Race, stints: Sequence[Planned], *, settles: int | None = None
) -> Consequences:
    """`settles`: the stint (of those kept, from 1) whose pins are what is being changed."""
    before, judged_before = under(race, kept(race))
    after, judged = under(race, stints)
    lap_ms = race.instance.race.lap_nominal_ms[-1]
    breaches = tuple(
        v for v in judged.violations if _is_worse(v, judged_before.violations, lap_ms=lap_ms)
    )
    old = {a.number: (a.seat, a.laps) for a in before.stints}
    changed = [a.number for a in after.stints if old.get(a.number) != (a.seat, a.laps)]
    laps = min(before.laps, after.laps)
    gain = before.end_of_lap(laps) - after.end_of_lap(laps)
    return Consequences(
        after.race.stints, after, before, breaches, tuple(changed), gain,
        broken(before, after, settles=settles),
    )  # fmt: skip


def _is_worse(violation: Violation, known: Sequence[Violation], *, lap_ms: int) -> bool:
    """Is this broken anew, or by more than a lap's worth more than it is anyway?"""
    same = [v for v in known if (v.rule, v.driver) == (violation.rule, violation.driver)]
    slack = lap_ms if violation.unit == "ms" else 0
    return not same or _excess(violation) > max(_excess(v) for v in same) + slack


def _excess(violation: Violation) -> int:
    return abs((violation.measured or 0) - (violation.limit or 0))


def swap(race: Race, number: int, seat: int, *, after_laps: int = 1) -> Consequences:
    """Another driver for a stint to come, or for what is left of the running one.

    The running stint closes after `after_laps` more laps. If the new driver was to drive soon, his
    stint may go to the relieved one; what is left may join the next stint. Of the ways that break
    the fewest rules, then the fewest pins, the one that changes the least is taken.
    """
    stint = stint_of(race, number)
    if not 0 <= seat < len(race.instance.drivers):
        raise InvalidInput("There is no such driver.", fields={"driver_id": ["Not in the plan."]})
    if stint.is_closed:
        raise WrongMove(f"Stint {number} is {WORDS[stint.status]}: nobody can take it over.")
    if stint.seat == seat:
        name = race.instance.drivers[seat].id
        raise InvalidInput(f"{name} drives it already.", fields={"driver_id": ["Is in already."]})
    ways = _ways_to_swap(race, stint, seat, after_laps)
    trials = [(consequences(race, stints), cost) for stints, cost in ways]
    return min(
        trials, key=lambda t: (len(t[0].breaches), len(t[0].broken_pins), t[1], len(t[0].changed))
    )[0]


def _ways_to_swap(
    race: Race, stint: Driven, seat: int, after_laps: int
) -> list[tuple[list[Planned], int]]:
    plan = kept(race)
    place = next(n for n, s in enumerate(plan) if s.number == stint.number)
    if stint.status == "in_progress":
        stays = max(stint.laps + after_laps, 1)
        left = stint.plan.laps - stays
        head, tail = plan[:place], plan[place + 1 :]
        if left < 1:  # the stop is due anyway: the new driver takes the next stint
            if not tail:
                raise WrongMove("The stint ends with the race: there is nothing to take over.")
            here = replace(plan[place], laps=min(stays, stint.plan.laps))
            splits = [([*head, here, _of(tail[0], seat), *tail[1:]], place + 1)]
        else:
            rest = replace(_of(plan[place], seat), laps=left)  # a pinned stop stays with it
            head = [*head, replace(plan[place], laps=stays, mark=NO_MARK)]
            splits = [([*head, rest, *tail], place + 1)]
            if tail and left + tail[0].laps <= _tank_laps(race):
                stop = replace(rest.mark, pinned_lap=tail[0].mark.pinned_lap)
                joined = replace(rest, laps=left + tail[0].laps, mark=stop)
                splits.append(([*head, joined, *tail[1:]], place + 1))
    else:
        splits = [([*plan[:place], _of(plan[place], seat), *plan[place + 1 :]], place)]
    ways = []
    for cost, (stints, at) in enumerate(splits):
        ways.append((stints, cost))
        again = next((n for n in range(at + 1, len(stints)) if stints[n].seat == seat), None)
        if again is not None:  # his own stint to the relieved driver
            other = list(stints)
            other[again] = _of(other[again], stint.seat)
            ways.append((other, cost + 1))
    return ways


def _of(stint: Planned, seat: int) -> Planned:
    """The stint given to another driver: its pinned stop stays, a pin of its driver does not."""
    backup = None if stint.mark.backup == seat else stint.mark.backup
    mark = replace(stint.mark, is_driver_pinned=False, backup=backup)
    return replace(stint, seat=seat, tyres="new", is_ready=False, mark=mark)


def _tank_laps(race: Race) -> int:
    car, letter = race.instance.car, race.letter(race.laps_done)
    laps = (car.tank_ml - car.reserve_ml) // max(getattr(car.burn_ml, letter), 1)
    return min(laps, car.tyre.life_laps, race.instance.rules.max_stint_laps or laps)


def longest_end(projection: Projection) -> tuple[int, str]:
    """The last lap by which the running stint must end, and the limit that says so."""
    race, here = projection.race, projection.stints[0]
    ends = [(here.start_lap + here.limit_laps, here.limit), (projection.laps, "flag")]
    out_ms, rule = get_out(race, here.seat)
    if out_ms is not None:
        ends.append((max(projection.laps_by(out_ms), race.laps_done), rule))
    return min(ends)


def extend(race: Race, number: int, laps: int) -> Consequences:
    """The running stint `laps` longer (below 0: shorter); what follows shifts, the last one gives.

    Raises ImpossiblePlan beyond fuel, tyres or a driver's limit, naming the most that is possible.
    """
    stint = stint_of(race, number)
    if stint.status != "in_progress":
        raise WrongMove(
            f"Stint {number} is {WORDS[stint.status]}: only the running one is extended."
        )
    if not laps:
        raise InvalidInput("By how many laps?", fields={"laps": ["Not 0."]})
    end, limit = longest_end(project(race))
    most = end - (stint.start_lap or 0) - stint.plan.laps
    if laps > most:
        words = f"at most {most} more" if most > 0 else "not a lap more"
        raise ImpossiblePlan(
            f"The {limit} allows {words}.", fields={"laps": [f"At most {most} ({limit})."]}
        )
    wanted = stint.plan.laps + laps
    if wanted < max(stint.laps, 1):
        raise ImpossiblePlan(
            f"{stint.laps} laps are driven already.",
            fields={"laps": [f"At least {max(stint.laps, 1) - stint.plan.laps}."]},
        )
    plan = kept(race)
    place = next(n for n, s in enumerate(plan) if s.number == number)
    mark = replace(plan[place].mark, pinned_lap=None)
    plain = [*plan[:place], replace(plan[place], laps=wanted, mark=mark), *plan[place + 1 :]]
    ways = [consequences(race, plain)]
    if len(plain) - place > 2:  # a last stint too short to be worth its stop joins the one before
        left = ways[0].projection.stints[-1].laps
        mark = replace(plain[-2].mark, pinned_lap=None)
        joined = replace(plain[-2], laps=plain[-2].laps + left, mark=mark)
        if ways[0].breaches and joined.laps <= _tank_laps(race):
            ways.append(consequences(race, [*plain[:-2], joined]))
    return min(ways, key=lambda c: (len(c.breaches), len(c.broken_pins)))


def settle(race: Race, number: int, mark: StintMark) -> Consequences:
    """Stint `number` with these pins and this backup; a pinned stop moves its end there.

    Raises WrongMove for a stint that is over, ImpossiblePlan for a stop that cannot be there.
    """
    stint = stint_of(race, number)
    if stint.is_closed:
        raise WrongMove(f"Stint {number} is {WORDS[stint.status]}: nothing of it can be pinned.")
    if mark.backup == stint.seat:
        name = race.instance.drivers[stint.seat].id
        raise InvalidInput(f"{name} drives it already.", fields={"driver_id": ["Drives it."]})
    plan = kept(race)
    place = next(n for n, s in enumerate(plan) if s.number == number)
    projection = project(race)
    here = next((a for a in projection.stints if a.number == number), None)
    stop, laps = mark.pinned_lap, plan[place].laps
    if stop is not None and stop != plan[place].mark.pinned_lap:
        laps = _laps_to(projection, here, stop)
    settled = replace(plan[place], mark=mark, laps=laps)
    return consequences(race, [*plan[:place], settled, *plan[place + 1 :]], settles=place + 1)


def _laps_to(projection: Projection, here: Ahead | None, stop: int) -> int:
    """Laps of the stint that stops after `stop` laps of the race; refused where it cannot."""
    race = projection.race
    if here is None or (here.is_last and not projection.laps_without_driver):
        raise ImpossiblePlan("The last stint ends with the flag: there is no stop to pin.",
                             fields={"lap": ["Ends with the flag."]})  # fmt: skip
    running = race.running is not None and race.running.number == here.number
    most, limit = longest_end(projection) if running else (
        here.start_lap + here.limit_laps, here.limit)  # fmt: skip
    least = max(here.start_lap + race.instance.rules.min_stint_laps, race.laps_done + 1)
    most = min(most, projection.laps - 1)
    if not least <= stop <= most:
        raise ImpossiblePlan(f"The stop can be pinned to lap {least} to {most} ({limit}).",
                             fields={"lap": [f"{least} to {most}."]})  # fmt: skip
    return stop - here.start_lap
