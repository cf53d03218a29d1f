"""Several hosts on one machine: copies of the project with their own working directory and `.env`,
production settings, one external PostgreSQL, one object store, a proxy in front. See docs/deployment.md.
"""

import asyncio
import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pglock
import psutil
import psycopg
import requests
from cryptography.fernet import Fernet

from racecontrol.supervisor import free_port
from racecontrol.testing.running import ENVIRONMENT, Folder, until

ROLE = "racecontrol"
NAME = "race.example.org"  # what the site is called, whichever host answers
PASSWORD = secrets.token_urlsafe(16)
# What a host of its own does not see: the settings of whoever runs the tests.
CLEAN = {key: ENVIRONMENT[key] for key in ("PATH", "HOME", "LANG") if key in ENVIRONMENT}


def server_programs() -> Path | None:
    """Where the PostgreSQL of this system lies (15 or newer), if there is one."""
    for version in (15, 16, 17, 18):
        place = Path(f"/usr/lib/postgresql/{version}/bin")
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    return None


class Database:
    """A PostgreSQL server outside of the project, set up as docs/deployment.md says."""

    def __init__(self, programs: Path):
        self.programs = programs
        self.place = Path(tempfile.mkdtemp(prefix="rc pg "))
        self.port = free_port(21_000 + os.getpid() % 8_000)
        if os.geteuid() == 0:  # PostgreSQL refuses root
            nobody = pwd.getpwnam("postgres")
            os.chown(self.place, nobody.pw_uid, nobody.pw_gid)

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", str(self.place / "data"), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(
            command, cwd=self.place, check=True, timeout=180, env=CLEAN | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        password = self.place / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self.run("initdb", "-U", "admin", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        told = {"listen_addresses": "127.0.0.1", "port": self.port, "fsync": "off",
                "unix_socket_directories": "", "max_connections": 200}  # fmt: skip
        options = " ".join(f"-c {name}='{value}'" for name, value in told.items())
        self.run("pg_ctl", "-l", str(self.place / "log"), "-w", "-t", "120", "-o", options, "start")
        with self.connect("postgres", "admin") as admin:
            admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
            for name, value in (("idle", 30), ("interval", 10), ("count", 3)):
                admin.execute(f"ALTER ROLE {ROLE} SET tcp_keepalives_{name} = {value}")
            admin.execute(f"CREATE DATABASE {ROLE} OWNER {ROLE} ENCODING 'UTF8'")

    def connect(self, name: str = ROLE, user: str = ROLE) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, password=PASSWORD, dbname=name,
            autocommit=True, connect_timeout=20,
        )  # fmt: skip

    def ask(self, query: str, *values: Any) -> list[tuple]:
        with self.connect() as connection:
            found = connection.execute(query, values)
            return found.fetchall() if found.description else []

    def one(self, query: str, *values: Any) -> Any:
        return self.ask(query, *values)[0][0]

    def connections(self) -> dict[str, int]:
        """Open connections by host, as their `application_name` tells."""
        return dict(self.ask(
            "SELECT application_name, count(*) FROM pg_stat_activity WHERE usename = %s"
            " AND pid <> pg_backend_pid() AND datname = %s GROUP BY 1", ROLE, ROLE,
        ))  # fmt: skip

    def who_works_on(self, job_id: str) -> str:
        """The host whose worker holds the lock of a job; empty where none does."""
        number = pglock.advisory(f"job:{job_id}").int_lock_id
        rows = self.ask(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND (l.classid::bigint << 32) | l.objid::bigint = %s",
            number,
        )
        return rows[0][0] if rows else ""

    def stop(self) -> None:
        with contextlib.suppress(subprocess.SubprocessError):
            self.run("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.place, ignore_errors=True)


def shared_settings(**more: Any) -> dict[str, str]:
    """What stands in the `.env` of every host."""
    return {
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": NAME,
        "PUBLIC_URL": f"https://{NAME}",
        "TRUSTED_PROXIES": "1",
        "LOG_LEVEL": "WARNING",
    } | {name: str(value) for name, value in more.items()}


class Host(Folder):
    """One host: its folder, its `.env`, its web server and its workers."""

    def __init__(self, folder: Path, name: str, database: Database, told: dict[str, str]):
        super().__init__(folder)
        self.name = name
        (folder / ".var").mkdir(exist_ok=True)
        # The name shows in pg_stat_activity whose connection it is.
        url = (
            f"postgres://{ROLE}:{PASSWORD}@127.0.0.1:{database.port}/{ROLE}?application_name={name}"
        )
        lines = [f"{key}={value}" for key, value in (told | {"DATABASE_URL": url}).items()]
        (folder / ".env").write_text("\n".join(lines) + "\n")
        self.port = free_port(24_000 + os.getpid() % 8_000 + 60 * (ord(name[-1]) - ord("a")))
        self.running: dict[str, subprocess.Popen] = {}

    def manage(
        self, *arguments: str, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, env=CLEAN | env, check=check, timeout=300,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self, name: str, *arguments: str) -> None:
        """Start a process under a name. It ends with us, however we end: it holds our pipe."""
        with (self.folder / ".var" / f"{name}.log").open("a") as log:
            self.running[name] = subprocess.Popen(
                self.command(*arguments), cwd=self.folder, env=CLEAN, stdin=subprocess.PIPE,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def start_web(self) -> None:
        self.start("web", "web", "--port", str(self.port))

    def start_worker(self, queue: str = "default") -> None:
        self.start(queue, "worker", "--cluster", queue)

    def kill(self, name: str) -> None:
        """As if the plug were pulled: the process and its children, without a last word."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def end(self, name: str) -> int:
        """As systemd ends a service; the exit code."""
        process = self.running.pop(name)
        process.terminate()
        process.wait(120)
        process.communicate()
        return process.returncode

    @contextlib.contextmanager
    def takes_nothing(self, queue: str = "default") -> Iterator[None]:
        """While its pusher sleeps a cluster takes no message off the queue."""
        sentinel = psutil.Process(self.running[queue].pid).children()[0]
        # django-q2 forks its workers first, then one monitor and one pusher.
        pusher = max(sentinel.children(), key=lambda process: process.pid)
        pusher.suspend()
        try:
            yield
        finally:
            pusher.resume()

    def said(self) -> str:
        logs = sorted((self.folder / ".var").glob("*.log"))
        return "\n".join(f"-- {self.name} {log.name}\n{log.read_text()}" for log in logs)

    def is_ready(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            url = f"http://127.0.0.1:{self.port}/health/ready"
            return requests.get(url, headers={"Host": NAME}, timeout=10).status_code == 200
        return False

    def clean_up(self) -> None:
        for name in list(self.running):
            self.kill(name)


class Console:
    """Python over the settings of a host, for what has no page: `answer = console("answer = 1")`."""

    CODE = (
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    scope = {}\n"
        "    exec(json.loads(line), scope)\n"
        "    print(json.dumps(scope.get('answer'), default=str), flush=True)\n"
    )

    def __init__(self, host: Host):
        self.log = (host.folder / ".var" / "console.log").open("a")
        self.process = subprocess.Popen(
            host.command("shell", "-v0", "-c", self.CODE), cwd=host.folder, env=CLEAN, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
        )  # fmt: skip

    def __call__(self, code: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the console ended: {Path(self.log.name).read_text()}"
        return json.loads(answer)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()


class Proxy:
    """What stands in front: says `https` and who asks, and takes the next host where one is gone.

    One request per connection; an answer is passed on as it comes, streams too.
    """

    def __init__(self, *hosts: Host):
        self.ports = [host.port for host in hosts]
        self.loop = asyncio.new_event_loop()
        self.is_up = threading.Event()
        self.thread = threading.Thread(target=self._serve, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        assert self.is_up.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        )
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        self.is_up.set()
        self.loop.run_forever()
        self.server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.1))
        self.loop.close()

    async def _upstream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for port in self.ports:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionError("no host answers")

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [
                line for line in head.rstrip(b"\r\n").split(b"\r\n")
                if not line.lower().startswith((b"host:", b"connection:", b"x-forwarded-"))
            ]  # fmt: skip
            lines += [f"Host: {NAME}".encode()]
            lines += [
                b"Connection: close",
                b"X-Forwarded-Proto: https",
                b"X-Forwarded-For: 192.0.2.7",
            ]
            upstream, out = await self._upstream()
            out.write(b"\r\n".join(lines) + b"\r\n\r\n")
            there = asyncio.create_task(_copy(reader, out))
            await _copy(upstream, writer)
            there.cancel()
            out.close()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()


class Person(requests.Session):
    """Somebody with a browser's cookies, or with a token; addresses are paths of the site."""

    def __init__(self, site: str, token: str = ""):
        super().__init__()
        self.site = site
        self.trust_env = False
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, url: str, *args: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        more = {"timeout": 120, "allow_redirects": False} | more
        if self.cookie:  # they are for TLS only, and the proxy of the tests speaks none
            more["headers"] = {**(more.get("headers") or {}), "Cookie": self.cookie}
        return super().request(method, url if "://" in url else self.site + url, *args, **more)

    def at(self, site: str) -> "Person":
        """The same person, sent to another host."""
        other = Person(site)
        other.headers.update(self.headers)
        other.cookies = self.cookies
        return other

    def form(self, path: str, data: dict[str, str], **more: Any) -> requests.Response:
        """Open the page and send its form back."""
        self.get(path)
        token = {"csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}
        headers = {"Referer": f"https://{NAME}{path}"}
        return self.post(path, data=data | token, headers=headers, **more)

    def sign_in(self, name: str, password: str) -> requests.Response:
        return self.form("/accounts/login/", {"login": name, "password": password})

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)


def wait_for_ready(*hosts: Host) -> float:
    """Until the hosts' web servers answer and their workers have forked; seconds it took."""
    began = time.monotonic()
    for host in hosts:
        if "web" in host.running:
            until(host.is_ready, f"host {host.name} is ready: {host.said()}")
        for queue in host.running.keys() - {"web"}:
            until(lambda h=host, q=queue: h.workers(q), f"workers of host {host.name}")
    return time.monotonic() - began
