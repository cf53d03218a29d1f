"""A race page read into results and laps, beside BeautifulSoup's html.parser alone on the same page."""

import gc
import time

from bench.figures import Figure

ROUNDS = 20


def cpu_ms(*works) -> list[float]:
    """CPU milliseconds of one call of each, in turns: the least disturbed call of each counts.

    Each is called twice in its turn, and what the other left behind is cleared away before: neither
    pays for the other's rubbish or for a cold cache.
    """
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, mine in zip(works, spent, strict=True):
            gc.collect()
            for _ in range(2):
                began = time.process_time()
                work()
                mine.append((time.process_time() - began) * 1000)
    return [min(mine) for mine in spent]


def pages() -> dict[str, str]:
    """Our own stand-in's largest race, and the recorded pages where they lie beside the project."""
    import django

    django.setup()
    from ingestion.fake_liverc.people import DEMO
    from ingestion.fake_liverc.site import Site
    from ingestion.fake_liverc.world import DEMO_EVENT_ID, World
    from racecontrol.testing.shared_cases import shared_path

    world = World(seed=1)
    race = world.meeting(world.track(DEMO), DEMO_EVENT_ID).races[-1]
    body = Site(world).body_of(f"/{DEMO}/results/?p=view_race_result&id={race.id}")
    found = {"stand-in": body}
    for name in ("race_6304829_amain_2026", "race_6304830_bmain_2026"):
        if (path := shared_path(f"liverc/dev/{name}.html")) is not None:
            found[name] = path.read_text()
    return found


def run() -> list[Figure]:
    from bs4 import BeautifulSoup

    rows = []
    for name, html in pages().items():
        from ingestion.liverc.pages.race import read_race

        ours, peer = cpu_ms(
            lambda html=html: read_race(html),
            lambda html=html: BeautifulSoup(html, "html.parser"),
        )
        rows.append(
            Figure(
                name, ours, "ms", peer / 6,
                note=f"at most a sixth of html.parser alone: {peer:.1f} ms; {len(html) / 1000:.0f} kB, "
                f"CPU time, best of {ROUNDS} in turns",
            )
        )  # fmt: skip
    return rows
