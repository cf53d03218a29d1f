"""Scores of several heats together: weighed by laps, never by joining the laps of different heats."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeatScore:
    """A heat's laps and its score; None where it has none (too few laps, or a refused v1)."""

    name: str
    laps: int
    score: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class SessionScore:
    status: str
    score: float | None
    low: float | None
    high: float | None
    laps: int
    heats: int


def session_score(heats: Sequence[HeatScore]) -> SessionScore:
    """Lap-weighted mean of the heats that have a score; status insufficient_data where none has.

    The interval is weighed alike, which is wide: errors of different heats would partly cancel.
    """
    valid = [heat for heat in heats if heat.score is not None and heat.laps > 0]
    laps = sum(heat.laps for heat in valid)
    if not laps:
        return SessionScore("insufficient_data", None, None, None, 0, 0)

    def weighed(name: str) -> float | None:
        values = [(getattr(heat, name), heat.laps) for heat in valid]
        if any(value is None for value, _ in values):
            return None
        return round(sum(value * n for value, n in values) / laps, 1)

    return SessionScore(
        "valid", weighed("score"), weighed("low"), weighed("high"), laps, len(valid)
    )


def difference(one: SessionScore, other: SessionScore) -> tuple[float | None, bool]:
    """Other minus one, and whether it is more than chance: True where the intervals do not touch."""
    if one.score is None or other.score is None:
        return None, False
    gap = round(other.score - one.score, 1)
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return gap, False
    return gap, other.low > one.high or other.high < one.low
