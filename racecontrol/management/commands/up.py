"""Everything at once on one machine: database, migrations, demo, web server, workers."""

import io
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from coaching.connections.fakes import settings_for
from racecontrol.devdb import Cluster, EmbeddedDatabaseError, cluster_of
from racecontrol.models import User
from racecontrol.supervisor import AlreadyRunning, Child, RunLock, Supervisor, free_port

QUEUES = ("default", "slow")


class Command(BaseCommand):
    help = "Start Race Control on this machine and keep it running until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="The next free one is taken.")
        parser.add_argument(
            "--no-demo",
            action="store_true",
            help="No demo login, no demo event, and the real timing site instead of our stand-in.",
        )

    def handle(self, *, port: int, no_demo: bool, **options: Any) -> None:
        self.began = time.monotonic()
        lock = RunLock(settings.VAR_DIR / "up.lock")
        try:
            lock.take(wait=20)
        except AlreadyRunning as other:
            raise CommandError(
                f"Race Control runs in this folder already ({other}). "
                "Stop it with Ctrl-C where it was started, or with `make stop`."
            ) from other
        cluster = cluster_of(settings.DATABASES["default"])
        supervisor = Supervisor(self.say)
        supervisor.heed_signals()
        try:
            if cluster:
                cluster.ensure()  # the last set may have stopped it while we waited
            self.prepare()
            self.run(supervisor, cluster, lock, port=port, with_demo=not no_demo)
        finally:
            self.say("stopping")
            supervisor.end(patience=15)
            self.put_away(cluster)
            lock.free()

    def say(self, text: str) -> None:
        self.stdout.write(f"{'up':>11} | {text}  [{time.monotonic() - self.began:.1f} s]")
        self.stdout.flush()

    def prepare(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("setting up the tables")
            call_command("migrate", verbosity=0, interactive=False)
        call_command("sync_setup", stdout=io.StringIO())

    def run(
        self,
        supervisor: Supervisor,
        cluster: Cluster | None,
        lock: RunLock,
        *,
        port: int,
        with_demo: bool,
    ) -> None:
        site_port = free_port(8009) if with_demo and needs_stand_in() else None
        providers_port = free_port(8097) if with_demo and needs_providers() else None
        environment = environment_of(site_port, providers_port)
        if with_demo and not User.objects.exists():
            call_command("load_demo", stdout=io.StringIO())
            self.say("demo loaded")
            supervisor.heed_signals()  # solvers at work in this process may have taken Ctrl-C
        connection.close()

        def child(name: str, *arguments: str, **extra: str) -> Child:
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
            return supervisor.add(Child(name, command, environment | extra))

        port = free_port(port)
        child("web", "web", "--port", str(port))
        url = f"http://127.0.0.1:{port}"
        tell = partial(self.tell_when_ready, url, lock, with_demo=with_demo)
        # The page first, then what works behind it: on two cores they would delay each other.
        is_told = wait_for_page(supervisor, tell)
        if supervisor.stopping.is_set():
            return
        if site_port:
            child("stand-in", "fake_liverc", "--port", str(site_port), "--leash")
        if providers_port:
            command = [sys.executable, "-m", "coaching.connections.fakes", str(providers_port)]
            here = {"PYTHONPATH": str(settings.BASE_DIR)}
            supervisor.add(Child("services", command, environment | here))
        workers = [
            child(f"jobs {queue}", "worker", "--cluster", queue, Q_CLUSTER_NAME=queue)
            for queue in QUEUES
        ]
        look_at_database = 0.0
        while not supervisor.stopping.wait(0.2):
            supervisor.look_after()
            if cluster and time.monotonic() > look_at_database:
                look_at_database = time.monotonic() + 1
                self.heal_database(cluster, workers)
            is_told = is_told or tell()

    def tell_when_ready(self, url: str, lock: RunLock, *, with_demo: bool) -> bool:
        if not answers(f"{url}/health/live"):
            return False
        lock.note(url)
        login = "   login: demo / demo" if with_demo else ""
        self.say(f"ready: {url}{login}   (Ctrl-C stops)")
        return True

    def heal_database(self, cluster: Cluster, workers: list[Child]) -> None:
        if cluster.running():
            return
        try:
            cluster.ensure()
        except EmbeddedDatabaseError as fault:
            self.say(f"the database does not start: {fault}")
            return
        # A worker's job under way has lost its connection: begin anew, which releases the job.
        for worker in workers:
            worker.restart()
        self.say("the database had ended; it is back, and the workers begin anew")

    def put_away(self, cluster: Cluster | None) -> None:
        connection.close()
        if cluster is None:
            return self.say("stopped")
        deadline = time.monotonic() + 3  # connections of ended processes linger for a moment
        try:
            while not cluster.stop_if_unused():
                if time.monotonic() > deadline:
                    return self.say("stopped; the database stays for its other clients")
                time.sleep(0.1)
        except (EmbeddedDatabaseError, DatabaseError, OSError) as fault:
            return self.say(f"stopped; the database did not answer: {fault}")
        return self.say("stopped, the database too")


def environment_of(site_port: int | None, providers_port: int | None) -> dict[str, str]:
    """What the children are told: of the stand-ins, where there are any. Ours learns it too."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    if site_port:
        site = f"http://127.0.0.1:{site_port}"
        settings.LIVERC_URL_TEMPLATE = f"{site}/{{track}}"
        settings.LIVERC_CATALOGUE_URL = f"{site}/"
        for name in ("LIVERC_URL_TEMPLATE", "LIVERC_CATALOGUE_URL"):
            environment[name] = getattr(settings, name)
        # The stand-in is ours and on this machine: no club's server is spared by waiting.
        environment |= {"LIVERC_PER_MINUTE": "1000", "LIVERC_PER_DAY": "20000"}
    if providers_port:
        environment |= settings_for(f"http://127.0.0.1:{providers_port}")
    return environment


def wait_for_page(supervisor: Supervisor, tell: Callable[[], bool], *, seconds: float = 10) -> bool:
    """Look after the web server until it answers and that is told; whether it was in time."""
    patience = time.monotonic() + seconds
    is_told = False
    while not is_told and time.monotonic() < patience and not supervisor.stopping.wait(0.1):
        supervisor.look_after()
        is_told = tell()
    return is_told


def needs_stand_in() -> bool:
    """Unless the environment names a timing site of its own."""
    return "liverc.com" in settings.LIVERC_URL_TEMPLATE


def needs_providers() -> bool:
    """Unless this site is registered with a real one, or production, which knows no stand-ins."""
    registered = (settings.STRAVA_CLIENT_ID, settings.OURA_CLIENT_ID, settings.INTERVALS_CLIENT_ID)
    return not settings.PRODUCTION and not any(registered)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
