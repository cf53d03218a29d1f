"""Race result pages: the table, the laps of the script, and which laps the published figures cover.

The one page read with lxml alone: beautifulsoup takes five milliseconds for the 350 elements of
its table, lxml a fifth of one, and an event has dozens of such pages.
"""

import re
from collections import Counter
from dataclasses import dataclass
from math import sqrt
from operator import mul

from lxml import etree

from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages._html import Days, Head, as_text, days, squeeze, title_of
from ingestion.liverc.pages._html import ms as to_ms
from ingestion.liverc.pages.race_script import Racer, read_racers

PAGE = "race_result"
ALL_LAPS, FROM_LAP_2 = "all", "from_lap_2"

_TABLE = re.compile(r"<table[^>]*\brace_result\b[^>]*>")
_BREADCRUMB = re.compile(r"<div[^>]*\bpage-breadcrumb\b")
_SCRIPT = re.compile(r"<script[^>]*>", re.IGNORECASE)
_PANEL = re.compile(
    r"(?P<label>.*?)\s+Results\s+\[(?P<code>[A-Z]+)(?P<round>\d+) Race #(?P<race>\d+)\]"
)
_TIMED = re.compile(r"((?:\d+:)?\d+:\d+)\s+Timed")
_LENGTH_LAPS = re.compile(r"(\d+)\s+Laps?", re.IGNORECASE)
_NEEDED = ("Pos", "Driver", "Laps/Time")
_HALF_STEP_MS = 1.5  # the script rounds to thousandths of a second


@dataclass(frozen=True, slots=True)
class Panel:
    """'1/8 Nitro Buggy A-Main Results [M1 Race #14]': M is mains, Q qualifying."""

    label: str
    round_code: str
    round_number: int
    race_number: int


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the results. Times are whole milliseconds; None is a blank cell.

    `driver_id` is the id of the row's link, or for a driver who never started the one unclaimed
    id of that name in the script. `stats_basis` says whether the published figures leave out lap 1.
    """

    position: int | None
    car_number: int | None
    driver_name: str
    table_driver_id: str | None
    driver_id: str | None
    qual: int | None
    laps_time_text: str
    laps: int
    total_ms: int | None
    behind_text: str
    fast_lap_ms: int | None
    fast_lap_number: int | None
    avg_lap_ms: int | None
    avg_top5_ms: int | None
    avg_top10_ms: int | None
    avg_top15_ms: int | None
    top3_consecutive_ms: int | None
    std_dev_s: float | None
    consistency_pct: float | None
    racer: Racer | None
    stats_basis: str | None


@dataclass(frozen=True, slots=True)
class RacePage:
    head: Head
    days: Days | None
    panel_heading: str
    panel: Panel | None
    race_number: int | None
    race_label: str
    round_label: str | None
    length_text: str | None
    length_ms: int | None
    length_laps: int | None
    columns: tuple[str, ...]
    results: tuple[Result, ...]
    racers: tuple[Racer, ...]

    @property
    def stats_basis(self) -> str | None:
        """The basis most drivers of the race agree on."""
        votes = Counter(row.stats_basis for row in self.results if row.stats_basis)
        return votes.most_common(1)[0][0] if votes else None


def read_race(page: str | bytes) -> RacePage:
    """Results and laps. Raises UnexpectedPage when table, headings or a driver's laps are missing."""
    html = as_text(page)
    table_start = _TABLE.search(html)
    if table_start is None:
        raise UnexpectedPage(page=PAGE, selector="table.race_result", excerpt=html[-1500:])
    table_end = html.find("</table>", table_start.start())
    if table_end < 0:
        raise UnexpectedPage(
            page=PAGE,
            selector="table.race_result",
            why="is cut off",
            excerpt=html[table_start.start() :][-600:],
        )
    top = _BREADCRUMB.search(html, 0, table_start.start())
    begin = top.start() if top else 0
    script_start = _SCRIPT.search(html, begin, table_start.start())
    head_end = script_start.start() if script_start else table_start.start()
    headings = _headings(html[begin:head_end])
    if "panel-heading" not in headings:
        raise UnexpectedPage(page=PAGE, selector=".panel-heading", excerpt=html[begin:head_end])
    panel_heading = headings["panel-heading"]
    head = Head(
        title=title_of(html[:begin]),
        h1=headings.get("h1"),
        h3=headings.get("h3"),
        h5=headings.get("h5"),
    )
    racers = read_racers(html[head_end : table_start.start()])
    tree = etree.HTML(html[table_start.start() : table_end + 8]).find(".//table")
    facts = _table_facts(tree)
    columns = _columns(tree)
    results = _read_rows(tree, columns, racers)
    return RacePage(
        head=head,
        days=_days(head),
        panel_heading=panel_heading,
        panel=_panel(panel_heading),
        race_number=_whole(facts.get("race_num")),
        race_label=facts.get("class_header") or "",
        round_label=facts.get("Round"),
        length_text=facts.get("Length"),
        length_ms=_length_ms(facts.get("Length")),
        length_laps=_length_laps(facts.get("Length")),
        columns=tuple(columns),
        results=tuple(results),
        racers=tuple(racers),
    )


def basis_of(racer: Racer) -> str | None:
    """Which lap set gives the published average and deviation back; None if neither does.

    Deviation is the population's; both are compared to the thousandths the script prints.
    """
    average, deviation = racer.figures["avgLap"], racer.figures["stdDeviation"]
    times = [lap.ms for lap in racer.laps]
    best, best_error = None, _HALF_STEP_MS
    for basis, counted in ((ALL_LAPS, times), (FROM_LAP_2, times[1:])):
        if not counted or average is None:
            continue
        count, total = len(counted), sum(counted)
        error = abs(total / count - average * 1000)
        if deviation is not None:
            # whole numbers, so nothing is lost before the root
            variance = count * sum(map(mul, counted, counted)) - total * total
            error = max(error, abs(sqrt(variance) / count - deviation * 1000))
        if error < best_error:
            best, best_error = basis, error
    return best


def _read_rows(tree: etree._Element, columns: list[str], racers: list[Racer]) -> list[Result]:
    rows = []
    for row in tree.iter("tr"):
        if row.getparent().tag in ("thead", "tfoot"):
            continue
        cells = row.findall("td")
        if len(cells) < len(_NEEDED):
            continue  # a message across the table
        try:
            rows.append(_read_row(dict(zip(columns, cells, strict=False))))
        except (ValueError, KeyError) as broken:
            raise UnexpectedPage(
                page=PAGE,
                selector="table.race_result tbody tr",
                why=f"cannot be read ({broken})",
                excerpt=etree.tostring(row, encoding="unicode"),
            ) from broken
    return _with_racers(rows, racers)


def _read_row(cells: dict) -> dict:
    driver = cells["Driver"]
    parts: dict[str, etree._Element] = {}
    driver_id = None
    for node in driver.iter("span", "a"):
        parts.setdefault(node.get("class", ""), node)
        driver_id = driver_id or node.get("data-driver-id")
    name = parts.get("driver_name")
    laps_time = _cell(cells["Laps/Time"])
    laps, _, total = laps_time.partition("/")
    fast = cells.get("Fastest Lap")
    sup = fast.find("sup") if fast is not None else None
    return {
        "position": _whole(_cell(cells["Pos"])),
        "car_number": _whole(_cell(parts.get("car_num"))),
        "driver_name": _cell(name if name is not None else driver),
        "table_driver_id": driver_id,
        "qual": _whole(_cell(cells.get("Qual"))),
        "laps_time_text": laps_time,
        "laps": int(laps or 0),
        "total_ms": to_ms(total),
        "behind_text": _cell(cells.get("Behind")),
        "fast_lap_ms": to_ms(squeeze(fast.text)) if fast is not None else None,
        "fast_lap_number": _whole(_cell(sup).strip("()")),
        "avg_lap_ms": to_ms(_sort_value(cells.get("Avg Lap"))),
        "avg_top5_ms": to_ms(_sort_value(cells.get("Avg Top 5"))),
        "avg_top10_ms": to_ms(_sort_value(cells.get("Avg Top 10"))),
        "avg_top15_ms": to_ms(_sort_value(cells.get("Avg Top 15"))),
        "top3_consecutive_ms": to_ms(_sort_value(cells.get("Top 3 Consecutive"))),
        "std_dev_s": _float(_cell(cells.get("Std. Deviation"))),
        "consistency_pct": _float(_cell(cells.get("Consistency")).rstrip("%")),
    }


def _with_racers(rows: list[dict], racers: list[Racer]) -> list[Result]:
    """Join rows to the script by id; link-less rows by name among the ids no row claims."""
    by_id = {racer.driver_id: racer for racer in racers}
    claimed = {row["table_driver_id"] for row in rows}
    free = [racer for racer in racers if racer.driver_id not in claimed]
    results = []
    for row in rows:
        linked = row["table_driver_id"]
        if linked is not None:
            racer = by_id.get(linked)
            if racer is None and row["laps"]:
                raise UnexpectedPage(
                    page=PAGE, selector=f"racerLaps[{linked}]", excerpt=row["driver_name"]
                )
        else:
            wanted = row["driver_name"].casefold()
            racer = next((one for one in free if one.name.casefold() == wanted), None)
            if racer is not None:
                free.remove(racer)
        results.append(
            Result(
                **row,
                driver_id=linked or (racer.driver_id if racer else None),
                racer=racer,
                stats_basis=basis_of(racer) if racer else None,
            )
        )
    return results


def _headings(html: str) -> dict[str, str]:
    """Texts of the breadcrumb headings by tag and of the first panel by its class."""
    found: dict[str, str] = {}
    tree = etree.HTML(html)
    for node in tree.iter("h1", "h3", "h5", "div") if tree is not None else ():
        if "page-header" in node.get("class", ""):
            found.setdefault(node.tag, _cell(node))
        elif node.get("class") == "panel-heading":
            found.setdefault("panel-heading", _cell(node))
    return found


def _table_facts(tree: etree._Element) -> dict[str, str]:
    facts: dict[str, str] = {}
    head = tree.find("thead")
    for node in head.iter("div", "span") if head is not None else ():
        kind, words = node.get("class", ""), _cell(node)
        if kind == "class_sub_header":
            name, _, value = words.partition(":")
            facts[name.strip()] = value.strip()
        elif kind in ("race_num", "class_header"):
            facts[kind] = words
    return facts


def _columns(tree: etree._Element) -> list[str]:
    rows = tree.findall("thead/tr")
    columns = [_cell(cell) for cell in rows[-1].iter("th")] if rows else []
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise UnexpectedPage(
            page=PAGE,
            selector=f"table.race_result th {missing[0]!r}",
            excerpt=etree.tostring(tree, encoding="unicode"),
        )
    return columns


def _cell(node: etree._Element | None) -> str:
    if node is None:
        return ""
    return " ".join((("".join(node.itertext()) if len(node) else node.text) or "").split())


def _sort_value(node: etree._Element | None) -> str:
    """The hidden value of a cell, whose plain text would read '117.6151:57.615'."""
    if node is None:
        return ""
    for child in node:
        if "hidden" in child.get("class", ""):
            return _cell(child)
    return _cell(node)


def _whole(value: str | None) -> int | None:
    """A number, or None for a blank or a word such as DNF in its place."""
    return int(value) if value and value.isdecimal() else None


def _float(value: str) -> float | None:
    return float(value) if value else None


def _panel(heading: str) -> Panel | None:
    found = _PANEL.fullmatch(heading)
    if found is None:
        return None
    return Panel(found["label"], found["code"], int(found["round"]), int(found["race"]))


def _length_ms(text: str | None) -> int | None:
    found = _TIMED.search(text or "")
    return to_ms(found[1]) if found else None


def _length_laps(text: str | None) -> int | None:
    found = _LENGTH_LAPS.fullmatch(text or "")
    return int(found[1]) if found else None


def _days(head: Head) -> Days | None:
    try:
        return days(head.h5) if head.h5 else None
    except ValueError:
        return None
