"""The columns the score needs came later: rows that were there get the defaults, and back again."""

import pytest

BEFORE = [("coaching", "0001_garage")]
AFTER = [("coaching", "0002_orp_context")]


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
