"""make lint's second half: mypy over what calculates, reads and saves. Run with the project's Python."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("domain", "queries", "services", "access", "llm")


def main() -> int:
    found = [ROOT / "racecontrol" / "shared"]
    for app in ("ingestion", "runplans", "strategy", "coaching"):
        for room in ROOMS:
            found += [p for p in (ROOT / app / room, ROOT / app / f"{room}.py") if p.exists()]
    names = [str(path.relative_to(ROOT)) for path in found]
    return subprocess.call([sys.executable, "-m", "mypy", *names], cwd=ROOT)


sys.exit(main())
