"""Everything that must hold of a model's words before anybody reads them.

Each check returns the problems it found as sentences the model can act on: they go back to it
word for word as the reason for a repair, and end up as the reason of a failed morning.
"""

from coaching.domain.missions.checks.dates import check_dates
from coaching.domain.missions.checks.limits import Limits, check_limits
from coaching.domain.missions.checks.markup import check_markup
from coaching.domain.missions.checks.numbers import check_numbers
from coaching.domain.missions.checks.said import Block, Day, Problem, Said, Workout

__all__ = [
    "Block",
    "Day",
    "Limits",
    "Problem",
    "Said",
    "Workout",
    "check",
    "check_dates",
    "check_limits",
    "check_markup",
    "check_numbers",
]


def check(said: Said, day: Day, limits: Limits) -> list[Problem]:
    """All checks in the order a reader would care: limits, numbers, dates, form."""
    return [
        *check_limits(said, day, limits),
        *check_numbers(said, day),
        *check_dates(said, day),
        *check_markup(said),
    ]
