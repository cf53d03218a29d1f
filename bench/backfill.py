"""A million races without a session type: given one, and taken back, with the memory it takes.

BACKFILL_RACES makes it lighter. The command runs in a process of its own, so memory is its own.
"""

import json
import os
import subprocess
import sys

from bench.figures import Figure
from bench.scratch import scratch_database

RACES = int(os.environ.get("BACKFILL_RACES", "1000000"))
TARGET_S, TARGET_MB = 120, 64
PER_EVENT = 40

CHILD = """
import json, re, sys, time
from pathlib import Path
from django.conf import settings
settings.DATABASES["default"].update(json.loads(sys.argv[1]))
import django; django.setup()
from ingestion.services import session_types
def peak():  # of this program alone: getrusage would tell of the parent it was forked from
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
seen = {}
def note(step):
    seen.setdefault("early" if step.done <= step.total // 10 else "late", peak())
    seen["end"] = peak()
began, clock, cpu = peak(), time.perf_counter(), time.process_time()
if sys.argv[2] == "backfill":
    done = session_types.backfill(min_confidence="low", on_progress=note)
    told = {"seen": done.seen, "changed": done.changed, "ok": done.is_consistent, "conflicts": done.conflicts}
else:
    done = session_types.roll_back(run_id=int(sys.argv[3]), on_progress=note)
    told = {"seen": done.restored + done.kept, "changed": done.restored, "ok": not done.kept}
print(json.dumps(told | {"s": time.perf_counter() - clock, "cpu": time.process_time() - cpu, "base": began, "end": peak(), **seen}))
"""


def run() -> list[Figure]:
    import django

    django.setup()
    with scratch_database("bench_backfill"):
        from ingestion.models import Race, SessionTypeBackfill

        fill()
        forth = child("backfill")
        if not forth["ok"] or forth["seen"] != RACES or forth["changed"] != RACES:
            raise AssertionError(f"not every race has its line: {forth}")
        back = child("rollback", str(SessionTypeBackfill.objects.get().pk))
        left = Race.objects.exclude(session_type=None).count()
        if not back["ok"] or back["changed"] != RACES or left:
            raise AssertionError(f"not every race came back: {back}, {left} left")
    return [
        timed("types given", forth),
        Figure(
            "memory above its start", forth["end"] - forth["base"], "MB", TARGET_MB,
            note=f"{forth['end'] - forth['late']:.1f} MB of it after the first tenth",
        ),
        timed("rolled back", back),
    ]  # fmt: skip


def timed(name: str, told: dict) -> Figure:
    note = f"by the clock; {told['cpu']:.0f} s of our own CPU time, the rest is the database"
    return Figure(f"{name}, {RACES:,} races", told["s"], "s", TARGET_S, note=note)


def child(*args: str) -> dict:
    from django.db import connection

    values = connection.settings_dict
    where = {name: str(values[name]) for name in ("NAME", "HOST", "PORT", "USER", "PASSWORD")}
    found = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(where), *args],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "racecontrol.settings"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode:
        raise AssertionError(found.stderr[-2000:])
    return json.loads(found.stdout.splitlines()[-1])


def fill() -> None:
    """Meetings of 40 races: practice, seeding, qualifying, mains of three classes, and every
    hundredth race torn between its header and its code."""
    from django.db import connection

    from ingestion.models import Track

    Track.objects.create(slug="bench", name="Bench", timezone="UTC")
    events = -(-RACES // PER_EVENT)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ingestion_event (id, track_id, source_event_id, kind, name, starts_on, ends_on,"
            " timezone, surface, state, parsed_hash)"
            " SELECT n, (SELECT id FROM ingestion_track), n::text, 'race', 'Event ' || n,"
            " date '2005-01-01' + n %% 7000, date '2005-01-01' + n %% 7000, 'UTC', '', 'imported', ''"
            " FROM generate_series(1, %s) AS n",
            [events],
        )
        cursor.execute(
            "INSERT INTO ingestion_raceclass (id, event_id, name, key)"
            " SELECT (n - 1) * 3 + c + 1, n, 'Class ' || n %% 500 || '-' || c, 'class ' || n %% 500 || '-' || c"
            " FROM generate_series(1, %s) AS n, generate_series(0, 2) AS c",
            [events],
        )
        cursor.execute(FILL_RACES, [RACES])
        cursor.execute("VACUUM ANALYZE ingestion_race")


# Race r of its event: 1-8 practice, 9-12 seeding, 13-30 qualifying, 31-40 mains.
FILL_RACES = """
INSERT INTO ingestion_race (id, event_id, race_class_id, source, source_race_id, round_label, round_code,
    race_number, label, main, branch, heat, heats, run_order, completed_at, started_at, length_ms,
    session_type_confidence, session_type_signals, session_type_override, stats_basis, state,
    failure, parsed_hash)
SELECT n, event, (event - 1) * 3 + n %% 3 + 1, 'race', n::text,
    CASE WHEN r <= 8 THEN 'Practice Round 1' WHEN r <= 12 THEN 'Seeding Round 1'
         WHEN r <= 30 THEN 'Qualifier Round ' || r %% 3 + 1 ELSE 'Main Events' END,
    CASE WHEN n %% 100 = 7 THEN 'M' WHEN n %% 10 = 3 THEN '' WHEN r <= 8 THEN 'P'
         WHEN r <= 12 THEN 'S' WHEN r <= 30 THEN 'Q' ELSE 'M' END,
    r,
    'Class ' || event %% 500 || '-' || n %% 3
        || CASE WHEN r <= 30 THEN ' (Heat ' || r %% 6 + 1 || '/6)' ELSE ' ' || chr(65 + r %% 4) || '-Main' END,
    CASE WHEN r <= 30 THEN '' ELSE chr(65 + r %% 4) END, '',
    CASE WHEN r <= 30 THEN r %% 6 + 1 END, CASE WHEN r <= 30 THEN 6 END, r,
    timestamptz '2005-01-01 12:00Z' + event * interval '1 day' + r * interval '12 minutes',
    timestamptz '2005-01-01 12:00Z' + event * interval '1 day' + r * interval '12 minutes',
    300000, '', '[]', '', '', 'imported', '', md5(n::text)
FROM (SELECT n, (n - 1) / 40 + 1 AS event, (n - 1) %% 40 + 1 AS r FROM generate_series(1, %s) AS n) AS made
"""
