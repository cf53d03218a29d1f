"""The pit wall on this machine: how soon 200 viewers see a change, and what the wall costs.

One site, started as `make run` starts it; 200 signed-in streams on loopback; a strategist's commands
and a bridge's laps over HTTP. An update counts as seen when its bytes are read from the stream.
"""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import requests

from bench.figures import Figure
from racecontrol.testing.running import ENVIRONMENT, RunningSet, until

VIEWERS = 200
COMMANDS = 20
LAPS = 20
PREPARE = """
import json
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from racecontrol.shared import tokens
from strategy.services.live import race
from strategy.services.live.frame import Order
from strategy.tests.builders import make_person, make_strategy
owner = make_person("bench")
strategy = make_strategy(owner, drivers=3, hours=24, lap_ms=240_000)
race.open_race(strategy_id=strategy.pk, by=owner, is_training=True, speed=10_000)
race.set_state(Order(strategy.pk, owner), state="racing")
_, secret = tokens.make(by=owner, name="bench", scope="write")
client = Client()
client.force_login(owner, backend=settings.AUTHENTICATION_BACKENDS[0])
cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
print("READY " + json.dumps({"id": strategy.pk, "token": secret, "cookie": cookie}))
"""


def run() -> list[Figure]:
    place = Path(tempfile.mkdtemp(prefix="race control wall "))
    running = RunningSet(place / "site", "--no-demo")
    try:
        running.start()
        told = prepare(running)
        seen, failed = asyncio.run(watch(running.port, told))
        read = timed_reads(running.port, told)
    finally:
        stop(running)
        running.clean_up()
        shutil.rmtree(place, ignore_errors=True)
    slowest = [max(times.values()) for times in seen.values()]
    every = [one for times in seen.values() for one in times.values()]
    lost = (COMMANDS + LAPS) * VIEWERS - len(every)
    return [
        row("worst of all viewers, worst of all updates", 1.0, max(slowest), f"{len(every)} deliveries"),
        row("worst viewer of an update, median", 1.0, median(slowest), f"{VIEWERS} streams, one process"),
        row("an update at a viewer, median", 1.0, median(every), "from the commit's answer or sooner"),
        Figure("updates lost", lost, "", 0, note=f"{failed} streams could not be opened"),
        row("the whole wall read, median", 0.3, read, "GET /live over HTTP, 24 h, 20 laps in"),
    ]  # fmt: skip


def prepare(running: RunningSet) -> dict:
    done = subprocess.run(
        running.command("shell", "-v0", "-c", PREPARE), cwd=running.folder, env=ENVIRONMENT,
        check=True, timeout=120, capture_output=True, text=True,
    )  # fmt: skip
    line = next(n for n in done.stdout.splitlines() if n.startswith("READY "))
    return json.loads(line.removeprefix("READY "))


async def watch(port: int, told: dict) -> tuple[dict[int, dict[int, float]], int]:
    """Seconds from sending a change to each viewer's first reading it, by change and viewer; streams
    that failed."""
    seen: dict[int, dict[int, float]] = {}
    sent: dict[int, float] = {}
    ready, failed = asyncio.Semaphore(0), 0

    async def viewer(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /live/?topic=strategy:{told['id']} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Cookie: sessionid={told['cookie']}\r\n\r\n".encode()
        )
        await writer.drain()
        event = b""
        try:
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    event = line.strip()
                elif line.startswith(b"data: ") and event == b"event: hello":
                    ready.release()
                elif line.startswith(b"data: ") and event.startswith(b"event: strategy:"):
                    data = json.loads(line[6:])
                    mark = data.get("laps", 0) * 1_000 or data["live"]
                    if mark in sent:
                        took = time.monotonic() - sent[mark]
                        seen.setdefault(mark, {}).setdefault(number, took)
        finally:
            writer.close()

    viewers = [asyncio.create_task(viewer(number)) for number in range(VIEWERS)]
    for _ in range(VIEWERS):
        try:
            await asyncio.wait_for(ready.acquire(), 60)
        except TimeoutError:
            failed += 1
    base = f"http://127.0.0.1:{port}/api/v1/strategies/{told['id']}/live"
    headers = {"Authorization": f"Bearer {told['token']}"}

    def version_now() -> int:
        return requests.get(base, headers=headers, timeout=30).json()["version"]

    def send(path: str, body: dict) -> None:
        requests.post(base + path, json=body, headers=headers, timeout=30).raise_for_status()

    version = await asyncio.to_thread(version_now)
    for n in range(COMMANDS):
        version += 1
        sent[version] = time.monotonic()
        await asyncio.to_thread(send, "/flags", {"flag": ("sc", "red")[n % 2], "at_ms": n * 60_000})
        await asyncio.sleep(0.1)
    for n in range(1, LAPS + 1):
        sent[n * 1_000] = time.monotonic()
        lap = {"source": "bench", "key": str(n), "kind": "lap", "lap": n, "at_ms": n * 240_000}
        await asyncio.to_thread(send, "/feed", lap)
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    for one in viewers:
        one.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return seen, failed


def timed_reads(port: int, told: dict) -> float:
    base = f"http://127.0.0.1:{port}/api/v1/strategies/{told['id']}/live"
    headers, times = {"Authorization": f"Bearer {told['token']}"}, []
    for _ in range(20):
        began = time.monotonic()
        requests.get(base, headers=headers, timeout=30).raise_for_status()
        times.append(time.monotonic() - began)
    return median(times)


def row(name: str, limit: float, measured: float, note: str) -> Figure:
    return Figure(name, measured, "s", limit, note=note)


def stop(running: RunningSet) -> None:
    if running.process is not None and running.process.poll() is None:
        running.process.terminate()
        running.process.wait(60)
    until(lambda: not running.left_over(), "nothing is left")
