"""All measures of one race as one plain tree (`race-report/1`): what is stored, shown and exported.

Names end in their unit. What could not be measured is None, never zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from strategy.domain.analytics import adherence, drive_time, pace, pits
from strategy.domain.analytics.decisions import Decision, judge
from strategy.domain.analytics.hindsight import (
    Hindsight,
    hindsight_instance,
    look_back,
    measured_pace,
)
from strategy.domain.analytics.record import Planned, Record
from strategy.domain.stints.instance import Instance, Stint

SCHEMA = "race-report/1"


def analyse(
    record: Record,
    *,
    before: Sequence[Planned],
    valid: Sequence[Planned] = (),
    decisions: Sequence[Decision] = (),
    seconds: float = 20.0,
    with_stops: bool = False,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """The report. `before` is the plan at the start, `valid` each stint as planned when it began."""
    drive = drive_time.measure(record, before, with_stops=with_stops)
    green, neutral = pits.split(record)
    followed = adherence.measure(record, before)
    latest = adherence.measure(record, valid or before)
    by_stint, by_driver = pace.by_stint(record), pace.by_driver(record)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "finish_ms": record.finish_ms,
        "penalty_ms": record.penalty_ms,
        "laps": sum(s.laps for s in record.stints),
        "planned_laps": record.instance.race.laps,
        "scores": {
            "driver_equality": drive.equality,
            "follows_shares": drive.follows_plan,
            "pit_efficiency": green.efficiency,
            **_consistency(by_stint),
            "strategy_adherence": followed.timing,
            "adherence_to_valid_plan": latest.timing,
            "driver_share": followed.driver_share,
        },
        "drive_variance_ms2": drive.variance_ms2,
        "drive_spread_ms": drive.spread_ms,
        "drivers": _drivers(record, drive, by_driver),
        "limits": [asdict(x) | {"driver": record.name(x.seat)} for x in drive.limits],
        "stints": _stints(record, followed, latest, by_stint),
        "unplanned_stops": followed.unplanned_stops,
        "missed_stops": followed.missed_stops,
        "pit": {"green": _pit(green), "neutral": _pit(neutral)},
        "stops": _stops(record, green, neutral),
        "fuel": _fuel(record),
        "lap_times": _lap_times(record),
        "cautions": [asdict(n) for n in record.neutrals],
        "decisions": [],
        "hindsight": None,
    }
    if _is_whole(record):
        after = hindsight_instance(record)
        report["decisions"] = _decisions(record, decisions, after)
        back = look_back(record, seconds=seconds, instance=after, is_cancelled=is_cancelled)
        report["hindsight"] = _hindsight(record, back)
    return report


def _is_whole(record: Record) -> bool:
    """Every lap of every stint is known: only then can the race be driven again."""
    numbers = sorted(lap.number for lap in record.laps)
    return bool(numbers) and numbers == list(range(sum(s.laps for s in record.stints)))


def _consistency(paces: Sequence[pace.Pace]) -> dict[str, float | None]:
    """The middle stint's deviation from lap to lap; None where no stint has laps enough."""
    steady = [p for p in paces if p.consistency_ms is not None]
    if not steady:
        return {"pace_consistency_ms": None, "pace_consistency_percent": None}
    return {
        "pace_consistency_ms": median(p.consistency_ms or 0 for p in steady),
        "pace_consistency_percent": median(p.consistency_percent or 0 for p in steady),
    }


def _lap_times(record: Record) -> list[list[Any]]:
    """Of each lap its number, ms, seat, and why it is not a racing lap."""
    return [
        [lap.number, lap.ms, lap.seat, lap.neutral or ("pit" if lap.is_in or lap.is_out else "")]
        for lap in record.laps
    ]


def _pace(found: pace.Pace) -> dict[str, Any]:
    return asdict(found) | {"consistency_percent": found.consistency_percent}


def _drivers(
    record: Record, drive: drive_time.DriveTime, paces: Sequence[pace.Pace]
) -> list[dict[str, Any]]:
    return [
        asdict(share)
        | {"driver": record.name(share.seat), "pace": _pace(found),
           "measured_ms": {k: round(v) for k, v in measured_pace(record, share.seat).items()}}
        for share, found in zip(drive.shares, paces, strict=True)
    ]  # fmt: skip


def _stints(
    record: Record,
    followed: adherence.Adherence,
    latest: adherence.Adherence,
    paces: Sequence[pace.Pace],
) -> list[dict[str, Any]]:
    by_number = {s.number: found for s, found in zip(record.stints, paces, strict=True)}
    then = {x.number: x for x in latest.stints}
    out = []
    for drift in followed.stints:
        row = asdict(drift)
        for side in ("planned", "driven"):
            if row[side]:
                row[side]["driver"] = record.name(row[side]["seat"])
        found, valid = by_number.get(drift.number), then.get(drift.number)
        row["pace"] = _pace(found) if found else None
        row["valid_end_laps"] = valid.end_laps if valid else None
        row["valid_time_ms"] = valid.time_ms if valid else None
        out.append(row)
    return out


def _pit(work: pits.PitWork) -> dict[str, Any]:
    return {"stops": len(work.stops), "median_ms": work.median_ms, "p90_ms": work.p90_ms,
            "loss_ms": work.loss_ms, "efficiency": work.efficiency}  # fmt: skip


def _stops(record: Record, *works: pits.PitWork) -> list[dict[str, Any]]:
    rows = []
    for facts in (f for work in works for f in work.stops):
        stop = facts.stop
        entry = record.stints[stop.stint]
        rows.append({
            "before_stint": entry.number, "driver": record.name(entry.seat), "at_ms": stop.in_ms,
            "ms": stop.ms, "reference_ms": facts.reference_ms, "lane_ms": facts.lane_ms,
            "service_ms": facts.service_ms, "driver_change_ms": facts.driver_change_ms,
            "delay_ms": facts.delay_ms, "added_ml": stop.added_ml, "new_tyres": stop.new_tyres,
            "driver_change": stop.swap, "neutral": stop.neutral, "repair_ms": stop.repair_ms,
            "box_ms": stop.box_ms,
        })  # fmt: skip
    return sorted(rows, key=lambda row: row["at_ms"])


def _fuel(record: Record) -> dict[str, Any]:
    """Burn planned and real for the laps driven, and by weather as it would be planned now."""
    burn = record.instance.car.burn_ml
    planned = sum(getattr(burn, lap.letter) for lap in record.laps)
    laps, used = len(record.laps), sum(s.used_ml for s in record.stints)
    ratio = used / planned if planned and used > 0 else None
    return {
        "planned_ml_per_lap": planned / laps if laps else None,
        "used_ml_per_lap": used / laps if laps and used > 0 else None,
        "burn_ml": {n: round(getattr(burn, n) * ratio) for n in "DNWX"} if ratio else None,
    }


def _decisions(
    record: Record, decisions: Sequence[Decision], after: Instance
) -> list[dict[str, Any]]:
    out = []
    for one in decisions:
        row = {"key": one.key, "kind": one.kind, "label": one.label, "lap": one.lap,
               "at_ms": one.at_ms, "by": one.by}  # fmt: skip
        if one.lap < min(after.race.laps, (one.then or record.instance).race.laps):
            found = judge(one, then=record.instance, after=after, neutrals=record.neutrals)
            row |= {
                "gain_ms": found.gain_ms, "expected_ms": found.expected_ms, "low_ms": found.low_ms,
                "high_ms": found.high_ms, "is_clear": found.is_clear,
                "chosen_breaks": found.chosen_breaks,
                "alternative_breaks": found.alternative_breaks,
            }  # fmt: skip
        out.append(row)
    return out


def _hindsight(record: Record, back: Hindsight) -> dict[str, Any]:
    return {
        "status": back.status,
        "best_ms": back.best_ms,
        "driven_ms": back.driven_ms,
        "bound_ms": back.bound_ms,
        "loss": asdict(back.loss) if back.loss else None,
        "plan": plan_rows(record, back.best),
    }


def plan_rows(record: Record, plan: Sequence[Stint]) -> list[dict[str, Any]]:
    rows, lap = [], 0
    for stint in plan:
        rows.append({
            "driver": record.name(stint.driver), "seat": stint.driver, "start_lap": lap,
            "end_lap": lap + stint.laps, "laps": stint.laps, "tyres": stint.tyres,
            "compound": stint.compound,
        })  # fmt: skip
        lap += stint.laps
    return rows
