"""Setup changes and the X-Factor audit that says whether they helped."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from coaching.domain import xfactor
from coaching.domain.laps import check_lap_ms
from coaching.domain.scenario import PARAMETERS, scenario_for, warnings_for
from coaching.models import RunLog, Session, SetupChange, XFactorAudit
from coaching.queries import garage as queries
from coaching.services.garage import close_session, lock_open_session
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady, RaceError


class NotAdvised(RaceError):
    """The scenario or the driver's confidence speaks against this change; it may be forced."""

    code = "not_advised"


def confidence_in(session: Session) -> int | None:
    """The latest rating logged in the session: what the driver thinks of the car now."""
    return (
        RunLog.objects.filter(heat__session=session, confidence__isnull=False)
        .order_by("-heat__order", "-lap_number")
        .values_list("confidence", flat=True)
        .first()
    )


def warnings_of(session: Session, parameter: str) -> list[str]:
    scenario = scenario_for(
        practice_rounds=session.practice_rounds, qualifying_rounds=session.qualifying_rounds
    )
    return warnings_for(parameter, scenario=scenario, confidence=confidence_in(session))


@transaction.atomic
def propose_change(
    *,
    session_id: int,
    by: Any,
    parameter: str,
    new_value: str,
    old_value: str = "",
    reason: str = "",
) -> SetupChange:
    """Write down a change to be decided; what speaks against it stands on it."""
    session = lock_open_session(session_id, by)
    if parameter not in PARAMETERS:
        raise InvalidInput(
            "There is no such setup value.", fields={"parameter": ["Unknown setup value."]}
        )
    if not new_value.strip():
        raise InvalidInput("Say what it becomes.", fields={"new_value": ["Say what it becomes."]})
    return session.changes.create(
        parameter=parameter,
        old_value=old_value.strip() or session.setup.get(parameter, ""),
        new_value=new_value.strip(),
        reason=reason.strip(),
        warnings=warnings_of(session, parameter),
    )


@transaction.atomic
def decide_change(
    *,
    session_id: int,
    change_id: int,
    by: Any,
    accept: bool,
    force: bool = False,
    reason: str = "",
) -> SetupChange:
    """Make the change or drop it. A change that is not advised needs `force`, and the force is recorded."""
    session = lock_open_session(session_id, by)
    change = session.changes.select_for_update(of=["self"]).filter(pk=change_id).first()
    if change is None:
        raise NotFound("There is no such change.")
    if change.status != SetupChange.Status.PENDING:
        raise NotReady(f"{change} is {change.get_status_display()} already.")
    if accept:
        change.warnings = warnings_of(session, change.parameter)
        if change.warnings and not force:
            raise NotAdvised(" ".join(change.warnings) + " Apply it anyway if you are sure.")
        change.status, change.is_forced = SetupChange.Status.ACCEPTED, bool(change.warnings)
        change.lap_ms_before = _best(session)
        session.setup = session.setup | {change.parameter: change.new_value}
        session.save(update_fields=["setup", "updated_at"])
    else:
        change.status = SetupChange.Status.DENIED
    change.decided_at = now()
    change.save()
    verb = "change.accepted_forced" if change.is_forced else f"change.{change.status}"
    audit.record(
        by=by,
        verb=verb,
        obj=change,
        before={change.parameter: change.old_value},
        after={change.parameter: change.new_value, "warnings": change.warnings},
        reason=reason,
    )
    return change


@transaction.atomic
def begin_audit(*, session_id: int, by: Any, change_id: int | None = None) -> XFactorAudit:
    """Open the questions about one change, or about the whole session; an open audit goes on."""
    session = lock_open_session(session_id, by)
    change = None
    if change_id is not None:
        change = session.changes.filter(pk=change_id).first()
        if change is None:
            raise NotFound("There is no such change.")
        if change.status != SetupChange.Status.ACCEPTED:
            raise NotReady("Only a change that was made can be rated.")
    under_way = session.audits.exclude(state__in=xfactor.LAST).first()
    if under_way:
        return under_way
    try:
        with transaction.atomic():
            return session.audits.create(change=change, state=xfactor.step("idle", "begin"))
    except IntegrityError:
        return session.audits.exclude(state__in=xfactor.LAST).get()


@transaction.atomic
def answer_audit(
    *,
    session_id: int,
    audit_id: int,
    by: Any,
    action: str,
    rating: int | None = None,
    choice: str = "",
    observation: str = "",
    best_lap_ms: int | None = None,
) -> XFactorAudit:
    """Answer the question the audit is at.

    `action`: rate (rating 1 to 5), explain (choice), observe (observation, best lap) or cancel. Completing writes
    the result on the change, or on every made and unrated change of the session, and then closes the session.
    Raises WrongStep out of order, InvalidInput for an answer that does not fit the question.
    """
    session = lock_open_session(session_id, by)
    row = session.audits.select_for_update(of=["self"]).filter(pk=audit_id).first()
    if row is None:
        raise NotFound("There is no such audit.")
    asked = row.state
    if action == "rate" and rating is None:
        raise InvalidInput("Choose 1 to 5.", fields={"rating": ["Choose 1 to 5."]})
    row.state = xfactor.step(asked, action, rating=rating)
    if action == "rate":
        row.rating = rating
    elif action == "explain":
        known = xfactor.SYMPTOMS if asked == "symptom" else xfactor.GAINS
        if choice not in known:
            raise InvalidInput("Choose one.", fields={"choice": [f"One of {', '.join(known)}."]})
        setattr(row, asked, choice)
    elif action == "observe":
        row.observation = observation.strip()[:5000]
        row.best_lap_ms = check_lap_ms(best_lap_ms) if best_lap_ms is not None else _best(session)
        row.completed_at = now()
    row.save()
    if row.state == "complete":
        _conclude(row, session, by)
    return row


def _conclude(row: XFactorAudit, session: Session, by: Any) -> None:
    rated = session.changes.filter(status=SetupChange.Status.ACCEPTED)
    rated = rated.filter(pk=row.change_id) if row.change_id else rated.filter(result="")
    rated.update(result=xfactor.result_of(row.rating), lap_ms_after=row.best_lap_ms)
    audit.record(
        by=by, verb="audit.completed", obj=row, after={"rating": row.rating, "session": session.pk}
    )
    if row.change_id is None:
        close_session(session_id=session.pk, by=by)


def _best(session: Session) -> int | None:
    overall, _ = queries.summary_of(session)
    return overall.best_ms
