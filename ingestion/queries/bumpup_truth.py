"""An event's bump-ups in the form of a ground-truth file: pairs of mains, their edges, who qualified directly."""

from typing import Any

from ingestion.models import BumpUp, Event, Race, RaceResult
from ingestion.queries.bumpups import bump_ups_of_event


def truth_of(event: Event) -> dict[str, Any]:
    """{"event_id", "positive": [pair], "flagged": [pair], "rejected": [pair]} with source ids."""
    rows = list(bump_ups_of_event(event.pk))
    results: dict[int, list[RaceResult]] = {}
    races = {row.source_race_id for row in rows} | {row.target_race_id for row in rows}
    for result in RaceResult.objects.filter(race_id__in=races, missing_since=None).select_related(
        "driver"
    ):
        results.setdefault(result.race_id, []).append(result)

    def pairs(wanted) -> list[dict[str, Any]]:
        found: dict[tuple[int, int], list[BumpUp]] = {}
        for row in rows:
            if wanted(row):
                found.setdefault((row.source_race_id, row.target_race_id), []).append(row)
        return [pair_of(event, moves, results) for moves in found.values()]

    return {
        "event_id": event.source_event_id,
        "positive": pairs(lambda row: row.is_standing),
        "flagged": pairs(lambda row: row.status == BumpUp.Status.FLAGGED),
        "rejected": pairs(lambda row: row.status == BumpUp.Status.REJECTED),
    }


def pair_of(
    event: Event, moves: list[BumpUp], results: dict[int, list[RaceResult]]
) -> dict[str, Any]:
    """One lower and one higher main with the moves between them."""
    lower, upper = moves[0].source_race, moves[0].target_race
    below = {row.driver_id: row for row in results.get(lower.pk, [])}
    above = results.get(upper.pk, [])
    moved = {move.driver_id for move in moves}
    arrived = moved | set(
        BumpUp.objects.standing()
        .filter(target_race_id=upper.pk)
        .values_list("driver_id", flat=True)
    )
    return {
        "event_id": event.source_event_id,
        "class_name": moves[0].race_class.name,
        "lower": race_of(lower, event),
        "upper": race_of(upper, event),
        "rule_observed": rule_of(moves),
        "edges": [edge_of(move, below, above) for move in moves],
        "direct_qualifiers": [
            {
                "driver_id": source_id(row),
                "driver_name": row.driver_name,
                "upper_qual": row.qual,
                "upper_position": row.position,
            }
            for row in sorted(above, key=lambda r: r.qual or 999)
            if row.driver_id not in arrived | set(below)
        ],
        "lower_only": [
            source_id(row)
            for row in sorted(below.values(), key=lambda r: r.position or 999)
            if row.driver_id not in moved | {one.driver_id for one in above}
        ],
    }


def edge_of(move: BumpUp, below: dict[int, RaceResult], above: list[RaceResult]) -> dict[str, Any]:
    row = next((r for r in above if r.driver_id == move.driver_id), below.get(move.driver_id))
    return {
        "driver_id": source_id(row) if row else move.driver.source_driver_id,
        "driver_name": row.driver_name if row else move.driver.name,
        "lower_position": move.source_position,
        "lower_qual": move.source_slot,
        "upper_qual": move.target_slot,
        "upper_position": move.target_position,
        "upper_laps": move.target_laps,
        "upper_dns": move.is_dns,
        "confidence": move.confidence,
        "status": move.status,
        "doubts": move.doubts,
        "moved_again": move.moved_again_id is not None,
    }


def source_id(row: RaceResult) -> str | None:
    return row.source_driver_id or row.driver.source_driver_id


def race_of(race: Race, event: Event) -> dict[str, Any]:
    done = race.completed_at.astimezone(event.zone) if race.completed_at else None
    return {
        "race_id": race.source_race_id,
        "label": race.label,
        "completed_local": done.replace(tzinfo=None).isoformat() if done else None,
    }


def rule_of(moves: list[BumpUp]) -> str:
    """What the rows show, in words: how many, and into which grid slots."""
    slots = sorted(move.target_slot for move in moves if move.target_slot is not None)
    places = max(move.places for move in moves)
    where = f" take grid slots {slots[0]}-{slots[-1]}" if len(slots) > 1 else ""
    where = where or (f" takes grid slot {slots[0]}" if slots else "")
    return f"first {places} of {moves[0].source_race.label}{where} of {moves[0].target_race.label}"
