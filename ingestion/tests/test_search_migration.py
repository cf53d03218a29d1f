"""The indexes of names come and go without touching what is named."""

import pytest
from django.db import connection

BEFORE = [("ingestion", "0003_imports_in_the_admin")]
AFTER = [("ingestion", "0004_words_of_names_are_indexed")]
NAMES = {
    "driver_words",
    "driver_alias_words",
    "event_words",
    "practice_session_words",
    "race_class_words",
    "track_words",
}


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE '%%_words'")
        return {name for (name,) in cursor.fetchall()} & NAMES


@pytest.mark.django_db(transaction=True)
def test_names_are_indexed_and_no_longer(migrated):
    old = migrated(BEFORE)
    assert indexes() == set()
    track = old.get_model("ingestion", "Track").objects.create(slug="tamworth", name="Tamworth 1/8")

    migrated(AFTER)
    assert indexes() == NAMES
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan TO off")
        cursor.execute(
            "EXPLAIN SELECT id FROM ingestion_driver WHERE to_tsvector('simple'::regconfig, "
            "COALESCE(regexp_replace(name, '[^[:alnum:]]+', ' ', 'g'), '')) @@ to_tsquery('simple', 'ann:*')"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "driver_words" in plan

    again = migrated(BEFORE)
    assert indexes() == set()
    assert again.get_model("ingestion", "Track").objects.get(pk=track.pk).name == "Tamworth 1/8"
