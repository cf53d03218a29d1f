"""An event page: its rounds, its races with their completion times, and links to its other pages."""

import re
from dataclasses import dataclass
from datetime import datetime

from bs4 import BeautifulSoup, Tag

from ingestion.domain.labels import read_link_text
from ingestion.liverc.addresses import query_of
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Days,
    Head,
    as_text,
    days,
    lines,
    main_part,
    moment,
    read_head,
    soup,
    squeeze,
    text,
    whole,
)

PAGE = "event"
_COUNT = re.compile(r"(Entries|Drivers):\s*([\d,]+)")


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to another page of the event."""

    id: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ListedRace:
    """One race of an event. `completed_local` is when it ended, on the track's wall clock.

    `run_order` counts from 1 through the whole event; it goes by completion, not by race id.
    """

    dom_index: int
    round: str | None
    race_number: int | None
    link_text: str
    class_label: str
    race_label: str
    race_id: str
    url: str
    completed_text: str
    completed_local: datetime | None
    run_order: int


@dataclass(frozen=True, slots=True)
class EventStats:
    """The 'Event Stats' card of event and entry list pages."""

    race_track: str | None
    entries: int | None
    drivers: int | None
    total_race_laps: int | None


@dataclass(frozen=True, slots=True)
class EventPage:
    head: Head
    days: Days
    entry_list: PageLink | None
    heat_sheets: tuple[PageLink, ...]
    overall_ranking: PageLink | None
    points: tuple[PageLink, ...]
    round_rankings: tuple[PageLink, ...]
    multi_mains: tuple[PageLink, ...]
    races: tuple[ListedRace, ...]
    stats: EventStats

    @property
    def classes(self) -> list[str]:
        return sorted({race.class_label for race in self.races})

    @property
    def rounds(self) -> list[str]:
        """Round headers in page order: newest first."""
        return list(dict.fromkeys(race.round for race in self.races if race.round))


def read_event(page: str | bytes) -> EventPage:
    """Raises UnexpectedPage when name, date, lists or a race row are not what they should be."""
    html = as_text(page)
    part = soup(main_part(html))
    head = read_head(html, part)
    tables = part.find_all("table", class_="entry_list_data")
    stats = read_stats(part)
    if not head.h3 or not head.h5:
        raise UnexpectedPage(page=PAGE, selector="h3.page-header", excerpt=part.get_text())
    # An event nobody posted anything for has no lists; links without lists mean a changed page.
    has_links = any(
        "view_" in query_of(a["href"]).get("p", "") for a in part.find_all("a", href=True)
    )
    if not tables and (has_links or "Race Lineups" not in part.get_text()):
        raise UnexpectedPage(page=PAGE, selector="table.entry_list_data", excerpt=part.get_text())
    try:
        covers = days(head.h5)
    except ValueError as broken:
        raise UnexpectedPage(
            page=PAGE, selector="h5.page-header", why="is not a date", excerpt=head.h5
        ) from broken
    links = _links(tables)
    return EventPage(
        head=head,
        days=covers,
        entry_list=next(iter(links.get("view_entry_list", ())), None),
        heat_sheets=tuple(links.get("view_heat_sheet", ())),
        overall_ranking=next(iter(links.get("event_overall_ranking", ())), None),
        points=tuple(links.get("view_points", ())),
        round_rankings=tuple(links.get("view_round_ranking", ())),
        multi_mains=tuple(links.get("view_multi_main_result", ())),
        races=tuple(_races(tables)),
        stats=stats,
    )


def read_stats(part: BeautifulSoup) -> EventStats:
    cells = {}
    for heading in part.find_all(class_="card-header"):
        table = heading.find_next("table") if "Event Stats" in text(heading) else None
        for row in table.find_all("tr") if table is not None else ():
            if row.find("th") is not None and row.find("td") is not None:
                cells[text(row.find("th"))] = row.find("td")
    registrations = dict(_COUNT.findall(" ".join(lines(cells.get("Registrations")))))
    track = cells.get("Race Track")
    return EventStats(
        race_track=(text(track) or None) if track is not None else None,
        entries=whole(registrations.get("Entries")),
        drivers=whole(registrations.get("Drivers")),
        total_race_laps=whole(text(cells.get("Total Race Laps"))),
    )


def _links(tables: list[Tag]) -> dict[str, list[PageLink]]:
    found: dict[str, list[PageLink]] = {}
    for table in tables:
        for link in table.find_all("a", href=True):
            query = query_of(link["href"])
            if query.get("p") and query.get("id"):
                found.setdefault(query["p"], []).append(
                    PageLink(id=query["id"], label=text(link), url=squeeze(link["href"]))
                )
    return found


def _races(tables: list[Tag]) -> list[ListedRace]:
    rows: list[dict] = []
    for table in tables:
        current = None
        for row in table.find_all("tr"):
            link = row.find("a", href=_is_race)
            if link is None:
                headers = row.find_all("th", recursive=False)
                if headers and headers[0].find(class_="class_header") is None:
                    current = text(headers[0]) or None
                continue
            rows.append(_read_row(row, link, current))
    order = _run_order([row["completed_local"] for row in rows])
    return [
        ListedRace(dom_index=index, run_order=order[index], **row) for index, row in enumerate(rows)
    ]


def _is_race(href: str | None) -> bool:
    return bool(href) and query_of(href).get("p") == "view_race_result"


def _read_row(row: Tag, link: Tag, current: str | None) -> dict:
    cells = row.find_all("td", recursive=False)
    race_id = query_of(link["href"]).get("id")
    completed = text(cells[1]) if len(cells) > 1 else ""
    try:
        if not race_id:
            raise ValueError("no race id")
        completed_local = moment(completed) if completed else None
    except ValueError as broken:
        raise UnexpectedPage(
            page=PAGE,
            selector="a[href*=view_race_result]",
            why=f"cannot be read ({broken})",
            excerpt=str(row),
        ) from broken
    words = read_link_text(text(link))
    return {
        "round": current,
        "race_number": words.race_number,
        "link_text": text(link),
        "class_label": words.class_name,
        "race_label": words.label,
        "race_id": race_id,
        "url": squeeze(link["href"]),
        "completed_text": completed,
        "completed_local": completed_local,
    }


def _run_order(completed: list[datetime | None]) -> list[int]:
    """Place of each row in the running order: by completion minute, ties by reversed page order.

    A race without a time keeps its place in the page, right after the race listed below it.
    """
    latest = datetime.min
    keys = []
    for index in range(len(completed) - 1, -1, -1):
        latest = completed[index] or latest
        keys.append((latest, -index, index))
    order = [0] * len(completed)
    for place, (_, _, index) in enumerate(sorted(keys), start=1):
        order[index] = place
    return order
