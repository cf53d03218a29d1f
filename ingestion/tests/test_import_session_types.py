"""Session types through a whole import: off they stay null, on they follow the labels, a person's word stays."""

import pytest

from ingestion.models import Race
from ingestion.services import imports
from ingestion.services.races import override_session_type
from ingestion.tests.builders import import_demo

pytestmark = pytest.mark.django_db


@pytest.fixture
def inferring(monkeypatch):
    real = imports.flags.is_on_for
    monkeypatch.setattr(
        imports.flags,
        "is_on_for",
        lambda who, name: name == imports.flags.ENABLE_SESSION_TYPE_INFERENCE or real(who, name),
    )


def test_while_the_flag_is_off_every_race_keeps_null(site):
    import_demo()

    assert set(Race.objects.values_list("session_type", flat=True)) == {None}
    assert {race.kind for race in Race.objects.all()} == {"race"}


def test_with_the_flag_on_mains_are_races_and_rounds_are_what_their_header_says(site, inferring):
    import_demo()

    said = set(Race.objects.values_list("round_label", "session_type"))
    assert {kind for label, kind in said if label.startswith("Main")} == {"race"}
    assert {kind for label, kind in said if label.startswith("Qualifier")} == {"qualifying"}
    assert {kind for label, kind in said if label.startswith("Practice")} <= {"practice"}
    assert set(Race.objects.values_list("session_type_confidence", flat=True)) == {"high"}
    assert all(Race.objects.values_list("session_type_signals", flat=True))


def test_a_persons_word_survives_a_refresh(site, inferring, staff):
    import_demo()
    race = Race.objects.filter(round_label__startswith="Qualifier").first()
    override_session_type(race_id=race.pk, session_type="practice", by=staff)

    import_demo(refresh=True)

    race.refresh_from_db()
    assert (race.session_type_override, race.session_type, race.kind) == (
        "practice", "qualifying", "practice",
    )  # fmt: skip
