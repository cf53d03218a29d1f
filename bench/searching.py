"""The search over everything as it is typed, over a hundred thousand drivers and events of years.

Requests are those of the palette: through every middleware, view and template, for its part alone.
Each is another name, asked for letter by letter as somebody types it.
"""

import time
from statistics import median, quantiles

from bench.figures import Figure
from bench.scratch import scratch_database

NAME = "search"
TRACKS, EVENTS, RACES, DRIVERS = 600, 20_000, 15, 100_000
LIMIT_MS = 150
ROUNDS = 3
TYPED = (
    "marten velde",
    "anoukx",
    "spring cup",
    "winter series truggy a-main",
    "silver 12",
    "new run plan",
    "ostrava",
)
FIRST = [
    "anouk",
    "marten",
    "june",
    "tomasz",
    "priya",
    "sora",
    "eli",
    "nikau",
    "mara",
    "bram",
    "kester",
    "juno",
    "imre",
    "odile",
]
LAST = [
    "velde",
    "okafor",
    "lindqvist",
    "rey",
    "brandt",
    "hanabi",
    "menon",
    "tawera",
    "petrov",
    "novak",
    "lane",
    "moreau",
]
EVENT = ["spring", "autumn", "winter", "summer", "harvest", "lantern", "harbour", "club"]
KIND = ["cup", "series", "round", "enduro", "gala", "open"]
TOWN = ["silver", "ostrava", "bendigo", "harrow", "lund", "tampere", "oslo"]
LABEL = ["buggy", "truggy", "truck", "touring", "stadium"]


def run() -> list[Figure]:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    with scratch_database("bench_search"):
        fill()
        client = Client(HTTP_HOST="localhost")
        client.force_login(get_user_model().objects.create_user("bench"))
        ask(client, "warm up")
        rounds = [[ask(client, words) for words in beginnings()] for _ in range(ROUNDS)]
    spent = min(rounds, key=lambda one: quantiles(one, n=20)[-1])
    told = f"{DRIVERS:,} drivers, {EVENTS:,} events, {EVENTS * RACES:,} races"
    note = (
        f"by the clock, median {median(spent):.0f} ms, slowest {max(spent):.0f} ms of {len(spent)}"
    )
    return [
        Figure(
            f"{told}, p95", quantiles(spent, n=20)[-1], "ms", LIMIT_MS,
            note=f"{note} beginnings of names; the quietest of {ROUNDS} rounds",
        )
    ]  # fmt: skip


def beginnings() -> list[str]:
    """What the palette is asked while somebody types each of the names."""
    return [
        words[:length]
        for words in TYPED
        for length in range(2, len(words) + 1)
        if words[length - 1].isalnum()
    ]


def ask(client, words: str) -> float:
    """Milliseconds of one answer of the palette."""
    began = time.perf_counter()
    answer = client.get(
        "/search/",
        {"q": words},
        headers={"HX-Request": "true", "HX-Target": "palette-found"},
    )
    spent = (time.perf_counter() - began) * 1000
    if answer.status_code != 200 or b"palette-found" not in answer.content:
        raise AssertionError(f"{words!r} answered {answer.status_code}")
    return spent


def fill() -> None:
    from django.db import connection

    def pick(words: list[str], by: str) -> str:
        return f"(ARRAY{words})[1 + abs(hashint4({by})) % {len(words)}]"

    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ingestion_track (slug, name, address, city, state, postcode, country,"
            f" timezone, timezone_origin, website, logo_url, status, activity, has_video, is_featured)"
            f" SELECT 'bench' || n, initcap({pick(TOWN, 'n')}) || ' ' || n, '', '', '', '', 'AU',"
            f" 'UTC', '', '', '', 0, '', false, false FROM generate_series(1, {TRACKS}) AS n"
        )
        cursor.execute(
            f"INSERT INTO ingestion_driver (source_driver_id, name, name_key)"
            f" SELECT n::text, upper(name), name FROM (SELECT n, {pick(FIRST, 'n')} || ' ' ||"
            f" {pick(LAST, 'n + 7')} || ' ' || n AS name FROM generate_series(1, {DRIVERS}) AS n) AS d"
        )
        cursor.execute(
            f"INSERT INTO ingestion_event (track_id, source_event_id, kind, name, starts_on, ends_on,"
            f" timezone, surface, state, parsed_hash) SELECT t.id, n::text, 'race',"
            f" initcap({pick(EVENT, 'n')}) || ' ' || initcap({pick(KIND, 'n + 3')}) || ' ' || n % 40,"
            f" date '2010-01-01' + n / 4, date '2010-01-01' + n / 4, 'UTC', '', 'imported', ''"
            f" FROM generate_series(1, {EVENTS}) AS n"
            f" JOIN ingestion_track AS t ON t.slug = 'bench' || 1 + n % {TRACKS}"
        )
        cursor.execute(
            f"INSERT INTO ingestion_raceclass (event_id, name, key)"
            f" SELECT e.id, initcap(c), c FROM ingestion_event AS e, unnest(ARRAY{LABEL}) AS c"
        )
        cursor.execute(
            f"INSERT INTO ingestion_race (event_id, race_class_id, source, source_race_id, round_label,"
            f" round_code, label, main, branch, run_order, session_type_confidence,"
            f" session_type_signals, session_type_override, stats_basis, state, failure, parsed_hash)"
            f" SELECT c.event_id, c.id, 'race', c.id || '-' || n, '', 'M',"
            f" c.name || ' ' || chr(64 + n) || '-Main', '', '', n, '', '[]', '', '', 'imported', '', ''"
            f" FROM ingestion_raceclass AS c, generate_series(1, {RACES} / {len(LABEL)}) AS n"
        )
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself after a while
