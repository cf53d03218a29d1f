"""A race page into rows: the race, its results and their laps."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from ingestion.domain.labels import person_key, read_label
from ingestion.domain.session_types import infer_session_type
from ingestion.liverc.errors import UnexpectedPage
from ingestion.liverc.pages.race import RacePage, Result
from ingestion.models import Lap, Race, RaceResult
from ingestion.services.bulk import copy_laps, copy_results, fresh_ids, relax_commit
from ingestion.services.people import driver_ids_for

_BIGGEST = 2_147_483_647


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
        "session_type_signals": inferred.signals_as_data(),
    }


def fail_race(race: Race, why: str) -> None:
    """Write down why a race could not be read; what was there before stays."""
    state = race.state if race.state == Race.State.IMPORTED else Race.State.FAILED
    Race.objects.filter(pk=race.pk).update(state=state, failure=why[:2000], updated_at=now())


# -- results


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
