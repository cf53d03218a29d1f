"""What is settled of single stints on the board: held, driver or stop pinned, a backup named.

The race's wall takes it over with the plan (strategy.services.live.pins).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound
from strategy.domain.stints.instance import Stint
from strategy.domain.stints.pins import StintMark, carried
from strategy.models import PlanVersion, RaceStrategy, StintPlan
from strategy.services.plans.states import Locked, open_for_change, save_change
from strategy.services.plans.versions import as_fields, marks_of, plan_of


def marks_after(version: PlanVersion, after: Sequence[Stint]) -> dict[int, StintMark]:
    """The marks of the changed plan; raises Locked if what is held or pinned was touched."""
    before, marks = plan_of(version), marks_of(version)
    found, broken = carried(before, marks, after)
    for number in broken:
        lap = sum(stint.laps for stint in before[: number - 1]) + 1
        what = "held" if marks[number].is_held else "pinned"
        raise Locked(f"The stint from lap {lap} is {what}: release it before changing it.")
    return found


@transaction.atomic
def lock_stint(
    *, strategy_id: int, base_version: int, stint: int, is_locked: bool, by: Any
) -> None:
    """Hold a stint as it is; changes by hand that touch it are refused, the optimiser keeps it."""
    pin_stint(strategy_id=strategy_id, base_version=base_version, stint=stint, driver=is_locked,
              stop=is_locked, by=by)  # fmt: skip


@transaction.atomic
def pin_stint(
    *, strategy_id: int, base_version: int, stint: int, driver: bool, stop: bool, by: Any
) -> None:
    """Pin a stint's driver, the lap it stops after, both (it is held), or neither."""
    row = open_for_change(strategy_id, base_version, by)
    one = _stint(row, stint)
    lap = one.start_lap + one.laps if stop else None
    _settle(row, one, replace(one.mark, is_driver_pinned=driver, pinned_lap=lap))
    audit.record(by=by, verb="plan.stint_held" if driver or stop else "plan.stint_released", obj=row,
                 after={"stint": stint, "driver": driver, "lap": lap or ""})  # fmt: skip


@transaction.atomic
def name_backup(
    *, strategy_id: int, base_version: int, stint: int, seat: int | None, by: Any
) -> None:
    """Name who drives the stint if its driver cannot; None: nobody."""
    row = open_for_change(strategy_id, base_version, by)
    one = _stint(row, stint)
    if seat is not None and not 0 <= seat < len(row.drivers):
        raise InvalidInput("There is no such driver.", fields={"backup_seat": ["No such driver."]})
    if seat == one.seat:
        raise InvalidInput(f"{row.drivers[seat]['name']} drives it already.",
                           fields={"backup_seat": ["Drives it."]})  # fmt: skip
    _settle(row, one, replace(one.mark, backup=seat))
    name = "nobody" if seat is None else row.drivers[seat]["name"]
    audit.record(by=by, verb="plan.backup_named", obj=row, after={"stint": stint, "value": name})


def _stint(row: RaceStrategy, number: int) -> StintPlan:
    found = StintPlan.objects.filter(plan_id=row.current_id, number=number).first()
    if found is None:
        raise NotFound("There is no such stint.")
    return found


def _settle(row: RaceStrategy, stint: StintPlan, mark: StintMark) -> None:
    StintPlan.objects.filter(pk=stint.pk).update(**as_fields(mark))
    save_change(row)
