"""The practice calendar of a month: the days with sessions, and which months there are at all."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ingestion.liverc.addresses import query_of
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Head,
    as_text,
    main_part,
    next_link,
    read_head,
    soup,
    squeeze,
    text,
    whole,
)

PAGE = "practice_month"
EMPTY_MESSAGE = "There are no practice sessions available"


@dataclass(frozen=True, slots=True)
class Month:
    value: str
    text: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class PracticeDate:
    date: date
    text: str
    url: str
    sessions: int


@dataclass(frozen=True, slots=True)
class PracticeMonthPage:
    """The right panel shows today's sessions, not the month's: `has_empty_message` is about today."""

    head: Head
    months: tuple[Month, ...]
    days: tuple[PracticeDate, ...]
    panel_headings: tuple[str, ...]
    has_empty_message: bool
    next_query: str | None = None

    @property
    def selected(self) -> str | None:
        return next((month.value for month in self.months if month.is_selected), None)


def read_practice_month(page: str | bytes) -> PracticeMonthPage:
    html = as_text(page)
    part = soup(main_part(html))
    select = part.find("select", id="available_session_months")
    headings = [text(node) for node in part.find_all(class_="panel-heading")]
    if select is None and not any(one.startswith("Practice Dates") for one in headings):
        raise UnexpectedPage(
            page=PAGE, selector="select#available_session_months", excerpt=part.get_text()
        )
    months = tuple(
        Month(
            value=squeeze(option.get("value")),
            text=text(option),
            is_selected=option.has_attr("selected"),
        )
        for option in (select.find_all("option") if select is not None else ())
    )
    selected = next((month.value for month in months if month.is_selected), None)
    return PracticeMonthPage(
        head=read_head(html, part),
        months=months,
        days=tuple(_days(part)),
        panel_headings=tuple(headings),
        has_empty_message=EMPTY_MESSAGE in text(part),
        next_query=next_link(part, page="calendar", d=selected),
    )


def _days(part) -> list[PracticeDate]:
    found = []
    for row in part.find_all("tr"):
        cells = row.find_all("td", recursive=False)
        link: Any = cells[0].find("a", href=True) if cells else None
        query = query_of(link["href"]) if link is not None else {}
        if query.get("p") != "session_list" or len(cells) < 2:
            continue
        try:
            day, sessions = date.fromisoformat(query.get("d", "")), whole(text(cells[1])) or 0
        except ValueError as broken:
            raise UnexpectedPage(
                page=PAGE,
                selector="a[href*=session_list]",
                why=f"cannot be read ({broken})",
                excerpt=str(row),
            ) from broken
        found.append(
            PracticeDate(date=day, text=text(link), url=squeeze(link["href"]), sessions=sessions)
        )
    return found
