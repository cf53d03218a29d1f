"""Tells a 'prove you are human' page from a timing page."""

import re
from dataclasses import dataclass

from ingestion.liverc.pages._html import as_text, title_of

_CHALLENGE = re.compile(
    r"/cdn-cgi/challenge-platform/|cf-chl|challenge-error-text|cf_chl_opt", re.IGNORECASE
)
_TITLES = ("just a moment", "attention required", "checking your browser", "access denied")
SERVED_STATUS = (403, 503)


@dataclass(frozen=True, slots=True)
class BotCheckPage:
    page_title: str | None


def is_bot_check(page: str | bytes) -> bool:
    """True for an interstitial; a timing page that merely loads a challenge script stays data."""
    html = as_text(page)
    if "page-breadcrumb" in html or "page-wrapper" in html:
        return False
    title = (title_of(html) or "").casefold()
    return bool(_CHALLENGE.search(html)) or title.startswith(_TITLES)


def read_bot_check(page: str | bytes) -> BotCheckPage:
    return BotCheckPage(page_title=title_of(as_text(page)))
