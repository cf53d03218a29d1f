"""Events with mains as rows, from a few words or from a meeting of the stand-in. Results only, no laps."""

from datetime import UTC, date, datetime, timedelta

from ingestion.domain.labels import person_key, read_label
from ingestion.fake_liverc.world import DEMO_EVENT_ID, World
from ingestion.models import Driver, Event, Race, RaceResult, Track
from ingestion.tests import builders


def make_event(*, track: Track | None = None, source_event_id: str = "900", **values) -> Event:
    values = {"name": "Club Night", "day": date(2026, 5, 2)} | values
    track = track or builders.make_track("redgum")
    return builders.make_event(track=track, source_event_id=source_event_id, **values)


def make_driver(source_id: str, name: str = "") -> Driver:
    name = name or f"Driver {source_id}"
    return Driver.objects.get_or_create(
        source_driver_id=source_id, defaults={"name": name, "name_key": person_key(name)}
    )[0]


def make_main(
    event: Event,
    label: str,
    order: list[str] | str,
    *,
    number: int,
    slots: list[int] | None = None,
    dns: str = "",
    source_race_id: str = "",
) -> Race:
    """A main with drivers (source ids) in finishing order; `slots` are their grid slots."""
    read = read_label(label)
    done = datetime(2026, 5, 2, 2, tzinfo=UTC) + timedelta(minutes=30 * number)
    race = builders.make_race(
        event=event, label=label, source_race_id=source_race_id or f"{event.source_event_id}-{number}",
        round_code="M", round_number=1, race_number=number, run_order=number, final=read.final,
        branch=read.branch or "", completed_at=done, started_at=done - timedelta(minutes=10),
        length_ms=600_000,
    )  # fmt: skip
    slots = slots or list(range(1, len(order) + 1))
    RaceResult.objects.bulk_create(
        RaceResult(
            race=race,
            driver=make_driver(driver),
            row_key=driver,
            source_driver_id=driver,
            driver_name=f"DRIVER {driver.upper()}",
            position=place,
            car_number=slot,
            qual=slot,
            laps=0 if driver in dns else 20,
            total_ms=None if driver in dns else 600_000 + place * 1_000,
        )
        for place, (driver, slot) in enumerate(zip(order, slots, strict=True), start=1)
    )
    return race


def make_night(event: Event | None = None) -> Event:
    """C (6 cars) -> B (4 and 2) -> A (4 and 2): m, n move up to the B, n and g on to the A."""
    event = event or make_event()
    make_main(event, "Buggy C-Main", "mnopqr", number=1)
    make_main(event, "Buggy B-Main", "ngmhij", number=2, slots=[6, 1, 5, 2, 3, 4])
    make_main(event, "Buggy A-Main", "anbcgd", number=3, slots=[1, 5, 2, 3, 6, 4])
    return event


def save_demo() -> Event:
    """The stand-in's big meeting, as an import would leave it, without laps."""
    world = World()
    meeting = world.meeting(world.track("redgum"), DEMO_EVENT_ID)
    event = make_event(
        source_event_id=str(meeting.id), name=meeting.name, starts_on=meeting.first_day,
        ends_on=meeting.last_day,
    )  # fmt: skip
    for order, race in enumerate(meeting.races, start=1):
        done = race.completed_at.replace(second=0, tzinfo=event.zone)
        row = builders.make_race(
            event=event, label=" ".join(race.label.split()), class_name=race.class_name,
            source_race_id=str(race.id), round_label=race.round, round_code=race.code[0],
            round_number=int(race.code[1:]), race_number=race.number, run_order=order,
            completed_at=done, started_at=done - timedelta(milliseconds=race.length_ms),
            length_ms=race.length_ms,
        )  # fmt: skip
        RaceResult.objects.bulk_create(
            RaceResult(
                race=row,
                driver=make_driver(str(run.racer.id), run.racer.name),
                row_key=str(run.racer.id),
                source_driver_id=str(run.racer.id),
                driver_name=run.racer.shouted,
                position=run.position,
                car_number=run.slot,
                qual=run.slot,
                laps=len(run.laps_ms),
                total_ms=run.total_ms or None,
            )
            for run in race.runs
        )
    return event
