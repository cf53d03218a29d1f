"""The main pages of the demo on a phone: what a first and a second visit cost in Chromium.

The set is started as `make run` starts it. A first visit has an empty cache, the second is the same
page again. Bytes are what came over the wire, headers too. Paint and load are Chromium's own
clock from the moment of asking, on loopback. Queries and server time are taken inside the set.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import Figure, number
from bench.frame import open_jobs, stop
from racecontrol.testing.find_browser import find_browser
from racecontrol.testing.running import ENVIRONMENT, RunningSet, until

PHONE = {"width": 390, "height": 844}
VISITS = 3  # of each kind; their median counts
STRANGERS = "landing"

# Runs inside the set: the addresses, a login, and what each page costs the server.
INSIDE = """
import json, time
from statistics import median
from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from coaching.models import Session
from ingestion.models import Driver, Event, Race
from racecontrol.models import User
from runplans.models import RunPlan
from strategy.models import RaceStrategy, StrategyEvent
from strategy.services.live import race
from strategy.services.live.frame import Order
demo = User.objects.get(username="demo")
strategy = RaceStrategy.objects.get(name="Plan A")
race.open_race(strategy_id=strategy.pk, by=demo, is_training=True, speed=60)
race.set_state(Order(strategy.pk, demo), state="racing")
raced = Event.objects.filter(kind="race").annotate(n=Count("races__results")).order_by("-n")[0]
longest = Race.objects.filter(event=raced).annotate(n=Count("results__lap_rows")).order_by("-n")[0]
driver = Driver.objects.annotate(n=Count("results")).order_by("-n")[0]
logged = Session.objects.annotate(n=Count("heats__laps")).order_by("-n")[0]
day = Event.objects.get(kind="practice_day")
pages = {
    "landing": "/", "dashboard": "/",
    "timing": reverse("ingestion:home"), "event": reverse("ingestion:event", args=[raced.pk]),
    "race": reverse("ingestion:race", args=[longest.pk]),
    "driver": reverse("ingestion:driver", args=[driver.pk]),
    "practice day": reverse("ingestion:practice-day", args=[day.pk]),
    "run plan": reverse("runplans:plan", args=[RunPlan.objects.filter(owner=demo)[0].pk]),
    "endurance event": reverse("strategy:event", args=[StrategyEvent.objects.get().pk]),
    "strategy board": reverse("strategy:strategy", args=[strategy.pk]),
    "wall": reverse("strategy:wall", args=[strategy.pk]),
    "coaching": reverse("coaching:home"),
    "run log": reverse("coaching:session", args=[logged.pk]),
    "missions": reverse("coaching:missions"),
}
signed_in = Client(HTTP_HOST="localhost")
signed_in.force_login(demo, backend=settings.AUTHENTICATION_BACKENDS[0])
told = {}
for name, url in pages.items():
    client = Client(HTTP_HOST="localhost") if name == STRANGERS else signed_in
    client.get(url)
    times = []
    for _ in range(7):
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            answer = client.get(url)
            times.append(1000 * (time.perf_counter() - began))
    assert answer.status_code == 200, (name, url, answer.status_code)
    told[name] = {"url": url, "queries": len(queries), "ms": median(times), "plain": len(answer.content)}
cookie = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
print("TOLD " + json.dumps({"pages": told, "cookie": cookie}))
"""

PAINTS = """() => new Promise((done) => {
  const told = (largest) => done({
    fcp: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
    lcp: largest,
    load: performance.getEntriesByType("navigation")[0].loadEventEnd,
    nodes: document.querySelectorAll("*").length,
  });
  new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime))
    .observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(() => told(null), 3000);
})"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure of every page: where it is kept, what the worst page may have."""

    name: str
    key: str
    unit: str
    most: float


LIMITS = (
    Limit("first visit", "kb", "kB", 150),
    Limit("first visit, requests", "requests", "", 20),
    Limit("first visit, first contentful paint", "fcp", "ms", 1_000),
    Limit("first visit, largest contentful paint", "lcp", "ms", 1_500),
    Limit("first visit, loaded", "load", "ms", 1_500),
    Limit("second visit", "again kb", "kB", 50),
    Limit("second visit, first contentful paint", "again fcp", "ms", 500),
    Limit(
        "elements of the page", "nodes", "", 3_000
    ),  # a race page lists every lap, for who sees no chart
    Limit("queries", "queries", "", 30),
    Limit("server time", "ms", "ms", 200),
)


def run() -> list[Figure]:
    place = Path(tempfile.mkdtemp(prefix="race control pages "))
    running = RunningSet(place / "site")
    try:
        running.start()
        until(lambda: running.workers("default") and running.workers("slow"), "all workers")
        until(lambda: open_jobs(running) == 0, "the demo's imports", 300)
        told = from_inside(running)
        found = visited(f"http://127.0.0.1:{running.port}", told)
        stop(running)
    finally:
        running.clean_up()
        shutil.rmtree(place, ignore_errors=True)
    return [worst(limit, found) for limit in LIMITS]


def worst(limit: Limit, found: dict[str, dict[str, float]]) -> Figure:
    """The page that has most of it, and all the others in the note."""
    each = {page: values[limit.key] for page, values in found.items()}
    order = sorted(each, key=lambda page: -each[page])
    note = ", ".join(f"{page} {number(each[page])}" for page in order)
    return Figure(f"{limit.name}, worst page", each[order[0]], limit.unit, limit.most, note=note)


def from_inside(running: RunningSet) -> dict[str, Any]:
    done = subprocess.run(
        running.command("shell", "-v0", "-c", INSIDE.replace("STRANGERS", repr(STRANGERS))),
        cwd=running.folder, env=ENVIRONMENT, timeout=300, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    line = next(one for one in done.stdout.splitlines() if one.startswith("TOLD "))
    return json.loads(line.removeprefix("TOLD "))


def visited(base: str, told: dict[str, Any]) -> dict[str, dict[str, float]]:
    """By page: medians over the visits, and what the server said of it."""
    found = {}
    with chromium() as browser:
        for name, page in told["pages"].items():
            cookie = "" if name == STRANGERS else told["cookie"]
            visits = [visit(browser, base, page["url"], cookie) for _ in range(VISITS)]
            found[name] = {key: median(one[key] for one in visits) for key in visits[0]}
            found[name] |= {"queries": page["queries"], "ms": page["ms"]}
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = find_browser()
    if path is None:
        raise AssertionError("no Chromium or Chrome here (set BROWSER_PATH)")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()


def visit(browser: Any, base: str, url: str, cookie: str) -> dict[str, float]:
    """One page with an empty cache, and the same page again."""
    context = browser.new_context(viewport=PHONE, base_url=base)
    if cookie:
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": base}])
    page = context.new_page()
    counts: dict[str, float] = defaultdict(float)
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.requestWillBeSent", lambda _: counts.update(asked=counts["asked"] + 1))
    wire.on(
        "Network.loadingFinished",
        lambda end: counts.update(kb=counts["kb"] + end["encodedDataLength"] / 1000),
    )
    first = look(page, url, counts)
    page.goto("about:blank")
    counts.clear()
    again = look(page, url, counts)
    context.close()
    return first | {f"again {key}": value for key, value in again.items()}


def look(page: Any, url: str, counts: dict[str, float]) -> dict[str, float]:
    """Open the page and wait until it has asked for nothing new for half a second."""
    page.goto(url, wait_until="load")
    seen, quiet = -1.0, 0
    deadline = time.monotonic() + 10
    while quiet < 5 and time.monotonic() < deadline:
        page.wait_for_timeout(100)
        quiet = quiet + 1 if counts["asked"] == seen else 0
        seen = counts["asked"]
    paints = page.evaluate(PAINTS)
    if paints["fcp"] is None or paints["lcp"] is None:
        raise AssertionError(f"{url} was never painted")
    return paints | {"kb": counts["kb"], "requests": counts["asked"]}
