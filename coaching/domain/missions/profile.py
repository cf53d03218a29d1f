"""An athlete's limits, availability and profile as data: read strictly, refused by field."""

import re
from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any, Final

from coaching.domain.missions.checks.limits import Injury, Limits
from racecontrol.shared.errors import InvalidInput

# name -> (lowest, highest) of each number a person may set
NUMBERS: Final = {
    "min_readiness": (0, 100),
    "min_tsb": (-100, 100),
    "max_rhr": (30, 150),
    "force_rest_readiness": (0, 100),
    "force_rest_tsb": (-100, 100),
    "max_minutes": (0, 600),
    # kept from legacy files; told to the model, never enforced
    "prefer_gc_readiness": (0, 100),
    "prefer_gc_tsb": (-100, 100),
    "prefer_breakaway_readiness": (0, 100),
    "prefer_breakaway_tsb": (-100, 100),
}
WORKOUT_TYPES: Final = (
    "recovery", "endurance", "tempo", "threshold", "vo2max", "race",
)  # fmt: skip
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_INJURIES: Final = 8
MAX_BLOCKED: Final = 120

_LOCAL = re.compile(r"[^\w ,.'()/-]")


def read_constraints(data: Any, *, where: str = "constraints") -> dict[str, Any]:
    """Limits as they are stored. Raises InvalidInput naming every wrong field."""
    problems: dict[str, list[str]] = {}
    out: dict[str, Any] = {}
    if not isinstance(data, Mapping):
        raise InvalidInput("The limits cannot be used.", fields={where: ["Must be an object."]})
    for name, value in data.items():
        if name in NUMBERS:
            if value is None:
                continue
            low, high = NUMBERS[name]
            if not _is_number(value) or not low <= value <= high:
                problems[f"{where}.{name}"] = [f"Must be a number from {low} to {high}."]
            else:
                out[name] = value
        elif name == "blocked_days":
            out[name] = _blocked_days(value, f"{where}.{name}", problems)
        elif name == "injuries":
            out[name] = _injuries(value, f"{where}.{name}", problems)
        else:
            problems[f"{where}.{str(name)[:40]}"] = ["Unknown field."]
    if problems:
        raise InvalidInput("The limits cannot be used.", fields=problems)
    return out


def _blocked_days(value: Any, where: str, problems: dict[str, list[str]]) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_BLOCKED:
        problems[where] = [f"Must be a list of at most {MAX_BLOCKED} dates."]
        return []
    days = set()
    for entry in value:
        try:
            days.add(entry if isinstance(entry, date) else date.fromisoformat(entry))
        except (TypeError, ValueError):
            problems[where] = [f"{str(entry)[:20]!r} is no date; write 2026-06-10."]
    return sorted(day.isoformat() for day in days)


def _injuries(value: Any, where: str, problems: dict[str, list[str]]) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MAX_INJURIES:
        problems[where] = [f"Must be a list of at most {MAX_INJURIES} injuries."]
        return []
    out = []
    for index, entry in enumerate(value):
        at = f"{where}.{index}"
        if not isinstance(entry, Mapping):
            problems[at] = ["Must be an object."]
            continue
        area = _LOCAL.sub("", str(entry.get("area") or "")).strip()[:40]
        avoid, zone = entry.get("avoid_types") or [], entry.get("max_zone")
        if not area:
            problems[f"{at}.area"] = ["Name the part of the body."]
        if not isinstance(avoid, list) or any(kind not in WORKOUT_TYPES for kind in avoid):
            problems[f"{at}.avoid_types"] = [f"Choose from {', '.join(WORKOUT_TYPES)}."]
            avoid = []
        is_zone = isinstance(zone, int) and not isinstance(zone, bool) and 1 <= zone <= 7
        if zone is not None and not is_zone:
            problems[f"{at}.max_zone"] = ["Must be a zone from 1 to 7."]
        out.append({"area": area, "avoid_types": sorted(set(avoid)), "max_zone": zone})
    return out


def read_availability(data: Any, *, where: str = "availability") -> dict[str, int]:
    """Minutes by weekday name; a day that is not there is not limited."""
    if not isinstance(data, Mapping):
        raise InvalidInput("Availability cannot be used.", fields={where: ["Must be an object."]})
    problems: dict[str, list[str]] = {}
    out = {}
    for name, minutes in data.items():
        if name not in DAYS:
            problems[f"{where}.{str(name)[:40]}"] = ["Not a day of the week."]
        elif minutes is None:
            continue
        elif isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 <= minutes <= 600:
            problems[f"{where}.{name}"] = ["Whole minutes from 0 to 600."]
        else:
            out[name] = minutes
    if problems:
        raise InvalidInput("Availability cannot be used.", fields=problems)
    return out


def read_rider(data: Any, *, where: str = "rider_profile") -> dict[str, Any]:
    """FTP in watts, weight in kg, and how long the athlete has been riding."""
    if not isinstance(data, Mapping):
        raise InvalidInput("The profile cannot be used.", fields={where: ["Must be an object."]})
    problems: dict[str, list[str]] = {}
    out: dict[str, Any] = {}
    for name, value in data.items():
        ranges = {"ftp": (30, 700), "weight_kg": (25, 250)}
        if value in (None, ""):
            continue
        if name in ranges:
            low, high = ranges[name]
            if not _is_number(value) or not low <= value <= high:
                problems[f"{where}.{name}"] = [f"Must be a number from {low} to {high}."]
            else:
                out[name] = value
        elif name == "experience":
            if value not in EXPERIENCE:
                problems[f"{where}.{name}"] = [f"Choose from {', '.join(EXPERIENCE)}."]
            else:
                out[name] = value
        else:
            problems[f"{where}.{str(name)[:40]}"] = ["Unknown field."]
    if problems:
        raise InvalidInput("The profile cannot be used.", fields=problems)
    return out


EXPERIENCE: Final = ("new", "some years", "experienced")


def limits_of(
    constraints: Mapping[str, Any],
    availability: Mapping[str, int],
    *,
    ride_modes: tuple[str, ...] = (),
) -> Limits:
    """What the checks enforce, from what is stored."""
    return Limits(
        minutes_by_weekday={DAYS.index(name): minutes for name, minutes in availability.items()},
        max_minutes=constraints.get("max_minutes"),
        blocked_days=frozenset(
            date.fromisoformat(day) for day in constraints.get("blocked_days") or ()
        ),
        injuries=tuple(
            Injury(i["area"], tuple(i.get("avoid_types") or ()), i.get("max_zone"))
            for i in constraints.get("injuries") or ()
        ),
        min_readiness=constraints.get("min_readiness"),
        min_tsb=constraints.get("min_tsb"),
        max_rhr=constraints.get("max_rhr"),
        force_rest_readiness=constraints.get("force_rest_readiness"),
        force_rest_tsb=constraints.get("force_rest_tsb"),
        ride_modes=ride_modes,
    )


# -- check-in --------------------------------------------------------------------------------

CHECK_IN: Final = {
    "readiness": (0, 100),
    "sleep_h": (0, 24),
    "soreness": (1, 5),
    "energy": (1, 5),
    "stress": (1, 5),
    "resting_hr": (25, 200),
}


def read_check_in(data: Mapping[str, Any]) -> dict[str, float | int]:
    """The numbers of a check-in; readiness is needed, the rest may be left out."""
    problems: dict[str, list[str]] = {}
    out: dict[str, float | int] = {}
    for name, value in data.items():
        if name not in CHECK_IN:
            problems[str(name)[:40]] = ["Unknown field."]
        elif value is None:
            continue
        elif not _is_number(value) or not CHECK_IN[name][0] <= value <= CHECK_IN[name][1]:
            low, high = CHECK_IN[name]
            problems[name] = [f"Must be a number from {low} to {high}."]
        else:
            out[name] = value
    if "readiness" not in out and "readiness" not in problems:
        problems["readiness"] = ["Say how ready you feel, from 0 to 100."]
    if problems:
        raise InvalidInput("The check-in cannot be used.", fields=problems)
    return out


_RED_FLAGS: Final = re.compile(
    r"\b(?:chest (?:pain|tight\w*)|faint\w*|passed out|collaps\w+|short(?:ness)? of breath"
    r"|palpitation\w*|irregular heart\w*|fever\w*|concuss\w+|cough\w* blood|numb(?:ness)? (?:arm|face)"
    r"|can(?:no|')t breathe|suicid\w*)\b",
    re.IGNORECASE,
)
SAFETY_NOTICE: Final = (
    "You mention something that belongs in a doctor's hands, so there is no training guidance "
    "today. Do not train on it; in an emergency call your local emergency number."
)


def has_red_flag(note: str) -> bool:
    """Does the athlete's own note name a symptom no coach should train through?"""
    return bool(_RED_FLAGS.search(note))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
