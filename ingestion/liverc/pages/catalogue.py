"""The catalogue of tracks: one page, every track, what is going on there right now."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bs4 import Tag

from ingestion.liverc.addresses import is_slug
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Head,
    as_text,
    body_rows,
    main_part,
    need,
    read_head,
    soup,
    squeeze,
    text,
)

PAGE = "track_catalogue"
OFFLINE, PRACTICE, RACING = 0, 1, 2
_STATUS = re.compile(r"status_(\d)")


@dataclass(frozen=True, slots=True)
class CatalogueTrack:
    """`event_label` is free text typed by the club: it says nothing reliable about the session."""

    slug: str
    host: str
    name: str
    data_href: str
    event_label: str | None
    age_text: str
    has_video: bool
    status: int
    is_featured: bool


@dataclass(frozen=True, slots=True)
class CataloguePage:
    head: Head
    tracks: tuple[CatalogueTrack, ...]


def read_catalogue(page: str | bytes) -> CataloguePage:
    html = as_text(page)
    part = soup(main_part(html))
    table = need(
        part.find("table", class_="track_list"),
        page=PAGE,
        selector="table.track_list",
        html=part.get_text(),
    )
    return CataloguePage(
        head=read_head(html, part), tracks=tuple(_read_row(row) for row in body_rows(table))
    )


def _read_row(row: Tag) -> CatalogueTrack:
    status_cell, name_cell, *_ = row.find_all("td", recursive=False)
    link = name_cell.find("a", href=True)
    host = urlsplit(str(link["href"])).netloc if link else ""
    slug = host.partition(".")[0]
    if not is_slug(slug):
        raise UnexpectedPage(
            page=PAGE,
            selector="table.track_list td a[href]",
            excerpt=str(row),
            why="names no track",
        )
    icons = " ".join(" ".join(icon.get("class") or []) for icon in status_cell.find_all("i"))
    status = _STATUS.search(icons.replace("status_video_", "video_"))
    age = status_cell.find("small")
    label = name_cell.find("div", class_="indent")
    return CatalogueTrack(
        slug=slug,
        host=host,
        name=text(link.find("strong") or link if link else None),
        data_href=squeeze(row.get("data-href")),
        event_label=(text(label) or None) if label is not None else None,
        age_text=text(age),
        has_video="status_video_1" in icons,
        status=int(status[1]) if status else OFFLINE,
        is_featured="status_featured" in icons,
    )
