"""A track's list of events, newest first. The hidden time is a scheduled start, never a real one."""

from dataclasses import dataclass
from typing import Any

from bs4 import Tag

from ingestion.liverc.addresses import id_of, query_of
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Days,
    Head,
    as_text,
    body_rows,
    days,
    hidden_text,
    main_part,
    need,
    read_head,
    soup,
    squeeze,
    text,
    visible_text,
    whole,
)

PAGE = "events_list"


@dataclass(frozen=True, slots=True)
class ListedEvent:
    event_id: str
    name: str
    url: str
    sort_datetime: str | None
    days: Days
    entries: int
    drivers: int


@dataclass(frozen=True, slots=True)
class EventsPage:
    head: Head
    events: tuple[ListedEvent, ...]


def read_events(page: str | bytes) -> EventsPage:
    """A track without events has the table without rows; a page without the table is refused."""
    html = as_text(page)
    part = soup(main_part(html))
    table = need(
        part.find("table", id="events"), page=PAGE, selector="table#events", html=part.get_text()
    )
    return EventsPage(
        head=read_head(html, part), events=tuple(_read_row(row) for row in body_rows(table))
    )


def _read_row(row: Tag) -> ListedEvent:
    cells = row.find_all("td", recursive=False)
    link: Any = row.find(
        "a", href=lambda href: bool(href) and query_of(href).get("p") == "view_event"
    )
    try:
        event_id = id_of(link["href"])
        if not event_id:
            raise ValueError("no event id")
        return ListedEvent(
            event_id=event_id,
            name=text(link),
            url=squeeze(link["href"]),
            sort_datetime=hidden_text(cells[1]),
            days=days(visible_text(cells[1])),
            entries=whole(text(cells[2])) or 0,
            drivers=whole(text(cells[3])) or 0,
        )
    except (TypeError, ValueError, IndexError) as broken:
        raise UnexpectedPage(
            page=PAGE,
            selector="table#events tbody tr",
            why=f"cannot be read ({broken})",
            excerpt=str(row),
        ) from broken
