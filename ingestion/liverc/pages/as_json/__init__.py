"""What was read, as plain data: the field names of recorded pages' expected values, times in seconds.

Used by `manage.py parse_page`, by the tests over recorded pages, and for the hash by which a page
is known again.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Any, cast

from ingestion.liverc import addresses as kinds
from ingestion.liverc.pages._html import Head
from ingestion.liverc.pages.as_json import meetings, practice, tracks
from ingestion.liverc.pages.as_json._common import plain
from ingestion.liverc.pages.bot_check import SERVED_STATUS, BotCheckPage


def to_expected(kind: str, page: object) -> dict:
    """The JSON of one page. Kinds without recorded pages come out field by field."""
    shape: Any = _SHAPES.get(kind)
    body = shape(page) if shape else plain(asdict(cast(Any, page)))
    return {**_head(getattr(page, "head", None)), "type": kind, **body}


def content_hash(kind: str, page: object) -> str:
    """SHA-256 of what was read: the same for pages that differ in assets, footers or white space."""
    facts = to_expected(kind, page)
    facts.pop("page_title", None)
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _head(head: Head | None) -> dict:
    if head is None:
        return {}
    return {"page_title": head.title, "h1": head.h1, "h3": head.h3, "h5": head.h5}


def _bot_check(page: BotCheckPage) -> dict:
    return {
        "is_data_page": False,
        "page_title": page.page_title,
        "served_status": list(SERVED_STATUS),
    }


_SHAPES = {
    kinds.CATALOGUE: tracks.catalogue,
    kinds.DASHBOARD: tracks.dashboard,
    kinds.EVENTS: tracks.events,
    kinds.EVENT: meetings.event,
    kinds.RACE: meetings.race,
    kinds.ENTRY_LIST: meetings.entry_list,
    kinds.POINTS: meetings.points,
    kinds.PRACTICE_MONTH: practice.month,
    kinds.PRACTICE_DAY: practice.day,
    kinds.PRACTICE_SESSION: practice.session,
    kinds.BOT_CHECK: _bot_check,
}
