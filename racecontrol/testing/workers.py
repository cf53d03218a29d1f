"""Threads and processes that work beside the test, on its database."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.conf import settings
from django.db import connection, connections

DRAIN = """
from time import sleep
from django.utils.timezone import now
from racecontrol.shared import jobs
while True:
    due = jobs.Job.objects.filter(state__in=["queued", "paused"], run_at__lte=now())
    for pk in list(due.values_list("pk", flat=True)):
        jobs.run(str(pk))
    sleep(0.1)
"""
RUN = """
import sys
from racecontrol.shared import jobs
print(jobs.run(sys.argv[1]))
"""
# What a test points at its stand-ins holds in the process, too.
CARRIED = (
    "LIVERC_URL_TEMPLATE",
    "LIVERC_CATALOGUE_URL",
    "LIVERC_PER_MINUTE",
    "LIVERC_PER_DAY",
    "LLM_TRUSTED_ORIGINS",
)


def at_once(*calls: Callable[[], Any]) -> list:
    """Every call in a thread of its own, begun together; the answers in order. Raises what one raised."""
    gate = Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        try:
            gate.wait(60)
            return call()
        finally:
            connections.close_all()  # a thread has connections of its own

    with ThreadPoolExecutor(len(calls)) as threads:
        return [done.result(180) for done in [threads.submit(begin, call) for call in calls]]


def start(code: str, *arguments: object) -> subprocess.Popen:
    """Run Python over our settings in a process of its own, with this test's database and stand-ins."""
    values = connection.settings_dict
    place = {name: str(values[name]) for name in ("NAME", "HOST", "PORT", "USER", "PASSWORD")}
    told = {name: getattr(settings, name) for name in CARRIED}
    begin = (
        "import django; from django.conf import settings\n"
        f"settings.DATABASES['default'].update({place!r})\n"
        f"for name, value in {told!r}.items(): setattr(settings, name, value)\n"
        "django.setup()\n"
    )
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "racecontrol.settings",
        "PYTEST_VERSION": "child",
    }
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", begin + code, *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def end(*processes: subprocess.Popen) -> None:
    for process in processes:
        process.kill()
        process.communicate()
