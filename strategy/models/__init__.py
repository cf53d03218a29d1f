"""The tables of strategy: teams, endurance events and signups, plans and their stints."""

from strategy.models.events import (
    AvailabilityWindow,
    EventInstance,
    EventParticipation,
    FormationDraft,
    StrategyEvent,
)
from strategy.models.plans import PlanVersion, RaceStrategy, StintPlan
from strategy.models.teams import Car, Club, Invitation, Membership, Role, Team, Webhook

__all__ = [
    "AvailabilityWindow",
    "Car",
    "Club",
    "EventInstance",
    "EventParticipation",
    "FormationDraft",
    "Invitation",
    "Membership",
    "PlanVersion",
    "RaceStrategy",
    "Role",
    "StintPlan",
    "StrategyEvent",
    "Team",
    "Webhook",
]
