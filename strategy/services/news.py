"""Telling people and programs what changed: mail and signed webhooks, both through jobs with retries."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import transaction

from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotFound
from strategy import access
from strategy.models import Team, Webhook
from strategy.webhooks import check_address


def tell_people(user_ids: Sequence[int], *, subject: str, text: str) -> None:
    """One mail job for each person, committed with the change it tells of."""
    for user_id in dict.fromkeys(user_ids):
        jobs.enqueue("strategy.tasks.mail", user_id, subject[:150], text[:4000], title="Send mail")


def mail(*, user_id: int, subject: str, text: str) -> None:
    user = get_user_model().objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is not None:
        send_mail(subject, text, None, [user.email])


def tell_hooks(team: Team, text: str) -> None:
    """Queue one delivery for each active webhook of the team."""
    for hook in team.webhooks.filter(is_active=True):
        jobs.enqueue("strategy.tasks.deliver_hook", hook.pk, text[:1800], max_attempts=6,
                     title=f"Webhook of {team}")  # fmt: skip


@transaction.atomic
def add_webhook(*, team_id: int, url: str, by: Any) -> tuple[Webhook, str]:
    """Add an address; the secret that signs bodies is told once. Raises InvalidInput."""
    access.require(by, team_id, access.OWNERS)
    check_address(url)
    if Webhook.objects.filter(team_id=team_id).count() >= 10:
        raise InvalidInput("Ten webhooks are enough.", fields={"url": ["At most ten."]})
    if Webhook.objects.filter(team_id=team_id, url=url).exists():
        raise InvalidInput("This address is told already.", fields={"url": ["Known already."]})
    secret = secrets.token_urlsafe(32)
    return Webhook.objects.create(team_id=team_id, url=url, secret=secret), secret


@transaction.atomic
def remove_webhook(*, team_id: int, webhook_id: int, by: Any) -> None:
    access.require(by, team_id, access.OWNERS)
    if not Webhook.objects.filter(pk=webhook_id, team_id=team_id).delete()[0]:
        raise NotFound("There is no such webhook.")
