"""Laps: of a race, of one result, and the clean ones that tell pace."""

from ingestion.domain.pace import PaceLap, SortedLaps, sort_laps
from ingestion.models import Lap, Race, RaceResult
from ingestion.models.events import SessionType

_PRACTICE = (SessionType.PRACTICE, SessionType.PRACTICEDAY)


def laps_of_race(race_id: int) -> dict[int, list[Lap]]:
    """Result id -> its laps in driven order; results without laps are absent. One query."""
    found: dict[int, list[Lap]] = {}
    rows = Lap.objects.filter(result__race_id=race_id, result__missing_since=None)
    for lap in rows.order_by("result_id", "number"):
        found.setdefault(lap.result_id, []).append(lap)
    return found


def laps_of_result(result_id: int) -> list[Lap]:
    return list(Lap.objects.filter(result_id=result_id).order_by("number"))


def sorted_laps_of(result: RaceResult, laps: list[Lap] | None = None) -> SortedLaps:
    """Clean laps of one result and why the others are not (see ingestion.domain.pace)."""
    return sorted_laps(laps if laps is not None else laps_of_result(result.pk), result.race)


def sorted_laps(laps: list[Lap], race: Race) -> SortedLaps:
    """Lap 1 is a standing start in races and qualifying; practice starts flying."""
    return sort_laps(
        (PaceLap(lap.number, lap.ms, lap.is_valid) for lap in laps),
        is_race=race.kind not in _PRACTICE and race.source != Race.Source.PRACTICE,
    )


def clean_laps_of(result: RaceResult) -> list[Lap]:
    """The laps that tell the driver's pace, in driven order."""
    laps = laps_of_result(result.pk)
    clean = {lap.number for lap in sorted_laps_of(result, laps).clean}
    return [lap for lap in laps if lap.number in clean]


def median_clean_lap_ms(driver_id: int, race_id: int) -> int | None:
    """Pace of a driver in a race: the median clean lap; None without clean laps."""
    result = (
        RaceResult.objects.filter(driver_id=driver_id, race_id=race_id, missing_since=None)
        .select_related("race")
        .first()
    )
    return sorted_laps_of(result).median_ms if result is not None else None
