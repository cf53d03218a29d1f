"""Reads for pages, API and the other rooms."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DurationField, F, Q, QuerySet, Value

from racecontrol.shared.search import holding
from strategy.models import (
    Car,
    EventInstance,
    EventParticipation,
    Invitation,
    Membership,
    PlanVersion,
    RaceStrategy,
    Role,
    StintPlan,
    StrategyEvent,
    Team,
)

MILLISECOND = Value(timedelta(milliseconds=1), output_field=DurationField())
OVER = (StintPlan.Status.COMPLETED, StintPlan.Status.SKIPPED, StintPlan.Status.ABORTED)


@dataclass(frozen=True, slots=True)
class Turn:
    """A planned stint at its moments on the wall clock."""

    stint: StintPlan
    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, stint: StintPlan) -> "Turn":
        instance = stint.strategy.instance
        assert instance is not None
        starts = instance.starts_at + timedelta(milliseconds=stint.planned_start_ms)
        return cls(stint, starts, starts + timedelta(milliseconds=stint.planned_ms))


def shares_team(user: Any, owner_id: int) -> bool:
    """Do these two people share a team? What other rooms ask through settings.TEAM_LOOKUP."""
    return Membership.objects.filter(user_id=owner_id, team__memberships__user_id=user.pk).exists()


def teams_of(user: Any, *, words: str = "") -> QuerySet[Team]:
    """The person's teams with `size` (people in them) and `your_role`; staff act as owners."""
    role = Value(str(Role.OWNER)) if user.is_staff else F("memberships__role")
    # counted before it is narrowed, else only the person's own membership is counted
    counted = Team.objects.annotate(size=Count("members", distinct=True))
    mine = counted.filter(memberships__user_id=user.pk).annotate(your_role=role)
    found = holding(mine, words, "name", "club__name")
    return found.select_related("club").order_by("name", "pk")


def teams_where(
    user: Any, roles: frozenset[Role], *, event: StrategyEvent | None = None
) -> list[Team]:
    """The teams in which the person has one of the roles; with `event` those that take part in it."""
    found = teams_of(user).filter(your_role__in=roles)
    return list(found if event is None else found.filter(_takes_part(event)))


def cars_of(teams: Iterable[int]) -> list[Car]:
    """The cars of these teams, team by team in the order given, each once."""
    ids = list(dict.fromkeys(teams))
    return sorted(Car.objects.filter(team__in=ids), key=lambda car: ids.index(car.team_id))


def members_of(team: Team) -> QuerySet[Membership]:
    return team.memberships.select_related("user")


def open_invitations_of(team: Team) -> list[Invitation]:
    return [row for row in team.invitations.select_related("created_by") if row.is_open]


def events_for(user: Any, *, words: str = "") -> QuerySet[StrategyEvent]:
    """Events of the person's teams, and those they signed up for or are entered in."""
    found = (
        StrategyEvent.objects.filter(
            Q(host__memberships__user_id=user.pk)
            | Q(signups__user_id=user.pk)
            | Q(signups__assigned_team__memberships__user_id=user.pk)
        )
        .select_related("host")
        .distinct()
    )
    return holding(found, words, "name", "track", "host__name")


def strategies_for(user: Any, *, words: str = "") -> QuerySet[RaceStrategy]:
    found = RaceStrategy.objects.filter(team__memberships__user_id=user.pk).select_related(
        "team", "event", "current", "instance"
    )
    return holding(found, words, "name", "event__name", "team__name")


def signups_of(event: StrategyEvent, *, words: str = "") -> QuerySet[EventParticipation]:
    found = event.signups.select_related(
        "user", "preferred_car", "assigned_team", "assigned_instance", "timing_driver"
    ).prefetch_related("windows")
    return holding(found, words, "user__username", "user__display_name", "assigned_team__name")


def people_of(event: StrategyEvent) -> dict[int, EventParticipation]:
    """Signup id -> who signed up, for pages that need names only."""
    return {row.pk: row for row in event.signups.select_related("user")}


def signup_of(event: StrategyEvent, user: Any) -> EventParticipation | None:
    return signups_of(event).filter(user_id=user.pk).first()


def teams_in(event: StrategyEvent) -> list[Team]:
    """The host and every team somebody of this event drives for."""
    entered = Team.objects.filter(_takes_part(event))
    return list(entered.distinct().order_by("name", "pk"))


def _takes_part(event: StrategyEvent) -> Q:
    return Q(pk=event.host_id) | Q(event_entries__event=event)


def signups_by(user: Any) -> QuerySet[EventParticipation]:
    return (
        EventParticipation.objects.filter(user_id=user.pk)
        .select_related("event", "user")
        .prefetch_related("windows")
    )


def stints_of(plan: PlanVersion) -> QuerySet[StintPlan]:
    return plan.stints.select_related(
        "driver", "plan", "strategy__event", "strategy__team", "strategy__instance"
    ).order_by("number")


def stints_of_driver(strategy: RaceStrategy, user: Any) -> QuerySet[StintPlan]:
    if strategy.current_id is None:
        return StintPlan.objects.none()
    return StintPlan.objects.filter(plan_id=strategy.current_id, driver_id=user.pk)


def turn_numbers(stints: Iterable[StintPlan]) -> dict[int, int]:
    """Of every stint of these plans (by id): which of its driver's stints in the plan it is, from 1."""
    seen: Counter[tuple[int, int]] = Counter()
    found: dict[int, int] = {}
    every = StintPlan.objects.filter(plan_id__in={s.plan_id for s in stints})
    for pk, plan, seat in every.order_by("plan_id", "number").values_list("pk", "plan_id", "seat"):
        seen[plan, seat] += 1
        found[pk] = seen[plan, seat]
    return found


def upcoming_stints(user: Any, moment: datetime) -> list[Turn]:
    """The person's stints of active strategies that are not over yet, soonest first."""
    stints = (
        StintPlan.objects.filter(
            driver_id=user.pk,
            plan=F("strategy__current"),
            strategy__status=RaceStrategy.Status.ACTIVE,
            strategy__instance__isnull=False,
            strategy__team__memberships__user_id=user.pk,
        )
        .exclude(status__in=OVER)
        .select_related("plan", "strategy__event", "strategy__team", "strategy__instance")
    )
    turns = [Turn.of(stint) for stint in stints]
    return sorted(
        (turn for turn in turns if turn.ends_at > moment), key=lambda t: (t.starts_at, t.stint.pk)
    )


@dataclass(frozen=True, slots=True)
class Start:
    """One start of an endurance event ahead or under way, as it concerns one person."""

    event: StrategyEvent
    starts_at: datetime
    is_under_way: bool
    signup: EventParticipation | None
    strategy: RaceStrategy | None  # the active one of a team of theirs


def coming_starts(user: Any, moment: datetime, *, most: int = 4) -> list[Start]:
    """The next starts of events the person has to do with; three queries however many there are.

    Who withdrew has no more to do with one, unless they run the team that hosts it.
    """
    withdrawn = EventParticipation.objects.filter(
        user_id=user.pk, status=EventParticipation.Status.WITHDRAWN
    )
    hosting = Membership.objects.filter(user_id=user.pk, role__in=(Role.OWNER, Role.STRATEGIST))
    near = EventInstance.objects.filter(
        event__in=events_for(user).order_by().values("pk"),
        starts_at__gt=moment - F("event__duration_ms") * MILLISECOND,
    ).exclude(
        Q(event__in=withdrawn.values("event")) & ~Q(event__host__in=hosting.values("team")),
    )
    instances = list(near.select_related("event__host").order_by("starts_at", "pk")[:most])
    signups = {
        row.event_id: row
        for row in EventParticipation.objects.filter(
            user_id=user.pk, event__in={row.event_id for row in instances}
        )
    }
    active = {
        row.instance_id: row
        for row in strategies_for(user).filter(
            status=RaceStrategy.Status.ACTIVE, instance__in=[row.pk for row in instances]
        )
    }
    return [
        Start(
            event=row.event,
            starts_at=row.starts_at,
            is_under_way=row.starts_at <= moment,
            signup=signups.get(row.event_id),
            strategy=active.get(row.pk),
        )
        for row in instances
    ]
