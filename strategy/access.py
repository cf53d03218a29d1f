"""Who may see and do what in strategy; asked by page, API, task and live stream alike.

A stranger to a team is told nothing is there; a member without the role is told what is missing.
What `team_for`, `event_for` and `strategy_for` give says in `your_role` which role let the person in,
for this one answer: the next request, and every beat of a stream, asks anew.
"""

from typing import Any
from uuid import UUID

from racecontrol.shared.errors import NotAllowed, NotFound
from strategy.models import EventParticipation, Membership, RaceStrategy, Role, StrategyEvent, Team

PLANNERS = frozenset({Role.OWNER, Role.STRATEGIST})
OWNERS = frozenset({Role.OWNER})
EVERYONE = frozenset(Role)


def role_in(user: Any, team_id: int | None) -> str | None:
    """The person's role in the team, None for strangers and where there is none. Staff act as owners."""
    if not user.is_authenticated or team_id is None:
        return None
    if user.is_staff:
        return str(Role.OWNER) if Team.objects.filter(pk=team_id).exists() else None
    return (
        Membership.objects.filter(team_id=team_id, user=user).values_list("role", flat=True).first()
    )


def require(user: Any, team_id: int | None, roles: frozenset = EVERYONE) -> str:
    """The role, if it is one of `roles`. Raises NotFound for strangers, NotAllowed for others."""
    return must_be(role_in(user, team_id), roles)


def must_be(role: str | None, roles: frozenset = EVERYONE) -> str:
    """The role found before, if it is one of `roles`. Raises as `require` does."""
    if role is None:
        raise NotFound("There is no such team, or it is not yours.")
    if role not in roles:
        wanted = " or ".join(sorted(roles))
        raise NotAllowed(f"This needs the role {wanted}; yours is {role}.")
    return role


def team_for(user: Any, team_id: int, roles: frozenset = EVERYONE) -> Team:
    role = require(user, team_id, roles)
    team = Team.objects.get(pk=team_id)
    team.your_role = role
    return team


def event_for(user: Any, event_id: int, roles: frozenset = EVERYONE) -> StrategyEvent:
    """The event, for members of its host and, to look at, for whoever signed up."""
    event = StrategyEvent.objects.select_related("host").filter(pk=event_id).first()
    if event is None:
        raise NotFound("There is no such event, or it is not yours.")
    event.your_role = role_in(user, event.host_id)
    if roles == EVERYONE and event.your_role is None:
        if EventParticipation.objects.filter(event=event, user_id=user.pk).exists():
            return event
        entries = Team.objects.filter(event_entries__event=event, memberships__user_id=user.pk)
        if entries.exists():
            return event
    must_be(event.your_role, roles)
    return event


def event_by_link(token: UUID) -> StrategyEvent:
    """The event whose sign-up link this is. Raises NotFound for a link that was withdrawn."""
    event = StrategyEvent.objects.select_related("host").filter(signup_token=token).first()
    if event is None:
        raise NotFound("This link was withdrawn: ask for a new one.")
    return event


def event_to_sign_up(user: Any, event_id: int, token: UUID | None) -> StrategyEvent:
    """The event, for whoever may see it or holds the token of its link."""
    if token is None:
        return event_for(user, event_id)
    event = event_by_link(token)
    if event.pk != event_id:
        raise NotFound("There is no such event, or it is not yours.")
    return event


def strategy_for(user: Any, strategy_id: int, roles: frozenset = EVERYONE) -> RaceStrategy:
    row = (
        RaceStrategy.objects.select_related("team", "event", "instance", "car", "current")
        .filter(pk=strategy_id)
        .first()
    )
    if row is None:
        raise NotFound("There is no such strategy, or it is not yours.")
    row.your_role = require(user, row.team_id, roles)
    return row


def signup_for(user: Any, signup_id: int) -> EventParticipation:
    """A signup, for its person and for members of the host."""
    row = (
        EventParticipation.objects.select_related("event", "user")
        .prefetch_related("windows")
        .filter(pk=signup_id)
        .first()
    )
    if row is None or (row.user_id != user.pk and role_in(user, row.event.host_id) is None):
        raise NotFound("There is no such signup.")
    return row


def may_follow(user: Any, topic: str) -> bool:
    """Live news of a strategy (`strategy:12`): members of its team."""
    number = topic.partition(":")[2].partition(":")[0]
    row = RaceStrategy.objects.filter(pk=number).first() if number.isdecimal() else None
    return row is not None and role_in(user, row.team_id) is not None
