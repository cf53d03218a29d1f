"""Reads for pages, API and the other rooms."""

from typing import Any

from django.db.models import Count, Q, QuerySet

from strategy.models import (
    EventParticipation,
    Invitation,
    Membership,
    PlanVersion,
    RaceStrategy,
    StintPlan,
    StrategyEvent,
    Team,
)


def shares_team(user: Any, owner_id: int) -> bool:
    """Do these two people share a team? What other rooms ask through settings.TEAM_LOOKUP."""
    return Membership.objects.filter(user_id=owner_id, team__memberships__user_id=user.pk).exists()


def teams_of(user: Any) -> QuerySet[Team]:
    return (
        Team.objects.filter(memberships__user_id=user.pk)
        .select_related("club")
        .annotate(size=Count("members", distinct=True))
        .order_by("name", "pk")
    )


def members_of(team: Team) -> QuerySet[Membership]:
    return team.memberships.select_related("user")


def open_invitations_of(team: Team) -> list[Invitation]:
    return [row for row in team.invitations.select_related("created_by") if row.is_open]


def events_for(user: Any) -> QuerySet[StrategyEvent]:
    """Events of the person's teams, and those they signed up for or are entered in."""
    return (
        StrategyEvent.objects.filter(
            Q(host__memberships__user_id=user.pk)
            | Q(signups__user_id=user.pk)
            | Q(signups__assigned_team__memberships__user_id=user.pk)
        )
        .select_related("host")
        .distinct()
    )


def strategies_for(user: Any) -> QuerySet[RaceStrategy]:
    return RaceStrategy.objects.filter(team__memberships__user_id=user.pk).select_related(
        "team", "event", "current", "instance"
    )


def signups_of(event: StrategyEvent) -> QuerySet[EventParticipation]:
    return event.signups.select_related(
        "user", "preferred_car", "assigned_team", "assigned_instance"
    ).prefetch_related("windows")


def signup_of(event: StrategyEvent, user: Any) -> EventParticipation | None:
    return signups_of(event).filter(user_id=user.pk).first()


def stints_of(plan: PlanVersion) -> QuerySet[StintPlan]:
    return plan.stints.select_related("driver").order_by("number")


def stints_of_driver(strategy: RaceStrategy, user: Any) -> QuerySet[StintPlan]:
    if strategy.current_id is None:
        return StintPlan.objects.none()
    return StintPlan.objects.filter(plan_id=strategy.current_id, driver_id=user.pk)
