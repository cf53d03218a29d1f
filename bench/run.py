"""make bench [NAME=frame,parse] [KEEP=1]: every module of bench/ that has `run() -> list[Figure]`, as one table.

Each entry runs in a process of its own, one after another: none pays for another's memory or
connections, and one that breaks does not hide the others. KEEP=1 writes docs/performance.md too.
"""

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "racecontrol.settings")

from bench.figures import Figure, table
from bench.keeping import FIGURE_COLUMNS, keep, this_machine

LONGEST_S = 1_800
Measured = dict[str, tuple[float, list[Figure]]]


def entries() -> dict[str, ModuleType]:
    """Every entry by its name: the module's, or its NAME where that is a word of Python."""
    names = sorted(m.name for m in pkgutil.iter_modules([str(ROOT / "bench")]))
    modules = [importlib.import_module(f"bench.{name}") for name in names if name != "run"]
    return {
        getattr(module, "NAME", module.__name__.partition(".")[2]): module
        for module in modules
        if hasattr(module, "run")
    }


def main(wanted: list[str], *, is_kept: bool) -> int:
    known = list(entries())
    if unknown := set(wanted) - set(known):
        print(f"no such entry: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    machine = this_machine()
    measured: Measured = {}
    broken = []
    for name in wanted or known:
        print(f"-- {name}", end="", flush=True)
        began = time.monotonic()
        try:
            found = measured_alone(name)
        except RuntimeError as fault:
            broken.append(name)
            print(f": BROKE\n{fault}", flush=True)
        else:
            measured[name] = (time.monotonic() - began, found)
            print(f": {measured[name][0]:.0f} s", flush=True)
            if is_kept:  # at once: a run that is broken off keeps what it has
                keep({name: measured[name]}, machine=machine)
    print(f"\n{machine}")
    print("\n".join(table(rows_of(measured), FIGURE_COLUMNS)))
    limited = [f.is_met for _, found in measured.values() for f in found if f.is_met is not None]
    print(f"{sum(limited)} of {len(limited)} limits met", end="")
    print(f"; broke: {', '.join(broken)}" if broken else "")
    return 1 if broken else 0


def rows_of(measured: Measured) -> list[dict[str, str]]:
    return [{"entry": name} | f.cells() for name, (_, found) in measured.items() for f in found]


def measured_alone(name: str) -> list[Figure]:
    """The entry's figures from a process of its own. Raises RuntimeError with its last words."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "figures.json"
        command = [sys.executable, __file__, "--alone", name, "--into", str(answer)]
        try:
            done = subprocess.run(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=LONGEST_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise RuntimeError(f"{name} took longer than {LONGEST_S} s.") from late
        if done.returncode or not answer.exists():
            raise RuntimeError(done.stdout[-2000:])
        return [Figure(**one) for one in json.loads(answer.read_text())]


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("names", nargs="*")
    options.add_argument("--keep", action="store_true")
    options.add_argument("--alone")
    options.add_argument("--into", type=Path)
    told = options.parse_args()
    if told.alone:
        told.into.write_text(json.dumps([f.data() for f in entries()[told.alone].run()]))
        sys.exit(0)
    names = [name for name in " ".join(told.names).replace(",", " ").split() if name]
    sys.exit(main(names, is_kept=told.keep))
