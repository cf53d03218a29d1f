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
    stands = Stands(port, told)
    viewers = [asyncio.create_task(stands.viewer(number)) for number in range(VIEWERS)]
    failed = await stands.left_outside()
    version = await asyncio.to_thread(stands.version)
    for n in range(COMMANDS):
        version += 1
        await stands.change(version, "/flags", {"flag": ("sc", "red")[n % 2], "at_ms": n * 60_000})
    for n in range(1, LAPS + 1):
        lap = {"source": "bench", "key": str(n), "kind": "lap", "lap": n, "at_ms": n * 240_000}
        await stands.change(n * 1_000, "/feed", lap)
    await asyncio.sleep(2)
    for one in viewers:
        one.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return stands.seen, failed


class Stands:
    """Viewers on their streams: when each change was sent, and how much later each of them saw it.

    A change is known by a mark: a command by the version it makes, a lap by 1,000 times its number.
    """

    def __init__(self, port: int, told: dict):
        self.port, self.told = port, told
        self.base, self.headers = wall_of(port, told)
        self.seen: dict[int, dict[int, float]] = {}
        self.sent: dict[int, float] = {}
        self.ready = asyncio.Semaphore(0)

    async def viewer(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"GET /live/?topic=strategy:{self.told['id']} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Cookie: sessionid={self.told['cookie']}\r\n\r\n".encode()
        )
        await writer.drain()
        event = b""
        try:
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    event = line.strip()
                elif line.startswith(b"data: ") and event == b"event: hello":
                    self.ready.release()
                elif line.startswith(b"data: ") and event.startswith(b"event: strategy:"):
                    self.note(number, json.loads(line[6:]))
        finally:
            writer.close()

    def note(self, viewer: int, data: dict) -> None:
        mark = data.get("laps", 0) * 1_000 or data["live"]
        if mark in self.sent:
            took = time.monotonic() - self.sent[mark]
            self.seen.setdefault(mark, {}).setdefault(viewer, took)

    async def left_outside(self) -> int:
        """Wait for every viewer's stream; how many did not open."""
        failed = 0
        for _ in range(VIEWERS):
            try:
                await asyncio.wait_for(self.ready.acquire(), 60)
            except TimeoutError:
                failed += 1
        return failed

    async def change(self, mark: int, path: str, body: dict) -> None:
        self.sent[mark] = time.monotonic()
        await asyncio.to_thread(self.send, path, body)
        await asyncio.sleep(0.1)

    def send(self, path: str, body: dict) -> None:
        answer = requests.post(self.base + path, json=body, headers=self.headers, timeout=30)
        answer.raise_for_status()

    def version(self) -> int:
        return requests.get(self.base, headers=self.headers, timeout=30).json()["version"]


def wall_of(port: int, told: dict) -> tuple[str, dict[str, str]]:
    """The wall's address in the API, and the headers that open it."""
    base = f"http://127.0.0.1:{port}/api/v1/strategies/{told['id']}/live"
    return base, {"Authorization": f"Bearer {told['token']}"}


def timed_reads(port: int, told: dict) -> float:
    base, headers = wall_of(port, told)
    times = []
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
