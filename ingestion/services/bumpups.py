"""Bump-ups as they are saved: found anew after each import, corrected by people, never both at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from ingestion.domain.bumpups import Detection, Move, detect
from ingestion.domain.labels import class_key
from ingestion.models import BumpUp, Event, OfficialBumpSlot, Race, RaceClass, RaceResult
from ingestion.queries.bumpups import mains_of
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound
from racecontrol.shared.progress import OnProgress, Progress, silent

BATCH = 250
Status = BumpUp.Status

# What detection keeps in step with the results, on every row.
FACTS = (
    "source_position",
    "source_slot",
    "target_slot",
    "target_position",
    "target_laps",
    "places",
    "direct",
    "beaten",
    "doubts",
    "evidence",
)
# What it also sets where no person has decided.
VERDICT = ("status", "confidence")

Key = tuple[int, int, int]  # source race, target race, driver


@dataclass(frozen=True, slots=True)
class Summary:
    """What one detection changed. `standing` and `flagged` are what there is afterwards."""

    events: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    standing: int = 0
    flagged: int = 0

    def __add__(self, other: "Summary") -> "Summary":
        return Summary(
            self.events + other.events,
            self.created + other.created,
            self.updated + other.updated,
            self.removed + other.removed,
            self.standing + other.standing,
            self.flagged + other.flagged,
        )


def detect_for_event(event_id: int) -> Summary:
    """Find the moves of one event and store them. Repeatable: unchanged results change no row."""
    return _detect_batch([event_id])


def detect_for_events(event_ids: Iterable[int], *, on_progress: OnProgress = silent) -> Summary:
    """The same over many events, a transaction per batch."""
    ids = list(event_ids)
    total = Summary()
    for at in range(0, len(ids), BATCH):
        on_progress(Progress(at, len(ids), "events searched for bump-ups"))
        total += _detect_batch(ids[at : at + BATCH])
    on_progress(Progress(len(ids), len(ids), "events searched for bump-ups"))
    return total


@transaction.atomic
def _detect_batch(event_ids: list[int]) -> Summary:
    # Two imports of one event that end together take turns.
    locked = Event.objects.select_for_update(of=("self",)).filter(pk__in=event_ids).order_by("pk")
    ids = [event.pk for event in locked.only("pk")]
    wanted, again = _wanted(ids)
    held = {
        (row.source_race_id, row.target_race_id, row.driver_id): row
        for row in BumpUp.objects.filter(event_id__in=ids)
    }
    moment = now()
    fresh = {key: row for key, row in wanted.items() if key not in held}
    BumpUp.objects.bulk_create(fresh.values(), batch_size=1000)
    changed = [old for key, old in held.items() if key in wanted and _take(old, wanted[key])]
    for old in changed:
        old.updated_at = moment
    stale = {
        row.pk
        for key, row in held.items()
        if key not in wanted and row.status not in BumpUp.DECIDED
    }
    BumpUp.objects.filter(pk__in=stale).delete()
    BumpUp.objects.bulk_update(
        changed, [*FACTS, *VERDICT, "race_class", "updated_at"], batch_size=200
    )
    rows = {key: row for key, row in held.items() if row.pk not in stale} | fresh
    linked = _relinked(rows, again)
    _save_links(linked)
    new = {row.pk for row in fresh.values()}
    return Summary(
        events=len(ids),
        created=len(fresh),
        updated=len({row.pk for row in [*changed, *linked]} - new),
        removed=len(stale),
        standing=sum(row.is_standing for row in rows.values()),
        flagged=sum(row.status == Status.FLAGGED for row in rows.values()),
    )


def _wanted(event_ids: list[int]) -> tuple[dict[Key, BumpUp], dict[Key, int]]:
    """What the results say now: unsaved rows, and the race each driver moved up to from there."""
    mains = mains_of(event_ids)
    classes: dict[tuple[int, str], int] = {
        (event_id, key): pk
        for pk, event_id, key in RaceClass.objects.filter(event_id__in=event_ids).values_list(
            "pk", "event_id", "key"
        )
    }
    race_class = dict(
        Race.objects.filter(
            pk__in=[race.race_id for races in mains.values() for race in races]
        ).values_list("pk", "race_class_id")
    )
    wanted: dict[Key, BumpUp] = {}
    again: dict[Key, int] = {}
    for event_id in event_ids:
        found = detect(mains[event_id])
        for key, row, onward in _rows(event_id, found, classes, race_class):
            wanted[key] = row
            if onward is not None:
                again[key] = onward
    return wanted, again


def _rows(
    event_id: int,
    found: Detection,
    classes: dict[tuple[int, str], int],
    race_class: dict[int, int],
) -> Iterable[tuple[Key, BumpUp, Any]]:
    """Unsaved rows of one event's moves, with the race each driver moved on to."""
    for step in found.steps:
        for move in step.moves:
            class_id = classes.get((event_id, class_key(move.class_name)))
            row = BumpUp(
                event_id=event_id,
                race_class_id=class_id or race_class[_pk(move.upper_id)],
                driver_id=_pk(move.driver_id),
                source_race_id=_pk(move.lower_id),
                target_race_id=_pk(move.upper_id),
                confidence=move.confidence,
                status=Status.FLAGGED if move.is_flagged else Status.DETECTED,
                **_facts(move),
            )
            key = (row.source_race_id, row.target_race_id, row.driver_id)
            yield key, row, move.moved_again_to


def _facts(move: Move) -> dict[str, Any]:
    return {
        "source_position": move.lower_position,
        "source_slot": move.lower_slot,
        "target_slot": move.upper_slot,
        "target_position": move.upper_position,
        "target_laps": move.upper_laps,
        "places": move.evidence.get("places") or 0,
        "direct": move.direct,
        "beaten": move.beaten,
        "doubts": list(move.flags),
        "evidence": move.evidence,
    }


def _pk(value: Any) -> int:
    return int(value)


def _take(old: BumpUp, new: BumpUp) -> bool:
    """Bring `old` up to date; says whether anything changed. A person's verdict stays."""
    fields: tuple[str, ...] = ("race_class_id", *FACTS)
    if not old.is_decided:
        fields += VERDICT
    changed = [name for name in fields if getattr(old, name) != getattr(new, name)]
    for name in changed:
        setattr(old, name, getattr(new, name))
    return bool(changed)


def _relinked(rows: dict[Key, BumpUp], again: dict[Key, int]) -> list[BumpUp]:
    """Set each standing row's next step up; gives the rows whose link changed."""
    standing = [row for row in rows.values() if row.is_standing]
    from_race = {(row.source_race_id, row.driver_id): row for row in standing}
    into_race = {(row.target_race_id, row.driver_id): row for row in standing}
    changed = []
    for key, row in rows.items():
        onward = None
        if row.is_standing:
            onward = from_race.get((row.target_race_id, row.driver_id))
            if onward is None and key in again:
                # Up from the legs of a main: the next step starts at its last leg.
                onward = into_race.get((again[key], row.driver_id))
        if row.moved_again_id != (onward.pk if onward else None):
            row.moved_again = onward
            changed.append(row)
    return changed


def _save_links(rows: list[BumpUp]) -> None:
    """All links in one statement: Django's own writes a branch per row, ten times slower."""
    if not rows:
        return
    table = BumpUp._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET moved_again_id = link.onward"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS link (pk, onward) WHERE id = link.pk",
            [[row.pk for row in rows], [row.moved_again_id for row in rows]],
        )


# -- people


@transaction.atomic
def decide(*, bump_up_id: int, status: str, by: Any, note: str = "") -> BumpUp:
    """Confirm or reject a move, or hand it back to detection ("detected"). Audited.

    Raises NotFound, and InvalidInput for any other status.
    """
    row = (
        BumpUp.objects.select_for_update(of=("self",))
        .select_related("driver", "source_race", "target_race")
        .filter(pk=bump_up_id)
        .first()
    )
    if row is None:
        raise NotFound("There is no such bump-up.")
    if status not in (Status.CONFIRMED, Status.REJECTED, Status.DETECTED):
        raise InvalidInput(
            "A bump-up can be confirmed, rejected, or handed back to detection.",
            fields={"status": ["Use confirmed, rejected or detected."]},
        )
    before = {"status": row.status, "note": row.note}
    row.status, row.note = status, note
    if status == Status.CONFIRMED and row.evidence.get("by_hand"):
        row.status = Status.MANUAL
    row.decided_by, row.decided_at = by, now()
    if status == Status.DETECTED:
        row.decided_by = row.decided_at = None
    row.updated_at = now()
    row.save(update_fields=["status", "note", "decided_by", "decided_at", "updated_at"])
    verb = "handed_back" if status == Status.DETECTED else str(status)
    audit.record(
        by=by,
        verb=f"bump_up.{verb}",
        obj=row,
        before=before,
        after={"status": row.status, "note": row.note},
        reason=note,
    )
    # What the rest says of it follows: links, and the verdict of a row handed back.
    detect_for_event(row.event_id)
    return BumpUp.objects.filter(pk=bump_up_id).first() or row


@transaction.atomic
def add_by_hand(
    *,
    event_id: int,
    source_race_id: int,
    target_race_id: int,
    driver_id: int,
    by: Any,
    note: str = "",
) -> BumpUp:
    """A move people know of and the results do not show. Audited.

    Raises InvalidInput naming what does not fit: races of another event, a driver who is not in the
    result of the higher main.
    """
    event = Event.objects.select_for_update().filter(pk=event_id).first()
    if event is None:
        raise NotFound("There is no such event.")
    target, below, above = _both_ends(event, source_race_id, target_race_id, driver_id)
    row, is_new = BumpUp.objects.get_or_create(
        source_race_id=source_race_id,
        target_race_id=target_race_id,
        driver_id=driver_id,
        defaults={
            "event": event,
            "race_class_id": target.race_class_id,
            "confidence": BumpUp.Confidence.PERSON,
            "evidence": {"by_hand": True},
        },
    )
    before = {} if is_new else {"status": row.status, "note": row.note}
    row.source_position, row.source_slot = (below.position, below.qual) if below else (None, None)
    row.target_position, row.target_slot = above.position, above.qual
    row.target_laps = above.laps
    row.status = Status.MANUAL if row.evidence.get("by_hand") else Status.CONFIRMED
    row.note, row.decided_by, row.decided_at, row.updated_at = note, by, now(), now()
    row.save()
    audit.record(
        by=by,
        verb="bump_up.added",
        obj=row,
        before=before,
        after={"status": row.status, "note": note},
        reason=note,
    )
    detect_for_event(event.pk)
    row.refresh_from_db()
    return row


def _both_ends(
    event: Event, source_race_id: int, target_race_id: int, driver_id: int
) -> tuple[Race, RaceResult | None, RaceResult]:
    """The higher main, and the driver's results below (if there is one) and above. Raises InvalidInput."""
    races = {race.pk: race for race in event.races.filter(pk__in=[source_race_id, target_race_id])}
    fields: dict[str, list[str]] = {}
    for name, pk in (("source_race_id", source_race_id), ("target_race_id", target_race_id)):
        if pk not in races:
            fields[name] = ["Choose a race of this event."]
    if not fields and source_race_id == target_race_id:
        fields["target_race_id"] = ["The two mains must differ."]
    results = {
        row.race_id: row
        for row in RaceResult.objects.filter(race_id__in=races, driver_id=driver_id)
    }
    if not fields and target_race_id not in results:
        fields["driver_id"] = ["This driver is not in the result of the higher main."]
    if fields:
        raise InvalidInput("This bump-up does not fit the event.", fields=fields)
    return races[target_race_id], results.get(source_race_id), results[target_race_id]


@transaction.atomic
def note_official_slots(*, race_id: int, slots: Iterable[int]) -> bool:
    """Keep which grid slots the heat sheet marks as bump-ups; says whether that changed."""
    wanted = set(slots)
    held = set(OfficialBumpSlot.objects.filter(race_id=race_id).values_list("slot", flat=True))
    if wanted == held:
        return False
    OfficialBumpSlot.objects.filter(race_id=race_id, slot__in=held - wanted).delete()
    OfficialBumpSlot.objects.bulk_create(
        [OfficialBumpSlot(race_id=race_id, slot=slot) for slot in sorted(wanted - held)],
        ignore_conflicts=True,
    )
    return True
