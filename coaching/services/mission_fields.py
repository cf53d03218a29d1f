"""What people send of a mission, read field by field into what may be stored."""

from collections.abc import Callable
from datetime import date, time
from typing import Any, Final

from coaching.domain.missions import profile, rules, schedule
from coaching.domain.missions.states import Dates
from coaching.llm.prompts import clean
from coaching.models import Mission
from racecontrol.shared.errors import InvalidInput

FIELDS: Final = (
    "name", "notes", "event_name", "llm_goal_statement", "notifications", "run_at", "prep_start",
    "event_start", "event_end", "auto_start", "mission_type", "points_schema", "stage_plan",
    "constraints", "availability", "rider_profile", "timezone",
)  # fmt: skip
NEEDED: Final = (
    "name", "event_name", "mission_type", "prep_start", "event_start", "event_end", "timezone",
)  # fmt: skip
_TEXTS: Final = {"name": 80, "notes": 4000, "event_name": 120, "llm_goal_statement": 600}
_DATES: Final = ("prep_start", "event_start", "event_end")

Problems = dict[str, list[str]]


def clean_fields(data: dict[str, Any], *, dates: Dates | None = None) -> dict[str, Any]:
    """Fields as they may be stored. Raises InvalidInput naming all that cannot be used."""
    problems: Problems = {}
    for name in data:
        if name not in FIELDS:
            problems[str(name)[:40]] = ["Unknown field."]
    out = _texts(data, problems) | _dates(data, problems) | _choices(data, problems)
    for name, reader in _READERS.items():
        if name in data:
            try:
                out[name] = reader(data[name])
            except InvalidInput as wrong:
                problems |= wrong.fields
    span = _span(out, dates, problems)
    if "stage_plan" in data and span is not None and "points_schema" not in problems:
        try:
            out["stage_plan"] = rules.read_plan(
                data["stage_plan"],
                schema=out.get("points_schema"),
                first=span.event_start,
                last=span.event_end,
            )
        except InvalidInput as wrong:
            problems |= wrong.fields
    if problems:
        raise InvalidInput("Some values cannot be used.", fields=problems)
    return out


def _texts(data: dict[str, Any], problems: Problems) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, longest in _TEXTS.items():
        if name in data:
            text = data[name] if isinstance(data[name], str) else ""
            text = clean(text, longest + 1) if name != "notes" else text[: longest + 1]
            if len(text) > longest:
                problems[name] = [f"At most {longest} characters."]
            elif not text and name in ("name", "event_name"):
                problems[name] = ["May not be empty."]
            out[name] = text
    return out


def _dates(data: dict[str, Any], problems: Problems) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in _DATES:
        if name in data:
            found = data[name]
            if isinstance(found, str):
                try:
                    found = date.fromisoformat(found)
                except ValueError:
                    found = None
            if not isinstance(found, date) or not 2000 <= found.year <= 2200:
                problems[name] = ["Must be a date such as 2026-06-06."]
            else:
                out[name] = found
    return out


def _choices(data: dict[str, Any], problems: Problems) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if "mission_type" in data:
        out["mission_type"] = data["mission_type"]
        if data["mission_type"] not in Mission.Kind.values:
            problems["mission_type"] = [f"Choose from {', '.join(Mission.Kind.values)}."]
    if "auto_start" in data:
        out["auto_start"] = bool(data["auto_start"])
    if "notifications" in data:
        out["notifications"] = _notifications(data["notifications"], problems)
    return out


def _notifications(value: Any, problems: Problems) -> dict[str, bool]:
    known = ("email", "email_failures")
    if not isinstance(value, dict) or any(name not in known for name in value):
        problems["notifications"] = [f"May hold only {', '.join(known)}."]
        return {}
    return {name: bool(value[name]) for name in value}


def _span(out: dict[str, Any], dates: Dates | None, problems: Problems) -> Dates | None:
    values = {name: out.get(name, getattr(dates, name, None)) for name in _DATES}
    if any(value is None for value in values.values()):
        return None
    try:
        found = Dates(**values)  # type: ignore[arg-type]
    except InvalidInput as wrong:
        problems |= wrong.fields
        return None
    if (found.event_end - found.prep_start).days > 800:
        problems["event_end"] = ["A mission lasts at most 800 days."]
        return None
    if (found.event_end - found.event_start).days > 60:
        problems["event_end"] = ["An event lasts at most 60 days."]
        return None
    return found


def _time(value: Any) -> time:
    try:
        found = value if isinstance(value, time) else time.fromisoformat(value)
        if found.tzinfo is not None:
            raise ValueError("an offset")
        return found
    except (TypeError, ValueError):
        raise InvalidInput(
            "No time.", fields={"run_at": ["Must be a time such as 05:30."]}
        ) from None


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "run_at": lambda value: schedule.check_run_at(_time(value)),
    "constraints": profile.read_constraints,
    "availability": profile.read_availability,
    "rider_profile": profile.read_rider,
    "timezone": lambda value: schedule.zone(value) and value,
    "points_schema": rules.read_schema,
}
