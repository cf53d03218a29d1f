"""The stints of a race under way: ready, start, complete, skip, abort, and what to put right."""

from typing import Any

from django.utils.timezone import now

from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound
from strategy import access
from strategy.domain.live.log import SAME_MOMENT_MS, Driven
from strategy.domain.live.transitions import MOVES, WORDS, WrongMove, check_move, stint_of
from strategy.models import LapEvent, LiveCommand, LiveRun, PitStop, Role, StintPlan
from strategy.queries.live import race_of
from strategy.services.live.frame import Done, Order, command
from strategy.services.live.tell import tell_next
from strategy.services.live.unplanned import ensure_next

Kind = LapEvent.Kind
WALL = "wall"  # the source of what people tell
MARKS = {"in_progress": Kind.PIT_OUT, "completed": Kind.PIT_IN, "aborted": Kind.ABORT}
MOST_LAPS = 5_000


def update_stint_progress(
    order: Order, *, stint: int, status: str | None = None, lap: int | None = None
) -> LiveCommand | None:
    """A lap of the running stint completed, or a stint on to its next state.

    Times may be told late: stints are rebuilt from the log in the order of its moments. A driver may
    make his own stint ready; all else takes a planner. Doing what was done already changes nothing.
    """
    if (status is None) == (lap is None):
        raise InvalidInput("Tell a lap or a state.", fields={"status": ["Either this or lap."]})
    if lap is not None:
        return _tell_lap(order, stint, lap)
    if status not in MOVES:
        raise InvalidInput("There is no such state.", fields={"status": ["Unknown state."]})
    roles = access.PLANNERS
    if status == "ready":
        roles = access.PLANNERS | {Role.DRIVER}

    def act(run: LiveRun, at_ms: int) -> Done:
        race = race_of(run)
        if status == "ready":
            _own_or_planner(run, stint, order.by)
        before = stint_of(race, stint)
        if before.status == status and _same_moment(before, status, at_ms, order):
            return Done(None)
        check_move(race, stint, status)
        dropped = _move(run, before, status, at_ms, order)
        after = {"status": status, "at_ms": at_ms}
        if status == "completed":
            more = ensure_next(run, race_of(run), by=order.by)
            after |= {"plan": more.number} if more else {}
            tell_next(run, race_of(run))
        words = f"Stint {stint} ({race.instance.drivers[before.seat].id}) is {WORDS[status]}."
        return Done(
            words,
            {f"stint:{stint}.status"},
            {
                "status": before.status,
                "at_ms": before.end_ms,
                "ready": [s.number for s in race.driven if s.plan.is_ready],
                "dropped": dropped,
            },
            after,
        )

    return command(
        order, "progress", act, body={"stint": stint, "status": status}, roles=roles,
        touches=[f"stint:{stint}.status"], depends=[f"stint:{stint}.driver", "race"],
    )  # fmt: skip


def _same_moment(stint: Driven, status: str, at_ms: int, order: Order) -> bool:
    """Two who tell the same within 15 s tell one thing; the first one counts."""
    told = stint.start_ms if status == "in_progress" else stint.end_ms
    is_told_late = order.at_ms is not None or order.at is not None
    return not is_told_late or told is None or abs(told - at_ms) <= SAME_MOMENT_MS


def _own_or_planner(run: LiveRun, stint: int, by: Any) -> None:
    if access.role_in(by, run.strategy.team_id) in access.PLANNERS:
        return
    assert run.strategy.current is not None
    if not run.strategy.current.stints.filter(number=stint, driver=by).exists():
        raise NotAllowed("A driver says so for his own stints only.")


def _drop_stops(run: LiveRun, in_ms: int | None) -> list[dict[str, Any]]:
    """Take out the stop of a visit that never happened; what was noted on it, for the way back."""
    rows = PitStop.objects.filter(run=run, in_ms=in_ms)
    noted = list(rows.values())
    rows.delete()
    return noted


def _move(run: LiveRun, stint: Driven, to: str, at_ms: int, order: Order) -> list[dict[str, Any]]:
    """Write the move into the log; the stops that went with it."""
    assert run.strategy.current is not None
    row = run.strategy.current.stints.get(number=stint.number)
    if to == "in_progress" and stint.status == "completed":  # taken back: the car never came in
        events = run.laps.filter(kind=Kind.PIT_IN, at_ms=stint.end_ms, is_void=False)
        events.update(is_void=True)
        return _drop_stops(run, stint.end_ms)
    if to in MARKS:
        begun = stint.start_ms or 0
        if to != "in_progress" and at_ms < begun:
            raise WrongMove(f"Stint {stint.number} began later than that.")
        LapEvent.objects.create(run=run, source=WALL, key=f"{order.key}", kind=MARKS[to],
                                at_ms=at_ms)  # fmt: skip
    else:  # planned, ready, skipped
        StintPlan.objects.filter(pk=row.pk).update(status=to)
    return []


def _tell_lap(order: Order, stint: int, lap: int) -> LiveCommand | None:
    if not 1 <= lap <= MOST_LAPS:
        raise InvalidInput("Laps are counted from 1.", fields={"lap": [f"1 to {MOST_LAPS}."]})

    def act(run: LiveRun, at_ms: int) -> Done:
        race = race_of(run)
        here = stint_of(race, stint)
        if here.status != "in_progress":
            raise WrongMove(
                f"Stint {stint} is {WORDS[here.status]}: laps belong to the one under way."
            )
        if lap in race.crossings:
            return Done(None)
        LapEvent.objects.create(run=run, source=WALL, key=f"{order.key}", kind=Kind.LAP, lap=lap,
                                at_ms=at_ms)  # fmt: skip
        run.heard_ms, run.heard_at = max(run.heard_ms, at_ms), now()
        return Done(f"Lap {lap} completed.", {f"lap:{lap}"}, {}, {"lap": lap, "at_ms": at_ms})

    return command(order, "lap", act, body={"stint": stint, "lap": lap}, touches=[f"lap:{lap}"],
                   depends=[f"stint:{stint}.status"])  # fmt: skip


def correct_event(
    order: Order, *, event_id: int, reason: str, to_ms: int | None = None, lap: int | None = None,
    is_void: bool | None = None,
) -> LiveCommand | None:  # fmt: skip
    """Put right what was told: another moment, another lap, or "this never happened"."""
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 300:
        raise InvalidInput("Say why, in 1 to 300 characters.", fields={"reason": ["1 to 300."]})
    if lap is not None and not 1 <= lap <= MOST_LAPS:
        raise InvalidInput("Laps are counted from 1.", fields={"lap": [f"1 to {MOST_LAPS}."]})
    body = {"event_id": event_id, "to_ms": to_ms, "lap": lap, "is_void": is_void}

    def act(run: LiveRun, _: int) -> Done:
        row = run.laps.select_for_update().filter(pk=event_id).first()
        if row is None:
            raise NotFound("There is no such event in this race.")
        before: dict[str, Any] = {"at_ms": row.at_ms, "lap": row.lap, "is_void": row.is_void}
        was_in = row.at_ms
        row.at_ms = row.at_ms if to_ms is None else to_ms
        row.lap = row.lap if lap is None else lap
        row.is_void = row.is_void if is_void is None else is_void
        after = {"at_ms": row.at_ms, "lap": row.lap, "is_void": row.is_void}
        if after == before:
            return Done(None)
        row.save()
        if row.kind == Kind.PIT_IN and row.is_void:
            before["dropped"] = _drop_stops(run, was_in)
        elif row.kind == Kind.PIT_IN and row.at_ms != was_in:
            PitStop.objects.filter(run=run, in_ms=was_in).update(in_ms=row.at_ms)
        words = f"{row.get_kind_display().capitalize()} at {was_in // 1000} s put right: {reason}"
        return Done(words, {f"event:{event_id}"}, before, after, reason)

    return command(order, "correct", act, body=body, touches=[f"event:{event_id}"])
