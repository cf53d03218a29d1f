"""The tables of strategy: teams, endurance events and signups, plans and their stints."""

from strategy.models.analytics import DriverResult, RaceReport
from strategy.models.events import (
    AvailabilityWindow,
    EventInstance,
    EventParticipation,
    FormationDraft,
    StrategyEvent,
)
from strategy.models.live import (
    Flag,
    FlagPeriod,
    FuelReading,
    LapEvent,
    LiveCommand,
    LiveProposal,
    LiveRun,
    Penalty,
    PitStop,
    WeatherChange,
)
from strategy.models.plans import PlanVersion, RaceStrategy, StintPlan
from strategy.models.teams import Car, Club, Invitation, Membership, Role, Team, Webhook

__all__ = [
    "AvailabilityWindow",
    "Car",
    "Club",
    "DriverResult",
    "EventInstance",
    "EventParticipation",
    "Flag",
    "FlagPeriod",
    "FormationDraft",
    "FuelReading",
    "Invitation",
    "LapEvent",
    "LiveCommand",
    "LiveProposal",
    "LiveRun",
    "Membership",
    "Penalty",
    "PitStop",
    "PlanVersion",
    "RaceReport",
    "RaceStrategy",
    "Role",
    "StintPlan",
    "StrategyEvent",
    "Team",
    "WeatherChange",
    "Webhook",
]
