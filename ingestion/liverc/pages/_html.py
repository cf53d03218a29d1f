"""Cutting a page to the part that matters and reading texts, times and dates out of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

from ingestion.liverc.addresses import query_of
from ingestion.liverc.errors import UnexpectedPage

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_PLAIN_SECONDS = 11  # a point and nine digits
_SECONDS = re.compile(r"\d{1,9}(?:\.\d*)?|\.\d+")
_MAIN = re.compile(r"<div[^>]*\bid=[\"']page-wrapper[\"'][^>]*>", re.IGNORECASE)
_MAIN_END = re.compile(r"<div[^>]*\bid=[\"'](?:modals|loading_overlay)[\"']", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """The top of every page: browser title and the breadcrumb headings, None where there is none."""

    title: str | None
    h1: str | None
    h3: str | None
    h5: str | None


@dataclass(frozen=True, slots=True)
class Days:
    """The days an event covers, and the words it was read from."""

    text: str
    start: date
    end: date


def as_text(page: str | bytes) -> str:
    """Pages are UTF-8; what is not becomes the replacement mark rather than an error."""
    text = page.decode("utf-8", "replace") if isinstance(page, bytes) else page
    return text.replace("\x00", "") if "\x00" in text else text


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "lxml")


def squeeze(text: Any) -> str:
    """One space between words, none around them."""
    return " ".join((text or "").split())


def title_of(html: str) -> str | None:
    found = _TITLE.search(html)
    return squeeze(unescape(found[1])) if found else None


def main_part(html: str) -> str:
    """The page without navigation, dialogs and asset scripts."""
    start = _MAIN.search(html)
    begin = start.start() if start else 0
    end = _MAIN_END.search(html, begin)
    return html[begin : end.start() if end else len(html)]


def text(node: Tag | None) -> str:
    return squeeze(node.get_text()) if node is not None else ""


def lines(node: Tag | None) -> list[str]:
    """The texts of an element split at its line breaks, empty lines left out."""
    if node is None:
        return []
    parts: list[list[str]] = [[]]
    for child in node.descendants:
        if isinstance(child, Tag):
            if child.name == "br":
                parts.append([])
        elif child.__class__.__name__ == "NavigableString":
            parts[-1].append(str(child))
    return [line for line in (squeeze("".join(part)) for part in parts) if line]


def visible_text(node: Tag) -> str:
    """The text a person sees: hidden sort keys left out."""
    return squeeze("".join(_visible(node)))


def _visible(node: Tag) -> Iterator[str]:
    for child in node.children:
        if not isinstance(child, Tag):
            yield str(child)
        elif child.name == "br":
            yield " "
        elif "hidden" not in (child.get("class") or []):
            yield from _visible(child)


def hidden_text(node: Tag) -> str | None:
    hidden = node.find(class_="hidden")
    return text(hidden) if hidden is not None else None


def need(node: Tag | None, *, page: str, selector: str, html: str = "") -> Tag:
    if node is None:
        raise UnexpectedPage(page=page, selector=selector, excerpt=html)
    return node


def read_head(html: str, part: BeautifulSoup) -> Head:
    def heading(name: str) -> str | None:
        node = part.find(name, class_="page-header")
        return text(node) if node is not None else None

    return Head(title=title_of(html), h1=heading("h1"), h3=heading("h3"), h5=heading("h5"))


def columns_of(table: Tag) -> list[str]:
    """The names of the columns: the last header row of the table."""
    head = table.find("thead")
    rows = head.find_all("tr") if head is not None else []
    return [text(cell) for cell in rows[-1].find_all("th")] if rows else []


def body_rows(table: Tag) -> list[Tag]:
    """Data rows only: neither headers, the repeated footer, nor 'no data' messages."""
    body = table.find("tbody") or table
    rows = [row for row in body.find_all("tr") if row.find_parent(["thead", "tfoot"]) is None]
    return [row for row in rows if len(row.find_all("td", recursive=False)) > 1]


def next_link(part: BeautifulSoup, *, page: str, d: str | None) -> str | None:
    """The query of the link to the following page of this very list, if the list has several.

    Calendars link to other days and months, too: only a link that says it leads on, stays on
    the same `d`, and asks for something more (a page number) counts.
    """
    for link in part.find_all("a", href=True):
        says = squeeze(link.get_text()).casefold().strip(" .»›>")
        if "next" not in (link.get("rel") or ()) and says not in ("next", "next page", ""):
            continue
        query = query_of(link["href"])
        is_same = query.get("p") == page and query.get("d") in (None, d)
        if is_same and query.keys() - {"p", "d"}:
            return urlsplit(unescape(squeeze(link["href"]))).query
    return None


# -- numbers, times and dates


def whole(value: str | None) -> int | None:
    """'4,129' -> 4129; empty -> None; anything else is a ValueError."""
    value = squeeze(value).replace(",", "")
    return int(value) if value else None


def ms(value: str | None) -> int | None:
    """'42.996', '1:57.615', '1:02:03', '55' -> whole milliseconds; empty -> None."""
    value = (value or "").strip()
    if not value:
        return None
    if len(value) < _PLAIN_SECONDS and value.replace(".", "", 1).isdecimal():
        return round(float(value) * 1000)  # most times of a page: no minutes
    *larger, seconds = value.split(":")
    if len(larger) > 2 or not _SECONDS.fullmatch(seconds):
        raise ValueError(f"not a time: {value!r}")
    total = 0
    for part in larger:
        total = total * 60 + int(part)
    return total * 60_000 + round(float(seconds) * 1000)


def seconds(value: int | None) -> float | None:
    return None if value is None else value / 1000


def day(value: str) -> date:
    """'Nov 16, 2025', 'October 25, 2025 (Saturday)', 'Sat, Oct 25, 2025' -> a date."""
    plain = re.sub(r"\(.*?\)|^\s*[A-Za-z]{3,9},", "", squeeze(value)).strip()
    for form in ("%b %d, %Y", "%B %d, %Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(plain, form).date()
        except ValueError:
            continue
    raise ValueError(f"not a date: {value!r}")


def days(value: str) -> Days:
    """'Apr 23, 2025 to Apr 27, 2025' or one day -> first and last day."""
    words = squeeze(value)
    first, _, last = words.partition(" to ")
    start = day(first)
    return Days(text=words, start=start, end=day(last) if last else start)


def clock(value: str, on: date) -> datetime:
    """'2:43:27pm' or '5:30pm' on a day -> local wall clock."""
    plain = squeeze(value).lower().replace(" ", "")
    for form in ("%I:%M:%S%p", "%I:%M%p", "%H:%M:%S", "%H:%M"):
        try:
            return datetime.combine(on, datetime.strptime(plain, form).time())
        except ValueError:
            continue
    raise ValueError(f"not a time of day: {value!r}")


def moment(value: str) -> datetime | None:
    """'Nov 16, 2025 at 5:30pm' -> local wall clock; a date alone says no time: None."""
    when, at, time = squeeze(value).partition(" at ")
    return clock(time, day(when)) if at else None
