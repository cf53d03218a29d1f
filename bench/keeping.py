"""docs/performance.md: the figures kept from one measuring to the next, with machine and date.

An entry that is measured again replaces its own rows; all others stay as they were.
"""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_uppercase

import psutil

from bench.figures import Figure, table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN = "<!-- below: written by `make bench KEEP=1` -->"
MACHINES, ENTRIES, FIGURES = "## Machines", "## Entries", "## Figures"
MACHINE_COLUMNS = ("machine", "what it is")
ENTRY_COLUMNS = ("entry", "took", "date", "machine")
FIGURE_COLUMNS = ("entry", "figure", "target", "measured", "ratio", "verdict", "note")

Rows = list[dict[str, str]]


def keep(
    measured: dict[str, tuple[float, list[Figure]]], *, machine: str, page: Path = PAGE
) -> None:
    """Write these entries (seconds taken, figures) into the page.

    Raises ValueError if the page has lost the mark below which it is written.
    """
    head, mark, kept = page.read_text().partition(BEGIN)
    if not mark:
        raise ValueError(f"{page.name} has no line {BEGIN!r}: nothing was kept.")
    machines, entries, figures = (rows_below(kept, t) for t in (MACHINES, ENTRIES, FIGURES))
    letter = next((row["machine"] for row in machines if row["what it is"] == machine), "")
    if not letter:
        taken = {row["machine"] for row in machines}
        letter = next(one for one in ascii_uppercase if one not in taken)
        machines.append({"machine": letter, "what it is": machine})
    entries = [row for row in entries if row["entry"] not in measured]
    figures = [row for row in figures if row["entry"] not in measured]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for name, (seconds, found) in measured.items():
        took = f"{seconds:.0f} s"
        entries.append({"entry": name, "took": took, "date": today, "machine": letter})
        figures += [{"entry": name} | figure.cells() for figure in found]
    used = {row["machine"] for row in entries}
    parts = (
        (MACHINES, [row for row in machines if row["machine"] in used], MACHINE_COLUMNS),
        (ENTRIES, sorted(entries, key=lambda row: row["entry"]), ENTRY_COLUMNS),
        (FIGURES, sorted(figures, key=lambda row: row["entry"]), FIGURE_COLUMNS),
    )
    text = [head + BEGIN]
    for title, rows, columns in parts:
        text += ["", title, "", *table(rows, columns)]
    page.write_text("\n".join(text) + "\n")


def rows_below(text: str, title: str) -> Rows:
    """The rows of the table below this title; none where there is no such table."""
    part = text.partition(title + "\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]] if cells else []


def this_machine() -> str:
    """Processor, cores, memory, system, Python and PostgreSQL, in one line."""
    memory = psutil.virtual_memory().total / 2**30
    return ", ".join([
        processor(), f"{os.cpu_count()} cores", f"{memory:.0f} GB",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}", f"PostgreSQL {postgres()}",
    ])  # fmt: skip


def processor() -> str:
    """The processor's name as Linux tells it; elsewhere its family."""
    info = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return named[1].strip() if named else platform.processor() or platform.machine()


def postgres() -> str:
    import django

    django.setup()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = str(cursor.fetchone()[0])
    connection.close()
    return version
