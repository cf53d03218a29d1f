"""The entry list of an event: who races in which class, with which transponder. No driver ids."""

import re
from dataclasses import dataclass

from bs4 import Tag

from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Days,
    Head,
    as_text,
    body_rows,
    days,
    hidden_text,
    main_part,
    read_head,
    soup,
    text,
    visible_text,
    whole,
)
from ingestion.liverc.pages.event import EventStats, read_stats

PAGE = "entry_list"
TABLE_ID = re.compile(r"_table_(\w+)$")
_DECLARED = re.compile(r"Entries:\s*([\d,]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """`transponder` is text: LiveRC also writes '1234567/2'."""

    number: int | None
    name: str
    sort_name: str | None
    transponder: str | None


@dataclass(frozen=True, slots=True)
class EntryClass:
    class_name: str
    class_id: str
    declared: int | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class EntryListPage:
    head: Head
    days: Days | None
    classes: tuple[EntryClass, ...]
    stats: EventStats


def read_entry_list(page: str | bytes) -> EntryListPage:
    html = as_text(page)
    part = soup(main_part(html))
    head = read_head(html, part)
    tables = class_tables(part)
    if not tables and not (head.title and ":: Entry List ::" in head.title):
        raise UnexpectedPage(page=PAGE, selector="table[id*=_table_]", excerpt=part.get_text())
    return EntryListPage(
        head=head,
        days=days(head.h5) if head.h5 else None,
        classes=tuple(_read_class(table) for table in tables),
        stats=read_stats(part),
    )


def class_tables(part: Tag) -> list[Tag]:
    """One table per class, told by ids like 'Pro_Buggy_table_1483'; those of points are not ours."""
    return [
        table
        for table in part.find_all("table", id=TABLE_ID)
        if "leaderboard_points" not in (table.get("class") or [])
    ]


def _read_class(table: Tag) -> EntryClass:
    declared = _DECLARED.search(text(table.find(class_="class_sub_header")))
    return EntryClass(
        class_name=text(table.find(class_="class_header")),
        class_id=str(table["id"]).rpartition("_table_")[2],
        declared=whole(declared[1]) if declared else None,
        entries=tuple(_read_row(row) for row in body_rows(table)),
    )


def _read_row(row: Tag) -> Entry:
    cells = row.find_all("td", recursive=False)
    number = text(cells[0])
    return Entry(
        number=int(number) if number.isdecimal() else None,
        name=visible_text(cells[1]),
        sort_name=hidden_text(cells[1]),
        transponder=(text(cells[2]) or None) if len(cells) > 2 else None,
    )
