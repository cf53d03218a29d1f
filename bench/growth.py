"""What the database grows by: bytes on disk, with indexes, for each thing the site keeps.

A scratch database is filled through the product's own services (imports over HTTP from the stand-in,
lap files, a race on the wall, a mission with scripted replies); what the tables grew by is measured.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice

from bench.figures import Figure
from bench.scratch import scratch_database

RUN_LAPS = 20_000
TODAY = date(2026, 11, 21)
PAGES = {"ingestion.storedpage", "ingestion.fetchlog"}
PASSING = {"racecontrol.job", "racecontrol.liveevent", "django_q.ormq", "racecontrol.auditevent"}


def run() -> list[Figure]:
    import django

    django.setup()

    with scratch_database("bench_growth"):
        figures = measured()
    each = [Figure(what, size, "bytes", note=note) for what, size, note in figures]
    return each + seasons({what: size for what, size, _ in figures})


def measured() -> list[tuple[str, float, str]]:
    """(what, bytes for one, note)"""
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.create_user(username="demo", email="demo@example.org")
    small = [*mission_days(user), *wall(user), *run_logs(user)]
    with stand_in() as site:
        return [*import_races(site, user), *import_practice(site, user), *small]


@contextmanager
def stand_in():
    from django.conf import settings

    from ingestion.fake_liverc import FakeLiveRC

    with FakeLiveRC(today=TODAY) as site:
        settings.LIVERC_URL_TEMPLATE = site.url_template
        settings.LIVERC_CATALOGUE_URL = site.catalogue_url
        settings.LIVERC_PER_MINUTE = settings.LIVERC_PER_DAY = 1_000_000
        yield site


def grown(work: Callable[[], object]) -> dict[str, int]:
    """Bytes each table grew by."""
    from racecontrol.growth import sizes

    before = {size.table: size.total for size in sizes()}
    work()
    return {size.table: size.total - before[size.table] for size in sizes()}


def counted(*tables: str) -> list[int]:
    from django.apps import apps

    return [apps.get_model(table)._base_manager.count() for table in tables]


def import_races(site, user) -> list[tuple[str, float, str]]:
    from ingestion.services.imports import request_import
    from racecontrol.shared import jobs

    def work() -> None:
        for track in site.world.tracks[:3]:
            past = [p for p in site.world.programmes(track) if p.day < TODAY and p.classes]
            for programme in past[:2]:
                job = request_import(
                    source_event_id=str(programme.id), track_slug=track.slug, by=user
                )
                jobs.run_now(job)

    grew = grown(work)
    events, races, results, laps, pages = counted(
        "ingestion.event", "ingestion.race", "ingestion.raceresult", "ingestion.lap",
        "ingestion.storedpage",
    )  # fmt: skip
    rest = {n: b for n, b in grew.items() if n not in PAGES | PASSING}
    laps_b, results_b = rest.pop("ingestion.lap"), rest.pop("ingestion.raceresult")
    pages_b = grew["ingestion.storedpage"]
    return [
        ("a lap", laps_b / laps, f"{laps:,} laps"),
        ("a result", results_b / results, f"{results:,} results"),
        ("a race besides", sum(rest.values()) / races,
         f"{races:,} races of {events} events with their drivers, classes, bump-ups, scores"),
        ("a stored page", pages_b / pages, f"{pages:,} pages, compressed"),
        ("a request in the log", grew["ingestion.fetchlog"] / pages, ""),
    ]  # fmt: skip


def import_practice(site, user) -> list[tuple[str, float, str]]:
    from ingestion.domain.practice import day_id
    from ingestion.services.practice import requests
    from racecontrol.shared import jobs

    before = counted("ingestion.practicesession", "ingestion.lap")
    days = 0

    def work() -> None:
        nonlocal days
        for track in site.world.tracks[:2]:
            for day in [d for d in site.world.practice_days(track) if d < TODAY][:1]:
                jobs.run_now(
                    requests.request_import(source_event_id=day_id(track.slug, day), by=user)
                )
                days += 1

    grew = grown(work)
    after = counted("ingestion.practicesession", "ingestion.lap")
    sessions, laps = (b - a for a, b in zip(before, after, strict=True))
    rest = sum(bytes_ for name, bytes_ in grew.items() if name not in PAGES | PASSING)
    note = f"{sessions:,} sessions of {days} days, {laps / sessions:.0f} laps each, laps and result included"
    return [
        ("a practice session", rest / sessions, note),
        ("its pages", grew["ingestion.storedpage"] / sessions, "the day's listing included"),
    ]


def run_logs(user) -> list[tuple[str, float, str]]:
    from django.utils.timezone import localdate

    from bench.run_logs import lines_of
    from coaching.services import garage, lap_files

    text = "".join(islice(lines_of(1000), 1 + RUN_LAPS))

    def work() -> None:
        session = garage.create_session(by=user, name="Club day", start_date=localdate())
        row, _ = lap_files.request_import(
            by=user, name="day.csv", content=[text.encode()], session_id=session.pk
        )
        lap_files.read_file(row)

    grew = grown(work)
    (laps,) = counted("coaching.runlog")
    own = sum(grew[f"coaching.{name}"] for name in ("session", "heat", "runlog", "orpscore"))
    return [("a run-log lap", own / laps, f"{laps:,} laps with heats, sessions, scores")]


def wall(user) -> list[tuple[str, float, str]]:
    from strategy.services.live import feed, race
    from strategy.services.live.frame import Order
    from strategy.tests.builders import make_strategy

    strategy = make_strategy(user, drivers=3, hours=24, lap_ms=120_000)
    race.open_race(strategy_id=strategy.pk, by=user, is_training=True, speed=10_000)
    race.set_state(Order(strategy.pk, user), state="racing")
    laps, commands = 700, 60

    def drive() -> None:
        for start in range(0, laps, 50):
            heard = [
                feed.Told(key=str(n), kind="lap", lap=n, at_ms=n * 120_000)
                for n in range(start + 1, start + 51)
            ]
            feed.tell(strategy_id=strategy.pk, source="bench", events=heard, by=user)

    def decide() -> None:
        for n in range(commands):
            race.set_flag(Order(strategy.pk, user), flag="green" if n % 2 else "sc")

    heard, decided = grown(drive), grown(decide)
    plan = grown(lambda: make_again(user))
    return [
        ("a lap on the wall", heard["strategy.lapevent"] / laps, "24 h, one car"),
        ("a decision on the wall", of_room(decided, "strategy") / commands, "60 flags"),
        ("a strategy", of_room(plan, "strategy") / 20, "20 of 24 h, with event, car, first plan"),
    ]


def make_again(user) -> None:
    from strategy.tests.builders import make_strategy

    for n in range(20):
        make_strategy(user, name=f"Plan {n}", drivers=3, hours=24, lap_ms=120_000)


def mission_days(user) -> list[tuple[str, float, str]]:
    from django.utils.timezone import now

    from coaching.services import mission_demo, missions
    from coaching.tests.mission_builders import mission_data
    from racecontrol.shared import jobs

    days, today = 40, now().date()
    event = today + timedelta(days=days + 10)
    stages = [{"number": n, "on": f"{event + timedelta(days=n - 1)}", "type": "flat", "name": ""}
              for n in range(1, 5)]  # fmt: skip
    data = mission_data(
        prep_start=today, event_start=event, event_end=event + timedelta(days=3),
        stage_plan={"stages": stages, "rest_days": []},
    )  # fmt: skip
    mission = missions.create_mission(by=user, data=data, now=now(), is_demo=True)
    missions.change_state(mission_id=mission.pk, name="start", by=user, now=now())

    def work() -> None:
        for _ in range(days):
            mission_demo.step_clock(mission_id=mission.pk, by=user)
            for job in jobs.Job.objects.filter(state="queued", func__startswith="coaching."):
                jobs.run_now(job)

    grew = grown(work)
    assert mission.runs.filter(status="succeeded").count() >= days - 1, (
        "not every morning was written"
    )
    prompts = grew["coaching.llmexchange"]
    return [
        ("a mission day", of_room(grew, "coaching") / days, "check-in, facts, guidance, mail, prompts"),
        ("of it prompts", prompts / days, "emptied after LLM_PROMPTS_KEPT_DAYS"),
    ]  # fmt: skip


def of_room(grew: dict[str, int], room: str) -> int:
    return sum(bytes_ for name, bytes_ in grew.items() if name.startswith(f"{room}."))


def seasons(a: dict[str, float]) -> list[Figure]:
    """What a season comes to, from the figures above. docs/growth.md shows the same sums."""
    race = a["a race besides"]
    club_day = 30 * race + 360 * a["a result"] + 360 * 25 * a["a lap"] + 36 * a["a stored page"]
    practice = 20 * (60 * (a["a practice session"] + a["its pages"]))
    club = 40 * club_day + practice
    night = 6 * a["a strategy"] + 720 * a["a lap on the wall"] + 120 * a["a decision on the wall"]
    athlete = 300 * a["a mission day"] + 150 * 60 * a["a run-log lap"]
    rows = [
        ("a club", club, "40 race days of 30 races with 12 drivers (25 laps each), 20 practice days of 60 sessions"),
        ("a team", 10 * night, "10 races of 24 h: 6 strategies, 720 laps, 120 decisions each"),
        ("an athlete", athlete, "300 mission days, 150 sessions of 60 laps; prompts not yet emptied"),
    ]  # fmt: skip
    return [Figure(f"a season of {who}", size / 2**20, "MB", note=note) for who, size, note in rows]
