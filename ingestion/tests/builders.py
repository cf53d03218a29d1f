"""Rows of the timing room, filled in where a test does not care."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

from ingestion.domain.labels import class_key, person_key, read_label
from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import Driver, Event, Lap, Race, RaceClass, RaceResult, Track
from ingestion.services import imports

_numbers = count(1)
EVENT = str(DEMO_EVENT_ID)


def import_demo(**more) -> imports.ImportSummary:
    """The stand-in's big meeting, over real HTTP: wants the fixture `site`."""
    return imports.import_event(source_event_id=EVENT, track_slug=DEMO, **more)


def make_track(slug: str = "", **values) -> Track:
    slug = slug or f"track{next(_numbers)}"
    values = {"name": slug.title(), "timezone": "Australia/Sydney"} | values
    return Track.objects.get_or_create(slug=slug, defaults=values)[0]


def make_event(*, track: Track | None = None, day: date = date(2026, 11, 14), **values) -> Event:
    track = track or make_track()
    number = next(_numbers)
    values = {
        "name": f"Club Day {number}",
        "source_event_id": str(700_000 + number),
        "starts_on": day,
        "ends_on": day,
        "timezone": track.timezone,
        "state": Event.State.IMPORTED,
    } | values
    return Event.objects.create(track=track, **values)


def make_race(
    *, event: Event | None = None, label: str = "Buggy A-Main", class_name: str = "", **values
) -> Race:
    event = event or make_event()
    parts = read_label(label)
    name = class_name or parts.class_name
    race_class, _ = RaceClass.objects.get_or_create(
        event=event, key=class_key(name), defaults={"name": name}
    )
    number = next(_numbers)
    values = {
        "source_race_id": str(9_000_000 + number),
        "round_label": "Main Events",
        "race_number": number,
        "run_order": number,
        "main": parts.main or "",
        "leg": parts.leg,
        "heat": parts.heat,
        "heats": parts.heats,
        "completed_at": datetime(2026, 11, 14, 4, 0, tzinfo=UTC) + timedelta(minutes=number),
        "length_ms": 300_000,
        "state": Race.State.IMPORTED,
    } | values
    return Race.objects.create(event=event, race_class=race_class, label=label, **values)


def make_driver(name: str = "", **values) -> Driver:
    number = next(_numbers)
    name = name or f"DRIVER {number}"
    values = {"source_driver_id": str(500_000 + number)} | values
    return Driver.objects.create(name=name, name_key=person_key(name), **values)


def make_result(
    race: Race, laps_ms: list[int], *, driver: Driver | None = None, position: int = 1, **values
) -> RaceResult:
    """A result with its laps; the published figures are those of all laps."""
    driver = driver or make_driver()
    values = {
        "driver_name": driver.name,
        "row_key": driver.source_driver_id or driver.name,
        "source_driver_id": driver.source_driver_id or "",
        "qual": position,
        "car_number": position,
        "laps": len(laps_ms),
        "total_ms": sum(laps_ms) or None,
        "fast_lap_ms": min(laps_ms, default=None),
        "avg_lap_ms": round(sum(laps_ms) / len(laps_ms)) if laps_ms else None,
        "stats_basis": "all" if laps_ms else "",
    } | values
    result = RaceResult.objects.create(race=race, driver=driver, position=position, **values)
    Lap.objects.bulk_create(
        Lap(result=result, number=number, ms=ms, position=position)
        for number, ms in enumerate(laps_ms, start=1)
    )
    return result
