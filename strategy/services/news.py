"""Telling people and programs what changed: mail and signed webhooks, both through jobs with retries."""

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotFound
from racecontrol.shared.mail import post
from strategy import access
from strategy.models import PlanVersion, RaceStrategy, StintPlan, Team, Webhook
from strategy.webhooks import check_address

PATIENCE = timedelta(seconds=60)  # changes by hand come in bursts


def tell_people(user_ids: Sequence[int], *, subject: str, text: str) -> None:
    """One mail job for each person, committed with the change it tells of."""
    for user_id in dict.fromkeys(user_ids):
        jobs.enqueue("strategy.tasks.mail", user_id, subject[:150], text[:4000], title="Send mail")


def mail(*, user_id: int, subject: str, text: str, key: str) -> None:
    """`key` names this mail, however often its job is tried."""
    user = get_user_model().objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is not None:
        post(subject, text, [user.email], key=key)


def tell_named(row: RaceStrategy, note: str, *, by: Any) -> None:
    """Mail a note to the people of the team it names as @username."""
    names = {name.lower() for name in re.findall(r"@([\w.+-]+)", note)}
    if not names:
        return
    people = {user.username.lower(): user.pk for user in row.team.members.all()}
    tell_people(
        [people[name] for name in sorted(names & people.keys())],
        subject=f"{by} about {row.name}", text=f"{row.event}, {row.name}: {note}",
    )  # fmt: skip


def tell_later(row: RaceStrategy, *, since: PlanVersion | None, by: Any) -> None:
    """Tell of a changed active plan in a minute, once for all changes until then."""
    jobs.enqueue(
        "strategy.tasks.tell_change", row.pk, since.number if since else 0, str(by),
        key=f"plan-news:{row.pk}", run_at=now() + PATIENCE, title=f"Tell of {row.name}",
    )  # fmt: skip


def tell_change(*, strategy_id: int, since: int, by: str) -> int:
    """Mail each driver whose stints differ from version `since`, and the webhooks; how many were told.

    Nobody hears of a change that was undone meanwhile, or of a plan that no longer counts.
    """
    row = RaceStrategy.objects.select_related("team", "event", "instance", "current").get(
        pk=strategy_id
    )
    before = row.versions.filter(number=since).first()
    if row.status != RaceStrategy.Status.ACTIVE or row.current is None or row.current == before:
        return 0
    old = _by_driver(before)
    new = _by_driver(row.current)
    people = get_user_model().objects.in_bulk(old.keys() | new.keys())
    concerned = [p for p in people.values() if _same(old.get(p.pk)) != _same(new.get(p.pk))]
    if not concerned:
        return 0
    for person in concerned:
        lines = [_line(row, stint, person.time_zone) for stint in new.get(person.pk, [])]
        text = "\n".join([f"The plan of {row.team} for {row.event} changed (by {by}).", "",
                          *(lines or ["You drive no stint in it now."])])  # fmt: skip
        tell_people([person.pk], subject=f"New plan for {row.event}", text=text)
    names = ", ".join(sorted(str(person) for person in concerned))
    tell_hooks(row.team, f"{row.team}: the plan for {row.event} is now version "
               f"{row.current.number} (by {by}); other stints for {names}.")  # fmt: skip
    return len(concerned)


def _by_driver(version: PlanVersion | None) -> dict[int, list[StintPlan]]:
    found: dict[int, list[StintPlan]] = {}
    for stint in version.stints.exclude(driver=None) if version else ():
        found.setdefault(stint.driver_id or 0, []).append(stint)
    return found


def _same(stints: list[StintPlan] | None) -> list[tuple]:
    return [(s.start_lap, s.laps, s.tyres, s.compound) for s in stints or []]


def _line(row: RaceStrategy, stint: StintPlan, zone: str) -> str:
    laps = f"laps {stint.start_lap + 1} to {stint.start_lap + stint.laps}"
    if row.instance is None:
        return f"Stint {stint.number}: {laps}."
    start = row.instance.starts_at + timedelta(milliseconds=stint.planned_start_ms)
    local = start.astimezone(ZoneInfo(zone))
    return f"Stint {stint.number}: {laps}, from {local:%a %d %b %H:%M %Z}."


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
