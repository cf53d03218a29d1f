"""The test database: migrated once into a template, then copied for every run and xdist worker.

`conftest.py` imports the fixture `django_db_setup` from here. A copy takes a tenth of a second,
migrating takes seconds; the template is named by a hash of all migrations, so it is never old.
Works on the embedded cluster and on any server named by DATABASE_URL whose user may create
databases (PostgreSQL 15 or newer).
"""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import django
import psutil
import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase
from psycopg import sql
from psycopg.sql import Identifier

from racecontrol.devdb import cluster_of

# Any constant will do: only test runs on the same server ask for it.
TEMPLATE_LOCK = 7_012_026


def fingerprint() -> str:
    """Changes when a migration of any installed app, or Django itself, changes."""
    digest = hashlib.sha256(django.__version__.encode())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for path in sorted((Path(app.path) / "migrations").glob("*.py")):
            digest.update(f"{app.label}/{path.name}".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def use(name: str) -> None:
    """Point Django, in all threads, at another database of the same server."""
    connection.close()
    connection.settings_dict["NAME"] = name


def server_connection(name: str) -> psycopg.Connection:
    database = connection.settings_dict
    options = {key: database[key.upper()] for key in ("host", "port", "user", "password")}
    return psycopg.connect(
        dbname=name, autocommit=True, **{key: value for key, value in options.items() if value}
    )


def make_template(server: psycopg.Connection, template: str) -> None:
    half_made = f"{template}_new"
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(half_made)))
    server.execute(sql.SQL("CREATE DATABASE {}").format(Identifier(half_made)))
    use(half_made)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    connection.close()
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            Identifier(half_made), Identifier(template)
        )
    )


def drop_leftovers(server: psycopg.Connection, template: str) -> None:
    """On our own cluster: databases of runs that were killed, and templates of old migrations."""
    for (name,) in server.execute("SELECT datname FROM pg_database").fetchall():
        kind, _, rest = name.partition("_")
        is_old_template = kind == "rctemplate" and name != template
        is_orphan = kind == "rctest" and not psutil.pid_exists(int(rest.rpartition("_")[2]))
        if is_old_template or is_orphan:
            server.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
            )


# What `migrate` makes anew after each flush and no test changes.
STANDING = {"django_content_type", "auth_permission", "django_migrations"}


def forget_rows(case: TransactionTestCase) -> None:
    """Empty the tables after a test that committed, in place of Django's flush.

    Deleting few rows takes hundredths of a second where truncating a hundred tables and telling
    everybody of a new database takes most of one. Whatever refuses gets the flush.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(deletions())
    except DatabaseError:
        flush(case)


@cache
def deletions() -> str:
    tables = set(connection.introspection.django_table_names(only_existing=True)) - STANDING
    return ";".join(f"DELETE FROM {connection.ops.quote_name(table)}" for table in sorted(tables))


flush = TransactionTestCase._fixture_teardown


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker) -> Iterator[None]:
    """pytest-django's fixture, by copying a migrated template."""
    home = connection.settings_dict["NAME"]
    template = f"rctemplate_{fingerprint()}"
    mine = f"rctest_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    with server_connection(home) as server:
        with django_db_blocker.unblock():
            server.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not server.execute(known, [template]).fetchone():
                make_template(server, template)
            if cluster_of(connection.settings_dict):
                drop_leftovers(server, template)
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    Identifier(mine), Identifier(template)
                )
            )
            server.execute("SELECT pg_advisory_unlock(%s)", [TEMPLATE_LOCK])
            use(mine)
        TransactionTestCase._fixture_teardown = forget_rows  # type: ignore[method-assign]
        yield
        with django_db_blocker.unblock():
            use(home)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(mine)))


def stop_test_cluster(config: pytest.Config) -> None:
    """For `pytest_unconfigure`: the run that was last out stops the embedded test server."""
    if hasattr(config, "workerinput") or not settings.configured:
        return  # an xdist worker: its controller does it
    cluster = cluster_of(settings.DATABASES["default"])
    if cluster:
        connection.close()
        cluster.stop_if_unused()
