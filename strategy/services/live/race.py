"""Opening the race on the wall, its start and finish, and its flags."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotReady
from strategy import access
from strategy.domain.live.log import SAME_MOMENT_MS
from strategy.domain.live.transitions import WrongMove
from strategy.models import Flag, FlagPeriod, LiveCommand, LiveRun, RaceStrategy
from strategy.queries.live import race_of, run_with_all
from strategy.services.analytics import queue_report
from strategy.services.live.changes import request_ways
from strategy.services.live.frame import Done, Order, command, publish
from strategy.services.live.tell import start_reminders

State = LiveRun.State
# from -> to; the last of each is taking back what was done too early
STEPS = {
    State.SCHEDULED: {State.GRID, State.RACING},
    State.GRID: {State.RACING, State.SCHEDULED},
    State.RACING: {State.FINISHED},
    State.FINISHED: {State.RACING},
}
FASTEST = 10_000
CHEAP_STOPS = (Flag.YELLOW, Flag.SAFETY_CAR)


@transaction.atomic
def open_race(
    *,
    strategy_id: int,
    by: Any,
    red_stops_clock: bool = False,
    is_training: bool = False,
    speed: int = 1,
    is_retold: bool = False,
) -> LiveRun:
    """Put a strategy on the wall; one that is on it already stays as it is.

    A retold race was driven already: it begins at its planned start, unless the green flag is told
    with another moment, and stands at the newest moment that was told.
    """
    access.strategy_for(by, strategy_id, access.PLANNERS)
    strategy = RaceStrategy.objects.select_for_update(of=["self"]).get(pk=strategy_id)
    if strategy.current is None:
        raise NotReady("There is no plan yet: make one first.")
    if not 1 <= speed <= FASTEST:
        raise InvalidInput("Speed is 1 or more.", fields={"speed": [f"1 to {FASTEST}."]})
    if is_training and is_retold:
        raise InvalidInput("A race is training or was driven already, not both.",
                           fields={"is_retold": ["Not with training."]})  # fmt: skip
    _, is_new = LiveRun.objects.get_or_create(
        strategy=strategy,
        defaults={
            "first_plan": strategy.current, "red_stops_clock": red_stops_clock,
            "is_training": is_training, "speed": speed, "created_by": by,
            "is_retold": is_retold,
        },
    )  # fmt: skip
    run = run_with_all(strategy_id)
    assert run is not None
    if is_new:
        audit.record(
            by=by,
            verb="live.opened",
            obj=strategy,
            after={"training": is_training, "retold": is_retold},
        )
        publish(run)
    return run


def set_state(order: Order, *, state: str) -> LiveCommand | None:
    """To the grid, green, to the flag; one step back takes the last of these back."""
    if state not in State.values:
        raise InvalidInput("There is no such state.", fields={"state": ["Unknown state."]})

    def act(run: LiveRun, at_ms: int) -> Done:
        before, ended, closed = run.state, run.finished_ms, list[int]()
        if state == before:
            return Done(None)
        if state not in STEPS[State(before)]:
            raise WrongMove(f"The race is {run.get_state_display()}: that is not next.")
        if state == State.RACING and before != State.FINISHED:
            run.green_at = _green_at(run, order)
            run.heard_ms, run.heard_at = 0, now()
            start_reminders(run)
        if state == State.FINISHED:
            closed = _close_flag(run, at_ms)
            is_told = order.at_ms is not None or order.at is not None
            run.finished_ms = at_ms = at_ms if is_told else _crossing_at_flag(run, at_ms)
            queue_report(run, by=order.by)
        elif before == State.FINISHED:
            run.finished_ms = None
        run.state = state
        words = {"grid": "On the grid.", "racing": "Green flag: the race is on.",
                 "finished": "Chequered flag.", "scheduled": "Back from the grid."}[state]  # fmt: skip
        return Done(
            words,
            {"race"},
            {"state": before, "finished_ms": ended},
            {"state": state, "closed": closed},
        )

    return command(order, "race", act, body={"state": state}, touches=["race"])


def _green_at(run: LiveRun, order: Order) -> datetime:
    """When the race began: as told, else now; one driven already began at its planned start."""
    planned = run.strategy.instance.starts_at if run.strategy.instance else None
    at = order.at or (planned if run.is_retold else None) or now()
    if at < now() - timedelta(days=10) and not run.is_retold:
        raise InvalidInput("That is too long ago.", fields={"at": ["Over ten days."]})
    if at > now() + timedelta(minutes=1):
        raise InvalidInput("That moment is still to come.", fields={"at": ["In the future."]})
    return at


def _crossing_at_flag(run: LiveRun, now_ms: int) -> int:
    """The crossing that ended the race, where it is known; else now."""
    race = race_of(run)
    last = race.crossings.get(race.laps_done)
    is_last = last is not None and race.clock_ms(last.at_ms) >= race.duration_ms
    return last.at_ms if last is not None and is_last else now_ms


@transaction.atomic
def set_flag(order: Order, *, flag: str) -> LiveCommand | None:
    """Full-course yellow, safety car, red, or green again. What is out already stays out.

    A yellow or a safety car makes stops cheap: ways on are looked for.
    """
    if flag not in (*Flag.values, "green"):
        raise InvalidInput("Flags are fcy, sc, red and green.", fields={"flag": ["Unknown flag."]})

    is_new = False

    def act(run: LiveRun, at_ms: int) -> Done:
        nonlocal is_new
        before = out_now(run)
        is_new = wave(run, flag, at_ms)
        if not is_new:
            return Done(None)
        words = f"{Flag(flag).label if flag in Flag.values else 'green flag'} out.".capitalize()
        return Done(words, {"flag"}, {"flag": before}, {"flag": flag, "at_ms": at_ms})

    row = command(order, "flag", act, body={"flag": flag}, touches=["flag"], depends=["race"])
    if is_new and flag in CHEAP_STOPS:
        request_ways(strategy_id=order.strategy_id, by=order.by)
    return row


def out_now(run: LiveRun) -> str:
    period = run.flags.filter(to_ms=None).first()
    return period.kind if period else "green"


def wave(run: LiveRun, flag: str, at_ms: int) -> bool:
    """Record a flag; False where it was told before. Raises WrongMove for what cannot follow."""
    if run.state != State.RACING:
        raise WrongMove("Flags wave while the race is on.")
    around = (max(at_ms - SAME_MOMENT_MS, 0), at_ms + SAME_MOMENT_MS)
    if flag == "green":  # told before, unless a flag is out that it would take in
        near = run.flags.filter(to_ms__range=around)
        is_known = near.exists() and not run.flags.filter(to_ms=None, from_ms__lte=at_ms).exists()
    else:
        is_known = run.flags.filter(kind=flag, from_ms__range=around).exists()
    if is_known or out_now(run) == flag:
        return False
    last = run.flags.order_by("-from_ms").first()
    if last is not None and at_ms < max(last.from_ms, last.to_ms or 0):
        raise WrongMove("A later flag is known already: this one comes too late.")
    _close_flag(run, at_ms)
    if flag != "green":
        FlagPeriod.objects.create(run=run, kind=flag, from_ms=at_ms)
    return True


def _close_flag(run: LiveRun, at_ms: int) -> list[int]:
    """Take in what is out; the periods that ended."""
    closed = []
    for period in run.flags.filter(to_ms=None):
        period.to_ms = max(at_ms, period.from_ms)
        period.save(update_fields=["to_ms"])
        closed.append(period.pk)
    return closed
