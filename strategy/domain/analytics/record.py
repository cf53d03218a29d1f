"""A race as it was driven: the plain numbers every measure of this room is taken from.

Laps and stints are counted from 0, as the plan counts laps. Times are ms on the race clock,
volumes ml. A stint runs from pit exit to pit entry; the stop before it stands apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from strategy.domain.stints.instance import Instance, Stint

GREEN = ""
# A lap this much slower than the stint's median is no lap to measure pace by.
SLOW = 1.07


@dataclass(frozen=True, slots=True)
class Lap:
    """One lap. `ms` is time on the track: a stop within the lap is not part of it.

    `is_out`: the first of a stint, out of the pits or off the grid.
    """

    number: int
    ms: int
    end_ms: int
    seat: int
    stint: int
    age: int  # laps the tyres had done when it began
    fuel_ml: int  # on board when it began
    compound: int = 0
    letter: str = "D"
    neutral: str = GREEN  # "fcy", "sc" or "red" while it was driven
    is_in: bool = False
    is_out: bool = False
    class_ms: int | None = None  # median of the class on the same lap


@dataclass(frozen=True, slots=True)
class Driven:
    """One stint as driven: laps start_lap up to, not including, end_lap."""

    number: int
    seat: int
    start_lap: int
    end_lap: int
    start_ms: int
    end_ms: int
    fuel_in_ml: int
    fuel_out_ml: int
    tyres: str = "new"
    compound: int = 0

    @property
    def laps(self) -> int:
        return self.end_lap - self.start_lap

    @property
    def ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def used_ml(self) -> int:
        return self.fuel_in_ml - self.fuel_out_ml


@dataclass(frozen=True, slots=True)
class Planned:
    """The same stint as a plan had it."""

    number: int
    seat: int
    start_lap: int
    end_lap: int
    start_ms: int
    end_ms: int
    fuel_in_ml: int
    fuel_out_ml: int

    @property
    def laps(self) -> int:
        return self.end_lap - self.start_lap

    @property
    def used_ml(self) -> int:
        return self.fuel_in_ml - self.fuel_out_ml


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop before stint `stint`: lane in to lane out. `box_ms` is the time stood still, if known."""

    stint: int
    in_ms: int
    out_ms: int
    added_ml: int
    new_tyres: bool
    swap: bool
    neutral: str = GREEN
    box_ms: int | None = None
    repair_ms: int = 0
    reason: str = ""

    @property
    def ms(self) -> int:
        return self.out_ms - self.in_ms


@dataclass(frozen=True, slots=True)
class Neutral:
    """A caution: laps begun in it take `pace` times as long; a red flag stops the cars instead."""

    kind: str
    start_ms: int
    end_ms: int
    pace: float = 1.4


@dataclass(frozen=True, slots=True)
class Record:
    """One car's race. `instance` is the problem as it was planned."""

    instance: Instance
    stints: Sequence[Driven]
    laps: Sequence[Lap] = ()
    stops: Sequence[Stop] = ()
    neutrals: Sequence[Neutral] = ()
    penalty_ms: int = 0
    names: Sequence[str] = field(default=())

    @property
    def finish_ms(self) -> int:
        return self.stints[-1].end_ms if self.stints else 0

    @property
    def drivers(self) -> int:
        return len(self.instance.drivers)

    def name(self, seat: int) -> str:
        return self.names[seat] if seat < len(self.names) else self.instance.drivers[seat].id

    def laps_of(self, stint: int) -> list[Lap]:
        return [lap for lap in self.laps if lap.stint == stint]

    def as_plan(self) -> list[Stint]:
        """What was driven, in the shape of a plan: stints without a lap left out."""
        return [
            Stint(driver=s.seat, laps=s.laps, tyres="new" if n == 0 or s.tyres == "new" else "keep",
                  compound=1 if s.compound else 0)
            for n, s in enumerate(x for x in self.stints if x.laps > 0)
        ]  # fmt: skip


def clean_laps(laps: Sequence[Lap]) -> list[Lap]:
    """Green laps without pit entry or exit and at most 7 % over the median of those."""
    green = [lap for lap in laps if not (lap.neutral or lap.is_in or lap.is_out)]
    if not green:
        return []
    limit = SLOW * median(lap.ms for lap in green)
    return [lap for lap in green if lap.ms <= limit]
