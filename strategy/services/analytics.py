"""Measuring a race once it is over, and again whenever its log is corrected."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared import audit, jobs, live
from racecontrol.shared.errors import NotReady
from strategy import access
from strategy.domain.analytics.decisions import Decision, carried_on
from strategy.domain.analytics.record import Planned, Record
from strategy.domain.analytics.report import analyse
from strategy.domain.stints.instance import read_instance
from strategy.models import Car, DriverResult, LiveRun, PlanVersion, RaceReport
from strategy.queries import analytics
from strategy.queries import live as live_queries
from strategy.services.plans import plan_of

HINDSIGHT_SECONDS = 20.0


class StrategyAnalytics:
    """The measures of one race: `analyze_strategy_performance` gives the tree of `race-report/1`."""

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.record: Record = analytics.record_of_run(run)
        self.history = plan_history(run)

    def before(self) -> list[Planned]:
        """The plan at the green flag."""
        return analytics.planned_of(self.history[0][1]) if self.history else []

    def valid(self) -> list[Planned]:
        """Each stint as the plan had it that counted when the stint began."""
        plans = {v.pk: {p.number: p for p in analytics.planned_of(v)} for _, v in self.history}
        out = []
        for stint in self.record.stints:
            then = [v for at, v in self.history if at <= stint.start_ms]
            planned = plans[then[-1].pk].get(stint.number) if then else None
            if planned is not None:
                out.append(planned)
        return out

    def decisions(self) -> list[Decision]:
        """Every change of the plan during the race, with the way on that was left."""
        laps = self.record.instance.race.laps
        told = commands_by_plan(self.run)
        out = []
        for (_, before), (at_ms, after) in zip(self.history, self.history[1:], strict=False):
            command = told.get(after.number)
            lap = sum(1 for one in self.record.laps if one.end_ms <= at_ms)
            chosen, other = (
                carried_on(self.record.stints, plan_of(plan), lap=lap, laps=laps)
                for plan in (after, before)
            )
            then = read_instance(after.problem) if after.origin == PlanVersion.Origin.LIVE else None
            out.append(Decision(
                key=str(after.number), kind=command.name if command else after.origin,
                label=command.words if command else after.reason, lap=lap, at_ms=at_ms,
                chosen=chosen, alternative=other, by=str(command.by) if command and command.by else "",
                known=self._known(at_ms), then=then,
            ))  # fmt: skip
        return out

    def _known(self, at_ms: int) -> list[tuple[float, float, float]]:
        """A caution that was out at the moment; that it would end when it did was not known."""
        return [
            (float(n.start_ms), float(n.end_ms), n.pace)
            for n in self.record.neutrals
            if n.start_ms <= at_ms < n.end_ms
        ]

    def analyze_strategy_performance(
        self,
        *,
        seconds: float = HINDSIGHT_SECONDS,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        return analyse(
            self.record, before=self.before(), valid=self.valid(), decisions=self.decisions(),
            seconds=seconds, is_cancelled=is_cancelled,
        )  # fmt: skip


def plan_history(run: LiveRun) -> list[tuple[int, PlanVersion]]:
    """The plans that counted and since when (ms since green), the one before the start first."""
    first = run.first_plan or run.strategy.current
    history = [(0, first)] if first is not None else []
    numbers = [(c.at_ms, c.after["plan"]) for c in _plan_commands(run)]
    versions = {
        v.number: v for v in run.strategy.versions.filter(number__in=[n for _, n in numbers])
    }
    history += [(at_ms, versions[n]) for at_ms, n in numbers if n in versions]
    return sorted(history, key=lambda one: one[0])


def commands_by_plan(run: LiveRun) -> dict[int, Any]:
    return {command.after["plan"]: command for command in _plan_commands(run)}


def _plan_commands(run: LiveRun) -> list[Any]:
    """Commands that put another plan in force, in the order of the race; one that only settled what
    was planned (a pin, a backup) is none."""
    rows = run.commands.select_related("by").order_by("version")
    return [
        c for c in rows
        if isinstance(c.after, dict) and isinstance(c.after.get("plan"), int)
        and (c.name not in ("pin", "backup") or f"stint:{c.body['stint']}.laps" in c.touched)
    ]  # fmt: skip


# -- keeping them


@transaction.atomic
def request_report(*, strategy_id: int, by: Any) -> jobs.Job:
    """Measure a race in the background; asking twice is one job. Raises NotReady before the flag."""
    access.strategy_for(by, strategy_id)
    run = live_queries.run_with_all(strategy_id)
    if run is None or run.state != LiveRun.State.FINISHED:
        raise NotReady("The race is not over: the report comes after the flag.")
    return queue_report(run, by=by)


def queue_report(run: LiveRun, *, by: Any = None) -> jobs.Job:
    return jobs.enqueue("strategy.tasks.measure", run.pk, key=f"report:{run.pk}", owner=by,
                        queue="slow", title=f"Measure the race of {run.strategy}")  # fmt: skip


def measure(
    *,
    run_id: int,
    seconds: float = HINDSIGHT_SECONDS,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> RaceReport | None:
    """Compute and keep the report; measured again only if the log changed since. None: no race."""
    run = LiveRun.objects.select_related("strategy__event", "strategy__team", "strategy__car",
                                         "strategy__current", "strategy__instance",
                                         "first_plan").filter(pk=run_id).first()  # fmt: skip
    if run is None or run.state != LiveRun.State.FINISHED:
        return None
    seen = analytics.log_seen(run)
    kept = RaceReport.objects.filter(run=run).first()
    if kept is not None and kept.log_seen == seen:
        return kept
    room = StrategyAnalytics(run)
    if not room.record.stints:
        return None
    body = room.analyze_strategy_performance(seconds=seconds, is_cancelled=is_cancelled)
    return keep(run, body, seen)


def is_fresh(report: RaceReport) -> bool:
    """Is the log still what the report was made from?"""
    run = LiveRun.objects.get(pk=report.run_id)
    return run.state != LiveRun.State.FINISHED or analytics.log_seen(run) == report.log_seen


@transaction.atomic
def keep(run: LiveRun, body: dict[str, Any], seen: str) -> RaceReport:
    """Store a report with its rows in place of the one before."""
    scores, back = body["scores"], body["hindsight"]
    loss = back["loss"]["total_ms"] if back and back["loss"] else None
    row, _ = RaceReport.objects.update_or_create(
        run=run,
        defaults={
            "body": body, "log_seen": seen, "laps": body["laps"], "finish_ms": body["finish_ms"],
            "driver_equality": scores["driver_equality"],
            "pit_efficiency": scores["pit_efficiency"],
            "pace_consistency_ms": scores["pace_consistency_ms"],
            "strategy_adherence": scores["strategy_adherence"],
            "computed_at": now(), "loss_ms": loss, "burn_ml": body["fuel"]["used_ml_per_lap"],
        },
    )  # fmt: skip
    row.drivers.all().delete()
    people = [who.get("user_id") for who in run.strategy.drivers]
    DriverResult.objects.bulk_create(_result(row, who, people) for who in body["drivers"])
    live.publish(f"strategy:{run.strategy_id}", {"report": row.pk})
    return row


def _result(report: RaceReport, who: dict[str, Any], people: Sequence[int | None]) -> DriverResult:
    pace, measured, seat = who["pace"], who["measured_ms"], who["seat"]
    return DriverResult(
        report=report, seat=seat, driver_id=people[seat] if seat < len(people) else None,
        name=who["driver"][:150], drive_ms=who["drive_ms"], laps=who["laps"],
        stints=who["stints"], share=who["share"], clean_laps=pace["clean"],
        median_ms=_whole(pace["median_ms"]), best_ms=pace["best_ms"],
        consistency_ms=pace["consistency_ms"], to_plan_ms=pace["to_plan_ms"],
        dry_ms=measured.get("D", measured.get("N")), wet_ms=measured.get("W", measured.get("X")),
    )  # fmt: skip


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


@transaction.atomic
def take_burn(*, strategy_id: int, by: Any) -> Car:
    """Give the car the burn its race showed, for the next strategy. Raises NotReady without one."""
    row = access.strategy_for(by, strategy_id, access.PLANNERS)
    report = analytics.report_of(strategy_id)
    burn = report.body["fuel"]["burn_ml"] if report else None
    if not burn:
        raise NotReady("This race has no burn that was measured.")
    car = Car.objects.select_for_update().get(pk=row.car_id)
    before = {"burn_ml": car.burn_ml, "wet_burn_percent": car.wet_burn_percent}
    car.burn_ml = max(burn["D"], 1)
    car.wet_burn_percent = min(max(round(100 * burn["W"] / car.burn_ml), 1), 300)
    car.save(update_fields=["burn_ml", "wet_burn_percent"])
    audit.record(by=by, verb="car.burn_measured", obj=car, before=before,
                 after={"burn_ml": car.burn_ml, "wet_burn_percent": car.wet_burn_percent},
                 reason=f"race of {row}"[:200])  # fmt: skip
    return car
