"""Bump-ups: who moved up from a lower main, and how sure that is.

A bump-up is one driver, by id, in a lower main that was over before the next higher main of the class
began. How many move up is read from the event itself (as many as did), never from a rule book; the rule
book's numbers only make us look twice. What does not fit is flagged for a person, not asserted.
Evidence, strongest first: the heat sheet's "Bump-Up", a finish among those who moved with the grid
pattern of moving up, the finish alone, the grid alone (a result is missing).
"""

from ingestion.domain.bumpups.detection import detect
from ingestion.domain.bumpups.moves import (
    CONFIDENT,
    HIGH,
    LOW,
    MEDIUM,
    OFFICIAL,
    Detection,
    Move,
    Step,
)

__all__ = [
    "CONFIDENT",
    "HIGH",
    "LOW",
    "MEDIUM",
    "OFFICIAL",
    "Detection",
    "Move",
    "Step",
    "detect",
]
