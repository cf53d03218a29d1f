"""`make bench`: what counts as met, and which rows of docs/performance.md a new measuring replaces."""

import subprocess
import sys
from typing import get_type_hints

import pytest

from bench import keeping
from bench.figures import Figure
from bench.run import ROOT, entries

MACHINE = "A quick processor, 8 cores"


@pytest.mark.parametrize(
    ("figure", "ratio", "verdict"),
    [
        (Figure("start", 20, "s", 60), "3x", "met"),
        (Figure("start", 120, "s", 60), "0.5x", "MISSED"),
        (Figure("laps", 30_000, "laps/s", 20_000, more_is_better=True), "1.5x", "met"),
        (Figure("laps", 10_000, "laps/s", 20_000, more_is_better=True), "0.5x", "MISSED"),
        (Figure("lost", 0, "", 0), "", "met"),
        (Figure("lost", 2, "", 0), "", "MISSED"),
        (Figure("proof", None, "s", 60), "", "MISSED"),
        (Figure("memory", 300, "MB"), "", ""),
    ],
)
def test_a_figure_says_how_it_stands_to_its_limit(figure, ratio, verdict):
    cells = figure.cells()

    assert (cells["ratio"], cells["verdict"]) == (ratio, verdict)


def test_an_entry_measured_again_replaces_only_its_own_rows(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"# How fast\n\n{keeping.BEGIN}\n")
    first = {
        "read": (40.0, [Figure("race page", 45, "ms", 100, note="9 | 13 queries")]),
        "wall": (30.0, [Figure("worst", 0.4, "s", 1), Figure("lost", 0, "", 0)]),
    }
    keeping.keep(first, machine="A slow processor", page=page)

    keeping.keep({"wall": (25.0, [Figure("worst", 0.2, "s", 1)])}, machine=MACHINE, page=page)

    text = page.read_text()
    figures = keeping.rows_below(text, keeping.FIGURES)
    machines = {r["machine"]: r["what it is"] for r in keeping.rows_below(text, keeping.MACHINES)}
    measured_on = {r["entry"]: r["machine"] for r in keeping.rows_below(text, keeping.ENTRIES)}
    assert [(row["entry"], row["figure"]) for row in figures] == [
        ("read", "race page"),
        ("wall", "worst"),
    ]
    assert (figures[0]["note"], figures[1]["ratio"]) == ("9 / 13 queries", "5x")
    assert machines[measured_on["wall"]] == MACHINE
    assert machines[measured_on["read"]] == "A slow processor"
    assert text.startswith("# How fast\n")


def test_machines_do_not_share_a_letter(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(keeping.BEGIN)

    for entry, machine in (
        ("read", "first"),
        ("wall", "second"),
        ("read", "third"),
        ("parse", "first"),
    ):
        keeping.keep({entry: (1.0, [])}, machine=machine, page=page)

    text = page.read_text()
    names = {r["machine"]: r["what it is"] for r in keeping.rows_below(text, keeping.MACHINES)}
    entries_on = {
        r["entry"]: names[r["machine"]] for r in keeping.rows_below(text, keeping.ENTRIES)
    }
    assert entries_on == {"read": "third", "wall": "second", "parse": "first"}


def test_a_page_that_lost_its_mark_is_left_alone(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("# How fast\n")

    with pytest.raises(ValueError, match="nothing was kept"):
        keeping.keep({"wall": (1.0, [])}, machine=MACHINE, page=page)

    assert page.read_text() == "# How fast\n"


def test_every_entry_answers_with_figures():
    said = {name: get_type_hints(entry.run)["return"] for name, entry in entries().items()}

    assert {name: what for name, what in said.items() if what != list[Figure]} == {}


def test_every_entry_is_explained_on_the_page():
    told = (ROOT / "docs" / "performance.md").read_text()

    assert [name for name in entries() if f"| `{name}` |" not in told] == []


def test_the_table_begins_without_django():
    """A bench sets it up in its own process: whatever all import must not need it."""
    command = [sys.executable, str(ROOT / "bench" / "run.py"), "no-such-entry"]

    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.returncode == 2, done.stderr
    assert "no such entry: no-such-entry; there are backfill" in done.stdout
