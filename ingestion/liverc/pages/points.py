"""Qualifying points: the only page that says DNS and DNF in words. No driver ids."""

import re
from dataclasses import dataclass

from bs4 import Tag

from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Days,
    Head,
    as_text,
    body_rows,
    columns_of,
    days,
    main_part,
    ms,
    read_head,
    soup,
    text,
)
from ingestion.liverc.pages.entry_list import TABLE_ID

PAGE = "points"
_ROUND = re.compile(
    r"(?:(?P<points>-?\d+)\s*:\s*)?(?P<laps>\d+)\s*/\s*(?P<time>[\d:.]+)\s*(?:\((?P<status>[A-Z]+)\))?"
)


@dataclass(frozen=True, slots=True)
class PointsRound:
    """One round of one driver; `is_counted` rounds stand in bold."""

    points: int | None
    laps: int | None
    time_ms: int | None
    status: str | None
    is_counted: bool
    raw: str


@dataclass(frozen=True, slots=True)
class PointsRow:
    """`result` is a number of points, or text where laps and time are added up instead."""

    rank: int | None
    name: str
    result: int | str | None
    tie_breaker_text: str | None
    rounds: tuple[PointsRound, ...]


@dataclass(frozen=True, slots=True)
class PointsClass:
    class_name: str
    class_id: str | None
    tie_breaker: str | None
    columns: tuple[str, ...]
    rows: tuple[PointsRow, ...]


@dataclass(frozen=True, slots=True)
class PointsPage:
    head: Head
    days: Days | None
    panel_heading: str | None
    classes: tuple[PointsClass, ...]


def read_points(page: str | bytes) -> PointsPage:
    html = as_text(page)
    part = soup(main_part(html))
    head = read_head(html, part)
    tables = part.find_all("table", class_="leaderboard_points")
    if not tables:
        raise UnexpectedPage(
            page=PAGE, selector="table.leaderboard_points", excerpt=part.get_text()
        )
    heading = part.find(class_="panel-heading")
    return PointsPage(
        head=head,
        days=days(head.h5) if head.h5 else None,
        panel_heading=text(heading) if heading is not None else None,
        classes=tuple(_read_class(table) for table in tables),
    )


def _read_class(table: Tag) -> PointsClass:
    columns = columns_of(table)
    found = TABLE_ID.search(str(table.get("id") or ""))
    return PointsClass(
        class_name=text(table.find(class_="class_header")),
        class_id=found[1] if found else None,
        tie_breaker=text(table.find(class_="class_sub_header")) or None,
        columns=tuple(columns),
        rows=tuple(_read_row(row, columns) for row in body_rows(table)),
    )


def _read_row(row: Tag, columns: list[str]) -> PointsRow:
    cells = row.find_all("td", recursive=False)
    named = dict(zip(columns, cells, strict=False))
    rank = text(named.get("#"))
    result = text(named.get("Result"))
    return PointsRow(
        rank=int(rank) if rank.isdecimal() else None,
        name=text(named.get("Driver")),
        result=int(result) if re.fullmatch(r"-?\d+", result) else result or None,
        tie_breaker_text=text(named.get("Tie Breaker")) or None,
        rounds=tuple(
            _read_round(cell)
            for name, cell in zip(columns, cells, strict=False)
            if name.startswith("Round")
        ),
    )


def _read_round(cell: Tag) -> PointsRound:
    raw = text(cell)
    found = _ROUND.search(raw)
    return PointsRound(
        points=int(found["points"]) if found and found["points"] else None,
        laps=int(found["laps"]) if found else None,
        time_ms=ms(found["time"]) if found else None,
        status=found["status"] if found else None,
        is_counted=cell.find("b") is not None,
        raw=raw,
    )
