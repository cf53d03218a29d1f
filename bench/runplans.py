"""Run plans made and read per second, beside a FastAPI + SQLAlchemy peer, in one call.

Both are the real thing: one worker process under uvicorn (uvloop, httptools) on one core, the
embedded PostgreSQL with its durability on, eight connections kept busy by this process. Rounds
alternate, so that what else the machine does meets both. Ours checks, limits, counts and logs
as in production (logs to /dev/null); the peer does none of that.
"""

import asyncio
import base64
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bench.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "bench" / "runplans_peer"
DATABASE = "racecontrol_bench_runplans"
CLIENTS, SECONDS, ROUNDS = 8, 2.0, 4
TIMES, PEER_NAME = 2, "x FastAPI + SQLAlchemy"
URL = "/api/v1/run-plans"
BODY = {
    "title": "Friday long run",
    "objective": "baseline",
    "required_laps": 37,
    "target_pace_s": 101.5,
    "fuel_burn_l_per_lap": 3.2,
    "car": {"tank_capacity_l": 60, "name": "Oreca"},
    "track": {"name": "Spa", "length_km": 7.004, "pit_lane_loss_s": 24.5},
    "weather": {"air_temp_c": 21.5, "conditions": "dry"},
    "driver": {"name": "Rae Ducker"},
}


@dataclass
class Measured:
    """One round of one kind of request against one server."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


@dataclass
class Server:
    name: str
    process: subprocess.Popen
    port: int
    token: str = ""
    rounds: dict[str, list[Measured]] = field(
        default_factory=lambda: {"POST": [], "GET": [], "TOKEN": []}
    )

    def best(self, kind: str) -> Measured:
        return max(self.rounds[kind], key=lambda one: one.rate)


def run() -> list[Figure]:
    import django

    django.setup()
    with bench_database() as bench, contextlib.ExitStack() as stack:
        mine = stack.enter_context(serving("ours", our_command, bench.ours))
        peer = stack.enter_context(serving("peer", peer_command, bench.peers))
        stack.enter_context(leaving_the_first_core(os.getpid(), bench.postmaster))
        mine.token = bench.token
        for server in (mine, peer):  # warm caches, plans and connections
            measure(server, "POST", seconds=0.5)
            measure(server, "GET", seconds=0.5)
        for turn in range(ROUNDS):
            for server in (mine, peer) if turn % 2 else (peer, mine):
                for kind in ("POST", "GET"):
                    server.rounds[kind].append(measure(server, kind, seconds=SECONDS))
            mine.rounds["TOKEN"].append(measure(mine, "TOKEN", seconds=SECONDS))
    return [row_of(kind, mine, peer) for kind in ("POST", "GET")] + [token_row(mine, peer)]


@contextlib.contextmanager
def leaving_the_first_core(*pids: int) -> Iterator[None]:
    """Load and database on the other cores, where there are some: the first is the server's."""
    import psutil

    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        yield
        return
    everything = os.sched_getaffinity(0)

    def move(cores: set[int]) -> None:
        for pid in filter(None, pids):
            with contextlib.suppress(psutil.Error, OSError):
                os.sched_setaffinity(pid, cores)
                for child in psutil.Process(pid).children() if pid != os.getpid() else ():
                    os.sched_setaffinity(child.pid, cores)

    move(everything - {min(everything)})
    try:
        yield
    finally:
        move(everything)


def row_of(kind: str, mine: Server, peer: Server) -> Figure:
    ours, theirs = mine.best(kind), peer.best(kind)
    ratios = [a.rate / b.rate for a, b in zip(mine.rounds[kind], peer.rounds[kind], strict=True)]

    def cpu(server: Server) -> float:
        return statistics.median(one.cpu_us for one in server.rounds[kind])

    return Figure(
        kind, statistics.median(ratios), PEER_NAME, TIMES, more_is_better=True,
        note=f"ours {speed(ours)}; peer {speed(theirs)}; "
        f"CPU a request {cpu(mine):.0f} against {cpu(peer):.0f} us; "
        f"best of {ROUNDS} rounds, their ratios {min(ratios):.1f} to {max(ratios):.1f}",
    )  # fmt: skip


def speed(one: Measured) -> str:
    return f"{one.rate:.0f}/s, p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms"


def token_row(mine: Server, peer: Server) -> Figure:
    """The same with a token, as in production; the peer knows no tokens."""
    ours = mine.best("TOKEN")
    pairs = zip(mine.rounds["TOKEN"], peer.rounds["POST"], strict=True)
    return Figure(
        "POST with a token", statistics.median(a.rate / b.rate for a, b in pairs), PEER_NAME, TIMES,
        more_is_better=True,
        note=f"ours {speed(ours)}; owner, scope, end and limit of the token looked up each time; "
        "the peer's POST has no auth",
    )  # fmt: skip


# -- servers -------------------------------------------------------------------------------------


@dataclass
class Bench:
    """Environments of both servers, a token for ours, the database's process if it is local."""

    ours: dict[str, str]
    peers: dict[str, str]
    token: str
    postmaster: int


MAKE_TOKEN = """
import django; django.setup()
from racecontrol.models import User
from racecontrol.shared import tokens
print(tokens.make(by=User.objects.create_user("bench"), name="bench", scope="write")[1])
"""


@contextlib.contextmanager
def bench_database() -> Iterator[Bench]:
    """A database of its own on the server of this checkout."""
    import psutil
    import psycopg
    from django.db import connection

    told = connection.settings_dict
    user, host, port = told["USER"], told["HOST"], str(told["PORT"] or "")
    password = f":{quote(told['PASSWORD'], safe='')}" if told["PASSWORD"] else ""
    at_port = f":{port}" if port else ""
    # A socket stands in the path: postgres://user@//folder/of/the/socket/database
    place = f"{at_port}/{quote(host)}" if host.startswith("/") else f"{host}{at_port}"
    options = {"host": host, "port": port, "user": user, "password": told["PASSWORD"]}
    options = {key: value for key, value in options.items() if value}
    drop = f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)'
    with psycopg.connect(dbname=told["NAME"], autocommit=True, **options) as server:
        server.execute(drop)
        server.execute(f'CREATE DATABASE "{DATABASE}"')
        ours = os.environ | {
            "DATABASE_URL": f"postgres://{user}{password}@{place}/{DATABASE}",
            "DEBUG": "false",
            "SECRET_KEY": "only-for-this-benchmark-" + "x" * 40,
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECURE_SSL_REDIRECT": "false",
            "RUN_PLANS_ANONYMOUS": "true",
            "API_ANONYMOUS_WRITES_PER_MINUTE": "1000000000",  # counted all the same
            "API_WRITES_PER_MINUTE": "1000000000",
            "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        }
        where = f"host={quote(host, safe='')}" + (f"&port={port}" if port else "")
        peers = os.environ | {
            "PEER_DATABASE_URL": f"postgresql+psycopg://{user}{password}@/{DATABASE}?{where}"
        }
        try:
            manage(ours, "migrate", "-v0")
            manage(ours, "createcachetable")
            manage(ours, "sync_setup")
            manage(ours, "waffle_flag", "RUN_PLANS_V1", "--everyone")
            token = subprocess.run(
                [sys.executable, "-c", MAKE_TOKEN],
                cwd=ROOT,
                env=ours,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
            postmaster = 0
            if host.startswith("/"):
                backend = server.execute("SELECT pg_backend_pid()").fetchone()[0]
                postmaster = psutil.Process(backend).ppid()
            yield Bench(ours, peers, token, postmaster)
        finally:
            server.execute(drop)


def manage(environment: dict[str, str], *command: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def our_command(port: int) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "web", "--port", str(port)]


def peer_command(port: int) -> list[str]:
    """The peer from an environment of its own, made from bench/requirements.txt."""
    home = ROOT / ".var" / "bench" / "venv"
    home.parent.mkdir(parents=True, exist_ok=True)
    bootstrap = [sys.executable, str(ROOT / "scripts" / "bootstrap.py")]
    subprocess.run([*bootstrap, str(home), str(ROOT / "bench" / "requirements.txt")], check=True)
    uvicorn = [str(home / "bin" / "python"), "-m", "uvicorn", "app:app", "--no-access-log"]
    return [*uvicorn, "--app-dir", str(PEER), "--log-level", "warning", "--port", str(port)]


@contextlib.contextmanager
def serving(
    name: str, command: Callable[[int], list[str]], environment: dict[str, str]
) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        command(port),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process, name)
        if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
            pin(process.pid, min(os.sched_getaffinity(0)))
        yield Server(name, process, port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def pin(pid: int, core: int) -> None:
    """Every thread of the process, or those that exist already stay where they are."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def wait_for(port: int, process: subprocess.Popen, name: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{name} does not answer")


# -- load ----------------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """One kept-alive connection that asks again as soon as it was answered."""

    def __init__(self, request: bytes, status: bytes, until: float, took: list[float]):
        self.request, self.status, self.until, self.took = request, status, until, took
        self.done = asyncio.get_running_loop().create_future()
        self.buffer, self.wanted = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.wanted:
            head, found, _ = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if self.status not in head[:16]:
                self.fail(RuntimeError(head[:200].decode("latin-1")))
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.wanted = len(head) + 4 + int(length)
        if len(self.buffer) >= self.wanted:
            now = time.perf_counter()
            self.took.append(now - self.began)
            self.last, self.buffer, self.wanted = self.buffer, b"", 0
            if now < self.until:
                self.ask()
            elif not self.done.done():
                self.transport.close()
                self.done.set_result(self.last)

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(error or RuntimeError("the server hung up"))

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def request_of(kind: str, path: str, body: bytes = b"", token: str = "") -> bytes:
    head = f"{kind} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def load(port: int, request: bytes, status: bytes, seconds: float, clients: int):
    """Seconds each request took, and the last answer."""
    loop, took = asyncio.get_running_loop(), []
    until = time.perf_counter() + seconds
    opened = [
        await loop.create_connection(
            lambda: Client(request, status, until, took), "127.0.0.1", port
        )
        for _ in range(clients)
    ]
    answers = await asyncio.gather(*(client.done for _, client in opened))
    return took, answers[-1]


def measure(server: Server, kind: str, *, seconds: float) -> Measured:
    import psutil

    body = json.dumps(BODY).encode()
    if kind in ("POST", "TOKEN"):
        token = server.token if kind == "TOKEN" else ""
        request, status = request_of("POST", URL, body, token), b" 201"
    else:
        made = request_of("POST", URL, body)
        _, answer = asyncio.run(load(server.port, made, b" 201", 0, 1))
        plan_id = json.loads(answer.partition(b"\r\n\r\n")[2])["id"]
        request, status = request_of("GET", f"{URL}/{plan_id}"), b" 200"
    process = psutil.Process(server.process.pid)
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    took, _ = asyncio.run(load(server.port, request, status, seconds, CLIENTS))
    spent, wall = sum(process.cpu_times()[:2]) - before, time.perf_counter() - began
    took.sort()
    return Measured(
        rate=len(took) / wall,
        p50_ms=took[len(took) // 2] * 1000,
        p99_ms=took[len(took) * 99 // 100] * 1000,
        cpu_us=spent / len(took) * 1e6,
    )
