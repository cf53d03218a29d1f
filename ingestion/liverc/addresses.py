"""LiveRC addresses: what kind of page an address names, and how to read its parts.

Query order varies, underscores may be percent-encoded and `&` may be `&amp;`: an address is always
parsed, never matched as a string.
"""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

CATALOGUE, DASHBOARD, EVENTS = "track_catalogue", "track_dashboard", "events_list"
EVENT, ENTRY_LIST, HEAT_SHEET = "event", "entry_list", "heat_sheet"
RACE, POINTS, ROUND_RANKING = "race_result", "points", "round_ranking"
MULTI_MAIN, OVERALL_RANKING = "multi_main", "overall_ranking"
PRACTICE_MONTH, PRACTICE_DAY, PRACTICE_SESSION = (
    "practice_month",
    "practice_day",
    "practice_session",
)
BOT_CHECK = "bot_check"

_BY_RESULT_PAGE = {
    "view_event": EVENT,
    "view_entry_list": ENTRY_LIST,
    "view_heat_sheet": HEAT_SHEET,
    "view_race_result": RACE,
    "view_points": POINTS,
    "view_round_ranking": ROUND_RANKING,
    "view_multi_main_result": MULTI_MAIN,
    "event_overall_ranking": OVERALL_RANKING,
}
_BY_PRACTICE_PAGE = {
    "calendar": PRACTICE_MONTH,
    "session_list": PRACTICE_DAY,
    "view_session": PRACTICE_SESSION,
}
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """One LiveRC address taken apart. `track` is None for the catalogue or an unknown host."""

    kind: str | None
    track: str | None
    id: str | None
    date: str | None


def query_of(url: Any) -> dict[str, str]:
    """The query of an address as it stands in a page, entities and escapes resolved."""
    return dict(parse_qsl(urlsplit(unescape(url.strip())).query, keep_blank_values=True))


def id_of(url: Any) -> str | None:
    return query_of(url).get("id") or None


def read_address(url: str) -> Address:
    """What page an address names, for `{track}.liverc.com/...` and `host/{track}/...` alike."""
    parts = urlsplit(unescape(url.strip()))
    query = query_of(url)
    host = (parts.hostname or "").lower()
    steps = [step for step in parts.path.split("/") if step]
    track = host.removesuffix(".liverc.com") if host.endswith(".liverc.com") else None
    if track is None and steps and steps[0] not in ("results", "practice", "events", "live"):
        track = steps.pop(0)
    page = query.get("p", "")
    if page in _BY_RESULT_PAGE:
        kind = _BY_RESULT_PAGE[page]
    elif page in _BY_PRACTICE_PAGE:
        kind = _BY_PRACTICE_PAGE[page]
    elif steps[:1] == ["events"]:
        kind = EVENTS
    elif steps[:1] == ["practice"]:
        kind = PRACTICE_MONTH
    elif track == "live" and not steps:
        kind, track = CATALOGUE, None
    elif not steps and track and host:
        kind = DASHBOARD
    else:
        kind = None
    return Address(kind=kind, track=track, id=query.get("id") or None, date=query.get("d") or None)


def is_slug(text: str) -> bool:
    return bool(_SLUG.fullmatch(text))


# -- paths on a track's host


def events_path() -> str:
    return "/events/"


def result_path(page: str, id: str | int) -> str:
    return f"/results/?p={page}&id={id}"


def event_path(event_id: str | int) -> str:
    return result_path("view_event", event_id)


def race_path(race_id: str | int) -> str:
    return result_path("view_race_result", race_id)


def entry_list_path(event_id: str | int) -> str:
    return result_path("view_entry_list", event_id)


def practice_month_path(month: str) -> str:
    return f"/practice/?p=calendar&d={month}"


def practice_day_path(day: str) -> str:
    return f"/practice/?p=session_list&d={day}"


def practice_session_path(session_id: str | int) -> str:
    return f"/practice/?p=view_session&id={session_id}"
