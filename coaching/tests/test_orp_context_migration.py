"""The columns the score needs came later: rows that were there get the defaults, and back again."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("coaching", "0001_garage")]
AFTER = [("coaching", "0002_orp_context")]


@pytest.fixture
def migrated():
    """Move coaching's schema, and bring it back to the newest at the end."""

    def to(targets):
        executor = MigrationExecutor(connection)
        executor.migrate(targets)
        return MigrationExecutor(connection).loader.project_state(targets).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
def test_rows_that_were_there_get_the_defaults(migrated, user):
    old = migrated(BEFORE)
    profile = old.get_model("coaching", "RacerProfile").objects.create(user_id=user.pk, name="Ann")
    session = old.get_model("coaching", "Session").objects.create(
        profile=profile, name="Saturday", start_date="2026-05-02"
    )

    new = migrated(AFTER)
    profile = new.get_model("coaching", "RacerProfile").objects.get(pk=profile.pk)
    row = new.get_model("coaching", "Session").objects.get(pk=session.pk)
    assert (profile.experience_level, profile.driving_style) == ("Intermediate", "")
    assert (row.practice_rounds, row.qualifying_rounds) == (0, 0)

    back = migrated(BEFORE)
    assert back.get_model("coaching", "Session").objects.get(pk=session.pk).name == "Saturday"
