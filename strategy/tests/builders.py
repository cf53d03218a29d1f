"""Rows for strategy tests; what a test does not care about is filled in."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model

from racecontrol.testing.people import make_person
from strategy.models import Membership, Role, Team
from strategy.services import events, plans, teams

START = datetime(2026, 6, 13, 14, 0, tzinfo=UTC)


def make_team(owner, name: str = "Night Owls", members: dict | None = None) -> Team:
    team = teams.create_team(name=name, by=owner)
    for user, role in (members or {}).items():
        Membership.objects.create(team=team, user=user, role=role)
    return team


def make_event(owner, team=None, **values):
    """Three hours at 150 s a lap, starting 14:00 UTC."""
    team = team or make_team(owner)
    values = {"name": "Three hours", "hours": 3, "lap_ms": 150_000, "starts_at": [START],
              "preset": "house"} | values  # fmt: skip
    return events.create_event(team_id=team.pk, by=owner, **values)


def make_car(owner, team, name: str = "Blue 7", **numbers):
    return teams.save_car(team_id=team.pk, name=name, by=owner, **({"burn_ml": 4_000} | numbers))


def sign_up(event, user, windows=None, **values):
    """Free for the whole race unless told otherwise."""
    Membership.objects.get_or_create(team=event.host, user=user, defaults={"role": Role.DRIVER})
    start = event.instances.first().starts_at
    whole = [(start, start + timedelta(milliseconds=event.duration_ms))]
    return events.sign_up(
        event_id=event.pk, by=user, windows=whole if windows is None else windows, **values
    )


def make_strategy(owner, name: str = "Plan A", drivers: int = 2, **event_values):
    """A strategy with a first plan: the owner and one or more others drive."""
    event = make_event(owner, **event_values)
    car = make_car(owner, event.host)
    people = [owner]
    for n in range(1, drivers):
        found = get_user_model().objects.filter(username=f"mate{n}").first()
        people.append(found or make_person(f"mate{n}"))
    for n, person in enumerate(people):
        sign_up(event, person, lap_ms=150_000 + 500 * n)
    return plans.create_strategy(
        team_id=event.host_id, event_id=event.pk, car_id=car.pk,
        instance_id=event.instances.first().pk, name=name, user_ids=[p.pk for p in people],
        by=owner,
    )  # fmt: skip
