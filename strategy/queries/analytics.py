"""Reads of measured races: the log of one as a record, reports of a team, a person's newest pace."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import QuerySet

from strategy.domain.analytics.from_log import Visit, record_of
from strategy.domain.analytics.record import Planned, Record
from strategy.domain.stints.instance import read_instance
from strategy.models import (
    DriverResult,
    LiveRun,
    Penalty,
    PlanVersion,
    RaceReport,
    StintPlan,
    Team,
)
from strategy.queries.live import race_of

REPORTS_SHOWN = 40


def log_seen(run: LiveRun) -> str:
    """A fingerprint that changes with every correction of the race's log."""
    parts: list[Any] = [run.state, run.version, run.finished_ms]
    for rows in (run.laps, run.stops, run.flags, run.penalties, run.weather, run.readings):
        fields = sorted(f.attname for f in rows.model._meta.concrete_fields)
        parts += rows.order_by("pk").values_list(*fields)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def record_of_run(run: LiveRun) -> Record:
    """The race as its log tells it now, with the plan's names and penalties that cost time."""
    visits = [
        Visit(s.in_ms, s.out_ms, s.fuel_added_ml, s.tyres, s.compound, s.repair_ms,
              s.is_drive_through, s.box_ms)
        for s in run.stops.all()
    ]  # fmt: skip
    race = race_of(run)
    if run.first_plan is not None:  # a plan made on the wall has the race's own numbers already
        race = replace(race, instance=read_instance(run.first_plan.problem))
    added = sum(p.amount for p in run.penalties.all() if p.kind == Penalty.Kind.TIME)
    return record_of(race, visits, penalty_ms=added)


def planned_of(plan: PlanVersion) -> list[Planned]:
    return [planned_stint(stint) for stint in plan.stints.order_by("number")]


def planned_stint(stint: StintPlan) -> Planned:
    return Planned(
        stint.number, stint.seat, stint.start_lap, stint.start_lap + stint.laps,
        stint.planned_start_ms, stint.planned_start_ms + stint.planned_ms, stint.fuel_in_ml,
        stint.fuel_out_ml,
    )  # fmt: skip


def report_of(strategy_id: int) -> RaceReport | None:
    return (
        RaceReport.objects.select_related("run__strategy__event", "run__strategy__team")
        .filter(run__strategy_id=strategy_id)
        .first()
    )


def reports_of(team: Team, words: str = "") -> QuerySet[RaceReport]:
    """The team's measured races, the latest race first; training races stand apart."""
    return (
        RaceReport.objects.filter(
            run__strategy__team=team,
            run__is_training=False,
            run__strategy__event__name__icontains=words.strip(),
        )
        .select_related("run__strategy__event", "run__strategy__car")
        .prefetch_related("drivers")
        .order_by("-run__green_at", "-pk")
    )


def results_of(user: Any) -> QuerySet[DriverResult]:
    """A person's races as a driver, the latest first."""
    return (
        DriverResult.objects.filter(driver_id=user.pk, report__run__is_training=False)
        .select_related("report__run__strategy__event", "report__run__strategy__team")
        .order_by("-report__run__green_at", "-pk")
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """Pace a person showed in a race of ours, in ms, and which race it is from."""

    dry_ms: int | None
    wet_ms: int | None
    source: str
    day: date | None = None


def measured_pace(user: Any, track: str) -> Measured | None:
    """What a person's latest race at this track showed; None without one."""
    if not track.strip():
        return None
    found = results_of(user).filter(report__run__strategy__event__track__iexact=track.strip())
    row = found.exclude(dry_ms=None, wet_ms=None).first()
    if row is None:
        return None
    run = row.report.run
    laps = f"{row.clean_laps} clean lap{'s' if row.clean_laps != 1 else ''}"
    day = run.green_at.date() if run.green_at else None
    told = f", {day:%Y-%m-%d}" if day else ""
    return Measured(row.dry_ms, row.wet_ms, f"{run.strategy.event}{told}: {laps}", day)
