"""The whole set on this machine: how long until it serves, and how much memory it takes."""

import shutil
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from racecontrol.testing.running import RunningSet, until


def run() -> list[Figure]:
    place = Path(tempfile.mkdtemp(prefix="race control "))
    running = RunningSet(place / "site")
    try:
        first = running.start()
        until(lambda: running.workers("default") and running.workers("slow"), "all workers")
        until(lambda: demo_is_in(running), "the demo event", 300)
        imported = time.monotonic() - running.started_at
        until(lambda: open_jobs(running) == 0, "the demo's other jobs", 300)
        memory = running.memory()
        stopped = stop(running)
        second = running.start()
        stop(running)
    finally:
        running.clean_up()
        shutil.rmtree(place, ignore_errors=True)
    return [
        Figure("first start", first, "s", 60, note="packages installed, empty database"),
        Figure("demo event imported", imported, "s", 60, note="from nothing, by the worker"),
        Figure("second start", second, "s", 5),
        Figure("Ctrl-C", stopped, "s", 5, note="until nothing is left"),
        Figure("memory of the whole set", memory / 2**20, "MB", note="PSS: all processes of it"),
    ]


def demo_is_in(running: RunningSet) -> bool:
    return bool(
        running.ask(
            "SELECT 1 FROM ingestion_event WHERE kind = 'race' AND last_ingested_at IS NOT NULL"
        )
    )


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
