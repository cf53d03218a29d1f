"""10,000 events' worth of mains, searched for bump-ups from the database and searched again."""

import random
import time
from datetime import UTC, date, datetime, timedelta

from bench.figures import Figure
from bench.scratch import scratch_database

EVENTS = 10_000
TARGET_S = 60
DRIVERS = 600
DIRECT, MOVING = 8, 4
FIRST_DAY = date(2020, 1, 5)


def run() -> list[Figure]:
    import django

    django.setup()
    with scratch_database("bench_bumpups"):
        from ingestion.models import BumpUp, Event, RaceResult
        from ingestion.services.bumpups import detect_for_events

        fill()
        ids = list(Event.objects.order_by("pk").values_list("pk", flat=True))
        results = RaceResult.objects.count()
        first, found = timed(lambda: detect_for_events(ids))
        again, unchanged = timed(lambda: detect_for_events(ids))
        statistics, _ = timed(count_all)
        expected = EVENTS * 2 * MOVING
        if (found.standing, unchanged.updated, BumpUp.objects.count()) != (expected, 0, expected):
            raise AssertionError(f"expected {expected} moves, got {found} and then {unchanged}")
        with_results = f"{len(ids)} events, {results} results, {expected} moves"
        return [
            Figure("detected the first time", first, "s", 120, note=f"{with_results}, written"),
            Figure("detected again", again, "s", TARGET_S, note="nothing to change"),
            Figure("all statistics", statistics, "s", 5, note="unfiltered, seven queries"),
        ]


def count_all() -> None:
    """What the statistics page asks for without a filter."""
    from ingestion.queries import bumpup_stats
    from ingestion.queries.bumpups import bump_ups_like

    rows = bump_ups_like()
    for dimension in ("", "class", "track", "season"):
        bumpup_stats.fares(rows, dimension)
    bumpup_stats.formats(rows)
    bumpup_stats.frequent(rows)
    bumpup_stats.choices()


def timed(work):
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def fill() -> None:
    """Each event: nitro C (10 cars) to B to A (8 and 4), an electric triple A-Main, twelve heats listed."""
    from django.db import connection

    from ingestion.models import Driver, Track

    rng = random.Random(6)
    track = Track.objects.create(slug="bench", name="Bench", timezone="UTC")
    drivers = [
        driver.pk
        for driver in Driver.objects.bulk_create(
            Driver(source_driver_id=str(n), name=f"Driver {n}", name_key=f"driver {n}")
            for n in range(DRIVERS)
        )
    ]
    events, classes, races, results = [], [], [], []
    race_id = 0
    for event_id in range(1, EVENTS + 1):
        day = FIRST_DAY + timedelta(days=event_id % 2000)
        events.append((event_id, track.pk, f"{event_id}", "race", f"Event {event_id}", day, day, "UTC",
                       "", "imported", ""))  # fmt: skip
        nitro, electric = event_id * 2, event_id * 2 + 1
        classes += [(nitro, event_id, "1/8 Nitro Buggy", "1/8 nitro buggy")]
        classes += [(electric, event_id, "1/8 Electric Buggy", "1/8 electric buggy")]
        field = rng.sample(drivers, 26 + 10)
        ladder = mains(rng, field[:26], "1/8 Nitro Buggy")
        legs = [(f"1/8 Electric Buggy A{n}-Main", shuffled(rng, field[26:])) for n in (1, 2, 3)]
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        for number, (label, order) in enumerate([*ladder, *legs], start=1):
            race_id += 1
            of = nitro if "Nitro" in label else electric
            done = noon + timedelta(minutes=25 * number)
            races.append(race_row(race_id, event_id, of, label, number, done, heat=None))
            for place, (driver, slot) in enumerate(order, start=1):
                results.append((race_id, driver, f"{driver}", f"{driver}", "", "", place, slot, slot,
                                30 - place, "", "", "finished", ""))  # fmt: skip
        for heat in range(1, 13):
            race_id += 1
            label = f"1/8 Nitro Buggy (Heat {heat}/12)"
            races.append(race_row(race_id, event_id, nitro, label, heat, noon, heat=heat))
    with connection.cursor() as cursor:
        copy(cursor, "ingestion_event", "id, track_id, source_event_id, kind, name, starts_on, ends_on,"
             " timezone, surface, state, parsed_hash", events)  # fmt: skip
        copy(cursor, "ingestion_raceclass", "id, event_id, name, key", classes)
        copy(cursor, "ingestion_race", "id, event_id, race_class_id, source, source_race_id, round_label,"
             " round_code, race_number, label, main, branch, heat, run_order, completed_at, length_ms,"
             " session_type_confidence, session_type_signals, session_type_override, stats_basis, state,"
             " failure, parsed_hash", races)  # fmt: skip
        copy(cursor, "ingestion_raceresult", "race_id, driver_id, row_key, source_driver_id, driver_name,"
             " transponder, position, car_number, qual, laps, behind_text, stats_basis, outcome,"
             " outcome_reason", results)  # fmt: skip
        cursor.execute("ANALYZE")


def race_row(race_id, event_id, class_id, label, number, done, *, heat) -> tuple:
    name = "Qualifier Round 1" if heat else "Main Events"
    return (race_id, event_id, class_id, "race", f"{race_id}", name, "Q" if heat else "M", number, label,
            "", "", heat, number, done, 600_000, "", "[]", "", "", "imported", "", "")  # fmt: skip


def shuffled(rng, grid: list[int]) -> list[tuple[int, int]]:
    """A finishing order with each car's grid slot."""
    order = [(driver, slot) for slot, driver in enumerate(grid, start=1)]
    rng.shuffle(order)
    return order


def mains(rng, field: list[int], name: str) -> list[tuple[str, list[tuple[int, int]]]]:
    found, waiting = [], []
    for letter, direct in (("C", field[16:]), ("B", field[8:16]), ("A", field[:8])):
        order = shuffled(rng, [*direct, *waiting])
        found.append((f"{name} {letter}-Main", order))
        waiting = [driver for driver, _ in order[:MOVING]]
    return found


def copy(cursor, table: str, columns: str, rows: list[tuple]) -> None:
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as pipe:
        for one in rows:
            pipe.write_row(one)
