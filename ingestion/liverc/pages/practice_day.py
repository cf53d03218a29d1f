"""A practice day: one row per session, the day's own figures and its fastest."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bs4 import BeautifulSoup, Tag

from ingestion.liverc.addresses import id_of, query_of
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Head,
    as_text,
    body_rows,
    day,
    hidden_text,
    lines,
    main_part,
    ms,
    next_link,
    read_head,
    soup,
    squeeze,
    text,
    visible_text,
    whole,
)
from ingestion.liverc.pages._script import ScriptError, read_value
from ingestion.liverc.pages.practice_month import EMPTY_MESSAGE

PAGE = "practice_day"
UNKNOWN_DRIVER = "Unknown Driver"
_TRANSPONDER = re.compile(r"^(?P<class>.*\S)\s*\((?P<transponder>[^()\s]+)\)$")
_CHART = re.compile(r"\bvar\s+data\s*=\s*(?=\[)")
_SPAN = re.compile(r"(\d+)\s+(hour|minute|second)s?")
_SECONDS = {"hour": 3600, "minute": 60, "second": 1}


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One session of the day. `length_s` is laps times average of the valid laps, rounded."""

    session_id: str
    url: str
    driver_name: str
    class_name: str
    transponder: str | None
    start_local: datetime | None
    start_text: str
    laps: int
    length_text: str
    length_s: int | None
    fast_ms: int | None
    avg_ms: int | None


@dataclass(frozen=True, slots=True)
class DayStats:
    """LiveRC's own figures. Unknown drivers are not counted, the unknown class is."""

    total_laps: int | None
    total_track_time: str | None
    unique_drivers: int | None
    unique_classes: int | None
    first_session: str | None
    last_session: str | None

    @property
    def track_time_s(self) -> int | None:
        parts = _SPAN.findall(self.total_track_time or "")
        return sum(int(count) * _SECONDS[unit] for count, unit in parts) if parts else None


@dataclass(frozen=True, slots=True)
class ClassLaps:
    label: str
    laps: int


@dataclass(frozen=True, slots=True)
class Leader:
    label: str
    session_id: str | None
    fast_ms: int | None
    driver_name: str


@dataclass(frozen=True, slots=True)
class PracticeDayPage:
    head: Head
    date: date | None
    sessions: tuple[ListedSession, ...]
    stats: DayStats | None
    laps_by_class: tuple[ClassLaps, ...]
    leaderboard: tuple[Leader, ...]
    next_query: str | None = None


def read_practice_day(page: str | bytes) -> PracticeDayPage:
    """A day nobody practised has a message instead of the table; a page with neither is refused."""
    html = as_text(page)
    main = main_part(html)
    part = soup(main)
    head = read_head(html, part)
    table = part.find("table", class_="practice_session_list")
    if table is None and (not head.h5 or EMPTY_MESSAGE not in text(part)):
        raise UnexpectedPage(
            page=PAGE, selector="table.practice_session_list", excerpt=part.get_text()
        )
    try:
        on = day(head.h5) if head.h5 else None
    except ValueError as broken:
        raise UnexpectedPage(
            page=PAGE, selector="h5.page-header", why="is not a date", excerpt=head.h5 or ""
        ) from broken
    return PracticeDayPage(
        head=head,
        date=on,
        sessions=tuple(_read_row(row) for row in (body_rows(table) if table is not None else ())),
        stats=_stats(part),
        laps_by_class=tuple(_laps_by_class(main)),
        leaderboard=tuple(_leaderboard(part)),
        next_query=next_link(part, page="session_list", d=on.isoformat() if on else None),
    )


def _read_row(row: Tag) -> ListedSession:
    cells = row.find_all("td", recursive=False)
    link: Any = row.find(
        "a", href=lambda href: bool(href) and query_of(href).get("p") == "view_session"
    )
    try:
        session_id = id_of(link["href"])
        if not session_id:
            raise ValueError("no session id")
        class_name, transponder = class_and_transponder(text(cells[0].find("small")))
        start = hidden_text(cells[1])
        count, *length = lines(cells[2])
        times = dict(line.split(":", 1) for line in lines(cells[3]) if ":" in line)
        length_ms = ms(length[0]) if length else None
        return ListedSession(
            session_id=session_id,
            url=squeeze(link["href"]),
            driver_name=text(link),
            class_name=class_name,
            transponder=transponder,
            start_local=datetime.fromisoformat(start) if start else None,
            start_text=visible_text(cells[1]),
            laps=whole(count) or 0,
            length_text=length[0] if length else "",
            length_s=round(length_ms / 1000) if length_ms is not None else None,
            fast_ms=ms(times.get("Fast")),
            avg_ms=ms(times.get("Avg")),
        )
    except (TypeError, ValueError, IndexError) as broken:
        raise UnexpectedPage(
            page=PAGE,
            selector="table.practice_session_list tbody tr",
            why=f"cannot be read ({broken})",
            excerpt=str(row),
        ) from broken


def class_and_transponder(words: str) -> tuple[str, str | None]:
    """'1/10 Open (9706029)' -> class and transponder; brackets of the class itself stay with it."""
    found = _TRANSPONDER.match(words)
    if found is None or not any(letter.isdigit() for letter in found["transponder"]):
        return words, None
    return found["class"], found["transponder"]


def _stats(part: BeautifulSoup) -> DayStats | None:
    table = _panel_table(part, "Practice Stats")
    if table is None:
        return None
    cells = {
        text(row.find("th")): row.find("td")
        for row in table.find_all("tr")
        if row.find("th") is not None and row.find("td") is not None
    }
    spans = dict(line.split(":", 1) for line in lines(cells.get("Time Range")) if ":" in line)
    return DayStats(
        total_laps=whole(text(cells.get("Total Laps"))),
        total_track_time=text(cells.get("Total Track Time")) or None,
        unique_drivers=whole(text(cells.get("Unique Drivers"))),
        unique_classes=whole(text(cells.get("Unique Classes"))),
        first_session=squeeze(spans.get("First Session")) or None,
        last_session=squeeze(spans.get("Last Session")) or None,
    )


def _laps_by_class(main: str) -> list[ClassLaps]:
    found = _CHART.search(main)
    if found is None:
        return []
    try:
        items, _ = read_value(main, found.end())
        return [ClassLaps(str(one["label"]), int(one["data"])) for one in items]
    except (ScriptError, KeyError, TypeError, ValueError) as broken:
        raise UnexpectedPage(
            page=PAGE,
            selector="var data",
            why=f"cannot be read ({broken})",
            excerpt=main[found.start() : found.start() + 300],
        ) from broken


def _leaderboard(part: BeautifulSoup) -> list[Leader]:
    table = _panel_table(part, "Practice Leaderboard")
    leaders = []
    for row in table.find_all("tr") if table is not None else ():
        label, cell = row.find("th"), row.find("td")
        link: Any = cell.find("a", href=True) if cell is not None else None
        if label is None or cell is None or link is None:
            continue
        small = cell.find("small")
        leaders.append(
            Leader(
                label=text(label),
                session_id=id_of(link["href"]),
                fast_ms=ms(text(link)),
                driver_name=text(small).strip("()"),
            )
        )
    return leaders


def _panel_table(part: BeautifulSoup, title: str) -> Tag | None:
    for heading in part.find_all(class_="panel-heading"):
        if text(heading).startswith(title) and heading.parent is not None:
            return heading.parent.find("table")
    return None
