"""Points schemas and stage plans as data: read strictly, refused by field, written back."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from racecontrol.shared.errors import InvalidInput

REST: Final = "rest"
MAX_STAGES: Final = 60
MAX_POINTS: Final = 1000
BONUS_KINDS: Final = ("streak", "count_mode", "all_of_type", "final_block", "never_mode")

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,23}")

Problems = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Bonus:
    """Points given once, when a condition on the stage rows holds.

    streak: `count` planned stages in a row. count_mode: `count` stages in `mode`.
    all_of_type: `mode` on every planned stage of `types` (or on `count` of them when given).
    final_block: `count` stages numbered `first` and later. never_mode: `count` stages, none in `mode`.
    """

    id: str
    kind: str
    points: int
    label: str = ""
    count: int | None = None
    mode: str = ""
    types: tuple[str, ...] = ()
    first: int | None = None


@dataclass(frozen=True, slots=True)
class PointsSchema:
    """Points by stage type and ride mode, and the bonuses.

    `unknown` are the points of stage types the table does not name (legacy files have such rows);
    `is_rest_a_stage`: a ride in mode "rest" counts as a completed stage (it did in legacy files);
    `is_calendar_streak`: a streak counts calendar days, so that a rest day breaks it (legacy).
    """

    table: Mapping[str, Mapping[str, int]]
    modes: tuple[str, ...]
    bonuses: tuple[Bonus, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)
    is_rest_a_stage: bool = False
    is_calendar_streak: bool = False

    def points(self, stage_type: str, mode: str) -> int:
        """Points of one stage; an unknown type or mode is worth what `unknown` says, else 0."""
        row = self.table.get(stage_type, self.unknown)
        return row.get(mode, 0)

    def modes_for(self, stage_type: str) -> tuple[str, ...]:
        """The ride modes a stage of this type offers, resting always among them."""
        row = self.table.get(stage_type, self.unknown)
        return tuple(mode for mode in self.modes if mode in row or mode == REST)

    def as_data(self) -> dict[str, Any]:
        return {
            "table": {name: dict(row) for name, row in self.table.items()},
            "modes": list(self.modes),
            "unknown": dict(self.unknown),
            "is_rest_a_stage": self.is_rest_a_stage,
            "is_calendar_streak": self.is_calendar_streak,
            "bonuses": [
                {
                    key: list(value) if key == "types" else value
                    for key, value in asdict(bonus).items()
                    if value not in (None, "", ())
                }
                for bonus in self.bonuses
            ],
        }


@dataclass(frozen=True, slots=True)
class Stage:
    number: int
    on: date
    type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The stages of an event by number and local date; several stages may share a date."""

    stages: tuple[Stage, ...] = ()
    rest_days: tuple[date, ...] = ()

    def on(self, day: date) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.on == day)

    def number(self, number: int) -> Stage | None:
        return next((stage for stage in self.stages if stage.number == number), None)

    def as_data(self) -> dict[str, Any]:
        return {
            "stages": [
                {"number": s.number, "on": s.on.isoformat(), "type": s.type, "name": s.name}
                for s in self.stages
            ],
            "rest_days": [day.isoformat() for day in self.rest_days],
        }


# -- reading ---------------------------------------------------------------------------------


def read_schema(data: Any, *, where: str = "points_schema") -> PointsSchema:
    """A schema from plain data. Raises InvalidInput naming every wrong field."""
    problems: Problems = {}
    data = _mapping(data, where, problems)
    _no_strangers(
        data,
        {"table", "modes", "unknown", "is_rest_a_stage", "is_calendar_streak", "bonuses"},
        where,
        problems,
    )
    modes = tuple(dict.fromkeys(m for m in data.get("modes") or [] if isinstance(m, str)))
    if not modes or not all(_SLUG.fullmatch(mode) for mode in modes) or len(modes) > 8:
        problems[f"{where}.modes"] = ["List one to eight ride modes, such as gc, breakaway, rest."]
    table = {}
    for name, row in _mapping(data.get("table"), f"{where}.table", problems).items():
        if not isinstance(name, str) or not _SLUG.fullmatch(name):
            problems[f"{where}.table"] = [f"{str(name)[:40]!r} is no name of a stage type."]
            continue
        table[name] = _points_row(row, modes, f"{where}.table.{name}", problems)
    if not table:
        problems.setdefault(f"{where}.table", ["At least one stage type needs points."])
    unknown = _points_row(data.get("unknown") or {}, modes, f"{where}.unknown", problems)
    bonuses = []
    listed = data.get("bonuses") or []
    if not isinstance(listed, list) or len(listed) > 20:
        problems[f"{where}.bonuses"] = ["Must be a list of at most 20 bonuses."]
        listed = []
    for index, entry in enumerate(listed):
        bonus = _bonus(entry, modes, f"{where}.bonuses.{index}", problems)
        if bonus is not None:
            bonuses.append(bonus)
    if len({bonus.id for bonus in bonuses}) != len(bonuses):
        problems[f"{where}.bonuses"] = ["Two bonuses have the same id."]
    if problems:
        raise InvalidInput("The points schema cannot be used.", fields=problems)
    return PointsSchema(
        table=table,
        modes=modes,
        bonuses=tuple(bonuses),
        unknown=unknown,
        is_rest_a_stage=bool(data.get("is_rest_a_stage", False)),
        is_calendar_streak=bool(data.get("is_calendar_streak", False)),
    )


def read_plan(
    data: Any,
    *,
    schema: PointsSchema | None = None,
    first: date | None = None,
    last: date | None = None,
    where: str = "stage_plan",
) -> StagePlan:
    """A stage plan from plain data; dates must lie in the event when `first` and `last` are given."""
    problems: Problems = {}
    data = _mapping(data, where, problems)
    _no_strangers(data, {"stages", "rest_days"}, where, problems)
    listed = data.get("stages") or []
    if not isinstance(listed, list) or len(listed) > MAX_STAGES:
        problems[f"{where}.stages"] = [f"Must be a list of at most {MAX_STAGES} stages."]
        listed = []
    stages: list[Stage] = []
    for index, entry in enumerate(listed):
        stage = _stage(entry, schema, first, last, f"{where}.stages.{index}", problems)
        if stage is not None:
            stages.append(stage)
    rest_days = []
    for index, value in enumerate(data.get("rest_days") or []):
        day = _date(value)
        if day is None:
            problems[f"{where}.rest_days.{index}"] = ["Must be a date such as 2026-06-10."]
        else:
            rest_days.append(day)
    numbers = [stage.number for stage in stages]
    if len(set(numbers)) != len(numbers):
        problems[f"{where}.stages"] = ["Two stages have the same number."]
    by_number = sorted(stages, key=lambda s: s.number)
    if not problems and by_number != sorted(stages, key=lambda s: (s.on, s.number)):
        problems[f"{where}.stages"] = ["Stage numbers must follow the calendar."]
    if set(rest_days) & {stage.on for stage in stages}:
        problems[f"{where}.rest_days"] = ["A rest day cannot hold a stage."]
    if problems:
        raise InvalidInput("The stage plan cannot be used.", fields=problems)
    return StagePlan(stages=tuple(by_number), rest_days=tuple(sorted(rest_days)))


def _stage(
    entry: Any,
    schema: PointsSchema | None,
    first: date | None,
    last: date | None,
    where: str,
    problems: Problems,
) -> Stage | None:
    before = len(problems)
    entry = _mapping(entry, where, problems)
    _no_strangers(entry, {"number", "on", "type", "name"}, where, problems)
    number: Any = entry.get("number")
    on = _date(entry.get("on"))
    kind: Any = entry.get("type")
    name: Any = entry.get("name") or ""
    if not _is_whole(number, 1, 99):
        problems[f"{where}.number"] = ["Must be a whole number from 1 to 99."]
    if on is None:
        problems[f"{where}.on"] = ["Must be a date such as 2026-06-06."]
    elif (first and on < first) or (last and on > last):
        problems[f"{where}.on"] = ["Lies outside the event."]
    if not isinstance(kind, str) or not _SLUG.fullmatch(kind):
        problems[f"{where}.type"] = ["Must be a short lower-case name such as hilly."]
    elif schema is not None and kind not in schema.table and not schema.unknown:
        problems[f"{where}.type"] = ["The points schema has no such stage type."]
    if not isinstance(name, str) or len(name) > 80:
        problems[f"{where}.name"] = ["At most 80 characters."]
    if on is None or len(problems) > before:
        return None
    return Stage(number=number, on=on, type=kind, name=name)


def _mapping(data: Any, where: str, problems: Problems) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        return data
    problems[where] = ["Must be an object."]
    return {}


def _no_strangers(data: Mapping[str, Any], known: set[str], where: str, problems: Problems) -> None:
    for name in data:
        if name not in known:
            problems[f"{where}.{str(name)[:40]}"] = ["Unknown field."]


def _points_row(row: Any, modes: tuple[str, ...], where: str, problems: Problems) -> dict[str, int]:
    out = {}
    for mode, points in _mapping(row, where, problems).items():
        is_whole = isinstance(points, int) and not isinstance(points, bool)
        if mode not in modes:
            problems[f"{where}.{str(mode)[:24]}"] = ["Not among the ride modes."]
        elif not is_whole or not 0 <= points <= MAX_POINTS:
            problems[f"{where}.{mode}"] = [f"Must be a whole number from 0 to {MAX_POINTS}."]
        else:
            out[mode] = points
    return out


def _bonus(entry: Any, modes: tuple[str, ...], where: str, problems: Problems) -> Bonus | None:
    before = len(problems)
    entry = _mapping(entry, where, problems)
    _no_strangers(
        entry, {"id", "kind", "points", "label", "count", "mode", "types", "first"}, where, problems
    )
    kind, points, count = entry.get("kind"), entry.get("points"), entry.get("count")
    mode, types, first = entry.get("mode") or "", entry.get("types") or (), entry.get("first")
    if not isinstance(entry.get("id"), str) or not _SLUG.fullmatch(entry["id"]):
        problems[f"{where}.id"] = ["Must be a short lower-case name."]
    if kind not in BONUS_KINDS:
        problems[f"{where}.kind"] = [f"Must be one of {', '.join(BONUS_KINDS)}."]
    if not _is_whole(points, 0, MAX_POINTS):
        problems[f"{where}.points"] = [f"Must be a whole number from 0 to {MAX_POINTS}."]
    if (kind != "all_of_type" or count is not None) and not _is_whole(count, 1, 99):
        problems[f"{where}.count"] = ["Must be a whole number from 1 to 99."]
    if kind in ("count_mode", "all_of_type", "never_mode") and mode not in modes:
        problems[f"{where}.mode"] = ["Not among the ride modes."]
    is_types = isinstance(types, list | tuple) and all(isinstance(t, str) for t in types)
    if kind == "all_of_type" and (not types or not is_types):
        problems[f"{where}.types"] = ["Name the stage types."]
    if kind == "final_block" and not _is_whole(first, 1, 99):
        problems[f"{where}.first"] = ["The number of the block's first stage."]
    if len(problems) > before:
        return None
    return Bonus(
        id=entry["id"],
        kind=kind,
        points=points,
        label=str(entry.get("label") or "")[:80],
        count=count,
        mode=mode,
        types=tuple(types),
        first=first,
    )


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _date(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
