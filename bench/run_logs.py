"""A CSV of 100,000 laps into the run log, as the worker reads it: time and growth of memory."""

import os
import resource
import time
from collections.abc import Iterator

from bench.figures import Figure
from bench.scratch import scratch_database

LAPS = 100_000
SHAPES = {"100 heats of 1,000 laps": 100, "1,000 heats of 100 laps": 1000}
TARGET_S = 10


def run() -> list[Figure]:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.utils.timezone import localdate

    from coaching.services import garage

    with scratch_database("bench_run_logs"):
        user = get_user_model().objects.create_user(username="bench")
        rows = []
        for label, heats in SHAPES.items():
            session = garage.create_session(by=user, name="Bench", start_date=localdate())
            rows.append(measure(label, heats, session, user))
        return rows


def measure(label: str, heats: int, session, user) -> Figure:
    """Keep the file and read it, as `coaching.tasks.import_lap_file` does; then once more."""
    from coaching.models import LapFile
    from coaching.services import lap_files

    def keep() -> LapFile:
        row, _ = lap_files.request_import(
            by=user, name="bench.csv", content=[csv_of(heats).encode()], session_id=session.pk
        )
        return row

    file = keep()
    before = peak_mb()
    began, cpu = time.perf_counter(), time.process_time()
    report = lap_files.read_file(file)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    grown = peak_mb() - before
    began = time.perf_counter()
    again = lap_files.read_file(keep())
    assert (report.stored, again.stored) == (LAPS, 0), (report, again)
    return Figure(
        f"CSV of {LAPS:,} laps, {label}", took, "s", TARGET_S,
        note=f"stored and scored, {cpu:.1f} s of them ours; peak memory +{grown:.0f} MB; "
        f"again (nothing new) {time.perf_counter() - began:.1f} s",
    )  # fmt: skip


def csv_of(heats: int) -> str:
    return "".join(lines_of(heats))


def lines_of(heats: int) -> Iterator[str]:
    """Laps of 58 s with a little scatter, no two heats alike."""
    yield "heat_name,lap_number,lap_time,confidence_rating,flag\n"
    for heat in range(heats):
        for lap in range(1, LAPS // heats + 1):
            ms = 58_000 + (lap * 7919 + heat * 104_729) % 997
            yield f"Run {heat + 1},{lap},{ms // 1000}.{ms % 1000:03},,\n"


def peak_mb() -> float:
    """Highest resident memory so far, in MB (Linux counts in kB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if os.uname().sysname == "Darwin" else 1024)
