"""A track's dashboard: where it is, and how much has been driven there."""

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote_plus

from ingestion.liverc.pages._html import (
    Head,
    as_text,
    lines,
    main_part,
    need,
    read_head,
    soup,
    squeeze,
    text,
    whole,
)

PAGE = "track_dashboard"
_MAP_QUERY = re.compile(r"[?&]q=([^\"&]*)")


@dataclass(frozen=True, slots=True)
class DashboardPanel:
    href: str
    huge: str
    stats: str
    footer: str


@dataclass(frozen=True, slots=True)
class DashboardPage:
    """`map_query` is 'street,city,STATE+zip,CC': the only structured country anywhere."""

    head: Head
    track_name: str
    panels: tuple[DashboardPanel, ...]
    address_lines: tuple[str, ...]
    website: str | None
    lifetime: dict[str, int]
    map_query: str | None
    logo_url: str | None

    @property
    def place(self) -> dict[str, str]:
        """The map query taken apart: street, city, state, postcode, country (empty if absent)."""
        parts = [squeeze(unquote_plus(one)) for one in (self.map_query or "").split(",")]
        country = parts[-1] if len(parts) > 1 else ""
        region = parts[-2] if len(parts) > 2 else ""
        state, _, postcode = region.rpartition(" ")
        if not state and region.isalpha():
            state, postcode = region, ""
        return {
            "street": ", ".join(parts[:-3]),
            "city": parts[-3] if len(parts) > 3 else "",
            "state": state.strip(),
            "postcode": postcode.strip(),
            "country": country.upper() if len(country) == 2 else "",
        }


def read_dashboard(page: str | bytes) -> DashboardPage:
    html = as_text(page)
    part = soup(main_part(html))
    panels = need(
        part.find(class_="dashboard_panels"),
        page=PAGE,
        selector=".dashboard_panels",
        html=part.get_text(),
    )
    head = read_head(html, part)
    address = part.find("address")
    address_lines = []
    for line in lines(address):
        if re.match(r"[PWE]:", line):
            break
        address_lines.append(line)
    website = None
    for label in address.find_all("abbr") if address is not None else ():
        if squeeze(label.get("title")) == "Website":
            link = label.find_next("a", href=True)
            mail = label.find_next("abbr")
            if link is not None and (mail is None or link in mail.find_all_previous("a")):
                website = squeeze(link["href"]) or None
    frame = part.find("iframe", src=re.compile("maps/embed"))
    query = _MAP_QUERY.search(unescape(str(frame["src"]))) if frame is not None else None
    logo = part.find("img", src=re.compile("track_logos"))
    return DashboardPage(
        head=head,
        track_name=(head.h1 or "").removesuffix("'s Dashboard"),
        panels=tuple(
            DashboardPanel(
                href=squeeze(link.get("href")),
                huge=text(link.find(class_="huge")),
                stats=text(link.find(class_="stats")),
                footer=text(link.find(class_="panel-footer")),
            )
            for link in panels.find_all("a", recursive=False)
        ),
        address_lines=tuple(address_lines),
        website=website,
        lifetime=_lifetime(part),
        map_query=squeeze(query[1]) if query else None,
        logo_url=squeeze(logo["src"]) if logo is not None else None,
    )


def _lifetime(part) -> dict[str, int]:
    for heading in part.find_all(class_="panel-heading"):
        if "Lifetime" in text(heading):
            table = heading.find_next("table")
            return {
                text(row.find("th")): whole(text(row.find("td"))) or 0
                for row in (table.find_all("tr") if table is not None else ())
                if row.find("th") is not None and row.find("td") is not None
            }
    return {}
