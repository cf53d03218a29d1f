"""A racer's latest practice day as facts of a morning: how much was driven, and how fast."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Avg, Count, Min, Q

from coaching.domain.missions.facts import Fact
from coaching.queries.claims import drivers_of
from ingestion.models import Lap
from ingestion.queries.practice import practice_of_driver

LOOK_BACK: Final = timedelta(days=60)
FRESH: Final = timedelta(days=14)


def facts(user: Any, day: date, now: datetime) -> list[Fact]:
    """Nothing for somebody who is no timed driver or drove no practice day lately.

    Else sessions, valid laps, best and mean valid lap (s) of the newest day.
    """
    drivers = drivers_of(user.pk)
    newest = None
    for driver_id in drivers:
        rows = practice_of_driver(driver_id).filter(
            race__event__starts_on__lte=day, race__event__starts_on__gte=day - LOOK_BACK
        )
        row = rows.first()
        if row is not None and (newest is None or _on(row) > _on(newest)):
            newest = row
    if newest is None:
        return []
    laps = Lap.objects.filter(
        result__driver_id__in=drivers, result__race__event_id=newest.race.event_id,
        result__missing_since=None, result__race__missing_since=None,
    )  # fmt: skip
    told = laps.aggregate(
        sessions=Count("result", distinct=True),
        valid=Count("number", filter=Q(is_valid=True)),
        best=Min("ms", filter=Q(is_valid=True)),
        mean=Avg("ms", filter=Q(is_valid=True)),
    )
    if not told["valid"]:
        return []
    on, is_stale = _on(newest), day - _on(newest) > FRESH
    return [
        Fact(key, label, value, unit, on, "practice day", names, is_stale)
        for key, label, value, unit, names in (
            ("practice_sessions", "Practice sessions driven", told["sessions"], "", ("sessions",)),
            ("practice_day_laps", "Practice laps", told["valid"], "laps", ("practice laps",)),
            ("practice_best_s", "Best practice lap", told["best"] / 1000, "s",
             ("best practice lap",)),
            ("practice_mean_s", "Mean practice lap", round(told["mean"] / 1000, 3), "s",
             ("mean practice lap",)),
        )
    ]  # fmt: skip


def _on(row: Any) -> date:
    return row.race.event.starts_on
