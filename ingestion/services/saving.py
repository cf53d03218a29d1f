"""Read pages into rows. Everything here is repeatable: the same page twice changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from ingestion.domain.labels import class_key, person_key, read_label
from ingestion.domain.moments import in_order
from ingestion.domain.session_types import infer_session_type
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages.event import EventPage, ListedRace
from ingestion.liverc.pages.race import RacePage, Result
from ingestion.models import (
    Event,
    Lap,
    Race,
    RaceClass,
    RaceResult,
    Track,
)
from ingestion.services.bulk import copy_laps, copy_results, fresh_ids, relax_commit
from ingestion.services.people import driver_ids_for

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
_BIGGEST = 2_147_483_647


@dataclass(frozen=True, slots=True)
class SavedEvent:
    """What an event page brought. `to_fetch` are races whose page was never read or has changed."""

    event: Event
    races: list[Race]
    new: int
    changed: int
    missing: int


# -- events


@transaction.atomic
def save_event(
    *, track: Track, source_event_id: str, page: EventPage, parsed_hash: str
) -> SavedEvent:
    """Event, classes and the races as listed; the event is usable from here on."""
    moment = now()
    event, is_new = Event.objects.select_for_update(of=("self",)).get_or_create(
        source_event_id=source_event_id,
        defaults={
            "track": track,
            "name": (page.head.h3 or "")[:300],
            "starts_on": page.days.start,
            "ends_on": max(page.days.start, page.days.end),
        },
    )
    values = {
        "track_id": track.pk,
        "name": (page.head.h3 or "")[:300],
        "starts_on": page.days.start,
        "ends_on": max(page.days.start, page.days.end),
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
        label = read_label(row.race_label)
        values = {
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
            "run_order": running[row.race_id][0],
            "completed_at": running[row.race_id][1],
        }
        race = known.get(row.race_id)
        if race is None:
            new.append(
                Race(event=event, source=Race.Source.RACE, source_race_id=row.race_id, **values)
            )
        elif race.missing_since or any(getattr(race, name) != values[name] for name in values):
            moved = race.completed_at != values["completed_at"] or race.label != values["label"]
            for name, value in values.items():
                setattr(race, name, value)
            if race.started_at and race.length_ms and race.completed_at:
                race.started_at = race.completed_at - timedelta(milliseconds=race.length_ms)
            race.missing_since, race.updated_at = None, moment
            if moved or race.state == Race.State.EMPTY:
                race.fetched_at = None  # the listing says something else: look at the page again
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


# -- races


@transaction.atomic
def save_race(
    race: Race,
    page: RacePage,
    *,
    parsed_hash: str,
    is_inferring: bool,
    first_main_order: int | None,
) -> bool:
    """Results and laps of one race; True if anything changed. Same hash, same rows: nothing is touched."""
    moment = now()
    relax_commit()
    race = Race.objects.select_for_update(of=("self",)).get(pk=race.pk)
    state = Race.State.IMPORTED if page.results else Race.State.EMPTY
    type_values = infer_type(race, page, first_main_order=first_main_order) if is_inferring else {}
    if (
        race.parsed_hash == parsed_hash
        and race.state == state
        and all(getattr(race, name) == value for name, value in type_values.items())
    ):
        Race.objects.filter(pk=race.pk).update(fetched_at=moment, failure="")
        return False
    length = timedelta(milliseconds=page.length_ms) if page.length_ms else None
    values = {
        "round_code": page.panel.round_code[:4] if page.panel else "",
        "round_number": page.panel.round_number if page.panel else None,
        "length_ms": page.length_ms,
        "length_laps": page.length_laps,
        "started_at": race.completed_at - length if race.completed_at and length else None,
        "stats_basis": page.stats_basis or "",
        "state": state,
        "failure": "",
        "parsed_hash": parsed_hash,
        "fetched_at": moment,
        "changed_at": moment
        if race.parsed_hash and race.parsed_hash != parsed_hash
        else race.changed_at,
        "updated_at": moment,
        **type_values,
    }
    is_first = not race.parsed_hash
    for name, value in values.items():
        setattr(race, name, value)
    race.save(update_fields=list(values))
    _save_results(race, page, moment, is_first=is_first)
    return True


def infer_type(race: Race, page: RacePage | None, *, first_main_order: int | None) -> dict:
    """The columns of the session type. A person's override is another column and never touched."""
    inferred = infer_session_type(
        round_label=race.round_label or (page.round_label if page else "") or "",
        panel_code=(page.panel.round_code if page and page.panel else race.round_code),
        class_name=read_label(race.label).class_name,
        main=race.main or None,
        final=race.final,
        heat=race.heat,
        is_before_first_main=race.run_order < first_main_order if first_main_order else None,
    )
    return {
        "session_type": inferred.session_type,
        "session_type_confidence": inferred.confidence,
        "session_type_signals": [
            {"name": one.name, "says": one.says, "strength": one.strength, "text": one.text}
            for one in inferred.signals
        ],
    }


def fail_race(race: Race, why: str) -> None:
    """Write down why a race could not be read; what was there before stays."""
    state = race.state if race.state == Race.State.IMPORTED else Race.State.FAILED
    Race.objects.filter(pk=race.pk).update(state=state, failure=why[:2000], updated_at=now())


def _save_results(race: Race, page: RacePage, moment: datetime, *, is_first: bool) -> None:
    """Rows by their key: new ones written, others changed where they differ, lost ones marked."""
    known = {} if is_first else {row.row_key: row for row in race.results.all()}
    keys = _row_keys(page.results)
    drivers = driver_ids_for(
        [(row.driver_id, row.racer.name if row.racer else row.driver_name) for row in page.results]
    )
    new, changed, lapped = [], [], []
    for key, row, driver_id in zip(keys, page.results, drivers, strict=True):
        values = _result_values(row, race)
        result = known.get(key)
        if result is None:
            identity = {"race_id": race.pk, "row_key": key, "driver_id": driver_id}
            new.append((identity | {"transponder": ""} | values, row))
            continue
        if result.missing_since or any(getattr(result, name) != values[name] for name in values):
            for name, value in values.items():
                setattr(result, name, value)
            result.missing_since, result.updated_at = None, moment
            changed.append(result)
        lapped.append((result.pk, row))
    if changed:
        fields = [*_result_values(page.results[0], race), "missing_since", "updated_at"]
        RaceResult.objects.bulk_update(changed, fields)
    if known:
        _mark_missing(set(known) - set(keys), race, moment)
        lapped = _changed_laps(lapped)
    if new:
        ids = fresh_ids(RaceResult, len(new))
        copy_results([{"id": pk} | values for pk, (values, _) in zip(ids, new, strict=True)])
        lapped += [(pk, row) for pk, (_, row) in zip(ids, new, strict=True)]
    copy_laps(
        [
            (pk, number, ms, position, None, True)
            for pk, row in lapped
            for number, ms, position in _lap_rows(row)
        ]
    )


def _mark_missing(keys: set[str], race: Race, moment: datetime) -> None:
    gone = race.results.filter(row_key__in=keys, missing_since=None)
    gone.update(missing_since=moment, updated_at=moment)


def _row_keys(rows: Iterable[Result]) -> list[str]:
    """The source's id, or the name numbered among equal names."""
    seen: dict[str, int] = {}
    keys = []
    for row in rows:
        base = row.driver_id or f"name:{person_key(row.driver_name)}"[:200]
        seen[base] = seen.get(base, 0) + 1
        keys.append(base if seen[base] == 1 else f"{base}#{seen[base]}")
    return keys


def _result_values(row: Result, race: Race) -> dict:
    racer = row.racer
    figures = racer.figures if racer else {}
    behind_ms, behind_laps = read_behind(row.behind_text)
    outcome, reason = infer_outcome(row, race)
    values = {
        "source_driver_id": row.driver_id or "",
        "driver_name": row.driver_name[:200],
        "position": row.position,
        "car_number": row.car_number,
        "qual": row.qual,
        "grid": racer.grid if racer else None,
        "laps": row.laps,
        "total_ms": row.total_ms,
        "behind_text": row.behind_text[:40],
        "behind_ms": behind_ms,
        "behind_laps": behind_laps,
        "fast_lap_ms": row.fast_lap_ms,
        "fast_lap_number": row.fast_lap_number,
        "avg_lap_ms": row.avg_lap_ms,
        "avg_top5_ms": row.avg_top5_ms,
        "avg_top10_ms": row.avg_top10_ms,
        "avg_top15_ms": row.avg_top15_ms,
        "top2_consecutive_ms": _ms(figures.get("top2Consecutive")),
        "top3_consecutive_ms": row.top3_consecutive_ms,
        "std_dev_ms": _ms(figures.get("stdDeviation") or row.std_dev_s),
        "consistency_pct": _pct(figures.get("consistency") or row.consistency_pct),
        "stats_basis": row.stats_basis or "",
        "outcome": outcome,
        "outcome_reason": reason,
    }
    too_big = [
        name for name, value in values.items() if isinstance(value, int) and value > _BIGGEST
    ]
    if too_big:
        raise UnexpectedPage(
            page="race_result", selector=too_big[0], why="is out of range", excerpt=row.driver_name
        )
    return values


def read_behind(text: str) -> tuple[int | None, int | None]:
    """'12.052' -> 12052 ms behind the car ahead, '9 Laps' -> nine laps; blank -> nothing."""
    words = text.split()
    if len(words) == 2 and words[1].lower().startswith("lap") and words[0].isdecimal():
        return None, int(words[0])
    try:
        return (round(float(text) * 1000), None) if text else (None, None)
    except ValueError:
        return None, None


def infer_outcome(row: Result, race: Race) -> tuple[Any, str]:
    """DNS and DNF are nowhere said on a race page; what we infer, and from what."""
    if not row.laps:
        return RaceResult.Outcome.DNS, "no laps on the race page"
    if race.length_ms and row.total_ms is not None and row.total_ms < race.length_ms:
        return RaceResult.Outcome.DNF, "stopped before the time was up"
    return RaceResult.Outcome.FINISHED, ""


def _ms(seconds: float | None) -> int | None:
    return round(seconds * 1000) if seconds is not None else None


def _pct(value: float | None) -> Decimal | None:
    return Decimal(f"{value:.3f}") if value is not None else None


# -- laps


def _changed_laps(rows: list[tuple[int, Result]]) -> list[tuple[int, Result]]:
    """Those whose laps differ from the stored ones, which go; laps that are the same keep their rows."""
    stored: dict[int, list[tuple]] = {}
    for result_id, *lap in (
        Lap.objects.filter(result_id__in=[pk for pk, _ in rows])
        .order_by("number")
        .values_list("result_id", "number", "ms", "position")
    ):
        stored.setdefault(result_id, []).append(tuple(lap))
    changed = [(pk, row) for pk, row in rows if stored.get(pk, []) != _lap_rows(row)]
    Lap.objects.filter(result_id__in=[pk for pk, _ in changed]).delete()
    return changed


def _lap_rows(row: Result) -> list[tuple]:
    """Number, time, position; a lap without a time, or a number that came before, is no lap."""
    if row.racer is None:
        return []
    found = {lap.number: (lap.number, lap.ms, lap.position) for lap in row.racer.laps if lap.ms > 0}
    return [found[number] for number in sorted(found)]
