"""Reads of bump-ups: the mains they are found in, and the moves of an event, a race or a driver."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from ingestion.domain.labels import class_key
from ingestion.domain.ladder import MainRace, Start, is_main, is_main_round
from ingestion.models import BumpUp, Driver, OfficialBumpSlot, Race, RaceResult
from racecontrol.shared.audit import AuditEvent


def mains_of(event_ids: Iterable[int]) -> dict[int, list[MainRace]]:
    """The mains of each event with their results, in three queries however many events there are.

    Races the source withdrew are left out; those whose result could not be read stay, without starts.
    What else ran in the rounds of mains is there without starts, too: its number fills a gap.
    """
    found: dict[int, list[MainRace]] = {event_id: [] for event_id in event_ids}
    mains: dict[int, tuple[int, MainRace]] = {}
    rows = Race.objects.filter(
        Q(heat=None) | Q(round_label__istartswith="main"),
        event_id__in=list(found),
        source=Race.Source.RACE,
        missing_since=None,
    ).values_list(
        "pk",
        "event_id",
        "label",
        "race_class__name",
        "round_label",
        "race_number",
        "completed_at",
        "length_ms",
        "session_type",
        "session_type_override",
    )
    for pk, event_id, label, class_name, round_label, number, done, length, kind, override in rows:
        race = MainRace(
            race_id=pk,
            label=label,
            class_name=class_name,
            round=round_label,
            number=number,
            completed_at=done,
            length=timedelta(milliseconds=length) if length else None,
            session_type=override or kind,
        )
        if is_main(race):
            mains[pk] = (event_id, race)
        elif is_main_round(round_label):
            found[event_id].append(race)
    starts = starts_of(mains)
    slots = official_slots_of(mains)
    for pk, (event_id, race) in mains.items():
        found[event_id].append(
            replace(
                race,
                starts=tuple(starts.get(pk, ())),
                official_slots=frozenset(slots.get(pk, ())),
            )
        )
    return found


def starts_of(race_ids: Iterable[int]) -> dict[int, list[Start]]:
    """Race id -> its results, by driver (a merged driver counts as the one he was merged into)."""
    found: dict[int, list[Start]] = {}
    rows = RaceResult.objects.filter(race_id__in=list(race_ids), missing_since=None).values_list(
        "race_id",
        Coalesce("driver__merged_into_id", "driver_id"),
        "position",
        "qual",
        "laps",
    )
    for race_id, driver_id, position, slot, laps in rows:
        found.setdefault(race_id, []).append(Start(driver_id, position, slot, laps))
    return found


def official_slots_of(race_ids: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = OfficialBumpSlot.objects.filter(race_id__in=list(race_ids)).values_list(
        "race_id", "slot"
    )
    for race_id, slot in rows:
        found.setdefault(race_id, []).append(slot)
    return found


def bump_ups() -> QuerySet[BumpUp]:
    """Moves with all a row shows, newest first."""
    return BumpUp.objects.select_related(
        "driver", "race_class", "source_race", "target_race", "event__track", "moved_again"
    )


def bump_ups_of_event(event_id: int) -> QuerySet[BumpUp]:
    """In the order people read them: by class, from the bottom main up, by finish."""
    return (
        bump_ups()
        .filter(event_id=event_id)
        .order_by(
            "race_class__name", "source_race__run_order", "source_race_id", "source_position", "pk"
        )
    )


def bumped_into(race_id: int) -> dict[int, BumpUp]:
    """Driver id -> the standing move that brought the driver into this race.

    Rows of a driver who was merged into another since are found under both.
    """
    rows = BumpUp.objects.standing().filter(target_race_id=race_id)
    found = {
        row.driver_id: row for row in rows.select_related("source_race", "source_race__race_class")
    }
    merged = Driver.objects.filter(merged_into__in=found).values_list("pk", "merged_into_id")
    return found | {pk: found[into] for pk, into in merged}


def bump_ups_of_driver(driver_id: int) -> QuerySet[BumpUp]:
    """A driver's standing moves, latest event first."""
    return (
        bump_ups()
        .standing()
        .filter(driver_id=driver_id)
        .order_by("-event__starts_on", "-event_id", "source_race__run_order", "pk")
    )


def bump_ups_between(race_ids: Iterable[int], driver_ids: Iterable[int]) -> list[BumpUp]:
    """The standing moves of these drivers out of or into these races, in one query."""
    ids = list(race_ids)
    either = Q(source_race__in=ids) | Q(target_race__in=ids)
    return list(bump_ups().standing().filter(either, driver__in=list(driver_ids)))


def bump_ups_like(
    *,
    driver_id: int | None = None,
    track: str = "",
    class_name: str = "",
    from_day: date | None = None,
    to_day: date | None = None,
    season: int | None = None,
    statuses: Iterable[str] = (),
) -> QuerySet[BumpUp]:
    """Moves by any of: driver, track slug, class in any spelling, days of the event (both included)."""
    rows = bump_ups()
    if driver_id is not None:
        rows = rows.filter(driver_id=driver_id)
    if track:
        rows = rows.filter(event__track__slug=track)
    if class_name:
        rows = rows.filter(race_class__key=class_key(class_name))
    if from_day:
        rows = rows.filter(event__starts_on__gte=from_day)
    if to_day:
        rows = rows.filter(event__starts_on__lte=to_day)
    if season:
        rows = rows.filter(event__starts_on__year=season)
    if statuses:
        rows = rows.filter(status__in=list(statuses))
    return rows


def corrections_of_event(event_id: int, *, most: int = 20) -> list[AuditEvent]:
    """What people changed about the moves of an event, latest first."""
    ids = BumpUp.objects.filter(event_id=event_id).values_list("pk", flat=True)
    return list(
        AuditEvent.objects.filter(
            object_type=BumpUp._meta.label_lower, object_id__in=[str(pk) for pk in ids]
        )
        .select_related("by")
        .order_by("-pk")[:most]
    )
