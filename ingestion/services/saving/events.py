"""An event page into rows: the event, its classes, and the races as they are listed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from ingestion.domain.labels import class_key, read_label
from ingestion.domain.moments import in_order
from ingestion.liverc.pages.event import EventPage, ListedRace
from ingestion.models import Event, Race, RaceClass, Track

LISTED_FIELDS = (
    "race_class_id",
    "round_label",
    "race_number",
    "label",
    "main",
    "leg",
    "heat",
    "heats",
    "final",
    "branch",
    "run_order",
    "completed_at",
)


@dataclass(frozen=True, slots=True)
class SavedEvent:
    """What an event page brought: the races it lists, in running order, and how many rows that moved."""

    event: Event
    races: list[Race]
    new: int
    changed: int
    missing: int


@transaction.atomic
def save_event(
    *, track: Track, source_event_id: str, page: EventPage, parsed_hash: str
) -> SavedEvent:
    """Event, classes and the races as listed; the event is usable from here on."""
    moment = now()
    needed = {
        "name": (page.head.h3 or "")[:300],
        "starts_on": page.days.start,
        "ends_on": max(page.days.start, page.days.end),
    }
    event, is_new = Event.objects.select_for_update(of=("self",)).get_or_create(
        source_event_id=source_event_id, defaults=needed | {"track": track}
    )
    values = needed | {
        "track_id": track.pk,
        "timezone": track.timezone,
        "declared_entries": page.stats.entries,
        "declared_drivers": page.stats.drivers,
        "declared_laps": page.stats.total_race_laps,
        "surface": (page.stats.race_track or "")[:100],
        "parsed_hash": parsed_hash,
        "missing_since": None,
    }
    if is_new or any(getattr(event, name) != value for name, value in values.items()):
        if not is_new and event.parsed_hash and event.parsed_hash != parsed_hash:
            event.drifted_at = moment
        for name, value in values.items():
            setattr(event, name, value)
        event.updated_at = moment
        event.save()
    classes = _save_classes(event, [race.class_label for race in page.races])
    return _save_listed(event, classes, page.races, moment)


def _save_classes(event: Event, names: Iterable[str]) -> dict[str, RaceClass]:
    by_key = {one.key: one for one in event.classes.all()}
    fresh = {}
    for name in names:
        key = class_key(name)[:200]
        if key not in by_key and key not in fresh:
            fresh[key] = RaceClass(event=event, name=name[:200], key=key)
    RaceClass.objects.bulk_create(fresh.values())
    return by_key | fresh


def _save_listed(
    event: Event, classes: dict[str, RaceClass], rows: Iterable[ListedRace], moment: datetime
) -> SavedEvent:
    known = {race.source_race_id: race for race in event.races.filter(source=Race.Source.RACE)}
    listed = {row.race_id: row for row in reversed(list(rows))}
    running = _running(event, listed.values())
    new, changed = [], []
    for row in listed.values():
        values = _listed_values(row, classes, running[row.race_id])
        race = known.get(row.race_id)
        if race is None:
            new.append(
                Race(event=event, source=Race.Source.RACE, source_race_id=row.race_id, **values)
            )
        elif race.missing_since or any(getattr(race, name) != values[name] for name in values):
            _take_listed(race, values, moment)
            changed.append(race)
    Race.objects.bulk_create(new)
    Race.objects.bulk_update(
        changed,
        [
            *(name.removesuffix("_id") for name in LISTED_FIELDS),
            "started_at",
            "missing_since",
            "fetched_at",
            "updated_at",
        ],
    )
    gone = [race.pk for race_id, race in known.items() if race_id not in listed]
    missing = Race.objects.filter(pk__in=gone, missing_since=None).update(
        missing_since=moment, updated_at=moment
    )
    races = sorted(
        [*new, *(race for race_id, race in known.items() if race_id in listed)],
        key=lambda race: race.run_order,
    )
    return SavedEvent(event=event, races=races, new=len(new), changed=len(changed), missing=missing)


def _listed_values(
    row: ListedRace, classes: dict[str, RaceClass], running: tuple[int, datetime | None]
) -> dict[str, Any]:
    """The columns of LISTED_FIELDS, as a line of the event page says them."""
    label = read_label(row.race_label)
    run_order, completed_at = running
    return {
        "race_class_id": classes[class_key(row.class_label)[:200]].pk,
        "round_label": (row.round or "")[:100],
        "race_number": row.race_number,
        "label": row.race_label[:300],
        "main": label.main or "",
        "leg": label.leg,
        "heat": label.heat,
        "heats": label.heats,
        "final": label.final,
        "branch": label.branch or "",
        "run_order": run_order,
        "completed_at": completed_at,
    }


def _take_listed(race: Race, values: dict[str, Any], moment: datetime) -> None:
    """Bring a known race to what is listed now; where that may mean another result, ask again."""
    moved = race.completed_at != values["completed_at"] or race.label != values["label"]
    for name, value in values.items():
        setattr(race, name, value)
    if race.started_at and race.length_ms and race.completed_at:
        race.started_at = race.completed_at - timedelta(milliseconds=race.length_ms)
    race.missing_since, race.updated_at = None, moment
    if moved or race.state == Race.State.EMPTY:
        race.fetched_at = None  # the listing says something else: look at the page again


def _running(event: Event, rows: Iterable[ListedRace]) -> dict[str, tuple[int, datetime | None]]:
    """Place in the running order (from 1) and moment of completion of each race.

    The page lists the newest race first. Read from its end, its order tells which pass of an hour
    that came twice is meant (see `in_order`). A race without a time stands right after the one
    listed below it.
    """
    ordered = sorted(rows, key=lambda row: row.dom_index, reverse=True)
    timed = [row for row in ordered if row.completed_local]
    told = in_order([row.completed_local for row in timed if row.completed_local], event.zone)
    moments = dict(zip((row.race_id for row in timed), told, strict=True))
    keys = []
    latest = datetime.min.replace(tzinfo=UTC)
    for row in ordered:
        latest = moments.get(row.race_id, latest)
        keys.append((latest, -row.dom_index, row.race_id))
    return {
        race_id: (place, moments.get(race_id))
        for place, (_, _, race_id) in enumerate(sorted(keys), start=1)
    }
