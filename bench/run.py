"""make bench [NAME=frame,parse]: every module of bench/ with a `run() -> list[dict]`, as one table.

A row is {"entry", "target", "measured", "ratio", "note"}: what was asked, what was measured on
this machine just now, and how it stands to the peer or limit the entry names.
"""

import importlib
import os
import pkgutil
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ("entry", "target", "measured", "ratio", "note")


def main(wanted: list[str]) -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "racecontrol.settings")
    names = sorted(m.name for m in pkgutil.iter_modules([str(ROOT / "bench")]))
    modules = [importlib.import_module(f"bench.{name}") for name in names if name != "run"]
    modules = [module for module in modules if hasattr(module, "run")]
    known = [getattr(one, "NAME", one.__name__.partition(".")[2]) for one in modules]
    if unknown := set(wanted) - set(known):
        print(f"no such entry: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    rows, broke = [], 0
    for name, module in zip(known, modules, strict=True):
        if wanted and name not in wanted:
            continue
        print(f"-- {name}", flush=True)
        try:
            rows += module.run()
        except Exception as error:  # noqa: BLE001 - one entry must not hide the others
            broke += 1
            rows.append({"entry": name, "note": f"BROKE: {type(error).__name__}: {error}"})
    print()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, ", end="")
    print(f"Python {platform.python_version()}")
    print(table(rows))
    return 1 if broke else 0


def table(rows: list[dict]) -> str:
    """The rows as a Markdown table with even columns."""
    cells = [[str(row.get(column, "")) for column in COLUMNS] for row in rows]
    widths = [max(len(line[i]) for line in [list(COLUMNS), *cells]) for i in range(len(COLUMNS))]

    def line(values: list[str]) -> str:
        return "| " + " | ".join(v.ljust(w) for v, w in zip(values, widths, strict=True)) + " |"

    return "\n".join([line(list(COLUMNS)), line(["-" * w for w in widths]), *map(line, cells)])


if __name__ == "__main__":
    sys.exit(main([name for name in " ".join(sys.argv[1:]).replace(",", " ").split() if name]))
