"""The table of run plans goes away and comes back, on a database of its own."""

import os

import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from racecontrol.testing.db import fingerprint, server_connection, use

DESIGNED = {
    ("id", "uuid", "NO", "gen_random_uuid()"),
    ("title", "text", "YES", None),
    ("objective", "text", "YES", None),
    ("inputs", "jsonb", "NO", None),
    ("result", "jsonb", "NO", None),
    ("status", "character varying", "NO", "'computed'::character varying"),
    ("created_at", "timestamp with time zone", "NO", "now()"),
    ("updated_at", "timestamp with time zone", "NO", "now()"),
}


@pytest.fixture
def scratch(django_db_setup, django_db_blocker):
    """A copy of the migrated template; whatever happens in it is thrown away."""
    name = sql.Identifier(f"rctest_scratch_{os.getpid()}")
    with django_db_blocker.unblock():
        home = connection.settings_dict["NAME"]
        template = sql.Identifier(f"rctemplate_{fingerprint()}")
        with server_connection(home) as server:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
            use(f"rctest_scratch_{os.getpid()}")
            try:
                yield
            finally:
                use(home)
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def rows(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def columns():
    return rows(
        "SELECT column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_name = 'run_plans'"
    )


def indexes():
    return dict(
        rows(
            "SELECT indexname, split_part(split_part(indexdef, 'USING ', 2), ' ', 1)"
            " FROM pg_indexes WHERE tablename = 'run_plans'"
        )
    )


def test_the_table_is_as_designed_and_can_be_taken_back(scratch):
    call_command("migrate", "runplans", "0001", verbosity=0)

    assert set(columns()) == DESIGNED
    assert indexes() == {
        "run_plans_pkey": "btree",
        "idx_run_plans_created_at": "btree",
        "idx_run_plans_inputs_gin": "gin",
        "idx_run_plans_result_gin": "gin",
    }

    call_command("migrate", "runplans", "zero", verbosity=0)
    assert columns() == []
    assert indexes() == {}

    call_command("migrate", "runplans", verbosity=0)
    assert set(columns()) > DESIGNED
    rows("INSERT INTO run_plans (inputs, result) VALUES ('{}', '{}') RETURNING id")
    assert rows("SELECT status FROM run_plans") == [("computed",)]
