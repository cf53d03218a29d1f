"""Lap files. Header: heat_name, lap_number, lap_time; optional confidence_rating, flag, kind, session_id.

Commas or semicolons; times in seconds or m:ss.sss; the order of rows does not matter, lap numbers give it.
What we export is read back without a change.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from coaching.domain.laps import FLAGS, MOST_LAPS, read_lap_ms
from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.spreadsheets import lines
from racecontrol.shared.units import format_ms

NEEDED = ("heat_name", "lap_number", "lap_time")
OPTIONAL = ("session_id", "confidence_rating", "flag", "kind")
EXPORTED = ("session_id", *NEEDED, "confidence_rating", "flag", "kind", "source")
KINDS = ("practice", "qualifying", "race")
LONGEST_LINE = 2000


@dataclass(frozen=True, slots=True)
class CsvLap:
    line: int
    session_id: int | None
    heat_name: str
    lap_number: int
    lap_ms: int
    confidence: int | None
    flag: str
    kind: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that cannot be used, and why."""

    line: int
    reason: str


def read_lap_csv(lines: Iterable[str]) -> Iterator[CsvLap | BadRow]:
    """Row by row, never the whole file. Raises InvalidInput for a header that lacks a column."""
    numbered = _guarded(lines)
    header, delimiter = _header(numbered)
    at = {name: header.index(name) for name in (*NEEDED, *OPTIONAL) if name in header}
    rows = csv.reader(numbered, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(rows.line_num + 1, f"not CSV: {error}")
            continue
        line = rows.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        try:
            yield _lap(line, cells, at, len(header))
        except InvalidInput as refusal:
            yield BadRow(line, str(refusal))


def write_lap_csv(session_id: int, laps: Iterable[Any]) -> Iterator[str]:
    """The file's lines for run log rows with their heats."""
    return lines(
        EXPORTED,
        (
            (
                session_id,
                lap.heat.name,
                lap.lap_number,
                format_ms(lap.lap_ms),
                lap.confidence or "",
                lap.flag,
                lap.heat.kind,
                lap.source,
            )
            for lap in laps
        ),
    )


def _guarded(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\x00" in line:
            raise InvalidInput(
                f"Line {number} holds a NUL character: this is not a text file.",
                fields={"file": ["Not a text file."]},
            )
        if len(line) > LONGEST_LINE:
            raise InvalidInput(
                f"Line {number} is longer than {LONGEST_LINE} characters.",
                fields={"file": ["Not a file of laps."]},
            )
        yield line


def _header(lines: Iterator[str]) -> tuple[list[str], str]:
    first = next(lines, "").lstrip("\ufeff")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    header = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter), [])]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        told = f"The first line must name the columns; missing: {', '.join(missing)}."
        raise InvalidInput(told, fields={"file": [told]})
    return header, delimiter


def _lap(line: int, cells: list[str], at: dict[str, int], columns: int) -> CsvLap:
    if len(cells) != columns:
        raise InvalidInput(f"{len(cells)} cells, the header has {columns}.")
    told = {name: cells[place].strip() for name, place in at.items()}
    heat = " ".join(told["heat_name"].removeprefix("'").split())
    if not heat:
        raise InvalidInput("No heat name.")
    if len(heat) > 100:
        raise InvalidInput("The heat name has more than 100 characters.")
    number = _whole(told["lap_number"], "The lap number", 1, MOST_LAPS)
    confidence, session = told.get("confidence_rating"), told.get("session_id")
    flag, kind = told.get("flag", "").lower(), told.get("kind", "").lower()
    if flag and flag not in FLAGS:
        raise InvalidInput(f"“{flag[:20]}” is no flag: {', '.join(FLAGS)}.")
    if kind and kind not in KINDS:
        raise InvalidInput(f"“{kind[:20]}” is no kind: practice, qualifying or race.")
    return CsvLap(
        line=line,
        session_id=_whole(session, "The session id", 1, 2**62) if session else None,
        heat_name=heat,
        lap_number=number,
        lap_ms=read_lap_ms(told["lap_time"]),
        confidence=_whole(confidence, "Confidence", 1, 5) if confidence else None,
        flag=flag,
        kind=kind,
    )


def _whole(text: str, name: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise InvalidInput(f"{name} is a whole number from {least} to {most}.")
    return int(text)
