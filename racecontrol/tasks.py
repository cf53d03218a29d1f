"""What runs by the clock for the house itself. Called by django-q2 schedules, not as jobs."""

from racecontrol import operations, retention
from racecontrol.personal import export


def check_the_day() -> str:
    return operations.daily_check()


def prune() -> dict[str, int]:
    """What the house keeps too long; `racecontrol.retention` says how long that is."""
    return retention.prune_house()


def drop_exports() -> int:
    """Packed data that nobody fetched within a day."""
    return export.drop_old()
