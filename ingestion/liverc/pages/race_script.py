"""The `racerLaps` script of a race page: every driver's laps, and the ids of those who never started.

    racerLaps[346997] = { 'driverName' : '…', 'fastLap' : '37.234', …, 'laps' : [ {'lapNum':'1', …}, … ] };

The same text also occurs in `console.log(racerLaps[346997])`; only assignments count.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._script import ScriptError, read_key, read_value

PAGE = "race_result"

# Runs up to the next assignment. Strings and comments are skipped whole, so a driver who calls
# himself "racerLaps[1] = {" is no trouble; the rest is skipped in strides from one L to the next.
_ASSIGNMENT = re.compile(
    r"""(?> [^'"/L]++
      | '(?:[^'\\\n]|\\.)*+' | "(?:[^"\\\n]|\\.)*+" | //[^\n]*+ | /\*.*?\*/
      | (?! (?<=\bracer) Laps\s*\[\s*['"]?\w+['"]?\s*\]\s*=\s*\{ ) . )*+
    Laps\s*\[\s*['"]?(\w+)['"]?\s*\]\s*=\s*\{""",
    re.VERBOSE | re.DOTALL,
)
# One lap as LiveRC writes it, quotes and white space taken out. Only digits and what stands between
# them can be values, so where laps follow each other without a gap nothing can hide an end or a key.
_LAP = re.compile(r"\{lapNum:(\d++),pos:(\d*+),time:([\d.]++),pace:([\d./:]*+),segments:\[\]\},?")
_QUOTES_AND_SPACE = b"\t\r\n '"
_PIECES = 5  # of a text cut at its laps: what stood before a lap, and its four values
_MEMBER = re.compile(r"[\s,]*+['\"]?(\w++)['\"]?\s*+:\s*+'([^'\\\n]*+)'(?=\s*+[,}])")

_new = tuple.__new__  # half the price of calling a named tuple

FIGURES = (
    "fastLap",
    "avgLap",
    "avgTop5",
    "avgTop10",
    "avgTop15",
    "top2Consecutive",
    "top3Consecutive",
    "stdDeviation",
    "consistency",
)


class ScriptLap(NamedTuple):
    """A lap as it was driven. `pace` projects laps/time of the whole race from the mean so far.

    A named tuple, unlike its neighbours: a race has hundreds, and they are made four times faster.
    """

    number: int
    position: int | None
    ms: int
    pace: str


@dataclass(frozen=True, slots=True)
class Racer:
    """One driver of the script. `figures` are the published numbers, None where blank."""

    driver_id: str
    name: str
    figures: dict[str, float | None]
    grid: int | None
    laps: tuple[ScriptLap, ...]

    @property
    def total_ms(self) -> int:
        return sum(lap.ms for lap in self.laps)


def read_racers(script: str) -> list[Racer]:
    """Every driver in the order of the script, which is the order of the results."""
    racers: list[Racer] = []
    at = 0
    while found := _ASSIGNMENT.match(script, at):
        at = found.end()
        driver_id = found[1]
        try:
            racer, at = _read_racer(driver_id, script, at)
        except (ScriptError, ValueError, TypeError, AttributeError) as broken:
            where = getattr(broken, "at", at)
            raise UnexpectedPage(
                page=PAGE,
                selector=f"racerLaps[{driver_id}]",
                why=f"cannot be read ({broken})",
                excerpt=script[max(0, where - 100) : where + 200],
            ) from broken
        racers.append(racer)
    return racers


def _read_racer(driver_id: str, script: str, at: int) -> tuple[Racer, int]:
    fields: dict = {}
    grid: int | None = None
    laps: list[ScriptLap] = []
    while True:
        if member := _MEMBER.match(script, at):  # a plain text, which is all but the laps
            fields[member[1]], at = member[2], member.end()
            continue
        key, at = read_key(script, at)
        if key is None:
            break
        if key == "laps":
            grid, laps, at = _read_laps(script, at)
        else:
            fields[key], at = read_value(script, at)
    racer = Racer(
        driver_id=driver_id,
        name=" ".join(str(fields.get("driverName") or "").split()),
        figures={name: _number(fields.get(name)) for name in FIGURES},
        grid=grid,
        laps=tuple(laps),
    )
    return racer, at


def _read_laps(script: str, at: int) -> tuple[int | None, list[ScriptLap], int]:
    """Grid slot (the position of lap 0), the laps, and the place after the array."""
    end = script.find("};", at)
    text = script[at:end].encode("utf-8", "replace").translate(None, _QUOTES_AND_SPACE).decode()
    words = _LAP.split(text)
    first, last = words[0], words[-1]
    if end < 0 or any(words[_PIECES:-1:_PIECES]):
        return _read_unusual_laps(script, at)
    if len(words) == 1:
        return (None, [], end) if first in ("[]", "[],") else _read_unusual_laps(script, at)
    if first != "[" or last not in ("]", "],"):
        return _read_unusual_laps(script, at)
    places = words[2::_PIECES]
    try:
        rows = zip(
            map(int, words[1::_PIECES]),
            map(int, places) if all(places) else [int(one) if one else None for one in places],
            [round(float(time) * 1000) for time in words[3::_PIECES]],
            words[4::_PIECES],
            strict=True,
        )
        laps = [_new(ScriptLap, row) for row in rows]
    except ValueError:
        return _read_unusual_laps(script, at)
    grid = None
    if laps and laps[0].number == 0:
        grid = laps.pop(0).position
    return grid, laps, end


def _read_unusual_laps(script: str, at: int) -> tuple[int | None, list[ScriptLap], int]:
    """Laps in another key order, with split times, or with extra keys."""
    items, at = read_value(script, at)
    grid, laps = None, []
    for item in items or []:
        number, position = int(item["lapNum"]), str(item.get("pos") or "").strip()
        if number == 0:
            grid = int(position) if position else None
            continue
        laps.append(
            ScriptLap(
                number=number,
                position=int(position) if position else None,
                ms=round(float(item["time"]) * 1000),
                pace=str(item.get("pace") or ""),
            )
        )
    return grid, laps, at


def _number(value: object) -> float | None:
    text = str(value).strip().rstrip("%") if value is not None else ""
    return float(text) if text else None
