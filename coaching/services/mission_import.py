"""Bring in a legacy mission and its points: all or nothing, and the same twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from coaching.domain.missions.profile import NUMBERS
from coaching.domain.missions.states import State
from coaching.legacy.mission_file import LegacyMission, read_mission
from coaching.legacy.points_file import ASSUMED_TZ, LegacyPoints, LegacyStage, read_points
from coaching.models import Mission, MissionTransition, StageResult
from coaching.services import missions
from racecontrol.shared import audit


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do: `mission` is None on a dry run of a new one."""

    mission: Mission | None
    is_new: bool
    stages_made: int
    stages_changed: int
    stages_same: int
    total_points: int
    differences: tuple[str, ...]
    is_saved: bool


def import_mission(
    *,
    owner: Any,
    mission_data: bytes,
    points_data: bytes | None = None,
    timezone: str,
    now: datetime,
    by: Any = None,
    is_saved: bool = False,
) -> Imported:
    """Read both files and compare; with `is_saved` write. Natural keys: legacy id, stage date.

    Raises InvalidInput by field where a file cannot be used; nothing is saved then.
    """
    legacy = read_mission(mission_data)
    points = (
        read_points(points_data, schema=legacy.schema, plan=legacy.plan)
        if points_data is not None
        else None
    )
    with transaction.atomic():
        done = _write(owner, legacy, points, timezone, now, by, is_saved)
        if not is_saved:
            transaction.set_rollback(True)
    return done


def _write(
    owner: Any,
    legacy: LegacyMission,
    points: LegacyPoints | None,
    timezone: str,
    now: datetime,
    by: Any,
    is_saved: bool,
) -> Imported:
    mission = Mission.objects.filter(owner=owner, legacy_id=legacy.legacy_id).first()
    is_new = mission is None
    notes = [*legacy.differences]
    if mission is None:
        mission = _make(owner, legacy, timezone, now, by)
    elif _values(mission) != _values_of(legacy):
        notes.append("the mission is here already and was changed since; it stays as it is")
    made = changed = same = 0
    for stage in points.stages if points else ():
        outcome = _stage(mission, stage)
        made, changed, same = (
            made + (outcome == "made"),
            changed + (outcome == "changed"),
            same + (outcome == "same"),
        )
    if is_new or made or changed:
        audit.record(
            by=by, verb="mission.imported", obj=mission,
            after={"stages_made": made, "stages_changed": changed},
        )  # fmt: skip
    return Imported(
        mission=mission if is_saved or not is_new else None,
        is_new=is_new,
        stages_made=made,
        stages_changed=changed,
        stages_same=same,
        total_points=points.progress.total if points else 0,
        differences=(*notes, *(points.differences if points else ())),
        is_saved=is_saved,
    )


def _make(owner: Any, legacy: LegacyMission, timezone: str, now: datetime, by: Any) -> Mission:
    known = {name: value for name, value in legacy.constraints.items() if name in NUMBERS}
    mission = missions.create_mission(
        by=owner,
        now=now,
        legacy_id=legacy.legacy_id,
        targets={"targets": legacy.targets, "detection": legacy.detection},
        has_letter=False,
        data={
            "name": legacy.name[:80],
            "event_name": legacy.event_name,
            "mission_type": Mission.Kind.ROAD_STAGE_RACE,
            "prep_start": legacy.dates.prep_start,
            "event_start": legacy.dates.event_start,
            "event_end": legacy.dates.event_end,
            "timezone": timezone,
            "points_schema": legacy.schema.as_data(),
            "stage_plan": legacy.plan.as_data(),
            "constraints": known,
            "rider_profile": legacy.rider,
        },
    )
    if mission.today(now) > mission.event_end:
        # It is history: complete, without a reflection nobody asked for.
        mission.state = State.MISSION_COMPLETE
        mission.completed_on = mission.event_end + timedelta(days=1)
        mission.save(update_fields=["state", "completed_on"])
        mission.rules.update(frozen_at=now)
        MissionTransition.objects.create(
            mission=mission, origin=State.PREP, target=State.MISSION_COMPLETE, by=by,
            why="imported after its end", local_date=mission.today(now),
        )  # fmt: skip
    return mission


def _values(mission: Mission) -> tuple:
    return (mission.name, mission.event_start, mission.event_end, mission.current_rules.plan)


def _values_of(legacy: LegacyMission) -> tuple:
    return (legacy.name[:80], legacy.dates.event_start, legacy.dates.event_end, legacy.plan)


def _stage(mission: Mission, stage: LegacyStage) -> str:
    """made, changed or same; a stage a person entered by hand stays as it is."""
    values = {
        "number": stage.number,
        "stage_type": stage.type,
        "ride_mode": stage.mode,
        "activity_ref": stage.activity_id,
        "imported_points": stage.points,
        "details": stage.details,
        "completed_at": stage.completed_at,
        "assumed_tz": ASSUMED_TZ,
    }
    row = mission.stage_results.filter(local_date=stage.on).first()
    if row is None:
        StageResult.objects.create(
            mission=mission, local_date=stage.on, source=StageResult.Source.IMPORT, **values
        )
        return "made"
    is_same = all(getattr(row, name) == value for name, value in values.items())
    if is_same or row.source != StageResult.Source.IMPORT:
        return "same"
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return "changed"
