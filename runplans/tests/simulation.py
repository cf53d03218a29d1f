"""An independent check: drives a run lap by lap in exact fractions, knowing none of our formulas."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass
class Driven:
    laps: int
    stops: int
    stint_laps: list[int]
    filled_before_start: bool
    clock: Fraction | None


def drive(*, laps, burn, start, tank, reserve=0, pace=None, pit_loss=0) -> Driven:
    """Drive until `laps` are done, stopping only when the next lap would touch the reserve.

    At a stop the tank takes all the remaining laps need, or all it holds.
    """
    burn, reserve = Fraction(burn), Fraction(reserve)
    fuel = Fraction(start)
    need = laps * burn + reserve
    brim = Fraction(tank) if tank is not None else need
    clock = Fraction(0) if pace is not None else None
    before_start = fuel - reserve < burn
    if before_start:
        fuel = min(brim, need)
    stints, stint = [], 0
    for lap in range(laps):
        if fuel - reserve < burn:
            stints.append(stint)
            stint = 0
            fuel = min(brim, (laps - lap) * burn + reserve)
            if clock is not None:
                clock += Fraction(pit_loss)
        fuel -= burn
        assert fuel >= reserve
        stint += 1
        if clock is not None:
            clock += Fraction(pace)
    return Driven(laps, len(stints), [*stints, stint], before_start, clock)


def drive_against_the_clock(*, duration, pace, rule, most=20_001, **fuel) -> int:
    """Laps a timed run counts, found by driving 1, 2, 3 … laps with their stops."""
    for laps in range(1, most):
        car = fuel | {"start": laps * Fraction(fuel["burn"]) + Fraction(fuel.get("reserve", 0))}
        car |= {"start": fuel["start"]} if fuel["start"] is not None else {}
        clock = drive(laps=laps, pace=pace, **car).clock
        if rule == "floor" and clock > duration:
            return laps - 1
        if rule != "floor" and clock >= duration:
            return laps + (rule == "plus_one")
    raise AssertionError("the run does not end")
