"""The pit wall of a race under way: `wall_of` gives everything a page, the API or a bridge asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import QuerySet
from django.utils.timezone import now

from strategy.domain.live.log import Fill, LapDone, Mark, Neutral, Planned, Punished, Race, Reading
from strategy.domain.live.wall import STALE_MS, Wall, read_wall
from strategy.domain.stints.instance import read_instance
from strategy.models import (
    FlagPeriod,
    FuelReading,
    LapEvent,
    LiveCommand,
    LiveProposal,
    LiveRun,
    Penalty,
    PitStop,
    PlanVersion,
    RaceStrategy,
    StintPlan,
    WeatherChange,
)

MILLISECOND = timedelta(milliseconds=1)
LOG_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Rows:
    """What people and bridges told of a race, each table read once."""

    events: list[LapEvent]
    flags: list[FlagPeriod]
    weather: list[WeatherChange]
    readings: list[FuelReading]
    stops: list[PitStop]
    penalties: list[Penalty]

    @classmethod
    def of(cls, run: LiveRun) -> "Rows":
        return cls(
            events=list(run.laps.filter(is_void=False)), flags=list(run.flags.all()),
            weather=list(run.weather.all()), readings=list(run.readings.all()),
            stops=list(run.stops.all()), penalties=list(run.penalties.all()),
        )  # fmt: skip


@dataclass(frozen=True)
class WallState:
    """The wall of one strategy with the names and rows around the calculation.

    `version` is what a command is based on. `user_ids` and `moments` turn seats and race times into
    people and wall-clock moments. `heard_ago_ms`: since the feed last spoke; over 15 s is stale.
    """

    run: LiveRun
    strategy: RaceStrategy
    plan: PlanVersion
    version: int
    read_at: datetime
    heard_ago_ms: int | None
    is_stale: bool
    race: Race
    wall: Wall
    user_ids: list[int | None]
    stops: list[PitStop]
    flags: list[FlagPeriod]
    penalties: list[Penalty]
    weather: list[WeatherChange]
    log: list[LiveCommand]
    proposal: LiveProposal | None

    def moment(self, at_ms: int | None) -> datetime | None:
        """The wall-clock moment of a time of the race; before the start by the planned start."""
        if at_ms is None:
            return None
        began = self.run.green_at
        if began is None and self.strategy.instance is not None:
            began = self.strategy.instance.starts_at
        return began and began + at_ms * MILLISECOND

    def seat_of(self, user: Any) -> int | None:
        return self.user_ids.index(user.pk) if user.pk in self.user_ids else None


def now_ms(run: LiveRun, at: datetime) -> int:
    """Where the race is at a moment, ms since green. Training and retold races follow their feed."""
    if run.state == LiveRun.State.FINISHED:
        return run.finished_ms or 0
    if run.state != LiveRun.State.RACING or run.green_at is None:
        return 0
    if run.is_retold:
        return run.heard_ms
    if run.is_training:
        since = (at - (run.heard_at or at)) / MILLISECOND
        return run.heard_ms + round(max(min(since * run.speed, 60_000), 0))
    return max(round((at - run.green_at) / MILLISECOND), 0)


def race_of(
    run: LiveRun,
    *,
    at: datetime | None = None,
    plan: PlanVersion | None = None,
    rows: Rows | None = None,
) -> Race:
    """What is known of the race as the calculations take it; under another plan if one is given.
    `rows` where the caller has read them just now."""
    strategy = run.strategy
    plan = plan or strategy.current
    assert plan is not None
    # pace and burn are held against the numbers the race was planned with
    physics = run.first_plan or plan
    rows = rows or Rows.of(run)
    return Race(
        instance=read_instance(physics.problem),
        duration_ms=strategy.event.duration_ms,
        stints=tuple(planned(stint) for stint in plan.stints.order_by("number")),
        state=cast(Any, run.state),
        now_ms=now_ms(run, at or now()),
        marks=tuple(
            Mark(cast(Any, e.kind), e.at_ms, e.lap)
            for e in rows.events
            if e.kind != LapEvent.Kind.LAP and not e.is_drive_through
        ),
        laps=tuple(
            LapDone(e.lap or 0, e.at_ms, e.lap_ms, e.fuel_ml)
            for e in rows.events
            if e.kind == LapEvent.Kind.LAP
        ),
        neutrals=tuple(Neutral(cast(Any, f.kind), f.from_ms, f.to_ms) for f in rows.flags),
        weather=tuple((w.at_ms, w.is_wet) for w in rows.weather),
        readings=tuple(Reading(r.lap, r.at_ms, r.fuel_ml) for r in rows.readings),
        fills=tuple(
            Fill(s.in_ms, s.fuel_added_ml, s.compound, s.tyres)
            for s in rows.stops
            if not s.is_drive_through
        ),
        penalties=tuple(
            Punished(cast(Any, p.kind), p.amount)
            for p in rows.penalties
            if p.served_ms is None and p.kind != Penalty.Kind.WARNING
        ),
        finished_ms=run.finished_ms,
        red_stops_clock=run.red_stops_clock,
    )


def planned(stint: StintPlan) -> Planned:
    return Planned(
        number=stint.number, seat=stint.seat, laps=stint.laps, start_lap=stint.start_lap,
        start_ms=stint.planned_start_ms, drive_ms=stint.planned_ms, stop_ms=stint.stop_ms,
        fuel_in_ml=stint.fuel_in_ml, fuel_out_ml=stint.fuel_out_ml, tyres=cast(Any, stint.tyres),
        compound=cast(Any, stint.compound), is_skipped=stint.status == StintPlan.Status.SKIPPED,
        is_ready=stint.status == StintPlan.Status.READY, mark=stint.mark,
    )  # fmt: skip


def wall_of(run: LiveRun, *, at: datetime | None = None) -> WallState:
    """The whole state of the wall at a moment (now, unless told otherwise)."""
    at = at or now()
    strategy, plan = run.strategy, run.strategy.current
    assert plan is not None
    ago = round((at - run.heard_at) / MILLISECOND) if run.heard_at else None
    is_racing = run.state == LiveRun.State.RACING
    lap_ms = strategy.event.lap_ms
    rows = Rows.of(run)
    race = race_of(run, at=at, rows=rows)
    return WallState(
        run=run, strategy=strategy, plan=plan, version=run.version, read_at=at, heard_ago_ms=ago,
        # a healthy feed speaks once a lap
        is_stale=is_racing and not run.is_retold and (ago is None or ago > lap_ms + STALE_MS),
        race=race, wall=read_wall(race),
        user_ids=[who.get("user_id") for who in strategy.drivers],
        stops=rows.stops, flags=rows.flags, penalties=rows.penalties, weather=rows.weather,
        log=list(log_of(run)[:LOG_SHOWN]), proposal=run.proposals.first(),
    )  # fmt: skip


def log_of(run: LiveRun) -> QuerySet[LiveCommand]:
    """The commands of people, newest first."""
    return run.commands.select_related("by").order_by("-version")


def last_command(run: LiveRun) -> LiveCommand | None:
    """The newest command that was not taken back."""
    rows = run.commands.exclude(name="undo").filter(undone_by=None)
    return rows.select_related("by").order_by("-version").first()


def run_with_all(strategy_id: int) -> LiveRun | None:
    return (
        LiveRun.objects.select_related(
            "strategy__event", "strategy__team", "strategy__car", "strategy__current",
            "strategy__instance", "first_plan",
        )
        .filter(strategy_id=strategy_id)
        .first()
    )  # fmt: skip
