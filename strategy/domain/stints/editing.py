"""Changes a person makes to a plan by hand; every one gives a whole new plan or a refusal."""

from collections.abc import Sequence

from racecontrol.shared.errors import InvalidInput
from strategy.domain.stints.instance import Instance, Stint


def _at(plan: Sequence[Stint], number: int) -> int:
    """Position of stint `number` (counted from 1)."""
    if not 1 <= number <= len(plan):
        raise InvalidInput("There is no such stint.", fields={"stint": ["No such stint."]})
    return number - 1


def _tidy(plan: list[Stint]) -> list[Stint]:
    """Tyres can only be kept by a driver who stays in, and keep their compound."""
    tidy: list[Stint] = []
    for n, stint in enumerate(plan):
        keeps = n > 0 and stint.tyres == "keep" and tidy[-1].driver == stint.driver
        compound = tidy[-1].compound if keeps else stint.compound
        tidy.append(
            stint.model_copy(update={"tyres": "keep" if keeps else "new", "compound": compound})
        )
    return tidy


def move_end(plan: Sequence[Stint], number: int, laps: int) -> list[Stint]:
    """Let stint `number` end `laps` later (or earlier); the next gives or takes them."""
    n = _at(plan, number)
    if n == len(plan) - 1:
        raise InvalidInput("The last stint ends with the race.", fields={"stint": ["Is the last."]})
    here, after = plan[n].laps + laps, plan[n + 1].laps - laps
    if min(here, after) < 1:
        raise InvalidInput("A stint must keep a lap.", fields={"laps": ["Leaves no lap."]})
    changed = list(plan)
    changed[n] = plan[n].model_copy(update={"laps": here})
    changed[n + 1] = plan[n + 1].model_copy(update={"laps": after})
    return changed


def split(plan: Sequence[Stint], number: int, laps: int) -> list[Stint]:
    """Make two stints of one; the first keeps `laps`."""
    n = _at(plan, number)
    if not 1 <= laps < plan[n].laps:
        raise InvalidInput(
            f"Split after 1 to {plan[n].laps - 1} laps.", fields={"laps": ["Outside the stint."]}
        )
    first = plan[n].model_copy(update={"laps": laps})
    second = plan[n].model_copy(update={"laps": plan[n].laps - laps, "tyres": "new"})
    return _tidy([*plan[:n], first, second, *plan[n + 1 :]])


def merge(plan: Sequence[Stint], number: int) -> list[Stint]:
    """Join stint `number` with the next; its driver does both."""
    n = _at(plan, number)
    if n == len(plan) - 1:
        raise InvalidInput("There is no stint after it.", fields={"stint": ["Is the last."]})
    joined = plan[n].model_copy(update={"laps": plan[n].laps + plan[n + 1].laps})
    return _tidy([*plan[:n], joined, *plan[n + 2 :]])


def give(instance: Instance, plan: Sequence[Stint], number: int, driver: int) -> list[Stint]:
    """Another driver does stint `number`."""
    n = _at(plan, number)
    if not 0 <= driver < len(instance.drivers):
        raise InvalidInput("There is no such driver.", fields={"driver": ["No such driver."]})
    changed = list(plan)
    changed[n] = plan[n].model_copy(update={"driver": driver})
    return _tidy(changed)


def swap(plan: Sequence[Stint], number: int, other: int) -> list[Stint]:
    """The drivers of two stints change places."""
    n, m = _at(plan, number), _at(plan, other)
    changed = list(plan)
    changed[n] = plan[n].model_copy(update={"driver": plan[m].driver})
    changed[m] = plan[m].model_copy(update={"driver": plan[n].driver})
    return _tidy(changed)


def tyres(plan: Sequence[Stint], number: int, choice: str) -> list[Stint]:
    """New dry, new wet, or the tyres that are on: "dry", "wet", "keep"."""
    n = _at(plan, number)
    if choice not in ("dry", "wet", "keep"):
        raise InvalidInput("Tyres are dry, wet or keep.", fields={"tyres": ["Unknown choice."]})
    changed = list(plan)
    changed[n] = plan[n].model_copy(
        update={"tyres": "keep" if choice == "keep" else "new", "compound": int(choice == "wet")}
    )
    return _tidy(changed)
