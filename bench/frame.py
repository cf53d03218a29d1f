"""The whole set on this machine: how long until it serves, and how much memory it takes."""

import shutil
import tempfile
import time
from pathlib import Path

from racecontrol.testing.running import RunningSet, until


def run() -> list[dict]:
    place = Path(tempfile.mkdtemp(prefix="race control "))
    running = RunningSet(place / "site")
    try:
        first = running.start()
        until(lambda: running.workers("default") and running.workers("slow"), "all workers")
        until(lambda: open_jobs(running) == 0, "the demo import", 300)
        imported = time.monotonic() - running.started_at
        memory = running.memory()
        stopped = stop(running)
        second = running.start()
        stop(running)
    finally:
        running.clean_up()
        shutil.rmtree(place, ignore_errors=True)
    return [
        row("first start, packages installed", 60, first, "empty database, all migrations"),
        row("demo event imported", 60, imported, "from nothing, by the worker over HTTP"),
        row("second start", 5, second, ""),
        row("Ctrl-C", 5, stopped, "until nothing is left"),
        {
            "entry": "frame: memory of the whole set",
            "target": "-",
            "measured": f"{memory / 2**20:.0f} MB",
            "note": "PSS: supervisor, web, two workers, stand-in, PostgreSQL",
        },
    ]


def row(entry: str, target: float, measured: float, note: str) -> dict:
    return {
        "entry": f"frame: {entry}",
        "target": f"<= {target} s",
        "measured": f"{measured:.1f} s",
        "ratio": f"{measured / target:.2f}",
        "note": note,
    }


def open_jobs(running: RunningSet) -> int:
    found = running.ask(
        "SELECT count(*) FROM racecontrol_job WHERE state IN ('queued', 'running', 'paused')"
    )
    return int(found[0][0])


def stop(running: RunningSet) -> float:
    began = time.monotonic()
    running.process.terminate()
    running.process.wait(60)
    until(lambda: not running.left_over(), "nothing is left")
    return time.monotonic() - began
