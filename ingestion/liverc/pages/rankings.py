"""Rankings of an event: one round, all rounds of a multi-main, the whole event.

The formats are known from other clients' readers, not from stored pages: every table with a
'Driver' column is read by its column names, and the texts are kept as they stand.
"""

import re
from dataclasses import dataclass
from typing import Any

from bs4 import Tag

from ingestion.liverc.addresses import MULTI_MAIN, OVERALL_RANKING, ROUND_RANKING
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Head,
    as_text,
    body_rows,
    columns_of,
    main_part,
    read_head,
    soup,
    text,
    visible_text,
)

_LEG = re.compile(
    r"(?P<place>\d+)(?:st|nd|rd|th)?\s*(?:\((?P<points>-?[\d.]+)\s*pts?\))?\s*:\s*(?P<result>\d+/[\d:.]+)"
)
_TITLE = re.compile(r"Rank|Final Results|Main Results", re.IGNORECASE)
_TABLES = {
    ROUND_RANKING: "round_rankings",
    MULTI_MAIN: "multi_main",
    OVERALL_RANKING: "overall_ranking",
}


@dataclass(frozen=True, slots=True)
class Leg:
    """A driver's result in one leg of a double or triple main."""

    place: int | None
    points: float | None
    result: str


@dataclass(frozen=True, slots=True)
class RankingRow:
    """`cells` keeps every visible text by column; `legs` is empty but for multi-mains."""

    position: int | None
    driver_name: str
    cells: dict[str, str]
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    class_name: str
    notes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[RankingRow, ...]


@dataclass(frozen=True, slots=True)
class RankingPage:
    kind: str
    head: Head
    panel_heading: str | None
    rankings: tuple[Ranking, ...]


def read_ranking(page: str | bytes, *, kind: str) -> RankingPage:
    html = as_text(page)
    part = soup(main_part(html))
    head = read_head(html, part)
    tables: Any = part.find_all("table", class_=_TABLES[kind])
    if not tables and _TITLE.search(head.title or ""):
        tables = [table for table in part.find_all("table") if "Driver" in columns_of(table)]
    if not tables:
        raise UnexpectedPage(page=kind, selector=f"table.{_TABLES[kind]}", excerpt=part.get_text())
    heading = part.find(class_="panel-heading")
    return RankingPage(
        kind=kind,
        head=head,
        panel_heading=text(heading) if heading is not None else None,
        rankings=tuple(_read_table(table) for table in tables),
    )


def _read_table(table: Tag) -> Ranking:
    columns = columns_of(table)
    return Ranking(
        class_name=text(table.find(class_="class_header")),
        notes=tuple(text(node) for node in table.find_all(class_="class_sub_header")),
        columns=tuple(columns),
        rows=tuple(_read_row(row, columns) for row in body_rows(table)),
    )


def _read_row(row: Tag, columns: list[str]) -> RankingRow:
    cells = {
        column: visible_text(cell)
        for column, cell in zip(columns, row.find_all("td", recursive=False), strict=False)
    }
    position = cells.get("Pos") or cells.get("#") or ""
    legs = []
    for value in cells.values():
        if found := _LEG.search(value):
            legs.append(
                Leg(
                    place=int(found["place"]),
                    points=float(found["points"]) if found["points"] else None,
                    result=found["result"],
                )
            )
    return RankingRow(
        position=int(position) if position.isdecimal() else None,
        driver_name=cells.get("Driver", ""),
        cells=cells,
        legs=tuple(legs),
    )
