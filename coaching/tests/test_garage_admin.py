"""Operators look and mend."""

import pytest
from django.urls import reverse

from coaching.models import (
    Heat,
    LapFile,
    OrpScore,
    ProfileClaim,
    RacerProfile,
    RunLog,
    Session,
    SetupChange,
    Vehicle,
    XFactorAudit,
)
from coaching.services import changes, claims, garage, lap_files
from coaching.tests.builders import STEADY, drive, make_driver, make_profile, make_session

pytestmark = pytest.mark.django_db

MODELS = [
    Heat,
    LapFile,
    OrpScore,
    ProfileClaim,
    RacerProfile,
    RunLog,
    Session,
    SetupChange,
    Vehicle,
    XFactorAudit,
]


@pytest.fixture
def session(user):
    profile = make_profile(user)
    garage.save_vehicle(by=user, profile_id=profile.pk, brand="Tekno", model="EB48")
    session = make_session(user)
    drive(session, "Practice 1", [75.2, *STEADY])
    changes.propose_change(session_id=session.pk, by=user, parameter="SO_F", new_value="40")
    changes.begin_audit(session_id=session.pk, by=user)
    lap_files.request_import(by=user, name="a.csv", content=[b""], session_id=session.pk)
    claims.claim_driver(profile_id=profile.pk, driver_id=make_driver().pk, by=user)
    return session


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_can_be_looked_at_searched_and_opened(boss, session, model):
    name = f"admin:coaching_{model._meta.model_name}"
    row = model.objects.first()

    assert boss.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200
    assert boss.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


def test_mending_a_lap_scores_its_heat_again(boss, session):
    lap = RunLog.objects.get(lap_number=1)
    before = session.scores.get(heat=lap.heat, formula="v2").score
    values = {"heat": lap.heat_id, "lap_number": 1, "lap_ms": 75_200, "flag": "out"}

    answer = boss.post(
        reverse("admin:coaching_runlog_change", args=[lap.pk]),
        values | {"source": "manual", "confidence": "", "source_ref": ""},
    )

    assert answer.status_code == 302
    assert (before, session.scores.get(heat=lap.heat, formula="v2").score) == (89.5, 98.4)


def test_staff_settle_claims_by_action(boss, session):
    claim = ProfileClaim.objects.get()

    boss.post(
        reverse("admin:coaching_profileclaim_changelist"),
        {"action": "approve", "_selected_action": [claim.pk]},
    )

    claim.refresh_from_db()
    assert claim.state == "approved"
    assert RacerProfile.objects.get().driver == claim.driver


def test_scores_can_be_computed_again(boss, session):
    OrpScore.objects.all().delete()

    boss.post(
        reverse("admin:coaching_session_changelist"),
        {"action": "score_again", "_selected_action": [session.pk]},
    )

    assert OrpScore.objects.filter(heat__session=session).count() == 2
