"""Tries every plan of a tiny stint problem and keeps the fastest the scorer accepts."""

from collections.abc import Iterator

from strategy.domain.stints.instance import WET, Instance, Stint
from strategy.domain.stints.scoring import score


def best_by_trying_everything(instance: Instance) -> int | None:
    """Race time of the best valid plan in ms, or None when no plan is valid."""
    best = None
    for plan in _plans(instance, [], 0, 0):
        judged = score(instance, plan)
        if judged.is_valid and (best is None or judged.z1_ms < best):
            best = judged.z1_ms
    return best


def _plans(instance: Instance, plan: list[Stint], lap: int, age: int) -> Iterator[list[Stint]]:
    total, rules = instance.race.laps, instance.rules
    if lap == total:
        yield plan
        return
    if lap and lap in instance.pit.closed_laps:
        return
    usable = instance.car.tank_ml - instance.car.reserve_ml
    for laps in range(rules.min_stint_laps, total - lap + 1):
        burnt = sum(
            getattr(instance.car.burn_ml, instance.conditions.by_lap[n])
            for n in range(lap, lap + laps)
        )
        if burnt > usable or laps > (rules.max_stint_laps or laps):
            return
        if total - lap - laps and total - lap - laps < rules.min_stint_laps:
            continue
        for driver in range(len(instance.drivers)):
            if not _may_drive(instance, driver, lap, laps):
                continue
            stays = bool(plan) and plan[-1].driver == driver
            if stays and _in_a_row(plan) >= instance.drivers[driver].max_consecutive:
                continue
            for tyres in ("new", "keep"):
                if tyres == "keep":
                    if not stays or rules.tyre_policy != "optional":
                        continue
                    if age + laps > instance.car.tyre.life_laps:
                        continue
                    compounds = [plan[-1].compound]
                else:
                    compounds = [0, 1] if WET & set(instance.conditions.by_lap) else [0]
                for compound in compounds:
                    stint = Stint(driver=driver, laps=laps, tyres=tyres, compound=compound)
                    worn = laps if tyres == "new" else age + laps
                    yield from _plans(instance, [*plan, stint], lap + laps, worn)


def _may_drive(instance: Instance, driver: int, lap: int, laps: int) -> bool:
    """The scorer's own rule, asked early so that hopeless branches end."""
    who, clock = instance.drivers[driver], instance.race.clock_ms
    return all(
        any(a <= clock[n] and clock[n + 1] <= b for a, b in who.available_ms)
        for n in range(lap, lap + laps)
    )


def _in_a_row(plan: list[Stint]) -> int:
    count = 0
    for stint in reversed(plan):
        if stint.driver != plan[-1].driver:
            break
        count += 1
    return count
