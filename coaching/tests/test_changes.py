"""Setup changes, the scenario that advises them, and the audit that rates them."""

import pytest

from coaching.domain.xfactor import WrongStep
from coaching.models import Session, SetupChange
from coaching.services import changes, garage
from coaching.services.changes import NotAdvised
from coaching.tests.builders import STEADY, drive, make_session
from racecontrol.models import AuditEvent
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(user) -> Session:
    return make_session(user, practice_rounds=1, setup={"DF": "5000"})


def propose(session, parameter="SO_F", new_value="45 wt") -> SetupChange:
    return changes.propose_change(
        session_id=session.pk,
        by=session.profile.user,
        parameter=parameter,
        new_value=new_value,
    )


def decide(session, change, **how):
    return changes.decide_change(
        session_id=session.pk, change_id=change.pk, by=session.profile.user, **how
    )


def audit(session, *steps, change_id=None):
    who = {"session_id": session.pk, "by": session.profile.user}
    row = changes.begin_audit(**who, change_id=change_id)
    for action, told in steps:
        row = changes.answer_audit(**who, audit_id=row.pk, action=action, **told)
    return row


BETTER = [
    ("rate", {"rating": 5}),
    ("explain", {"choice": "Corner Exit"}),
    ("observe", {"observation": "Calm on power.", "best_lap_ms": 57_900}),
]


def test_a_safe_change_is_made_and_becomes_the_setup(session):
    change = decide(session, propose(session), accept=True)

    session.refresh_from_db()
    assert (change.status, change.is_forced, change.warnings) == ("accepted", False, [])
    assert session.setup == {"DF": "5000", "SO_F": "45 wt"}


def test_little_practice_speaks_against_bold_changes_unless_forced(session, user):
    change = propose(session, "DF", "7000")
    assert change.old_value == "5000"

    with pytest.raises(NotAdvised, match="scenario B"):
        decide(session, change, accept=True)
    forced = decide(session, change, accept=True, force=True, reason="Nothing to lose.")

    assert (forced.status, forced.is_forced) == ("accepted", True)
    event = AuditEvent.objects.get(verb="change.accepted_forced")
    assert (event.by, event.reason) == (user, "Nothing to lose.")
    assert "scenario B" in event.after["warnings"][0]


def test_enough_practice_opens_the_diffs(user):
    session = make_session(user, practice_rounds=3)

    assert decide(session, propose(session, "DF", "7000"), accept=True).is_forced is False


def test_a_closed_gate_speaks_against_every_change(session):
    drive(session, "Q1", STEADY, confidence=2)

    with pytest.raises(NotAdvised, match="Confidence is 2"):
        decide(session, propose(session), accept=True)


def test_a_denied_change_is_no_failure_and_is_decided_once(session):
    change = decide(session, propose(session), accept=False)

    assert (change.status, change.result) == ("denied", "")
    with pytest.raises(NotReady, match="already"):
        decide(session, change, accept=True)


def test_unknown_setup_values_are_refused(session):
    with pytest.raises(InvalidInput) as refusal:
        propose(session, "Wings", "big")

    assert "parameter" in refusal.value.fields


def test_closing_a_session_rates_every_change_that_was_made(session):
    """The forerunner cleared its state first, so the closing report was always empty."""
    drive(session)
    made, dropped = propose(session), propose(session, "SO_R", "50 wt")
    decide(session, made, accept=True)
    decide(session, dropped, accept=False)

    row = audit(session, *BETTER)

    made.refresh_from_db()
    dropped.refresh_from_db()
    session.refresh_from_db()
    assert (row.state, row.gain, row.observation) == ("complete", "Corner Exit", "Calm on power.")
    assert (made.result, made.lap_ms_before, made.lap_ms_after) == ("success", 57_950, 57_900)
    assert dropped.result == ""
    assert session.is_closed
    assert session.setup["SO_F"] == "45 wt"


def test_an_audit_of_one_change_leaves_the_session_open(session):
    one, two = decide(session, propose(session), accept=True), propose(session, "SO_R", "50 wt")
    decide(session, two, accept=True)

    audit(
        session,
        ("rate", {"rating": 1}),
        ("explain", {"choice": "Rear-end loose"}),
        ("observe", {}),
        change_id=one.pk,
    )

    one.refresh_from_db()
    two.refresh_from_db()
    session.refresh_from_db()
    assert (one.result, two.result, session.is_closed) == ("failure", "", False)


def test_the_audits_rating_is_not_the_confidence(session):
    """The forerunner used one word for "did it help" and "do you trust the car"."""
    drive(session, "Q1", STEADY, confidence=4)
    change = decide(session, propose(session), accept=True)

    audit(
        session,
        ("rate", {"rating": 1}),
        ("explain", {"choice": "Rear-end loose"}),
        ("observe", {}),
        change_id=change.pk,
    )

    assert changes.confidence_in(session) == 4
    assert changes.warnings_of(session, "SO_F") == []


def test_a_neutral_rating_goes_straight_on(session):
    row = audit(session, ("rate", {"rating": 3}))

    assert row.state == "observation"


def test_an_answer_that_does_not_fit_changes_nothing(session, user):
    row = audit(session, ("rate", {"rating": 5}))

    with pytest.raises(InvalidInput):
        changes.answer_audit(
            session_id=session.pk,
            audit_id=row.pk,
            by=user,
            action="explain",
            choice="Rear-end loose",
        )
    with pytest.raises(WrongStep):
        changes.answer_audit(
            session_id=session.pk, audit_id=row.pk, by=user, action="rate", rating=2
        )
    row.refresh_from_db()
    assert (row.state, row.rating, row.symptom) == ("gain", 5, "")


def test_there_is_one_open_audit_and_it_can_be_cancelled(session):
    first = audit(session)
    assert audit(session).pk == first.pk

    cancelled = audit(session, ("cancel", {}))

    assert cancelled.state == "cancelled"
    assert audit(session).pk != first.pk
    session.refresh_from_db()
    assert not session.is_closed


def test_somebody_else_finds_no_change_and_no_audit(session, other):
    change = propose(session)

    for attempt in (
        lambda: changes.decide_change(
            session_id=session.pk, change_id=change.pk, by=other, accept=True
        ),
        lambda: changes.begin_audit(session_id=session.pk, by=other),
    ):
        with pytest.raises(NotFound):
            attempt()
    garage.close_session(session_id=session.pk, by=session.profile.user)
