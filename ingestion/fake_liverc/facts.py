"""What happened, before it becomes a page: drivers, races, meetings and practice, as plain numbers."""

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Racer:
    """A driver. `skill` multiplies the lap time of a class: 1.0 is a good club driver."""

    id: int
    name: str
    transponder: str
    skill: float

    @property
    def shouted(self) -> str:
        """Race pages write names in capitals, practice pages do not."""
        return self.name.upper()


@dataclass(frozen=True, slots=True)
class Track:
    """A track of the catalogue. `postal` and `region` may be empty; `status` 0 offline, 1 practice, 2 racing."""

    slug: str
    name: str
    street: str
    city: str
    region: str
    postal: str
    country: str
    country_code: str
    timezone: str
    website: str = ""
    label: str = ""
    age: str = "last week"
    status: int = 0
    has_video: bool = False
    is_featured: bool = False
    is_short: bool = False
    has_events: bool = True


@dataclass(frozen=True, slots=True)
class Formula:
    """A class as raced: how long a lap and a race are, and how its mains are laid out."""

    name: str
    id: int
    lap_ms: int
    heat_ms: int
    main_ms: dict[str, int]
    cars: int = 12
    moving_up: int = 0
    legs: int = 1
    skips_first_lap: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One driver in one race. No laps: the driver did not start."""

    racer: Racer
    slot: int
    laps_ms: tuple[int, ...]
    position: int = 0

    @property
    def total_ms(self) -> int:
        return sum(self.laps_ms)

    @property
    def is_dns(self) -> bool:
        return not self.laps_ms


@dataclass(frozen=True, slots=True)
class Race:
    """One race as posted. `label` is the class with its main, leg or heat."""

    id: int
    number: int
    round: str
    code: str
    class_name: str
    suffix: str
    length_ms: int
    completed_at: datetime
    runs: tuple[Run, ...]
    skips_first_lap: bool = False
    seeds: dict[int, str] = field(default_factory=dict)
    letter: str = ""
    leg: int = 0

    @property
    def label(self) -> str:
        return f"{self.class_name} {self.suffix}"


@dataclass(frozen=True, slots=True)
class Meeting:
    """An event with its races in the order they were run."""

    id: int
    track: Track
    name: str
    first_day: date
    last_day: date
    listed_at: datetime
    formulas: tuple[Formula, ...]
    entries: dict[str, tuple[Racer, ...]]
    races: tuple[Race, ...]
    is_short: bool
    counted_rounds: int = 2
    course: str = "Offroad"

    @property
    def drivers(self) -> int:
        return len({racer.id for racers in self.entries.values() for racer in racers})

    @property
    def rounds(self) -> list[str]:
        """Newest first, as the event page lists them."""
        return list(dict.fromkeys(race.round for race in reversed(self.races)))

    def race(self, race_id: int) -> Race | None:
        return next((race for race in self.races if race.id == race_id), None)


@dataclass(frozen=True, slots=True)
class Session:
    """One practice session. Laps outside `valid_ms` are shown but do not count."""

    id: int
    driver_name: str
    class_name: str
    transponder: str
    started_at: datetime
    laps_ms: tuple[int, ...]
    valid_ms: tuple[int, int]

    def is_valid(self, lap_ms: int) -> bool:
        return self.valid_ms[0] <= lap_ms <= self.valid_ms[1]

    @property
    def counted_ms(self) -> tuple[int, ...]:
        return tuple(ms for ms in self.laps_ms if self.is_valid(ms))
