"""The rules of a race as checked data (`ruleset/1`). Times in seconds: people read it."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from racecontrol.shared.errors import InvalidInput

Seconds = Annotated[int, Field(ge=0, le=10_000_000)]
LONGEST_LAPS = 4_000


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ByCategory(Shape):
    """Drive time for drivers of some categories; it wins over the general numbers."""

    category: list[str]
    min_s: Seconds | None = None
    max_s: Seconds | None = None
    continuous_max_s: Seconds | None = None


class GroupRule(Shape):
    """Drivers of these categories together drive at least this long.

    With `block_s` also at least `block_min_s` in every whole block of that length.
    """

    name: str = "group"
    category: list[str]
    min_s: Seconds
    block_s: Annotated[int, Field(ge=600, le=10_000_000)] | None = None
    block_min_s: Seconds = 0


class RollingRule(Shape):
    max_s: Seconds
    window_s: Annotated[int, Field(ge=1, le=10_000_000)]


class WindowRule(Shape):
    """Stops that must begin within a span of race time, each at least so long from in to out."""

    name: str = "pit window"
    from_s: Seconds
    to_s: Seconds
    stops: Annotated[int, Field(ge=1, le=50)] = 1
    min_total_s: Seconds = 0


class PartRule(Shape):
    """What each driver of these categories (none named: every driver) drives in a part of the race."""

    name: str = "second half"
    category: list[str] = []
    from_pct: Annotated[int, Field(ge=0, le=100)] = 50
    to_pct: Annotated[int, Field(ge=0, le=100)] = 100
    min_s: Seconds = 0
    max_s: Seconds | None = None


class HeatRule(Shape):
    """Shorter running and longer rest, as soon as the race director puts it in force."""

    is_on: bool = False
    continuous_max_s: Annotated[int, Field(ge=60, le=10_000_000)] = 4_800
    rest_s: Seconds = 1_800


class Regulations(Shape):
    """What a race demands. Everything is optional: no number, no rule."""

    key: str = "house"
    source: str = ""
    min_drive_s: Seconds = 0
    max_drive_s: Seconds | None = None
    continuous_max_s: Seconds | None = None
    max_stints_in_a_row: Annotated[int, Field(ge=1, le=50)] = 2
    rest_s: Seconds = 0
    rolling: RollingRule | None = None
    fair_share_pct: Annotated[int, Field(ge=0, le=100)] = 0
    by_category: list[ByCategory] = []
    groups: list[GroupRule] = []
    mandatory_stops: Annotated[int, Field(ge=0, le=500)] = 0
    min_stint_laps: Annotated[int, Field(ge=1, le=500)] = 3
    max_stint_laps: Annotated[int, Field(ge=1, le=2000)] | None = None
    pit_lane_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    min_service_s: Seconds = 0
    refuel_ml_per_s: Annotated[int, Field(ge=1, le=100_000)] = 2_500
    tyre_change_s: Seconds = 20
    driver_change_s: Seconds = 25
    service_order: Literal["parallel", "fuel_then_tyres", "sequential"] = "fuel_then_tyres"
    tyres: Literal["every_stop", "optional"] = "every_stop"
    pit_closed_laps: list[Annotated[int, Field(ge=0, le=LONGEST_LAPS)]] = []
    start_drivers: list[str] | None = None
    finish_drivers: list[str] | None = None
    max_share_pct: Annotated[int, Field(ge=1, le=100)] | None = None
    fewest_drivers: Annotated[int, Field(ge=1, le=64)] | None = None
    most_drivers: Annotated[int, Field(ge=1, le=64)] | None = None
    tyre_sets: Annotated[int, Field(ge=1, le=500)] | None = None
    pit_windows: Annotated[list[WindowRule], Field(max_length=4)] = []
    parts: Annotated[list[PartRule], Field(max_length=20)] = []
    heat: HeatRule | None = None
    max_stint_s: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    min_refuel_s: Seconds = 0
    min_stop_s: Seconds = 0
    no_night_categories: list[str] = []
    no_wet_categories: list[str] = []

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Self:
        """Raises ValueError where two numbers cannot both hold."""
        _ordered("max_drive_s", self.min_drive_s, self.max_drive_s)
        _ordered("max_stint_laps", self.min_stint_laps, self.max_stint_laps)
        if self.fewest_drivers:
            _ordered("most_drivers", self.fewest_drivers, self.most_drivers)
        for window in self.pit_windows:
            _ordered("pit_windows.to_s", window.from_s + 1, window.to_s)
        windows = sorted(self.pit_windows, key=lambda w: w.from_s)
        for window, later in pairwise(windows):
            _ordered("pit_windows.from_s", window.to_s + 1, later.from_s)
        for part in self.parts:
            _ordered("parts.to_pct", part.from_pct + 1, part.to_pct)
            _ordered("parts.max_s", part.min_s, part.max_s)
        return self


def _ordered(field: str, least: int, most: int | None) -> None:
    if most is not None and most < least:
        raise ValueError(f"{field} is {most}, below {least}")


def read_regulations(data: object) -> Regulations:
    """The rule set in parsed JSON; raises InvalidInput naming each wrong field."""
    try:
        return Regulations.model_validate(data)
    except ValidationError as error:
        fields: dict[str, list[str]] = {}
        for item in error.errors():
            name = ".".join(["regulations", *(str(part) for part in item["loc"])])
            fields.setdefault(name, []).append(item["msg"])
        first = next(iter(fields))
        raise InvalidInput(
            f"The regulations cannot be used: {first}: {fields[first][0]}", fields=fields
        ) from error


# A start for each series, from public pages of the year named: check before use, rules change.
PRESETS: dict[str, dict] = {
    "house": {"key": "house", "rest_s": 3600, "continuous_max_s": 9000},
    "iracing-team": {
        "key": "iracing-team",
        "source": "iRacing team driving FAQ, 2015; check before use",
        "fair_share_pct": 25,
    },
    "le-mans-24": {
        "key": "le-mans-24",
        "source": "FIA WEC and ACO pages, 2017-2024; check before use",
        "min_drive_s": 21_600,
        "max_drive_s": 50_400,
        "rolling": {"max_s": 14_400, "window_s": 21_600},
        "heat": {"is_on": False},
    },
    "spa-24": {
        "key": "spa-24",
        "source": "gt-world-challenge-europe.com 2023, endurance-info 2020; check before use",
        "min_drive_s": 7_200,
        "max_drive_s": 39_600,
        "continuous_max_s": 11_700,
        "rest_s": 3_600,
        "max_stint_s": 3_900,
        "min_refuel_s": 40,
        "pit_windows": [
            {"name": "technical stop", "from_s": 43_200, "to_s": 79_200, "min_total_s": 240}
        ],
    },
    "bathurst-12": {
        "key": "bathurst-12",
        "source": "bathurst12hour.com.au 2023; check before use",
        "max_drive_s": 20_400,
        "continuous_max_s": 9_000,
        "rest_s": 3_600,
        "by_category": [{"category": ["Bronze"], "continuous_max_s": 4_800}],
        "parts": [{"category": ["Bronze"], "from_pct": 50, "min_s": 3_600}],
    },
    "kart-6h": {
        "key": "kart-6h",
        "source": "a common club rule; check before use",
        "continuous_max_s": 3_600,
        "rest_s": 1_200,
        "mandatory_stops": 6,
        "min_service_s": 60,
        "tyres": "optional",
    },
}
