"""Plans that change while the race is on: each becomes a version of its own, the log stays one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from strategy.domain.live.changes import under
from strategy.domain.live.log import Planned, Race
from strategy.domain.live.projection import Projection, live_instance
from strategy.domain.stints.pins import NO_MARK
from strategy.models import LiveRun, PlanVersion, StintPlan
from strategy.queries.live import race_of

Status = StintPlan.Status


def save_live_version(
    run: LiveRun, stints: Sequence[Planned], *, reason: str, by: Any
) -> PlanVersion:
    """Make these stints the plan that counts, as a new version; inside the caller's transaction.

    Stints that are over keep their planned moments and carry the laps really driven, so that the
    log folds onto the new version as it did onto the old one.
    """
    strategy = run.strategy
    old = strategy.current
    assert old is not None
    # what was skipped is out of the new plan; who was ready may be ready again
    kept = [s for s in stints if not s.is_skipped]
    projection, judged = under(race_of(run), kept)
    race = projection.race
    ahead = {a.number: a for a in projection.stints}
    last = strategy.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = PlanVersion.objects.create(
        strategy=strategy, number=last + 1, origin=PlanVersion.Origin.LIVE, reason=reason[:200],
        problem=live_instance(projection).model_dump(mode="json"), z1_ms=judged.z1_ms,
        z2_ms=judged.z2_ms, z3_ms=judged.z3_ms, broken_rules=len(judged.violations), parent=old,
        created_by=by,
    )  # fmt: skip
    users = [who.get("user_id") for who in strategy.drivers]
    rows, before = [], None
    for stint in race.driven:
        plan, coming = stint.plan, ahead.get(stint.number)
        stop = coming.pinned_lap if coming else plan.mark.pinned_lap  # one that passed is forgotten
        laps = coming.laps if coming and coming.laps else stint.laps if stint.is_closed else 0
        is_past = stint.start_ms is not None
        rows.append(
            StintPlan(
                strategy=strategy, plan=version, number=stint.number, seat=stint.seat,
                driver_id=users[stint.seat], laps=laps or plan.laps,
                start_lap=coming.start_lap if coming else (stint.start_lap or plan.start_lap),
                planned_start_ms=plan.start_ms if is_past or not coming else coming.start_ms,
                planned_ms=plan.drive_ms if is_past or not coming else coming.end_ms - coming.start_ms,
                stop_ms=plan.stop_ms if is_past or not coming else coming.stop_ms,
                fuel_in_ml=plan.fuel_in_ml if is_past else _fill(projection, laps or plan.laps),
                fuel_out_ml=plan.fuel_out_ml, tyres=plan.tyres, compound=plan.compound,
                is_driver_pinned=plan.mark.is_driver_pinned, pinned_lap=stop,
                backup_seat=plan.mark.backup,
                pit_instructions={
                    "tyres": ("wet" if plan.compound else "dry") if plan.tyres == "new" else "keep",
                    "driver_change": before is not None and before != stint.seat,
                },
            )
        )  # fmt: skip
        before = stint.seat
    # only one version may have a stint ready or under way: the log gives them back to the new one
    StintPlan.objects.filter(plan=old, status__in=[Status.READY, Status.RUNNING]).update(
        status=Status.PLANNED
    )
    StintPlan.objects.bulk_create(rows)
    strategy.current = version
    strategy.version += 1
    strategy.save(update_fields=["current", "version"])
    return version


def _fill(projection: Projection, laps: int) -> int:
    car = projection.race.instance.car
    burn = getattr(car.burn_ml, projection.race.letter(projection.race.laps_done))
    return min(car.reserve_ml + round(laps * burn * projection.burn.ratio), car.tank_ml)


def ensure_next(run: LiveRun, race: Race, *, by: Any) -> PlanVersion | None:
    """After the last planned stint came in early: its driver goes on with what is left."""
    if race.state != "racing" or race.running is not None or race.coming or not race.driven:
        return None
    begun = [s for s in race.driven if s.start_ms is not None]
    if not begun or race.clock_ms(race.now_ms) >= race.duration_ms:
        return None
    last = begun[-1]
    left = max(last.plan.laps - last.laps, 1)
    more = replace(last.plan, number=last.number + 1, laps=left, tyres="new", is_ready=False,
                   mark=NO_MARK)  # fmt: skip
    kept = [s.plan for s in race.driven]
    return save_live_version(run, [*kept, more], reason="a stop nobody planned", by=by)
