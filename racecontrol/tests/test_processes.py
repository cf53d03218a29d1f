"""The whole set of `make run`, with each of its processes killed once: it heals or ends cleanly.

One set in a copy of the project with its own database; the tests build on each other in order.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests

from racecontrol import devdb
from racecontrol.supervisor import free_port

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "staticroot", "media", "docs", "bench")
# What the tests around us set must not reach the set under test.
OURS = ("PYTEST_VERSION", "DATABASE_URL", "DEBUG", "Q_CLUSTER_NAME", "LIVERC_URL_TEMPLATE")
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in OURS}


def until(true: Callable[[], Any], what: str, seconds: float = 40.0) -> Any:
    """Wait for something that becomes true; what it returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


class Set:
    """`manage.py up` in a folder of its own, and ways to look at it from outside."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port(18_000 + os.getpid() % 10_000)
        self.process: subprocess.Popen | None = None
        self.log = folder / ".var" / "up.log"
        self.cluster = devdb.Cluster(folder / ".var" / "pg")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "manage.py"), *arguments]

    def start(self) -> float:
        """Start and wait until it says it is ready; the seconds it took."""
        began = time.monotonic()
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command("up", "--no-demo", "--port", str(self.port)),
                cwd=self.folder,
                env=ENVIRONMENT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        until(lambda: "ready: " in self.said() or self.process.poll() is not None, "ready", 60)
        assert "ready: " in self.said(), self.said()
        return time.monotonic() - began

    def said(self) -> str:
        return self.log.read_text()

    def answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            url = f"http://127.0.0.1:{self.port}/health/ready"
            return requests.get(url, timeout=3).status_code == 200
        return False

    def find(self, *words: str) -> list[psutil.Process]:
        """Processes of this set whose command line holds these words, parents first."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = process.cmdline()
                is_ours = str(self.folder / "manage.py") in line and set(words) <= set(line)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return sorted(found, key=lambda process: process.create_time())

    def left_over(self) -> list[str]:
        """Command lines of everything that still runs, the database too."""
        found = [" ".join(process.cmdline()) for process in self.find()]
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
            timeout=60,
        )

    def began(self) -> Counter:
        file = self.folder / ".var" / "began"
        return Counter(map(int, file.read_text().split())) if file.exists() else Counter()

    def outcome(self, *numbers: int) -> list[tuple]:
        """(number, state, effects) of these jobs."""
        return self.ask(
            "SELECT (args->>0)::int, state, (SELECT count(*) FROM racecontrol_liveevent"
            "   WHERE topic = 'noted:' || (args->>0))"
            f" FROM racecontrol_job WHERE (args->>0)::int IN ({','.join(map(str, numbers))})"
            " ORDER BY 1"
        )

    def all_done_once(self, *numbers: int) -> bool:
        with contextlib.suppress(psycopg.Error):
            return self.outcome(*numbers) == [(number, "done", 1) for number in numbers]
        return False


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Set]:
    folder = tmp_path_factory.mktemp("race control")
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED, dirs_exist_ok=True)
    running = Set(folder)
    running.fresh_start = running.start()
    yield running
    for process in running.find():
        with contextlib.suppress(psutil.Error):
            process.kill()
    running.cluster.stop("immediate")


def test_it_starts_from_nothing(running):
    assert running.answers()
    assert running.left_over()[-1] == "postgres"
    assert running.find("web")
    assert running.find("worker", "slow")


def test_a_second_start_in_the_same_folder_is_refused(running):
    second = subprocess.run(
        running.command("up", "--no-demo"),
        cwd=running.folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1
    assert f"runs in this folder already (process {running.process.pid}" in second.stderr
    assert "make stop" in second.stderr
    assert running.answers()


def test_a_killed_web_server_comes_back(running):
    running.find("web")[0].kill()

    until(lambda: "web ended (-9)" in running.said(), "the death is noticed")
    until(running.answers, "the site answers again")


def test_a_killed_idle_worker_does_not_stop_the_queue(running):
    cluster = running.find("worker", "default")[0]
    sentinel = cluster.children()[0]
    idle = until(lambda: sorted(sentinel.children(), key=lambda p: p.pid), "workers")[0]

    idle.kill()

    until(lambda: "jobs default ended" in running.said(), "the cluster begins anew")
    running.queue_work(1, 2, seconds=0)
    until(lambda: running.all_done_once(1, 2), "both jobs are done")
    assert running.began() == {1: 1, 2: 1}


def test_a_job_whose_worker_was_killed_is_done_once(running):
    running.queue_work(3, seconds=2)
    until(lambda: running.began()[3], "the job has begun")

    for process in running.find("worker", "default"):
        with contextlib.suppress(psutil.Error):
            process.kill()

    until(lambda: running.all_done_once(3), "the job is done")
    assert running.began()[3] == 2


def test_a_killed_database_is_started_again_and_loses_nothing(running):
    running.queue_work(4, 5, 6, seconds=2)
    until(lambda: running.began()[4], "work has begun")
    pid = int((running.cluster.data / "postmaster.pid").read_text().split()[0])

    os.kill(pid, signal.SIGKILL)

    until(lambda: "the database had ended; it is back" in running.said(), "it is healed")
    until(running.answers, "the site answers again")
    until(lambda: running.all_done_once(4, 5, 6), "the jobs are done")


def test_a_killed_supervisor_takes_everything_with_it(running):
    running.queue_work(7, seconds=2)
    until(lambda: running.began()[7], "the job has begun")

    running.process.kill()
    running.process.wait()

    with contextlib.suppress(AssertionError):
        until(lambda: not running.left_over(), "nothing is left")
    assert running.left_over() == []


def test_the_next_start_is_quick_and_finishes_what_was_cut_off(running):
    running.second_start = running.start()

    until(lambda: running.all_done_once(7), "the job is done")
    assert running.ask("SELECT count(*) FROM racecontrol_job") == [(7,)]
    assert running.second_start < 15  # up in 2 to 3 s; the machine of the tests is busy


def test_make_stop_ends_it_from_another_terminal(running):
    stop = [sys.executable, str(running.folder / "scripts" / "stop.py")]

    first = subprocess.check_output(stop, text=True, timeout=60)
    second = subprocess.check_output(stop, text=True, timeout=60)

    assert running.process.wait(10) == 0
    assert (first, second) == ("Stopped.\n", "Nothing runs here.\n")
    assert running.left_over() == []


def test_ctrl_c_leaves_nothing_behind(running):
    running.start()

    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(30) == 0
    assert "stopped, the database too" in running.said()
    assert running.left_over() == []
    assert json.loads((running.folder / ".var" / "up.lock").read_text() or "null") is None
