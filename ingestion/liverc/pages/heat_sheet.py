"""Heat sheets: who starts where. Upper mains show 'Bump-Up' for the slots still open.

The format is known from other clients' readers, not from a stored page: cells are found by the
names of their columns, and what is not there is None.
"""

import re
from dataclasses import dataclass

from bs4 import Tag

from ingestion.liverc.addresses import id_of, query_of
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Head,
    as_text,
    body_rows,
    columns_of,
    main_part,
    read_head,
    soup,
    squeeze,
    text,
)

PAGE = "heat_sheet"
_BUMP_UP = re.compile(r"bump[- ]?up", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seed:
    """One slot. `is_bump_up` marks a slot that the main below fills: official evidence."""

    position: int | None
    car_number: int | None
    driver_name: str | None
    transponder: str | None
    seed_number: str | None
    seed_result: str | None
    is_bump_up: bool


@dataclass(frozen=True, slots=True)
class HeatSheet:
    race_number: int | None
    label: str
    length_text: str | None
    status_text: str | None
    race_id: str | None
    seeds: tuple[Seed, ...]


@dataclass(frozen=True, slots=True)
class HeatSheetPage:
    head: Head
    sheets: tuple[HeatSheet, ...]


def read_heat_sheet(page: str | bytes) -> HeatSheetPage:
    html = as_text(page)
    part = soup(main_part(html))
    tables = part.find_all("table", class_="heat_sheet")
    if not tables:
        raise UnexpectedPage(page=PAGE, selector="table.heat_sheet", excerpt=part.get_text())
    return HeatSheetPage(
        head=read_head(html, part), sheets=tuple(_read_sheet(table) for table in tables)
    )


def _read_sheet(table: Tag) -> HeatSheet:
    number = text(table.find(class_="race_num"))
    link = table.find(
        "a", href=lambda href: bool(href) and query_of(href).get("p") == "view_race_result"
    )
    columns = columns_of(table)
    return HeatSheet(
        race_number=int(number) if number.isdecimal() else None,
        label=text(table.find(class_="class_header")),
        length_text=_after(text(table.find(class_="race_length")), "Length:"),
        status_text=_after(text(table.find(class_="race_status")), "Status:"),
        race_id=id_of(link["href"]) if link is not None else None,
        seeds=tuple(_read_seed(row, columns) for row in body_rows(table)),
    )


def _read_seed(row: Tag, columns: list[str]) -> Seed:
    named = dict(zip(columns, row.find_all("td", recursive=False), strict=False))

    def cell(*names: str) -> Tag | None:
        for column, node in named.items():
            if any(column.casefold().startswith(name) for name in names):
                return node
        return None

    driver = cell("driver", "car", "name")
    car = driver.find(class_="car_num") if driver is not None else None
    name = driver.find(class_="driver_name") if driver is not None else None
    result = text(cell("seed result")) or None
    position, car_text = text(cell("pos")), text(car)
    return Seed(
        position=int(position) if position.isdecimal() else None,
        car_number=int(car_text) if car_text.isdecimal() else None,
        driver_name=(text(name) if name is not None else text(driver)) or None,
        transponder=text(cell("tx", "transponder")) or None,
        seed_number=text(cell("seed #")) or None,
        seed_result=result,
        is_bump_up=bool(_BUMP_UP.search(text(row))),
    )


def _after(words: str, prefix: str) -> str | None:
    return squeeze(words.removeprefix(prefix)) or None
