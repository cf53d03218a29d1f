"""How far a person has come with teams, events and plans."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from racecontrol.shared.existing import which_exist
from strategy.models import Car, EventParticipation, Membership, RaceStrategy, StrategyEvent
from strategy.queries import events_for


@dataclass(frozen=True, slots=True)
class Beginning:
    has_mates: bool
    has_car: bool
    event_id: int | None  # the newest event of a team they plan for
    has_hours: bool
    has_strategy: bool
    open_event_id: int | None  # an event that still asks them for hours
    has_signed_up: bool


def beginning_of(user: Any, team_ids: Collection[int]) -> Beginning:
    """In three queries: of the teams they plan for, and of what they signed up for themselves."""
    event = (
        StrategyEvent.objects.filter(host__in=team_ids)
        .annotate(
            has_hours=Exists(EventParticipation.objects.filter(event=OuterRef("pk"))),
            has_strategy=Exists(RaceStrategy.objects.filter(event=OuterRef("pk"))),
        )
        .order_by("-has_strategy", "-has_hours", "-created_at", "-pk")
        .first()
    )
    mine = EventParticipation.objects.filter(user_id=user.pk)
    asking = events_for(user).filter(is_signup_open=True).exclude(pk__in=mine.values("event_id"))
    has = which_exist(
        user,
        mates=Membership.objects.filter(team__in=team_ids).exclude(user_id=user.pk),
        car=Car.objects.filter(team__in=team_ids),
        signed_up=mine,
    )
    return Beginning(
        has_mates=has["mates"],
        has_car=has["car"],
        event_id=event.pk if event else None,
        has_hours=bool(event and event.has_hours),
        has_strategy=bool(event and event.has_strategy),
        open_event_id=asking.order_by("-created_at").values_list("pk", flat=True).first(),
        has_signed_up=has["signed_up"],
    )
