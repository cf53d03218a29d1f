"""What an athlete says about a day: the check-in, what they made of the guidance, their consent."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from coaching.domain.missions.profile import read_check_in
from coaching.llm.prompts import clean
from coaching.models import CheckIn, Consent, Mission, MissionRun, RunResponse
from coaching.queries import missions as read
from coaching.services import mission_runs
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotReady


def check_in(
    *, by: Any, data: dict[str, Any], note: str = "", now: datetime, mission: Mission | None = None
) -> CheckIn:
    """Keep this morning's check-in, once a local date, corrected by saying it again.

    Without consent to store health data nothing is kept. A run that waits for data goes on.
    """
    values = read_check_in(data)
    note = clean(note)
    is_demo = mission is not None and mission.is_demo
    if not is_demo and Consent.Purpose.HEALTH not in read.standing_consents(by):
        raise NotAllowed("Give consent to store health data in the settings first.")
    mission = mission or read.running_mission(by)
    if mission is None:
        raise NotReady("Check-ins are kept while a mission runs.")
    with transaction.atomic():
        row, _made = CheckIn.objects.update_or_create(
            owner=by,
            local_date=mission.today(now),
            defaults={"values": values, "note": note, "at": mission.now(now)},
        )
    if mission.is_running:
        mission_runs.wake(mission_id=mission.pk, now=now)
    return row


@transaction.atomic
def respond(
    *, by: Any, mission_id: int, local_date: date, choice: str, note: str = "", now: datetime
) -> RunResponse:
    """Done, adjusted or skipped, with a note; may be corrected."""
    run = read.run_of(by, mission_id, local_date)
    if choice not in RunResponse.Choice.values:
        raise InvalidInput(
            "Say what you made of the day.",
            fields={"choice": [f"Choose from {', '.join(RunResponse.Choice.values)}."]},
        )
    if run.guidance is None:
        raise NotReady("There is no guidance for this day to answer.")
    response, _made = RunResponse.objects.update_or_create(
        run=run,
        defaults={"choice": choice, "note": clean(note), "at": run.mission.now(now)},
    )
    return response


@transaction.atomic
def give_consent(*, by: Any, purposes: list[str], now: datetime, host: str = "") -> None:
    """Agree to purposes in their present wording; one that stands already stays."""
    for purpose in purposes:
        if purpose not in Consent.Purpose.values:
            raise InvalidInput("No such purpose.", fields={"purposes": [str(purpose)[:40]]})
        wording = Consent.WORDING[purpose]
        # A consent to older words is closed, and stays on record beside the new one.
        Consent.objects.filter(owner=by, purpose=purpose, withdrawn_at=None).exclude(
            wording=wording
        ).update(withdrawn_at=now)
        Consent.objects.get_or_create(
            owner=by,
            purpose=purpose,
            withdrawn_at=None,
            defaults={
                "given_at": now, "wording": wording,
                "host": host if purpose == Consent.Purpose.MODEL else "",
            },
        )  # fmt: skip
        audit.record(
            by=by, verb="consent.given", obj=by, after={"purpose": purpose, "wording": wording}
        )


@transaction.atomic
def withdraw_consent(*, by: Any, purpose: str, now: datetime) -> None:
    """Take consent back: what waits is cancelled at once, nothing is sent any more."""
    changed = Consent.objects.filter(owner=by, purpose=purpose, withdrawn_at__isnull=True).update(
        withdrawn_at=now
    )
    if not changed:
        return
    MissionRun.objects.filter(
        mission__owner=by, mission__is_demo=False, status__in=["queued", "retry"]
    ).update(
        status=MissionRun.Status.CANCELLED, reason_code="no_consent",
        reason="Consent was withdrawn; nothing is sent to the model.",
    )  # fmt: skip
    audit.record(by=by, verb="consent.withdrawn", obj=by, after={"purpose": purpose})
