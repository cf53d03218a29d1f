"""What is found: moves, the steps of a ladder they belong to, and all of an event's."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from ingestion.domain.ladder import MainRace, Start

OFFICIAL, HIGH, MEDIUM, LOW = "official", "high", "medium", "low"
CONFIDENT = frozenset({OFFICIAL, HIGH})


@dataclass(frozen=True, slots=True)
class Move:
    """One driver's way from a lower main into a higher one. Positions and slots count from 1.

    `flags` says why a person should look; a flagged move is not asserted. `direct` counts the direct
    qualifiers above, `beaten` those of them the driver finished in front of.
    """

    lower_id: Hashable
    upper_id: Hashable
    driver_id: Hashable
    class_name: str
    lower_position: int | None
    lower_slot: int | None
    upper_position: int | None
    upper_slot: int | None
    upper_laps: int
    confidence: str
    flags: tuple[str, ...] = ()
    evidence: dict = field(default_factory=dict)
    direct: int = 0
    beaten: int = 0
    moved_again_to: Hashable | None = None
    name: str = ""

    @property
    def is_flagged(self) -> bool:
        return bool(self.flags)

    @property
    def upper_dns(self) -> bool:
        return self.upper_laps == 0


@dataclass(frozen=True, slots=True)
class Step:
    """Two mains of a class and who moved between them."""

    class_name: str
    lower: MainRace
    upper: MainRace
    moves: tuple[Move, ...]
    direct: tuple[Start, ...]
    stayed: tuple[Hashable, ...]
    legs: tuple[Hashable, ...] = ()

    @property
    def asserted(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if not move.is_flagged)

    @property
    def places(self) -> int:
        """How many moved up, as the event itself shows."""
        return max((m.lower_position or 0 for m in self.asserted), default=0)


@dataclass(frozen=True, slots=True)
class Detection:
    steps: tuple[Step, ...]

    @property
    def moves(self) -> list[Move]:
        return [move for step in self.steps for move in step.asserted]

    @property
    def flagged(self) -> list[Move]:
        return [move for step in self.steps for move in step.moves if move.is_flagged]
