"""Messages about a mission: one row per run and channel, sent after the commit, never twice.

A row is marked "being sent" before it is handed to the mail server. If the worker dies in that
moment, or the connection once the server had all of it, nobody can know whether the mail left: the
row becomes "perhaps not sent" and is not sent again, because a second mail is worse than a page that
has the words anyway.
"""

import smtplib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urljoin

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse

from coaching.domain.missions import schedule
from coaching.domain.missions.facts import from_data
from coaching.models import LlmAccount, Mission, MissionNotification, MissionRun
from racecontrol.shared import jobs
from racecontrol.shared.mail import message_id

log = structlog.get_logger(__name__)
Status = MissionNotification.Status
# Longer than all tries of one call may take: EMAIL_TIMEOUT for each, and the pauses between.
LEASE: Final = timedelta(minutes=5)
PAUSES_S: Final = (1.0, 3.0)  # between the three tries of one call


def queue_for_run(run: MissionRun, moment: datetime) -> MissionNotification | None:
    """The mail of a run that has ended, if its owner wants one."""
    wanted = run.mission.notifications or {}
    is_good = run.status == MissionRun.Status.SUCCEEDED
    if not wanted.get("email" if is_good else "email_failures", True):
        return None
    if not run.mission.owner.email:
        return None
    key = f"run:{run.pk}:{run.attempt_no}:{'words' if is_good else run.status}:email"
    return _queue(run.mission, key, kind=run.kind if is_good else "no_words", run=run, at=moment)


def key_is_bad(
    mission: Mission, account: LlmAccount | None, moment: datetime
) -> MissionNotification | None:
    """One mail when a person's own key stops working; none while it stays that way."""
    if account is None:
        return None
    account.refresh_from_db()
    key = f"key:{account.pk}:{account.updated_at:%Y%m%d%H%M%S}:email"
    return _queue(mission, key, kind="bad_key", run=None, at=moment)


def _queue(
    mission: Mission, key: str, *, kind: str, run: MissionRun | None, at: datetime
) -> MissionNotification:
    with transaction.atomic():
        notice, made = MissionNotification.objects.get_or_create(
            key=key,
            defaults={
                "mission": mission, "run": run, "kind": kind, "channel": "email",
                "next_attempt_at": at,
            },
        )  # fmt: skip
        if made:
            enqueue(notice)
    return notice


def enqueue(notice: MissionNotification) -> None:
    jobs.enqueue(
        "coaching.tasks.send_mission_notice",
        notice.pk,
        key=f"mission-notice:{notice.pk}:{notice.attempts}",
        owner=notice.mission.owner,
        title=f"{notice.mission.name}: mail",
    )


def send(*, notice_id: int, real_now: datetime) -> str:
    """Send one message. A second delivery finds it taken and does nothing."""
    taken = MissionNotification.objects.filter(pk=notice_id, status=Status.QUEUED).update(
        status=Status.SENDING, attempts=F("attempts") + 1, lease_until=real_now + LEASE
    )
    if not taken:
        return "already taken"
    notice = MissionNotification.objects.select_related("run", "mission", "mission__owner").get(
        pk=notice_id
    )
    try:
        is_sure = _hand_over(notice)
    except (
        OSError,
        ValueError,
    ) as failed:  # SMTPException is an OSError; bad headers are ValueErrors
        log.warning("mission_mail_failed", notice_id=notice.pk, error=type(failed).__name__)
        again = schedule.retry_at("email", failures=notice.attempts, now=real_now)
        MissionNotification.objects.filter(pk=notice.pk).update(
            status=Status.QUEUED if again else Status.FAILED,
            next_attempt_at=again or real_now,
            error=type(failed).__name__[:200],
            lease_until=None,
        )
        return "will be tried again" if again else "failed"
    status = Status.SENT if is_sure else Status.UNCERTAIN
    MissionNotification.objects.filter(pk=notice.pk).update(
        status=status, sent_at=real_now if is_sure else None, error="", lease_until=None
    )
    return str(status)


def _hand_over(notice: MissionNotification) -> bool:
    """Up to three tries, moments apart; what the mail server refuses for good is not repeated.

    False when the connection broke with the mail server perhaps having it: that is no reason to
    try again.
    """
    channel = CHANNELS[notice.channel]
    for pause in PAUSES_S:
        try:
            return channel(notice)
        except OSError as failed:
            if _is_refused(failed):
                raise
            time.sleep(pause)
    return channel(notice)


def _is_refused(failed: OSError) -> bool:
    """Did the mail server say no for good (a code of 500 and above), rather than break?"""
    if isinstance(failed, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in failed.recipients.values())
    return isinstance(failed, smtplib.SMTPResponseException) and failed.smtp_code >= 500


def look_after(*, real_now: datetime) -> int:
    """Queue what is due again; messages caught in the middle of sending become uncertain."""
    MissionNotification.objects.filter(status=Status.SENDING, lease_until__lt=real_now).update(
        status=Status.UNCERTAIN, lease_until=None
    )
    due = MissionNotification.objects.filter(
        status=Status.QUEUED, next_attempt_at__lte=real_now, attempts__gt=0
    ).select_related("mission", "mission__owner")
    for notice in due[:500]:
        enqueue(notice)
    return len(due)


# -- channels --------------------------------------------------------------------------------


def _email(notice: MissionNotification) -> bool:
    mission, run = notice.mission, notice.run
    if not mission.owner.email:
        return True
    context = {
        "mission": mission,
        "run": run,
        "facts": from_data(run.facts or []) if run else (),
        "url": link("coaching:mission_today", mission_id=mission.pk),
        "settings_url": link("coaching:settings"),
        "mission_url": link("coaching:mission", mission_id=mission.pk),
        "is_scripted": mission.is_demo,
        "person": mission.owner,
    }
    name = f"coaching/email/{notice.kind}"
    subject = " ".join(render_to_string(f"{name}_subject.txt", context).split())[:180]
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"{name}.txt", context),
        to=[mission.owner.email],
        headers={"Message-ID": message_id(notice.key)},
    )
    message.attach_alternative(render_to_string(f"{name}.html", context), "text/html")
    return bool(message.send())


# A further channel is one more function here; rows and retries stay as they are. It raises OSError
# when the message did not leave, and answers False when nobody knows whether it did.
CHANNELS: Final[dict[str, Callable[[MissionNotification], bool]]] = {"email": _email}


def link(name: str, **kwargs: Any) -> str:
    """A whole address for a mail."""
    try:
        path = reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        path = "/"
    return urljoin(settings.PUBLIC_URL, path)
