"""Telling the team of a race under way: who is next, and the reminders before a stint."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared import jobs
from strategy.domain.live.log import Race
from strategy.models import LiveRun
from strategy.queries.live import run_with_all, wall_of
from strategy.services.news import tell_hooks, tell_people

MINUTES_BEFORE = (30, 15, 5)
LOOK_EVERY = timedelta(seconds=60)
FORGOTTEN_MS = 6 * 3_600_000  # so long after the flag nobody waits for a stint
MOVED_MS = 300_000  # a prediction that moved more than this is told again


def tell_next(run: LiveRun, race: Race) -> None:
    """Who gets in now: to the driver by mail, to the team's webhooks."""
    coming = race.coming
    if not coming:
        return
    stint = coming[0]
    user_id = run.strategy.drivers[stint.seat].get("user_id")
    name = race.instance.drivers[stint.seat].id
    words = f"{run.strategy.team}: stint {stint.number} is ready, {name} gets in."
    if user_id:
        tell_people([user_id], subject=f"You are in: stint {stint.number}", text=words)
    tell_hooks(run.strategy.team, words)


def start_reminders(run: LiveRun) -> None:
    """Look once a minute who is due; a race in training or driven already reminds nobody."""
    if not (run.is_training or run.is_retold):
        jobs.enqueue("strategy.tasks.remind_drivers", run.strategy_id, key=f"remind:{run.pk}",
                     title=f"Remind the drivers of {run.strategy}")  # fmt: skip


@transaction.atomic
def remind(strategy_id: int) -> int | None:
    """Mail every driver who is due in 30, 15 or 5 minutes; how many. None once the race is over."""
    LiveRun.objects.select_for_update().filter(strategy_id=strategy_id).first()
    run = run_with_all(strategy_id)
    if run is None or run.state != LiveRun.State.RACING:
        return None
    state = wall_of(run, at=now())
    if state.wall.clock.race_ms > run.strategy.event.duration_ms + FORGOTTEN_MS:
        return None
    told, sent = dict(run.reminded), 0
    for turn in state.wall.turns:
        user_id = state.user_ids[turn.seat]
        if turn.is_in or turn.at_ms is None or user_id is None:
            continue
        minutes = (turn.at_ms - state.wall.clock.now_ms) / 60_000
        due = [m for m in MINUTES_BEFORE if minutes <= m]
        key = f"{turn.seat}:{turn.stint}"
        last = told.get(key)
        is_nearer = bool(due) and (last is None or min(due) < last[0])
        has_moved = last is not None and abs(last[1] - turn.at_ms) > MOVED_MS
        if not is_nearer and not has_moved:
            continue
        user = get_user_model().objects.filter(pk=user_id).first()
        moment = state.moment(turn.at_ms)
        if user is None or moment is None:
            continue
        local = moment.astimezone(ZoneInfo(user.time_zone or "UTC"))
        text = (
            f"{run.strategy.event}: you are in at {local:%H:%M} your time ({local:%Z}), in {turn.in_laps} laps, "
            f"{f'give or take {turn.plus_minus_laps}' if turn.plus_minus_laps else 'the stop is pinned'} "
            f"(stint {turn.stint})."
        )
        tell_people([user_id], subject=f"In the car at {local:%H:%M %Z}", text=text)
        told[key] = [min(due, default=MINUTES_BEFORE[0] + 1), turn.at_ms]
        sent += 1
    if told != run.reminded:
        run.reminded = told
        run.save(update_fields=["reminded"])
    return sent
