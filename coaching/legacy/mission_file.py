"""A legacy mission (TOML) as values of ours, with a list of everything that did not carry over."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from coaching.domain.missions.rules import Bonus, PointsSchema, Stage, StagePlan, read_plan
from coaching.domain.missions.states import Dates
from coaching.domain.missions.tables import legacy_schema
from racecontrol.shared.errors import InvalidInput

MAX_BYTES: Final = 200_000
TYPE_ALIASES: Final = {
    "tt": "itt",
    "time_trial": "itt",
    "mtn_tt": "mtn_itt",
    "mountain_time_trial": "mtn_itt",
}
TYPES: Final = ("flat", "hilly", "mountain", "itt", "mtn_itt")
# Names in the file -> names in the tracker's code, which never read the file's values.
BONUS_NAMES: Final = {
    "consecutive_5_stages": "consecutive_5",
    "breakaway_10_stages": "breakaway_10",
    "all_mountains_breakaway": "all_mountains_breakaway",
    "final_week_complete": "final_week_complete",
    "all_gc_mode": "all_gc_mode",
}
_SAFETY: Final = (
    "force_rest_readiness", "force_rest_tsb", "prefer_gc_readiness", "prefer_gc_tsb",
    "prefer_breakaway_readiness", "prefer_breakaway_tsb",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\$\{?\w+\}?")


@dataclass(frozen=True, slots=True)
class LegacyMission:
    """What the file says, in our terms; `targets` and `detection` are kept as they are."""

    legacy_id: str
    name: str
    event_name: str
    dates: Dates
    constraints: dict[str, float]
    rider: dict[str, float]
    targets: dict[str, Any]
    detection: dict[str, Any]
    schema: PointsSchema
    plan: StagePlan
    differences: tuple[str, ...]


def read_mission(data: bytes) -> LegacyMission:
    """Read the file strictly. Raises InvalidInput naming each field that cannot be used."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            "The mission file is too large.", fields={"mission": ["At most 200 kB."]}
        )
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as broken:
        raise InvalidInput(
            f"The mission file is not TOML: {str(broken)[:120]}",
            fields={"mission": ["Not a TOML file."]},
        ) from None
    return _Reader(raw).read()


class _Reader:
    def __init__(self, raw: dict[str, Any]):
        self.raw = raw
        self.problems: dict[str, list[str]] = {}
        self.notes: list[str] = []

    def read(self) -> LegacyMission:
        raw = self.raw
        self._ignored(raw, {"id", "name", "start_date", "goal_date", "goal_event", "targets",
                            "constraints", "athlete", "tdf_simulation"}, "")  # fmt: skip
        tour = self._table("tdf_simulation")
        start, goal = self._date(raw, "start_date"), self._date(raw, "goal_date")
        first = self._date(tour, "start_date", "tdf_simulation.") if tour else goal
        last = self._date(tour, "end_date", "tdf_simulation.") if tour else goal
        legacy_id, name = self._text("id"), self._text("name")
        constraints = self._numbers("constraints", ("min_readiness", "min_tsb", "max_rhr"))
        constraints |= self._numbers("safety", _SAFETY, tour, "tdf_simulation.")
        rider = self._numbers("athlete", ("ftp", "weight_kg"))
        self._refuse_if_wrong()
        assert start is not None
        assert first is not None
        assert last is not None
        if last != goal:
            self.notes.append(f"goal_date {goal} is not the last event day {last}; we keep {last}")
        dates = Dates(min(start, first), first, last)
        schema = self._schema(tour)
        plan = self._plan(tour, schema, dates)
        self._refuse_if_wrong()
        return LegacyMission(
            legacy_id=legacy_id,
            name=name,
            event_name=self._text("goal_event", is_needed=False) or name,
            dates=dates,
            constraints=constraints,
            rider=rider,
            targets=self._plain("targets"),
            detection=dict(tour.get("detection") or {}) if tour else {},
            schema=schema,
            plan=plan,
            differences=tuple(self.notes),
        )

    # -- parts -------------------------------------------------------------------------------

    def _schema(self, tour: Mapping[str, Any]) -> PointsSchema:
        table: dict[str, dict[str, int]] = {}
        for kind, row in (tour.get("points") or {}).items():
            where = f"tdf_simulation.points.{kind}"
            if not isinstance(row, dict) or not all(_is_points(v) for v in row.values()):
                self.problems[where] = ["Must hold whole points by ride mode."]
                continue
            table[TYPE_ALIASES.get(kind, kind)] = {
                mode: points for mode, points in row.items() if mode in ("gc", "breakaway", "rest")
            }
        base = legacy_schema(table or None)
        values = tour.get("bonuses") or {}
        named = {BONUS_NAMES.get(name, name): points for name, points in values.items()}
        for name in named:
            if name not in BONUS_NAMES.values():
                self.notes.append(f"bonus {name} is unknown; left out")
        bonuses: list[Bonus] = []
        for bonus in base.bonuses:
            points = named.get(bonus.id, bonus.points)
            if not _is_points(points):
                self.problems[f"tdf_simulation.bonuses.{bonus.id}"] = ["Must be whole points."]
            elif points != bonus.points:
                self.notes.append(
                    f"bonus {bonus.id}: the file says {points}, the old code always gave "
                    f"{bonus.points}; we keep {bonus.points}"
                )
            bonuses.append(bonus)
        return PointsSchema(
            table=base.table,
            modes=base.modes,
            bonuses=tuple(bonuses),
            unknown=base.unknown,
            is_rest_a_stage=True,
            is_calendar_streak=True,
        )

    def _plan(self, tour: Mapping[str, Any], schema: PointsSchema, dates: Dates) -> StagePlan:
        rests = [self._iso(value) for value in tour.get("rest_days") or []]
        if None in rests:
            self.problems["tdf_simulation.rest_days"] = ["Must be dates such as 2026-06-10."]
            return StagePlan()
        numbers: dict[int, str] = {}
        for name, kind in (tour.get("stages") or {}).items():
            if not str(name).isdigit() or not isinstance(kind, str):
                self.problems[f"tdf_simulation.stages.{name}"] = ["Must be a number and a type."]
                continue
            known = TYPE_ALIASES.get(kind, kind)
            if known not in TYPES:
                self.notes.append(f"stage {name}: type {kind!r} is unknown; taken as flat")
                known = "flat"
            numbers[int(name)] = known
        total = tour.get("total_stages")
        if total is not None and total != len(numbers):
            self.notes.append(f"total_stages says {total}, the file lists {len(numbers)} stages")
        days = [
            date.fromordinal(day)
            for day in range(dates.event_start.toordinal(), dates.event_end.toordinal() + 1)
            if date.fromordinal(day) not in rests
        ]
        if len(days) < len(numbers):
            self.problems["tdf_simulation.stages"] = [
                f"{len(numbers)} stages do not fit {len(days)} event days."
            ]
            return StagePlan()
        stages = [
            Stage(number=number, on=on, type=numbers[number])
            for number, on in zip(sorted(numbers), days, strict=False)
        ]
        plan = StagePlan(tuple(stages), tuple(sorted(day for day in rests if day)))
        return read_plan(plan.as_data(), schema=schema)

    # -- small things ------------------------------------------------------------------------

    def _table(self, name: str) -> dict[str, Any]:
        value = self.raw.get(name) or {}
        if not isinstance(value, dict):
            self.problems[name] = ["Must be a table."]
            return {}
        return value

    def _plain(self, name: str) -> dict[str, Any]:
        return {k: v for k, v in self._table(name).items() if isinstance(v, int | float | str)}

    def _text(self, name: str, *, is_needed: bool = True) -> str:
        value = self.raw.get(name)
        if value is None and not is_needed:
            return ""
        if not isinstance(value, str) or not value.strip() or len(value) > 120:
            self.problems[name] = ["Must be a text of 1 to 120 characters."]
            return ""
        if _PLACEHOLDER.search(value):
            self.problems[name] = ["Holds an environment placeholder; write the value itself."]
        return value.strip()

    def _date(self, table: Mapping[str, Any], name: str, where: str = "") -> date | None:
        value = table.get(name)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self.problems[where + name] = ["Must be a date such as 2026-06-06."]
        return None

    def _iso(self, value: Any) -> date | None:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            return None

    def _numbers(
        self,
        name: str,
        known: tuple[str, ...],
        table: Mapping[str, Any] | None = None,
        where: str = "",
    ) -> dict[str, float]:
        values = (self.raw if table is None else table).get(name) or {}
        out = {}
        for key, value in values.items():
            if key not in known:
                self.notes.append(f"{where}{name}.{key} is unknown; left out")
            elif isinstance(value, bool) or not isinstance(value, int | float):
                self.problems[f"{where}{name}.{key}"] = ["Must be a number."]
            else:
                out[key] = value
        return out

    def _ignored(self, table: Mapping[str, Any], known: set[str], where: str) -> None:
        for name, value in table.items():
            if name in known:
                continue
            is_secret = isinstance(value, str) and _PLACEHOLDER.search(value)
            why = (
                "an environment placeholder is never expanded or stored" if is_secret else "unknown"
            )
            self.notes.append(f"{where}{name} is left out: {why}")

    def _refuse_if_wrong(self) -> None:
        if self.problems:
            raise InvalidInput("The mission file cannot be used.", fields=self.problems)


def _is_points(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1000
