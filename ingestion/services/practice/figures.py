"""A day's figures, counted anew from its rows after every write."""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.utils.timezone import now

from ingestion.domain.labels import person_key
from ingestion.domain.practice import SessionFacts, is_unknown, sum_up
from ingestion.models import Event, PracticeDay, PracticeSession, RaceResult


def refresh_figures(event: Event) -> PracticeDay:
    """Recount; rows change only when a figure does. Sessions not imported count as listed."""
    sessions = list(PracticeSession.objects.filter(event=event, missing_since=None).order_by("pk"))
    results = {
        row.race_id: row
        for row in RaceResult.objects.filter(race__event=event, missing_since=None).select_related(
            "driver"
        )
    }
    # Who was recognised under a name counts as the same person in sessions that are only listed.
    by_name = {
        person_key(row.driver_name): row.driver_id
        for row in results.values()
        if not row.driver.is_unknown
    }
    figures = asdict(
        sum_up(
            _facts(one, results.get(one.race_id) if one.race_id else None, by_name)
            for one in sessions
        )
    )
    day = PracticeDay.objects.get(event=event)
    changed = {name: value for name, value in figures.items() if getattr(day, name) != value}
    if changed:
        PracticeDay.objects.filter(pk=day.pk).update(updated_at=now(), **changed)
        day.refresh_from_db()
    return day


def _facts(
    session: PracticeSession, result: RaceResult | None, by_name: dict[str, int]
) -> SessionFacts:
    key = person_key(session.driver_name)
    if result is not None:
        driver = None if result.driver.is_unknown else result.driver_id
        laps, length = result.laps, result.total_ms or 0
    else:
        driver = None if is_unknown(session.driver_name) else by_name.get(key, key)
        laps, length = session.laps, session.length_ms or 0
    return SessionFacts(
        driver=driver,
        class_key=session.class_key,
        laps=laps,
        length_ms=length,
        started_at=session.started_at,
        ended_at=session.ended_at or _end(session.started_at, length),
    )


def _end(started_at: datetime | None, length_ms: int) -> datetime | None:
    return started_at + timedelta(milliseconds=length_ms) if started_at else None
