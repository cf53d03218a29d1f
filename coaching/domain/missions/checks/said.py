"""What a model said and the day it spoke of, as plain values the checks can look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from coaching.domain.missions.facts import Fact
from coaching.domain.missions.rules import StagePlan


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: a stable code, the field it stands in, and a sentence for the writer."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Block:
    zone: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Workout:
    type: str
    minutes: int
    blocks: tuple[Block, ...] = ()

    @property
    def zones(self) -> frozenset[int]:
        return frozenset(block.zone for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its texts by field, and the decisions that have rules of their own."""

    texts: Mapping[str, str]
    action: str = ""
    intensity: str = ""
    workout: Workout | None = None
    ride_mode: str = ""
    used_facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The morning an answer is for: local date, numbered facts, and the calendar it may name."""

    today: date
    facts: tuple[Fact, ...]
    plan: StagePlan = field(default_factory=StagePlan)
    calendar: frozenset[date] = frozenset()
