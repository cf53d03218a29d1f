"""The zone a person reads clocks in."""

from typing import Any
from zoneinfo import available_timezones

from racecontrol.shared.errors import InvalidInput


def set_zone(*, user: Any, name: str) -> None:
    """Clocks are shown in this zone from now on. Raises InvalidInput for one that is none."""
    if name not in available_timezones():
        raise InvalidInput(
            "That is no time zone.", fields={"time_zone": ["Write it like Europe/Berlin."]}
        )
    user.time_zone = name
    user.save(update_fields=["time_zone"])
