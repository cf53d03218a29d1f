"""Reading a large Apple Health export: megabytes of XML a second on one core, and memory above base."""

import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path

from bench.figures import Figure

SIZE_MB = 500
KINDS = [
    ("HeartRate", "count/min"),
    ("ActiveEnergyBurned", "kcal"),
    ("StepCount", "count"),
    ("BasalEnergyBurned", "kcal"),
]
DEVICE = "&lt;&lt;HKDevice: 0x28, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,1&gt;"


def write_export(path: Path, megabytes: int) -> int:
    """An export of about `megabytes` of XML, a thousand records a day; returns its exact bytes."""
    chance, day, size = random.Random(1), date(2015, 1, 1), 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box,
        box.open("apple_health_export/export.xml", "w", force_zip64=True) as out,
    ):
        out.write(b'<?xml version="1.0"?><!DOCTYPE HealthData [<!ELEMENT x (y)>]>\n<HealthData>\n')
        while size < megabytes * 1_000_000:
            rows = []
            for n in range(1000):
                kind, unit = KINDS[n % 4]
                at = f"{day} {n // 60 % 24:02}:{n % 60:02}:00 +0100"
                rows.append(
                    f' <Record type="HKQuantityTypeIdentifier{kind}" sourceName="Watch" '
                    f'sourceVersion="10.1" device="{DEVICE}" unit="{unit}" creationDate="{at}" '
                    f'startDate="{at}" endDate="{at}" value="{chance.randint(50, 180)}">\n'
                    '  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>\n </Record>\n'
                )
            block = "".join(rows).encode()
            out.write(block)
            size += len(block)
            day += timedelta(days=1)
        out.write(b"</HealthData>")
    return size


def measure(path: str) -> None:
    """In a process of its own, so that memory is its own: prints CPU seconds and KiB above base."""
    from coaching.uploads.apple_health import read_export

    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with open(path, "rb") as file:  # noqa: PTH123 - what the storage hands out
        export = read_export(file)
    spent = time.process_time() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
    print(spent, grown, export.records)


def run() -> list[Figure]:
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.zip"
        size = write_export(path, SIZE_MB)
        code = f"from bench.health import measure; measure({str(path)!r})"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
        )
    seconds, grown, records = done.stdout.split()
    rate, above = size / 1e6 / float(seconds), int(grown) / 1024
    return [
        Figure(
            "XML read", rate, "MB/s", 50, more_is_better=True,
            note=f"{size / 1e6:.0f} MB, {records} records, CPU time of one core",
        ),
        Figure(
            "memory above base", above, "MB", 64, note="peak resident size of the reading process"
        ),
    ]  # fmt: skip
