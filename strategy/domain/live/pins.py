"""Pins while a race is on: which ones hold, which ones a change would break, and what solving must keep.

Laps count completed laps. The stint that is last has no stop of its own: its pinned stop says nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from strategy.domain.live.log import Planned
from strategy.domain.live.projection import Ahead, Projection
from strategy.domain.stints.pins import StintMark


def pinned(projection: Projection) -> list[Ahead]:
    """The stints under way and to come of which something is pinned."""
    return [a for a in projection.stints if a.mark.is_driver_pinned or a.pinned_lap is not None]


def unkept(projection: Projection) -> list[str]:
    """Pinned stops the car cannot keep as things are, with what stands in the way."""
    told = []
    for ahead in projection.stints:
        stop, name = ahead.mark.pinned_lap, projection.race.instance.drivers[ahead.seat].id
        if stop is None or ahead.is_last:
            continue
        if stop <= ahead.start_lap:
            told.append(f"{name}'s stop is pinned to lap {stop}, before the stint begins.")
        elif ahead.end_lap < stop:
            told.append(f"{name}'s stop is pinned to lap {stop}, but {ahead.limit} ends the stint after "
                        f"lap {ahead.end_lap}.")  # fmt: skip
    passed = _passed(projection)
    return ([passed] if passed else []) + told


def _passed(projection: Projection) -> str:
    race, running = projection.race, projection.race.running
    if running is None or running == race.driven[-1]:
        return ""
    stop = running.plan.mark.pinned_lap
    if stop is None or stop > race.laps_done - 1:
        return ""
    name = race.instance.drivers[running.seat].id
    return f"{name} drove past the stop pinned to lap {stop}: come in, or pin another lap."


def broken(before: Projection, after: Projection, *, settles: int | None = None) -> tuple[str, ...]:
    """What `after` breaks of the pins that hold in `before`, in words.

    `settles`: a stint of `before` whose pins are what is being changed.
    """
    stops = {a.end_lap for a in after.stints if not a.is_last}
    drivers, told = _drivers_kept(before, after), []
    for ahead in pinned(before):
        who, stop = before.race.instance.drivers[ahead.seat].id, ahead.pinned_lap
        if ahead.number == settles:
            continue
        if ahead.mark.is_driver_pinned and ahead not in drivers:
            told.append(f"{who} is pinned for laps {ahead.start_lap + 1} to {ahead.end_lap}.")
        if stop is not None and ahead.end_lap == stop and stop not in stops:
            told.append(f"{who}'s stop is pinned to lap {stop}.")
    return tuple(told)


def _drivers_kept(before: Projection, after: Projection) -> list[Ahead]:
    """Stints of `before` whose pinned driver has a pinned stint in `after`: the same, or one for it."""
    asked = [a for a in before.stints if a.mark.is_driver_pinned]
    given = [a for a in after.stints if a.mark.is_driver_pinned]
    pairs = [(a, b) for a in asked for b in given if a.seat == b.seat]
    kept: list[Ahead] = []
    used: list[Ahead] = []
    for ahead, other in sorted(pairs, key=lambda p: -_shared(*p)):
        if ahead not in kept and (_shared(ahead, other) > 0 or other not in used):
            kept.append(ahead)
            used.append(other)
    return kept


def _shared(one: Ahead, other: Ahead) -> int:
    """Laps that both drive."""
    return min(one.end_lap, other.end_lap) - max(one.start_lap, other.start_lap)


def rules_from(projection: Projection, end: int) -> list[dict]:
    """The pins of stints to come as rules of the race from lap `end` on, laps counted from there.

    What is pinned of the stint under way is no rule here: where it ends is given.
    """
    running = projection.race.running
    rules = []
    for ahead in pinned(projection):
        if (running and ahead.number == running.number) or ahead.end_lap <= end:
            continue
        stop, is_driver = ahead.pinned_lap, ahead.mark.is_driver_pinned
        rules.append({
            "name": f"pinned stint {ahead.number}",
            "driver": ahead.seat if is_driver else None,
            "from_lap": max(ahead.start_lap - end, 0), "to_lap": ahead.end_lap - end,
            "stops": [] if stop is None else [stop - end],
        })  # fmt: skip
    return rules


def marked(projection: Projection, end: int, rest: Sequence[Planned]) -> list[Planned]:
    """The stints from lap `end` on, solved anew, with the marks of the plan where they still fit."""
    running = projection.race.running
    coming = [a for a in projection.stints if running is None or a.number != running.number]
    found, lap = [], end
    for stint in rest:
        span, lap = (lap, lap + stint.laps), lap + stint.laps
        same = [a for a in coming if a.seat == stint.seat and _laps_in(a, span) > 0]
        stays = any(a.mark.is_driver_pinned and _is_driven_by(a, end, rest) for a in same)
        nearest = max(same, key=lambda a: _laps_in(a, span), default=None)
        stop = lap if lap in {a.pinned_lap for a in coming} else None
        mark = StintMark(stays, stop, nearest.mark.backup if nearest else None)
        found.append(replace(stint, mark=mark))
    return found


def _laps_in(ahead: Ahead, span: tuple[int, int]) -> int:
    """Laps of the stint that lie in the span."""
    return min(ahead.end_lap, span[1]) - max(ahead.start_lap, span[0])


def _is_driven_by(ahead: Ahead, end: int, rest: Sequence[Planned]) -> bool:
    """Does the stint's driver do all its laps from `end` on?"""
    seats = [stint.seat for stint in rest for _ in range(stint.laps)]
    mine = seats[max(ahead.start_lap - end, 0) : max(ahead.end_lap - end, 0)]
    return bool(mine) and set(mine) == {ahead.seat}
