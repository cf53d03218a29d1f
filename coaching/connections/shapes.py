"""What every provider's answer becomes: days, activities, curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DayRead:
    """One value of one local day in the unit we keep it in."""

    metric: str
    on: date
    value: float
    unit: str
    records: int = 1


@dataclass(frozen=True, slots=True)
class RideRead:
    """One activity as the provider tells it; None where it is silent. Times in UTC.

    `title` and `note` are a stranger's words: kept for the owner's eyes, never sent to a model.
    """

    external_id: str
    kind: str
    starts_at: datetime
    on: date
    elapsed_s: int
    moving_s: int
    distance_m: float | None = None
    ascent_m: float | None = None
    average_w: float | None = None
    normalised_w: float | None = None
    average_bpm: float | None = None
    max_bpm: int | None = None
    energy_kcal: float | None = None
    title: str = ""
    note: str = ""


Curves = Mapping[str, Sequence[float | None]]
