"""The pace of a driver over several races, for rooms that plan with it."""

from dataclasses import dataclass
from datetime import date
from statistics import median

from django.db.models import Exists, OuterRef

from ingestion.domain.pace import SPREAD_TO_SIGMA
from ingestion.models import Lap, Race, RaceResult
from ingestion.queries.laps import sorted_laps

FEWEST_LAPS = 5


@dataclass(frozen=True, slots=True)
class DriverPace:
    """Median clean lap and spread (1.4826 times the median deviation), and how much stands behind them."""

    median_ms: int
    spread_ms: int
    laps: int
    races: int
    newest: date
    class_name: str


def pace_of_driver(driver_id: int, *, track_id: int, races: int = 8) -> DriverPace | None:
    """Pace at one track over the newest `races` with laps, all of the class driven there last.

    None with fewer than five clean laps. Timing pages do not tell the weather: rain is not told apart.
    """
    rows = (
        RaceResult.objects.filter(
            driver_id=driver_id,
            race__event__track_id=track_id,
            missing_since=None,
            race__missing_since=None,
            race__source=Race.Source.RACE,
        )
        .filter(Exists(Lap.objects.filter(result_id=OuterRef("pk"))))
        .select_related("race__event", "race__race_class")
        .order_by("-race__event__starts_on", "-race__run_order", "-pk")
    )
    newest = rows.first()
    if newest is None:
        return None
    chosen = list(rows.filter(race__race_class__key=newest.race.race_class.key)[:races])
    driven: dict[int, list[Lap]] = {row.pk: [] for row in chosen}
    for lap in Lap.objects.filter(result_id__in=driven).order_by("result_id", "number"):
        driven[lap.result_id].append(lap)
    clean = [lap.ms for row in chosen for lap in sorted_laps(driven[row.pk], row.race).clean]
    if len(clean) < FEWEST_LAPS:
        return None
    middle = median(clean)
    return DriverPace(
        median_ms=round(middle),
        spread_ms=round(SPREAD_TO_SIGMA * median(abs(ms - middle) for ms in clean)),
        laps=len(clean),
        races=len(chosen),
        newest=newest.race.event.starts_on,
        class_name=newest.race.race_class.name,
    )
