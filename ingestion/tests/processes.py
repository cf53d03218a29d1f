"""Processes of their own on the test database, as workers are, pointed at the stand-in."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

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
SOURCE = (
    "LIVERC_URL_TEMPLATE",
    "LIVERC_CATALOGUE_URL",
    "LIVERC_PER_MINUTE",
    "LIVERC_PER_DAY",
)


def start(code: str, *arguments: object) -> subprocess.Popen:
    """Run Python over our settings, with this test's database and timing source."""
    values = connection.settings_dict
    place = {name: str(values[name]) for name in ("NAME", "HOST", "PORT", "USER", "PASSWORD")}
    told = {name: getattr(settings, name) for name in SOURCE}
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


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last, "it did not happen in time"
        time.sleep(0.05)
