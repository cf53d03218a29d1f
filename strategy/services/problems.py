"""From an event, a car and its drivers to the problem the optimiser answers; stricter where the team wants."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from racecontrol.shared.errors import InvalidInput
from strategy.domain.problem import CarNumbers, Entrant, build_problem
from strategy.domain.regulations import Regulations, read_regulations
from strategy.models import Car, RaceStrategy, StrategyEvent
from strategy.services.teams import CAR_NUMBERS


@dataclass(frozen=True, slots=True)
class Wishes:
    """The team's own numbers; None or "" leaves the rules and the car as they are.

    `stint_laps`: no stint is longer; `rest_s`: at least, seconds; `pit_lane_s`: measured time through
    the lane; `stint_fuel_ml`: no more is burnt in a stint; `tyres`: "every_stop" or "optional".
    Where the rules are stricter, the rules count.
    """

    stint_laps: int | None = None
    rest_s: int | None = None
    pit_lane_s: float | None = None
    stint_fuel_ml: int | None = None
    tyres: str = ""


WISHES = tuple(field.name for field in fields(Wishes))


def wishes_of(row: RaceStrategy) -> Wishes:
    return Wishes(**{name: getattr(row, f"wish_{name}") for name in WISHES})


def as_columns(wishes: Wishes) -> dict[str, Any]:
    """The wishes as RaceStrategy keeps them."""
    return {f"wish_{name}": value for name, value in asdict(wishes).items()}


def problem_of(
    event: StrategyEvent, car: Car, drivers: Sequence[dict], wishes: Wishes | None = None
) -> dict:
    """The stint problem of these drivers (as `drivers_of` gives them) in this car.

    Raises InvalidInput naming the wish or the rule that cannot be.
    """
    wishes = wishes or Wishes()
    rules = _stricter(read_regulations(event.regulations), wishes)
    numbers = CarNumbers(**{name: getattr(car, name) for name in CAR_NUMBERS})
    if wishes.stint_fuel_ml is not None:
        if wishes.stint_fuel_ml < numbers.burn_ml * rules.min_stint_laps:
            raise _refused("stint_fuel_ml", "Must last for the shortest stint.")
        tank = min(numbers.tank_ml, numbers.reserve_ml + wishes.stint_fuel_ml)
        numbers = replace(numbers, tank_ml=tank)
    return build_problem(
        name=event.name,
        duration_ms=event.duration_ms,
        lap_ms=event.lap_ms,
        conditions=event.conditions,
        car=numbers,
        rules=rules,
        drivers=[
            Entrant(
                name=who["name"],
                lap_ms=who["lap_ms"],
                wet_lap_ms=who["wet_lap_ms"],
                windows=[(a, b) for a, b in who["available_ms"]],
                category=who.get("category", ""),
                no_night=who.get("no_night", False),
                no_wet=who.get("no_wet", False),
            )
            for who in drivers
        ],
    )


def _stricter(rules: Regulations, wishes: Wishes) -> Regulations:
    changed: dict[str, Any] = {}
    if wishes.stint_laps is not None:
        if not rules.min_stint_laps <= wishes.stint_laps <= 2_000:
            raise _refused("stint_laps", f"At least {rules.min_stint_laps}, the shortest stint.")
        changed["max_stint_laps"] = min(wishes.stint_laps, rules.max_stint_laps or 2_000)
    if wishes.rest_s is not None:
        if not 0 <= wishes.rest_s <= 86_400:
            raise _refused("rest_s", "Up to a day.")
        changed["rest_s"] = max(wishes.rest_s, rules.rest_s)
    if wishes.pit_lane_s is not None:
        if not 0 <= wishes.pit_lane_s <= 3_600:
            raise _refused("pit_lane_s", "Up to an hour.")
        changed["pit_lane_s"] = wishes.pit_lane_s
    if wishes.tyres not in ("", "every_stop", "optional"):
        raise _refused("tyres", "every_stop or optional.")
    if wishes.tyres == "every_stop":
        changed["tyres"] = "every_stop"
    return rules.model_copy(update=changed)


def _refused(field: str, why: str) -> InvalidInput:
    return InvalidInput(f"The team's own numbers cannot be used: {why}", fields={field: [why]})
