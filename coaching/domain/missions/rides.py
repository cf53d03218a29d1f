"""Which recorded activities are stages, and how a stage was ridden, from the recording's numbers."""

from typing import Final

from coaching.domain.missions.rules import REST

# A shorter recording is a warm-up or a way to the start (lanterne-rouge's rule).
SHORTEST_S: Final = 30 * 60
_RIDES: Final = ("cycl", "bik", "ride")
GC: Final = "gc"
BREAKAWAY: Final = "breakaway"


def is_ride(sport: str, *, moving_s: int) -> bool:
    """A ride of half an hour or more. A file that names no sport is taken as one."""
    name = sport.lower()
    return moving_s >= SHORTEST_S and (not name or any(word in name for word in _RIDES))


def mode_of(
    modes: tuple[str, ...], *, moving_s: int, intensity: float | None, advised: str = ""
) -> str | None:
    """The ride mode a recording shows, among those the stage offers; None where nothing tells it.

    Where a stage offers both, gc or breakaway follows from the numbers, as lanterne-rouge's rule
    has it: breakaway from IF 0.85 (normalised over threshold power) with 60 points of load
    (hours · IF² · 100) or in less than an hour. Otherwise the morning's advice counts, or the only
    mode there is.
    """
    ridden = [mode for mode in modes if mode != REST]
    if intensity is not None and {GC, BREAKAWAY} <= set(ridden):
        load = moving_s / 3600 * intensity**2 * 100
        return BREAKAWAY if intensity >= 0.85 and (load >= 60 or moving_s < 3600) else GC
    if advised in ridden:
        return advised
    return ridden[0] if len(ridden) == 1 else None
