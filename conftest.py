"""Fixtures every room shares: who is asking, what was queued, a browser, and no network."""

import os
import socket

import hypothesis
import pytest
from django.core.cache import caches
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from racecontrol.testing.browser_fixtures import (  # noqa: F401 - pytest finds fixtures here
    browser,
    browser_client,
    live_asgi,
    open_page,
    page,
)
from racecontrol.testing.db import django_db_setup, stop_test_cluster  # noqa: F401
from racecontrol.testing.people import make_person, signed_in, switch_on

# A busy machine is no fault of the code under test; CI tries the same examples every time.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items):
    """What drives Chromium or kills processes gets a second look; docs/decisions/0013 says why."""
    for item in items:
        if item.get_closest_marker("browser") or item.get_closest_marker("processes"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_unconfigure(config):
    stop_test_cluster(config)


@pytest.fixture(autouse=True)
def fresh_cache():
    """Flags and counts of an earlier test are nobody's business."""
    caches["default"].clear()


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Only this machine may be reached: loopback and sockets in the file system."""
    real = socket.socket.connect

    def connect(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach the network: {address}")
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def user(db):
    return make_person("sam")


@pytest.fixture
def other(db):
    return make_person("olga")


@pytest.fixture
def staff(db):
    return make_person("steph", is_staff=True, is_superuser=True)


@pytest.fixture
def client(user) -> Client:
    """A browser, signed in."""
    return signed_in(user)


@pytest.fixture
def boss(staff) -> Client:
    """A browser of the staff, signed in."""
    return signed_in(staff)


@pytest.fixture
def stranger() -> Client:
    """A browser, not signed in."""
    return Client()


@pytest.fixture
def everything_on(db):
    """All features are on for everybody."""
    switch_on()


@pytest.fixture
def own_storage(settings, tmp_path):
    """Files people bring are kept in a folder of this test."""
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def one_connection(db):
    """The test's transaction survives the end of a WSGI request, as with Django's test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def migrated(transactional_db):
    """`migrated(targets)`: the apps as of those migrations; all are there again at the end."""

    def to(targets):
        MigrationExecutor(connection).migrate(targets)
        return MigrationExecutor(connection).loader.project_state(targets).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def queued(db):
    """The jobs now on the queue, as (func, args)."""
    from racecontrol.shared.jobs import queue_messages

    return queue_messages


@pytest.fixture
def run_jobs(db):
    """Run every due job in this process until none is left; returns how many ran."""
    from django.utils.timezone import now

    from racecontrol.shared import jobs

    def drain(most: int = 50) -> int:
        ran = 0
        while ran < most:
            job = (
                jobs.Job.objects.filter(state="queued", run_at__lte=now())
                .order_by("run_at")
                .first()
            )
            if job is None:
                break
            jobs.run_now(job)
            ran += 1
        return ran

    return drain
