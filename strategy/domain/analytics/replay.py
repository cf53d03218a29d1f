"""A plan driven again through the cautions that really came: no luck, every lap and stop by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from strategy.domain.analytics.record import Neutral
from strategy.domain.stints.instance import Instance, Stint
from strategy.domain.stints.scoring import lap_ms, score

# What a stop under a caution costs of its loss under green, as in the simulator.
NEUTRAL_STOP_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Replay:
    """Times of each lap from `from_lap` on, of the stop before each stint (0: none), and the end."""

    from_lap: int
    lap_ms: list[int]
    stop_ms: list[int]
    finish_ms: int
    broken: list[str]


def replay(
    instance: Instance,
    plan: Sequence[Stint],
    *,
    neutrals: Sequence[Neutral] = (),
    from_lap: int = 0,
    from_ms: int = 0,
) -> Replay:
    """Drive the plan from `from_lap` at `from_ms`; laps before are taken as behind us.

    A lap begun under a caution takes `pace` times as long, a stop begun under one half its loss.
    A red flag holds the car for what is left of it. `broken` names rules the plan breaks.
    """
    judged = score(instance, list(plan))
    t = from_ms
    laps: list[int] = []
    stops: list[int] = []
    for stint, facts in zip(plan, judged.stints, strict=False):
        stops.append(0)
        if facts.end_lap <= from_lap:
            continue
        if facts.stop_ms and facts.start_lap >= from_lap:
            under = _at(neutrals, t)
            share = NEUTRAL_STOP_SHARE if under and under.kind != "red" else 1.0
            stops[-1] = round(facts.stop_ms * share)
            t += stops[-1]
        fuel = facts.fuel_in_ml
        for step, lap in enumerate(range(facts.start_lap, facts.end_lap)):
            ms = lap_ms(instance, lap=lap, driver=stint.driver, age=facts.tyre_age + step,
                        fuel_ml=fuel, compound=facts.compound)  # fmt: skip
            fuel -= getattr(instance.car.burn_ml, instance.conditions.by_lap[lap])
            if lap < from_lap:
                continue
            ms = _slowed(ms, t, neutrals)
            laps.append(ms)
            t += ms
    return Replay(from_lap, laps, stops, t, sorted({v.rule for v in judged.violations}))


def _at(neutrals: Sequence[Neutral], moment: int) -> Neutral | None:
    return next((n for n in neutrals if n.start_ms <= moment < n.end_ms), None)


def _slowed(ms: int, start: int, neutrals: Sequence[Neutral]) -> int:
    under = _at(neutrals, start)
    if under is not None and under.kind != "red":
        ms = round(ms * under.pace)
    held = sum(
        n.end_ms - max(n.start_ms, start)
        for n in neutrals
        if n.kind == "red" and n.end_ms > start and n.start_ms < start + ms
    )
    return ms + held
