"""A worker: django-q2's cluster for one queue, made to fail whole instead of limping."""

import os
import signal
import sys
import time
from typing import Any

import psutil
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseFault
from django.db import OperationalError, connection
from django_q import cluster as cluster_module
from django_q.conf import Conf

from racecontrol import checks
from racecontrol.shared import jobs
from racecontrol.shared.leash import Leash

LOOK_EVERY_S = 5.0


class Command(BaseCommand):
    help = "Run the jobs of one queue: `worker`, `worker --cluster slow`."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--cluster", default=settings.Q_CLUSTER["name"])

    def handle(self, *args: Any, cluster: str, **options: Any) -> None:
        known = {settings.Q_CLUSTER["name"], *settings.Q_CLUSTER.get("ALT_CLUSTERS", {})}
        if cluster not in known | {Conf.CLUSTER_NAME}:
            raise CommandError(f"There is no queue {cluster}: choose one of {', '.join(known)}.")
        if cluster != Conf.CLUSTER_NAME:
            # django-q2 reads its configuration once, when it is first imported.
            os.environ["Q_CLUSTER_NAME"] = cluster
            os.execv(sys.executable, [sys.executable, *sys.argv])
        Leash().hold()
        fail_whole()
        wait_for_database()
        checks.tell_at_start()
        released = jobs.release_orphans(cluster)
        if released:
            self.stdout.write(f"{released} jobs of a worker that died are due again")
        connection.close()  # the cluster forks
        running = cluster_module.Cluster()
        running.start()
        look_after(running.sentinel)


def wait_for_database(seconds: float = 60.0) -> None:
    """django-q2 hangs for ever if the database is away while it starts."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.ensure_connection()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def look_after(sentinel: Any) -> None:
    """While the cluster runs: send again what a worker of any host left lying."""
    while True:
        sentinel.join(LOOK_EVERY_S)
        if not sentinel.is_alive():
            return
        try:
            jobs.revive()
        except DatabaseFault as fault:  # InterfaceError, too: a connection lost in a transaction
            cluster_module.logger.warning("could not look for lost jobs: %s", fault)
        finally:
            connection.close()


def fail_whole() -> None:
    """End the whole cluster when one of its processes dies unasked; whoever started it starts anew.

    django-q2 would replace the process, but a dead one may have held the lock of a shared queue:
    the cluster then looks well and does nothing (django-q2 issue 23).
    """
    replace = cluster_module.Sentinel.reincarnate

    def reincarnate(self: Any, process: Any) -> None:
        timer = getattr(process, "timer", None)
        is_planned = process.exitcode == 0 or (timer is not None and timer.value in (0, -2))
        if not is_planned:
            cluster_module.logger.critical(
                "a worker process died (%s): starting anew", process.exitcode
            )
            end_everything()
        replace(self, process)

    cluster_module.Sentinel.reincarnate = reincarnate


def end_everything() -> None:
    """From the sentinel: its children, the process that started it, itself. No last words."""
    me = psutil.Process()
    for process in (*me.children(recursive=True), psutil.Process(os.getppid())):
        process.kill()
    os.kill(me.pid, signal.SIGKILL)
