"""`manage.py up` in a copy of the project with its own database, watched from outside.

For the tests that kill its processes and for `make bench NAME=frame`.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

from racecontrol import devdb
from racecontrol.supervisor import free_port

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "staticroot", "media", "docs", "bench")
# What a test run around us has set must not reach the set.
OURS = ("PYTEST_VERSION", "DATABASE_URL", "DEBUG", "Q_CLUSTER_NAME", "LIVERC_URL_TEMPLATE")
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in OURS}


def until(true: Callable[[], Any], what: str, seconds: float = 180.0) -> Any:
    """Wait for something that becomes true; what it returned.

    How long is for a machine that does much else; how quick things are is shown by `make bench`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


class Folder:
    """A copy of the project with its own working directory, and its processes seen from outside."""

    def __init__(self, folder: Path):
        shutil.copytree(ROOT, folder, ignore=NOT_COPIED, dirs_exist_ok=True)
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "manage.py"), *arguments]

    def find(self, *words: str) -> list[psutil.Process]:
        """Processes of this folder whose command line holds these words, parents first."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = process.cmdline()
                is_ours = str(self.folder / "manage.py") in line and set(words) <= set(line)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    process.create_time()  # known from here on, also if it ends in between
                    found.append(process)
        return sorted(found, key=lambda process: process.create_time())

    def workers(self, queue: str) -> list[psutil.Process]:
        """The processes that take jobs of a queue, once all of its cluster is up."""
        with contextlib.suppress(psutil.Error, IndexError):
            sentinel = self.find("worker", queue)[0].children()[0]
            # django-q2 forks its workers first, then one monitor and one pusher.
            forked = sorted(sentinel.children(), key=lambda process: process.pid)
            return forked[:-2]
        return []

    def began(self) -> Counter:
        """How often each numbered job of `tests.work` was begun by a worker of this folder."""
        file = self.folder / ".var" / "began"
        return Counter(map(int, file.read_text().split())) if file.exists() else Counter()


def outcomes(ask: Callable[[str], list[tuple]], *numbers: int) -> list[tuple]:
    """(number, state, effects) of these jobs of `tests.work`."""
    wanted = ", ".join(f"'{number}'" for number in numbers)
    return ask(
        "SELECT (args->>0)::int, state, (SELECT count(*) FROM racecontrol_liveevent"
        "   WHERE topic = 'noted:' || (args->>0))"
        " FROM racecontrol_job WHERE func = 'racecontrol.tests.work.sleep_then_note'"
        f" AND args->>0 IN ({wanted}) ORDER BY 1"
    )


class RunningSet(Folder):
    """A set in a folder that is made for it, and ways to look at it from outside."""

    def __init__(self, folder: Path, *arguments: str):
        super().__init__(folder)
        self.arguments = arguments
        self.port = free_port(18_000 + os.getpid() % 10_000)
        self.process: subprocess.Popen | None = None
        self.log = folder / ".var" / "up.log"
        self.cluster = devdb.Cluster(folder / ".var" / "pg")

    def start(self) -> float:
        """Start and wait until it says it is ready; the seconds it took."""
        self.started_at = began = time.monotonic()
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command("up", *self.arguments, "--port", str(self.port)),
                cwd=self.folder,
                env=ENVIRONMENT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        process = self.process
        with contextlib.suppress(AssertionError):
            until(lambda: "ready: " in self.said() or process.poll() is not None, "ready", 300)
        if "ready: " not in self.said():
            self.clean_up()
            process.wait()
            raise AssertionError(f"not ready: {self.said()}")
        return time.monotonic() - began

    def said(self) -> str:
        return self.log.read_text()

    def answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            url = f"http://127.0.0.1:{self.port}/health/ready"
            return requests.get(url, timeout=3).status_code == 200
        return False

    def left_over(self) -> list[str]:
        """Command lines of everything that still runs, the database too."""
        found = []
        for process in self.find():
            with contextlib.suppress(psutil.Error):  # it may end while we look
                found.append(" ".join(process.cmdline()))
        return found + (["postgres"] if self.cluster.running() else [])

    def ask(self, sql: str) -> list[tuple]:
        with psycopg.connect(
            host=self.cluster.running(),
            port=devdb.PORT,
            user=devdb.SUPERUSER,
            dbname=devdb.DATABASE,
            connect_timeout=5,
        ) as connection:
            return connection.execute(sql).fetchall()

    def queue_work(self, *numbers: int, seconds: float) -> None:
        code = "from racecontrol.shared import jobs\n"
        for number in numbers:
            task = "racecontrol.tests.work.sleep_then_note"
            code += f"jobs.enqueue('{task}', {number}, {seconds}, key='note:{number}')\n"
        subprocess.run(
            self.command("shell", "-v0", "-c", code),
            cwd=self.folder,
            env=ENVIRONMENT,
            check=True,
            timeout=180,
        )

    def all_done_once(self, *numbers: int) -> bool:
        with contextlib.suppress(psycopg.Error):
            return outcomes(self.ask, *numbers) == [(number, "done", 1) for number in numbers]
        return False

    def memory(self) -> int:
        """Bytes of all processes together, shared pages counted once (Linux)."""
        pids = [process.pid for process in self.find()]
        server = psutil.Process(int((self.cluster.data / "postmaster.pid").read_text().split()[0]))
        pids += [server.pid, *(child.pid for child in server.children(recursive=True))]
        return sum(psutil.Process(pid).memory_full_info().pss for pid in pids)

    def clean_up(self) -> None:
        """However it went: nothing of this set stays behind."""
        for process in self.find():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.cluster.stop("immediate")
