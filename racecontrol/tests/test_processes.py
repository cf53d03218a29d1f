"""The whole set of `make run`, with each of its processes killed once: it heals or ends cleanly.

One set in a copy of the project with its own database; the tests build on each other in order.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from racecontrol.testing.running import ENVIRONMENT, RunningSet, until

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[RunningSet]:
    running = RunningSet(tmp_path_factory.mktemp("race control"), "--no-demo")
    running.start()
    yield running
    running.clean_up()


def test_it_starts_from_nothing(running):
    assert running.answers()
    until(lambda: running.workers("default") and running.workers("slow"), "both queues are served")
    assert running.left_over()[-1] == "postgres"


def test_a_second_start_in_the_same_folder_is_refused(running):
    second = subprocess.run(
        running.command("up", "--no-demo"),
        cwd=running.folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=180,
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
    idle = until(lambda: running.workers("default"), "workers")[0]

    idle.kill()

    until(lambda: "jobs default ended" in running.said(), "the cluster begins anew")
    running.queue_work(1, 2, seconds=0)
    until(lambda: running.all_done_once(1, 2), "both jobs are done")
    assert running.began() == {1: 1, 2: 1}


def test_a_job_whose_worker_was_killed_is_done_once(running):
    until(lambda: running.workers("default"), "workers")
    # Found before there is a job: on a busy machine it would be over by then.
    workers = running.find("worker", "default")
    running.queue_work(3, seconds=6)
    until(lambda: running.began()[3], "the job has begun")

    for process in workers:
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
    seconds = running.start()

    until(lambda: running.all_done_once(7), "the job is done")
    assert running.ask("SELECT count(*) FROM racecontrol_job") == [(7,)]
    assert seconds < 15  # up in 2 to 3 s; the machine of the tests is busy


def test_make_stop_ends_it_from_another_terminal(running):
    stop = [sys.executable, str(running.folder / "scripts" / "stop.py")]

    first = subprocess.check_output(stop, text=True, timeout=180)
    second = subprocess.check_output(stop, text=True, timeout=180)

    assert running.process.wait(60) == 0
    assert (first, second) == ("Stopped.\n", "Nothing runs here.\n")
    assert running.left_over() == []


def test_ctrl_c_leaves_nothing_behind(running):
    running.start()

    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(60) == 0
    assert "stopped, the database too" in running.said()
    assert running.left_over() == []
    assert json.loads((running.folder / ".var" / "up.lock").read_text() or "null") is None
