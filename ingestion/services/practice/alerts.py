"""Alert rules for practice days: looked at by the clock, mailed when one starts, lasts a day, or ends.

A run counts as failed unless it brought everything it was asked for: what it had to leave out is
what somebody should look at. Pauses for a spent budget are no failures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.timezone import now

from ingestion.models import PracticeAlert, PracticeDrift, PracticeRun
from racecontrol.shared.mail import tell_staff

log = structlog.get_logger(__name__)

WINDOW: Final = timedelta(hours=24)
REMIND_AFTER: Final = timedelta(hours=24)
FEWEST_RUNS: Final = 5  # below that one failure says nothing of a rate
MOST_DISCOVERY_FAILURES: Final = 0.10
MOST_IMPORT_FAILURES: Final = 0.05
LATE: Final = timedelta(hours=24)
Rule = PracticeAlert.Rule


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule saw: does it fire, and the sentence that says so."""

    is_firing: bool
    says: str


def failure_rate(kind: Any, *, most: float, moment: datetime) -> Reading:
    """More than `most` of a day's runs of a kind did not bring everything."""
    runs = PracticeRun.objects.filter(kind=kind, finished_at__gte=moment - WINDOW)
    total = runs.count()
    failed = runs.exclude(outcome=PracticeRun.Outcome.DONE).count()
    is_firing = total >= FEWEST_RUNS and failed > most * total
    return Reading(is_firing, f"{failed} of {total} in 24 hours failed; {most:.0%} are allowed.")


def late_drift(*, moment: datetime) -> Reading:
    """Days that were seen to differ more than 24 hours after they were last brought up to date."""
    late = PracticeDrift.objects.filter(
        Q(new__gt=0) | Q(removed__gt=0) | Q(changed__gt=0),
        found_at__gte=moment - WINDOW,
        found_at__gt=F("ingested_at") + LATE,
    ).select_related("event")
    names = [f"{drift.event.name} ({drift})" for drift in late[:5]]
    count = late.count()
    more = f" and {count - 5} more" if count > 5 else ""
    return Reading(bool(names), f"Changed late: {'; '.join(names)}{more}."[:300])


RULES: Final[dict[Any, Callable[..., Reading]]] = {
    Rule.DISCOVERY: lambda moment: failure_rate(
        PracticeRun.Kind.DISCOVERY, most=MOST_DISCOVERY_FAILURES, moment=moment
    ),
    Rule.IMPORT: lambda moment: failure_rate(
        PracticeRun.Kind.IMPORT, most=MOST_IMPORT_FAILURES, moment=moment
    ),
    Rule.DRIFT: lambda moment: late_drift(moment=moment),
}


def evaluate(*, moment: datetime | None = None) -> list[str]:
    """Look at every rule; the names of those that fire. Mails what is news, not what was mailed."""
    moment = moment or now()
    firing = []
    for rule, look in RULES.items():
        reading = look(moment=moment)
        _note(rule, reading, moment)
        if reading.is_firing:
            firing.append(str(rule.value))
    return firing


@transaction.atomic
def _note(rule: Any, reading: Reading, moment: datetime) -> None:
    PracticeAlert.objects.get_or_create(rule=rule)
    alert = PracticeAlert.objects.select_for_update().get(rule=rule)
    was_firing, alert.is_firing = alert.is_firing, reading.is_firing
    alert.checked_at = moment
    alert.says = reading.says if reading.is_firing else ""
    key = f"practice-alert:{alert.rule}:{moment:%Y%m%d%H%M%S}"
    is_old = alert.mailed_at is not None and moment - alert.mailed_at >= REMIND_AFTER
    if reading.is_firing and not was_firing:
        alert.since, alert.mailed_at = moment, moment
        _mail(f"Practice days: {alert}", reading.says, key=key)
    elif reading.is_firing and is_old:
        alert.mailed_at = moment
        _mail(f"Practice days: {alert}, still", reading.says, key=key)
    elif was_firing and not reading.is_firing:
        alert.since, alert.mailed_at = None, None
        _mail(f"Practice days: {alert} – it is over", "All is well again.", key=key)
    alert.save()


def _mail(subject: str, says: str, *, key: str) -> None:
    """After the commit, so that nothing is told that was not noted."""
    log.warning("practice_alert", subject=subject, says=says)
    text = f"{says}\n\n{settings.PUBLIC_URL}/admin/ingestion/practicerun/"
    transaction.on_commit(lambda: tell_staff(subject, text, key=key))
