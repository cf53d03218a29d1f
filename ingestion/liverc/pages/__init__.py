"""Readers of LiveRC pages: one module per kind of page, text or bytes in, frozen dataclasses out."""

import re
from collections.abc import Callable
from functools import partial

from ingestion.liverc import addresses as kinds
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import as_text
from ingestion.liverc.pages.bot_check import is_bot_check, read_bot_check
from ingestion.liverc.pages.catalogue import read_catalogue
from ingestion.liverc.pages.dashboard import read_dashboard
from ingestion.liverc.pages.entry_list import read_entry_list
from ingestion.liverc.pages.event import read_event
from ingestion.liverc.pages.events import read_events
from ingestion.liverc.pages.heat_sheet import read_heat_sheet
from ingestion.liverc.pages.points import read_points
from ingestion.liverc.pages.practice_day import read_practice_day
from ingestion.liverc.pages.practice_month import read_practice_month
from ingestion.liverc.pages.practice_session import read_practice_session
from ingestion.liverc.pages.race import read_race
from ingestion.liverc.pages.rankings import read_ranking

READERS: dict[str, Callable] = {
    kinds.CATALOGUE: read_catalogue,
    kinds.DASHBOARD: read_dashboard,
    kinds.EVENTS: read_events,
    kinds.EVENT: read_event,
    kinds.RACE: read_race,
    kinds.ENTRY_LIST: read_entry_list,
    kinds.POINTS: read_points,
    kinds.HEAT_SHEET: read_heat_sheet,
    kinds.ROUND_RANKING: partial(read_ranking, kind=kinds.ROUND_RANKING),
    kinds.MULTI_MAIN: partial(read_ranking, kind=kinds.MULTI_MAIN),
    kinds.OVERALL_RANKING: partial(read_ranking, kind=kinds.OVERALL_RANKING),
    kinds.PRACTICE_MONTH: read_practice_month,
    kinds.PRACTICE_DAY: read_practice_day,
    kinds.PRACTICE_SESSION: read_practice_session,
    kinds.BOT_CHECK: read_bot_check,
}


def _attribute(name: str, word: str) -> re.Pattern:
    return re.compile(rf"""<[^>]*\b{name}=["'][^"']*(?<![\w-]){word}(?![\w-])""")


# What only a page of this kind has; asked in this order when the address does not tell.
_MARKS = (
    (kinds.RACE, _attribute("class", "race_result")),
    (kinds.CATALOGUE, _attribute("class", "track_list")),
    (kinds.DASHBOARD, _attribute("class", "dashboard_panels")),
    (kinds.EVENTS, _attribute("id", "events")),
    (kinds.POINTS, _attribute("class", "leaderboard_points")),
    (kinds.HEAT_SHEET, _attribute("class", "heat_sheet")),
    (kinds.ROUND_RANKING, _attribute("class", "round_rankings")),
    (kinds.MULTI_MAIN, _attribute("class", "multi_main")),
    (kinds.OVERALL_RANKING, _attribute("class", "overall_ranking")),
    (kinds.PRACTICE_MONTH, _attribute("id", "available_session_months")),
    (kinds.PRACTICE_DAY, _attribute("class", "practice_session_list")),
    (kinds.PRACTICE_SESSION, re.compile(r"\blaps_list\b|\bvar lapsObj\b")),
    (kinds.ENTRY_LIST, re.compile(r":: Entry List ::")),
    (kinds.EVENT, _attribute("class", "entry_list_data")),
)


def kind_of(page: str | bytes, url: str = "") -> str:
    """The kind of a page: a bot check whatever its address, else by address, else by content."""
    if is_bot_check(page):
        return kinds.BOT_CHECK
    kind = kinds.read_address(url).kind if url else None
    if kind is not None:
        return kind
    html = as_text(page)
    for kind, mark in _MARKS:
        if mark.search(html):
            return kind
    raise UnexpectedPage(page="unknown", selector="any known page", excerpt=html[:400])


def read_page(page: str | bytes, url: str = "") -> tuple[str, object]:
    """Kind and contents of any page. Raises UnexpectedPage for what is not a timing page."""
    kind = kind_of(page, url)
    return kind, READERS[kind](page)
