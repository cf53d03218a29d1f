"""An event of 32 races, 12 drivers and 40 laps each, from stored pages into the database."""

import time
from datetime import timedelta

from bench.figures import Figure
from bench.scratch import scratch_database

NAME = "import"  # a word no module can be called by
RACES, DRIVERS, LAPS = 32, 12, 40
TARGET = 20_000
EVENT = "900000"
ROUNDS = 5


def run() -> list[Figure]:
    import django

    django.setup()
    from django.conf import settings

    with scratch_database("bench_import"):
        settings.LIVERC_PER_MINUTE = settings.LIVERC_PER_DAY = 1_000_000
        settings.LIVERC_URL_TEMPLATE = "http://127.0.0.1:9/{track}"  # nobody answers there
        fill_store()
        rounds = []
        for _ in range(ROUNDS):
            forget_rows()
            rounds.append(imported())
        wall, cpu = (max(rates) for rates in zip(*rounds, strict=True))
        return [
            Figure(
                f"{RACES} races x {DRIVERS} drivers x {LAPS} laps", wall, "laps/s", TARGET,
                more_is_better=True,
                note="by the clock, the whole job in the worker's code: stored pages unpacked, read and "
                "saved, a commit per race, progress written, bump-ups found; our process and the "
                f"database's together take a core's second for {cpu:.0f} laps; best of {ROUNDS}",
            )
        ]  # fmt: skip


def imported() -> tuple[float, float]:
    """Laps a second by the clock, and per second of CPU of us and our backend; every lap must be there."""
    from ingestion.models import Lap
    from ingestion.services.imports import request_import
    from racecontrol.shared import jobs

    wanted = RACES * DRIVERS * LAPS
    job = request_import(source_event_id=EVENT, track_slug="bench", by=None)
    clock, cpu = time.perf_counter(), cpu_seconds()
    jobs.run_now(job)
    clock, cpu = time.perf_counter() - clock, cpu_seconds() - cpu
    stored = Lap.objects.filter(result__race__event__source_event_id=EVENT).count()
    if job.state != "done" or job.result["failed"] or {stored, job.result["laps"]} != {wanted}:
        raise AssertionError(f"{stored} of {wanted} laps; {job.message} {job.result}")
    return wanted / clock, wanted / cpu


def cpu_seconds() -> float:
    """What this process and the database's process that serves it have used of a core."""
    import psutil
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), inet_server_addr() IS NULL")
        pid, is_local = cursor.fetchone()
    if not is_local:
        return time.process_time()
    theirs = psutil.Process(pid).cpu_times()
    return time.process_time() + theirs.user + theirs.system


class FromSite:
    """The stand-in's pages without a network, to fill the store."""

    def __init__(self, site):
        self.site = site

    def get(self, url: str, *, etag: str = "", last_modified: str = ""):
        from urllib.parse import urlsplit

        from ingestion.liverc.client import Answer

        parts = urlsplit(url)
        body = self.site.body_of(f"{parts.path}?{parts.query}") or ""
        return Answer(url=url, status=200 if body else 404, body=body.encode())


def meeting():
    """Four classes of twelve, seven qualifiers and a main each; every car drives forty laps."""
    import random
    from datetime import datetime

    from ingestion.fake_liverc.facts import Formula, Meeting, Race, Racer, Run, Track
    from ingestion.fake_liverc.simulate import classify

    rng = random.Random(4)
    track = Track("bench", "Bench", "", "Bench", "", "", "Australia", "AU", "Australia/Sydney")
    names = [f"1/{scale} Class" for scale in (5, 8, 10, 12)]
    formulas = tuple(Formula(name, 1, 30_000, 1_200_000, {"A": 1_200_000}) for name in names)
    entries = {
        name: tuple(
            Racer(1000 * n + m, f"Driver {n} {m}", f"{n}{m:03}", 1.0) for m in range(DRIVERS)
        )
        for n, name in enumerate(names, start=1)
    }
    races, done = [], datetime(2026, 11, 14, 8)
    for number in range(RACES):
        name = names[number % 4]
        heat = number // 4 + 1
        is_main = heat == RACES // 4
        runs = [
            Run(racer, slot, tuple(rng.randint(29_000, 33_000) for _ in range(LAPS)))
            for slot, racer in enumerate(entries[name], start=1)
        ]
        done += timedelta(minutes=25)
        races.append(
            Race(
                id=90_000_000 + number,
                number=number + 1,
                round="Main Events" if is_main else f"Qualifier Round {heat}",
                code="M1" if is_main else f"Q{heat}",
                class_name=name,
                suffix="A-Main" if is_main else "(Heat 1/1)",
                length_ms=1_140_000,
                completed_at=done,
                runs=classify(runs),
                letter="A" if is_main else "",
            )
        )
    return Meeting(
        id=900_000, track=track, name="Bench Cup", first_day=done.date(), last_day=done.date(),
        listed_at=done, formulas=formulas, entries=entries, races=tuple(races), is_short=False,
    )  # fmt: skip


def fill_store() -> None:
    """Every page of the event into the page store, by importing it once from the stand-in."""
    from ingestion.fake_liverc.site import Site
    from ingestion.fake_liverc.world import World
    from ingestion.models import Track
    from ingestion.services.imports import import_event

    held = meeting()

    class OneMeeting(World):
        def track(self, slug):
            return held.track

        def meeting(self, track, event_id):
            return held if event_id == held.id else None

        def race(self, track, race_id):
            return held, held.race(race_id)

    Track.objects.create(slug="bench", name="Bench", timezone="Australia/Sydney", city="Bench")
    import_event(source_event_id=EVENT, track_slug="bench", source=FromSite(Site(OneMeeting())))


def forget_rows() -> None:
    """Only the pages stay, all of them fresh."""
    from django.utils.timezone import now

    from ingestion.models import BumpUp, Driver, DriverTransponder, Event, Race, StoredPage

    BumpUp.objects.all().delete()
    Race.objects.all().delete()
    Event.objects.all().delete()
    DriverTransponder.objects.all().delete()
    Driver.objects.all().delete()
    StoredPage.objects.update(fresh_until=now() + timedelta(hours=1))
