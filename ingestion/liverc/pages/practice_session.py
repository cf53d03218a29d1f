"""One practice session: who, when, every lap with its validity and the moment it was crossed."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bs4 import BeautifulSoup

from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import (
    Head,
    as_text,
    clock,
    day,
    lines,
    main_part,
    ms,
    read_head,
    soup,
    squeeze,
    text,
    whole,
)
from ingestion.liverc.pages._script import ScriptError, read_value

PAGE = "practice_session"
_LAPS_OBJ = re.compile(r"\bvar\s+lapsObj\s*=\s*(?=[\[{])")
_LAP = re.compile(r"Lap\s+(\d+)\s*:\s*([\d:.]+)\s*(\*?)")
_RANGE = re.compile(r"([\d:.]+)\s+to\s+([\d:.]+)")


@dataclass(frozen=True, slots=True)
class SessionLap:
    """`is_starred` laps lie outside the valid range: shown, not counted."""

    number: int
    ms: int
    is_starred: bool
    is_fast: bool


@dataclass(frozen=True, slots=True)
class Crossing:
    number: int
    ms: int
    crossed_local: datetime | None
    is_valid: bool


@dataclass(frozen=True, slots=True)
class PracticeSessionPage:
    """Start is the first crossing, end about three idle minutes after the last.

    `length_s` is the sum of the valid laps, not end minus start. A session that runs past
    midnight ends on the next day.
    """

    head: Head
    driver_name: str
    class_name: str
    transponder: str | None
    session_time: dict[str, str]
    date: date | None
    start_local: datetime | None
    end_local: datetime | None
    length_s: int | None
    num_laps: int | None
    fastest_ms: int | None
    top3_consecutive_ms: int | None
    averages: dict[str, float | None]
    valid_range_text: str | None
    valid_range_ms: tuple[int | None, int | None] | None
    laps: tuple[SessionLap, ...]
    crossings: tuple[Crossing, ...]

    @property
    def crosses_midnight(self) -> bool:
        return bool(
            self.start_local and self.end_local and self.end_local.date() > self.start_local.date()
        )


def read_practice_session(page: str | bytes) -> PracticeSessionPage:
    html = as_text(page)
    main = main_part(html)
    part = soup(main)
    cells = _cells(part)
    if "Driver" not in cells or "Session Time" not in cells:
        raise UnexpectedPage(page=PAGE, selector="th 'Session Time'", excerpt=part.get_text())
    try:
        return _read(html, main, part, cells)
    except (ValueError, KeyError, TypeError) as broken:
        raise UnexpectedPage(
            page=PAGE,
            selector="session table",
            why=f"cannot be read ({broken})",
            excerpt=part.get_text(),
        ) from broken


def _read(html: str, main: str, part: BeautifulSoup, cells: dict) -> PracticeSessionPage:
    times = _pairs(cells["Session Time"])
    on = day(times["Date"]) if times.get("Date") else None
    start = clock(times["Start"], on) if on and times.get("Start") else None
    end = clock(times["End"], on) if on and times.get("End") else None
    if start and end and end < start:
        end += timedelta(days=1)
    length_ms = ms(times.get("Length of Session"))
    averages = _pairs(cells.get("Averages"))
    range_text = next(iter(lines(cells.get("Valid Lap Range"))), None)
    limits = _RANGE.search(range_text or "")
    return PracticeSessionPage(
        head=read_head(html, part),
        driver_name=text(cells["Driver"]),
        class_name=text(cells.get("Class")),
        transponder=text(cells.get("Transponder")) or None,
        session_time=times,
        date=on,
        start_local=start,
        end_local=end,
        length_s=round(length_ms / 1000) if length_ms is not None else None,
        num_laps=whole(text(cells.get("Num Laps"))),
        fastest_ms=ms(text(cells.get("Fastest Lap"))),
        top3_consecutive_ms=ms(text(cells.get("Top 3 Consec"))),
        averages={name: _figure(value) for name, value in averages.items()},
        valid_range_text=range_text,
        valid_range_ms=(ms(limits[1]), ms(limits[2])) if limits else None,
        laps=tuple(_laps(part)),
        crossings=tuple(_crossings(main)),
    )


def _cells(part: BeautifulSoup) -> dict:
    cells: dict = {}
    for row in part.find_all("tr"):
        label, cell = row.find("th"), row.find("td")
        if label is not None and cell is not None:
            cells.setdefault(text(label), cell)
    return cells


def _pairs(cell) -> dict[str, str]:
    """Lines 'name: value' of a cell; a value may be empty."""
    found = {}
    for line in lines(cell):
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip()] = value.strip()
    return found


def _figure(value: str) -> float | None:
    value = squeeze(value).rstrip("%")
    if not value:
        return None
    return (ms(value) or 0) / 1000 if ":" in value else float(value)


def _laps(part: BeautifulSoup) -> list[SessionLap]:
    listed = part.find(class_="laps_list")
    laps = []
    for node in listed.find_all("div") if listed is not None else ():
        found = _LAP.search(text(node))
        if found is None:
            raise UnexpectedPage(
                page=PAGE, selector=".laps_list > div", why="is not a lap", excerpt=str(node)
            )
        laps.append(
            SessionLap(
                number=int(found[1]),
                ms=ms(found[2]) or 0,
                is_starred=bool(found[3]),
                is_fast=node.find(class_="fast_lap") is not None,
            )
        )
    return laps


def _crossings(main: str) -> list[Crossing]:
    found = _LAPS_OBJ.search(main)
    if found is None:
        return []
    try:
        items, _ = read_value(main, found.end())
    except ScriptError as broken:
        raise UnexpectedPage(
            page=PAGE,
            selector="var lapsObj",
            why=f"cannot be read ({broken})",
            excerpt=main[found.start() : found.start() + 300],
        ) from broken
    return [
        Crossing(
            number=int(item["x"]),
            ms=ms(item["lap_time"]) or 0,
            crossed_local=(
                datetime.fromisoformat(f"{item['date']}T{item['time']}")
                if item.get("date") and item.get("time")
                else None
            ),
            is_valid=str(item.get("is_valid", "1")) in ("1", "true", "True"),
        )
        for item in (items.values() if isinstance(items, dict) else items)
    ]
