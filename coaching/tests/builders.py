"""Rows that fill in what a test does not care about."""

from datetime import UTC, date, datetime

from coaching.domain.laps import RawLap
from coaching.models import RacerProfile, Session
from coaching.services import garage, laps
from ingestion.models import Driver, Event, Lap, Race, RaceClass, RaceResult, Track

STEADY = [58.12, 58.03, 58.2, 57.95, 58.31, 58.08, 57.99, 58.15, 58.05, 58.22, 57.97, 58.11]


def make_profile(user, **values) -> RacerProfile:
    return garage.save_profile(by=user, **{"name": "Sam Racer"} | values)


def make_session(user, **values) -> Session:
    return garage.create_session(
        by=user, **{"name": "Saturday", "start_date": date(2026, 5, 2)} | values
    )


def drive(session: Session, heat: str = "Q1", times=STEADY, *, confidence=None, kind="") -> int:
    """Log laps in a heat; the last one carries the confidence."""
    rows = [RawLap(time) for time in times]
    rows[-1] = RawLap(times[-1], confidence=confidence)
    return laps.add_laps(
        session_id=session.pk, by=session.profile.user, heat_name=heat, laps=rows, kind=kind
    )


def make_driver(name: str = "SAM RACER", number: str = "1001", **values) -> Driver:
    return Driver.objects.create(
        source_driver_id=number, name=name, name_key=name.casefold(), **values
    )


def make_event(
    name: str = "Club race", *, day: date = date(2026, 5, 2), slug: str = "club", **values
):
    track, _ = Track.objects.get_or_create(slug=slug, defaults={"name": "Club Track"})
    return Event.objects.create(
        track=track,
        source_event_id=values.pop("source_event_id", f"{slug}-{name}-{day}"),
        name=name,
        starts_on=day,
        ends_on=day,
        state=Event.State.IMPORTED,
        **values,
    )


def make_result(
    driver: Driver,
    times=STEADY,
    *,
    event: Event | None = None,
    race: Race | None = None,
    label: str = "1/8 Buggy A-Main",
    code: str = "M",
    number: int = 1,
    basis: str = "",
    consistency=None,
    **values,
) -> RaceResult:
    """A driver's imported laps in a race; without `race` one of its own is made in `event`."""
    if race is None:
        event = event or make_event()
        race_class, _ = RaceClass.objects.get_or_create(
            event=event, key="1/8 buggy", defaults={"name": "1/8 Buggy"}
        )
        order = event.races.count() + 1
        race = Race.objects.create(
            event=event,
            race_class=race_class,
            source_race_id=values.pop("source_race_id", f"{event.pk}{order}"),
            label=label,
            round_code=code,
            round_number=number,
            run_order=order,
            started_at=datetime(
                event.starts_on.year,
                event.starts_on.month,
                event.starts_on.day,
                10 + order % 12,
                tzinfo=UTC,
            ),
            state=Race.State.IMPORTED,
            **values,
        )
    result = RaceResult.objects.create(
        race=race,
        driver=driver,
        row_key=driver.source_driver_id or driver.name,
        source_driver_id=driver.source_driver_id or "",
        driver_name=driver.name,
        laps=len(times),
        stats_basis=basis,
        consistency_pct=consistency,
    )
    Lap.objects.bulk_create(
        Lap(result=result, number=n, ms=round(time * 1000)) for n, time in enumerate(times, start=1)
    )
    return result
