"""A legacy points file (JSON): rows are believed, counters are compared, damage is reported.

Nothing nested is imported, times without a zone are taken as UTC (the runner's clock), only
listed keys of the activity data are kept, and every difference becomes one sentence.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from coaching.domain.missions.points import Progress, StageRow, progress
from coaching.domain.missions.rules import PointsSchema, StagePlan
from racecontrol.shared.errors import InvalidInput

MAX_BYTES: Final = 5_000_000
ASSUMED_TZ: Final = "UTC"
MODES: Final = ("gc", "breakaway", "rest")
COUNTERS: Final = (
    "total_points", "stages_completed", "consecutive_stages", "breakaway_count", "gc_count",
    "mountain_breakaway_count",
)  # fmt: skip
KEPT: Final = (
    "moving_time", "distance", "average_watts", "weighted_average_watts", "suffer_score",
    "intensity_factor", "average_heartrate", "max_heartrate", "total_elevation_gain", "calories",
    "average_speed", "max_speed", "sport_type", "duration_minutes", "distance_km", "tss",
    "normalized_power", "effort_level",
)  # fmt: skip
# Titles and descriptions are a stranger's words and not needed; ids stand in activity_id.
DROPPED: Final = ("name", "description", "id")
_STAGE_KEYS: Final = {
    "stage_number", "stage_type", "ride_mode", "points_earned", "completed_at", "activity_data",
    "activity_id",
}  # fmt: skip
_TOP_KEYS: Final = {*COUNTERS, "bonuses_earned", "stages", "used_activity_ids", "last_updated"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class LegacyStage:
    """One stage of the file. `points` as the file has them, `computed_points` by the rules."""

    on: date
    number: int
    type: str
    mode: str
    points: int
    computed_points: int
    completed_at: datetime
    activity_id: str
    details: dict[str, Any]

    def row(self) -> StageRow:
        return StageRow(self.number, self.on, self.type, self.mode, self.points)


@dataclass(frozen=True, slots=True)
class LegacyPoints:
    stages: tuple[LegacyStage, ...]
    progress: Progress
    differences: tuple[str, ...]


def read_points(data: bytes, *, schema: PointsSchema, plan: StagePlan) -> LegacyPoints:
    """Read the file strictly. Raises InvalidInput where a stage row itself cannot be used."""
    raw = _load(data)
    notes: list[str] = []
    problems: dict[str, list[str]] = {}
    for name in raw:
        if name not in _TOP_KEYS:
            notes.append(f"top level: {name!r} is unknown; left out")
    rows = raw.get("stages")
    if not isinstance(rows, dict):
        raise InvalidInput(
            "The points file has no stages.", fields={"stages": ["Must be an object."]}
        )
    if list(rows) != sorted(rows):
        notes.append("stages are out of date order; sorted")
    stages = []
    for key in sorted(rows):
        stage = _stage(key, rows[key], schema, problems, notes)
        if stage is not None:
            stages.append(stage)
    numbers = [stage.number for stage in stages]
    for number in sorted({n for n in numbers if numbers.count(n) > 1}):
        problems[f"stages (number {number})"] = ["Two dates hold the same stage number."]
    if problems:
        raise InvalidInput("The points file cannot be used.", fields=problems)
    last = max((stage.on for stage in stages), default=date.min)
    board = progress(schema=schema, plan=plan, rows=[stage.row() for stage in stages], today=last)
    notes += _against_plan(stages, plan)
    notes += _against_rules(stages)
    notes += _counters(raw, stages, board)
    notes += _activities(raw, stages)
    return LegacyPoints(tuple(stages), board, tuple(notes))


def _load(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise InvalidInput("The points file is too large.", fields={"points": ["At most 5 MB."]})

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise InvalidInput(
                    f"{name[:60]!r} stands twice in the points file.",
                    fields={"points": [f"{name[:60]!r} stands twice."]},
                )
        return dict(pairs)

    def no_constant(name: str) -> float:
        raise ValueError(name)

    try:
        raw = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise InvalidInput(
            "The points file is not JSON.", fields={"points": ["Not a JSON file."]}
        ) from None
    if not isinstance(raw, dict):
        raise InvalidInput("The points file is no object.", fields={"points": ["Not an object."]})
    return raw


def _stage(
    key: str, raw: Any, schema: PointsSchema, problems: dict[str, list[str]], notes: list[str]
) -> LegacyStage | None:
    where = f"stages.{key[:40]}"
    before = len(problems)
    try:
        on = date.fromisoformat(key)
    except ValueError:
        problems[where] = ["The key must be a date such as 2026-06-06."]
        return None
    if not isinstance(raw, dict):
        problems[where] = ["Must be an object."]
        return None
    for name in raw:
        if name not in _STAGE_KEYS:
            notes.append(f"{key}: {name!r} is unknown; left out")
    number: Any = raw.get("stage_number")
    kind: Any = raw.get("stage_type")
    mode: Any = raw.get("ride_mode")
    points: Any = raw.get("points_earned")
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 99:
        problems[f"{where}.stage_number"] = ["Must be a whole number from 1 to 99."]
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,23}", kind):
        problems[f"{where}.stage_type"] = ["Must be a short lower-case name."]
    if mode not in MODES:
        problems[f"{where}.ride_mode"] = [f"Must be one of {', '.join(MODES)}."]
    if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= 1000:
        problems[f"{where}.points_earned"] = ["Must be a whole number from 0 to 1000."]
    completed_at = _moment(raw.get("completed_at"))
    if completed_at is None:
        problems[f"{where}.completed_at"] = ["Must be a moment such as 2026-06-06T19:12:44."]
    activity_id = raw.get("activity_id")
    if activity_id is not None and (
        isinstance(activity_id, bool) or not isinstance(activity_id, int)
    ):
        problems[f"{where}.activity_id"] = ["Must be a whole number."]
    if completed_at is None or len(problems) > before:
        return None
    return LegacyStage(
        on=on,
        number=number,
        type=kind,
        mode=mode,
        points=points,
        computed_points=schema.points(kind, mode),
        completed_at=completed_at,
        activity_id="" if activity_id is None else str(activity_id),
        details=_details(key, raw.get("activity_data"), notes),
    )


def _details(key: str, raw: Any, notes: list[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        if raw is not None:
            notes.append(f"{key}: activity_data is no object; left out")
        return {}
    kept = {}
    for name, value in raw.items():
        is_plain = isinstance(value, int | float | str) and not isinstance(value, bool)
        if name in KEPT and is_plain:
            kept[name] = value[:40] if isinstance(value, str) else value
        elif name in KEPT or name in DROPPED:
            continue
        elif isinstance(value, dict) and ("stage_number" in value or _DATE.fullmatch(name)):
            told = value.get("stage_number", "?")
            notes.append(
                f"{key}: stage {told} of {name} is nested in this stage's activity data; "
                "not imported, enter it by hand if it was ridden"
            )
        elif name in COUNTERS:
            notes.append(f"{key}: the counter {name} leaked into the activity data; left out")
        else:
            notes.append(f"{key}: activity data {name!r} is unknown; left out")
    return kept


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _against_plan(stages: list[LegacyStage], plan: StagePlan) -> list[str]:
    notes = []
    for stage in stages:
        planned = plan.number(stage.number)
        due = plan.on(stage.on)
        if planned is None:
            notes.append(f"{stage.on}: stage {stage.number} is not in the plan")
        elif planned.type != stage.type:
            notes.append(
                f"{stage.on}: stage {stage.number} was ridden as {stage.type}, "
                f"the plan has {planned.type}"
            )
        if due and due[0].number != stage.number:
            notes.append(
                f"{stage.on}: the file has stage {stage.number}, the calendar stage {due[0].number}"
            )
        elif not due and plan.stages:
            notes.append(f"{stage.on}: the calendar has no stage on this day")
    done = {stage.number for stage in stages}
    missing = [str(stage.number) for stage in plan.stages if stage.number not in done]
    if missing:
        notes.append(f"no row for stage {', '.join(missing)}")
    return notes


def _against_rules(stages: list[LegacyStage]) -> list[str]:
    return [
        f"{stage.on}: the file gives stage {stage.number} {stage.points} points, "
        f"the table {stage.computed_points} ({stage.type}, {stage.mode})"
        for stage in stages
        if stage.points != stage.computed_points
    ]


def _counters(raw: dict[str, Any], stages: list[LegacyStage], board: Progress) -> list[str]:
    mountains = ("mountain", "mtn_itt")
    truth = {
        "total_points": sum(stage.points for stage in stages),
        "stages_completed": len(stages),
        "consecutive_stages": board.streak,
        "breakaway_count": sum(stage.mode == "breakaway" for stage in stages),
        "gc_count": sum(stage.mode == "gc" for stage in stages),
        "mountain_breakaway_count": sum(
            stage.mode == "breakaway" and stage.type in mountains for stage in stages
        ),
    }
    notes = [
        f"counter {name}: the file says {raw[name]}, its rows give {value}"
        for name, value in truth.items()
        if name in raw and raw[name] != value
    ]
    listed = raw.get("bonuses_earned")
    told = {name for name in listed if isinstance(name, str)} if isinstance(listed, list) else set()
    earned = {bonus.id for bonus in board.bonuses if bonus.is_earned}
    notes += [
        f"bonus {name} is listed but the rows do not earn it" for name in sorted(told - earned)
    ]
    notes += [f"bonus {name} is earned but not listed" for name in sorted(earned - told)]
    return notes


def _activities(raw: dict[str, Any], stages: list[LegacyStage]) -> list[str]:
    used = raw.get("used_activity_ids")
    have = [stage.activity_id for stage in stages if stage.activity_id]
    notes = [
        f"activity {activity} stands at two stages"
        for activity in sorted({a for a in have if have.count(a) > 1})
    ]
    if not isinstance(used, list):
        return notes
    listed = {str(activity) for activity in used}
    notes += [f"used activity {a} has no stage" for a in sorted(listed - set(have))]
    notes += [f"activity {a} of a stage is not listed as used" for a in sorted(set(have) - listed)]
    return notes
