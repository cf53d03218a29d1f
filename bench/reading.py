"""The race page and the driver page over five million laps: server time, and how many queries.

Requests go through every middleware, view and template, as they do from a browser; only the wire
is left out. Each page is another race or driver, all of them asked for once before the clock runs.
"""

import time
from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles

from bench.figures import Figure
from bench.scratch import scratch_database

NAME = "read"
SCALES = (8, 10, 12, 5)  # a class each, every class eight rounds
TRACKS, EVENTS, RACES, STARTERS, LAPS = 25, 326, 32, 12, 40
DRIVERS = 2_000
REGULARS = 40  # drivers of many races, whose pages are asked for
LIMIT_MS = 100
ROUNDS = 5


def run() -> list[Figure]:
    import django

    django.setup()
    from django.test import Client

    with scratch_database("bench_read"):
        fill()
        client = Client(HTTP_HOST="localhost")
        client.force_login(somebody())
        return [
            row(f"{kind} page, {laps()} laps stored", client, addresses)
            for kind, addresses in (("race", race_pages()), ("driver", driver_pages()))
        ]


def row(name: str, client, addresses: list[str]) -> Figure:
    """95th percentile of the answer's time; every page must come, with the same number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(addresses[0])  # flags and settings are read once and kept
    queries = set()
    for address in addresses:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        if answer.status_code != 200:
            raise AssertionError(f"{address} answered {answer.status_code}")
        queries.add(len(captured))
    if len(queries) != 1:
        raise AssertionError(f"{name}: between {min(queries)} and {max(queries)} queries")
    rounds = [measured(client, addresses) for _ in range(ROUNDS)]
    spent, ours = min(rounds, key=lambda one: quantiles(one[0], n=20)[-1])
    p95 = quantiles(spent, n=20)[-1]
    return Figure(
        f"{name}, p95", p95, "ms", LIMIT_MS,
        note=f"by the clock, median {median(spent):.0f} ms, our own CPU p95 "
        f"{quantiles(ours, n=20)[-1]:.0f} ms; {queries.pop()} queries whichever page, "
        f"{len(answer.content) / 1000:.0f} kB; the quietest of {ROUNDS} rounds over {REGULARS} pages",
    )  # fmt: skip


def measured(client, addresses: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of each answer by the clock, and of this process's CPU."""
    spent, ours = [], []
    for address in addresses:
        began, worked = time.perf_counter(), time.process_time()
        client.get(address)
        spent.append((time.perf_counter() - began) * 1000)
        ours.append((time.process_time() - worked) * 1000)
    return spent, ours


def somebody():
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_user("bench")


def laps() -> int:
    from ingestion.models import Lap

    return Lap.objects.count()


def race_pages() -> list[str]:
    """Races spread over all events, all of their twelve drivers drawn and listed."""
    from django.urls import reverse

    from ingestion.models import Race, RaceResult

    every = list(Race.objects.order_by("pk").values_list("pk", flat=True))
    pages = []
    for pk in every[:: len(every) // REGULARS][:REGULARS]:
        drivers = RaceResult.objects.filter(race_id=pk).values_list("driver_id", flat=True)
        chosen = "&".join(f"driver={one}" for one in drivers)
        pages.append(f"{reverse('ingestion:race', args=[pk])}?{chosen}")
    return pages


def driver_pages() -> list[str]:
    """Those who drove most."""
    from django.db.models import Count
    from django.urls import reverse

    from ingestion.models import Driver

    busiest = Driver.objects.annotate(n=Count("results")).order_by("-n", "pk")[:REGULARS]
    return [reverse("ingestion:driver", args=[one.pk]) for one in busiest]


def fill() -> None:
    """Meetings of 32 races with 12 drivers and 40 laps each, until there are five million laps."""
    import random

    from ingestion.models import Driver, RaceResult
    from ingestion.services.bulk import copy_results, fresh_ids

    rng = random.Random(11)
    drivers = Driver.objects.bulk_create(
        Driver(source_driver_id=str(n), name=f"DRIVER {n}", name_key=f"driver {n}")
        for n in range(DRIVERS)
    )
    races = listed_races(listed_events())
    for at in range(0, len(races), 1000):
        copy_results(list(results(races[at : at + 1000], drivers, rng, fresh_ids, RaceResult)))
    drive_laps()


def listed_events():
    """A meeting a week, in turn at each of the tracks."""
    from ingestion.models import Event, Track

    tracks = Track.objects.bulk_create(
        Track(slug=f"bench{n}", name=f"Bench {n}", timezone="Australia/Sydney")
        for n in range(TRACKS)
    )
    return Event.objects.bulk_create(
        Event(
            track=tracks[n % TRACKS],
            source_event_id=str(n),
            name=f"Round {n}",
            starts_on=(day := date(2020, 1, 4) + timedelta(weeks=n)),
            ends_on=day,
            timezone="Australia/Sydney",
            state=Event.State.IMPORTED,
        )
        for n in range(EVENTS)
    )


def listed_races(events):
    """The classes of each event, and their races in turn."""
    from ingestion.models import Race, RaceClass

    classes = RaceClass.objects.bulk_create(
        RaceClass(event=event, name=f"1/{scale} Buggy", key=f"1/{scale} buggy")
        for event in events
        for scale in SCALES
    )
    return Race.objects.bulk_create(
        [
            Race(
                event=event,
                race_class=classes[len(SCALES) * at + number % len(SCALES)],
                source_race_id=f"{at}-{number}",
                label=f"1/{SCALES[number % len(SCALES)]} Buggy (Heat 1/1)",
                round_label=f"Qualifier Round {number // len(SCALES) + 1}",
                heat=1,
                heats=1,
                race_number=number + 1,
                run_order=number + 1,
                completed_at=datetime.combine(event.starts_on, datetime.min.time(), UTC)
                + timedelta(minutes=25 * number),
                length_ms=1_200_000,
                state=Race.State.IMPORTED,
                stats_basis="all",
            )
            for at, event in enumerate(events)
            for number in range(RACES)
        ],
        batch_size=2000,
    )


def drive_laps() -> None:
    """Every lap of every result, made by the database itself."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # our own rows: no need to ask
        cursor.execute(
            "INSERT INTO ingestion_lap (result_id, number, ms, position) "
            "SELECT r.id, n, 29000 + (hashint8(r.id * 64 + n) & 4095), r.position "
            "FROM ingestion_raceresult AS r, generate_series(1, %s) AS n",
            [LAPS],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")


def results(races, drivers, rng, fresh_ids, model):
    """Twelve rows a race, one field per class of an event; a few race nearly every week."""
    ids = iter(fresh_ids(model, len(races) * STARTERS))
    fields: dict[int, list[int]] = {}
    for race in races:
        if race.race_class_id not in fields:
            offset = race.race_class_id % len(SCALES)
            often = {len(SCALES) * int(rng.expovariate(0.1)) + offset for _ in range(STARTERS // 2)}
            seldom = rng.sample(range(400, DRIVERS), STARTERS)
            fields[race.race_class_id] = [*often, *seldom][:STARTERS]
        for place, driver in enumerate(fields[race.race_class_id], start=1):
            yield {
                "id": next(ids),
                "race_id": race.pk,
                "driver_id": drivers[driver].pk,
                "row_key": drivers[driver].source_driver_id,
                "source_driver_id": drivers[driver].source_driver_id,
                "driver_name": drivers[driver].name,
                "transponder": "",
                "position": place,
                "car_number": place,
                "qual": place,
                "grid": place,
                "laps": LAPS,
                "total_ms": 1_200_000 + 1000 * place,
                "behind_text": "",
                "fast_lap_ms": 29_000 + 10 * place + race.run_order,
                "fast_lap_number": 7,
                "avg_lap_ms": 30_500 + 10 * place,
                "consistency_pct": "95.000",
                "stats_basis": "all",
                "outcome": "finished",
                "outcome_reason": "",
            }
