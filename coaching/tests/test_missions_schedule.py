"""One run a local date, whatever the clocks do: daylight saving, travel, outages."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coaching.domain.missions.schedule import (
    EARLIEST_RUN_AT,
    LATEST_RUN_AT,
    WINDOW,
    agenda,
    are_metrics_fresh,
    check_run_at,
    jitter,
    local_date,
    no_data_again_at,
    retry_at,
    run_moment,
    zone,
)
from racecontrol.shared.errors import InvalidInput

# Zones that make trouble: half hours, 45 minutes, skipped days, midnight changes, both hemispheres.
AWKWARD = (
    "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Australia/Lord_Howe",
    "Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Beirut", "Atlantic/Azores",
    "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue", "Africa/Casablanca", "Asia/Gaza",
)  # fmt: skip
TICK = timedelta(minutes=10)
END = date(2100, 1, 1)


class Athlete:
    """A mission's rows and a scheduler that ticks, in memory."""

    def __init__(self, tz: str, started_at: datetime, run_at: time = time(5, 30)):
        self.tz, self.started_at, self.run_at = tz, started_at, run_at
        self.runs: dict[date, datetime] = {}
        self.missed: set[date] = set()
        self.next_at = started_at

    def tick(self, now: datetime, *, is_forced: bool = False) -> None:
        if now < self.next_at and not is_forced:
            return
        todo = agenda(
            now, tz=self.tz, run_at=self.run_at, started_at=self.started_at,
            taken={*self.runs, *self.missed}, last_day=END, delay=jitter(7),
        )  # fmt: skip
        if todo.due:
            assert todo.due.on not in self.runs
            self.runs[todo.due.on] = now
        self.missed |= {slot.on for slot in todo.missed}
        self.next_at = todo.next_at


def days(first: date, last: date) -> set[date]:
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


@pytest.mark.parametrize("tz", AWKWARD)
def test_two_years_of_ticks_give_one_run_every_local_date(tz):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    athlete, now = Athlete(tz, start), start
    while now < start + timedelta(days=730):
        athlete.tick(now)
        # The scheduler wakes every ten minutes; nothing happens before `next_at`, so go there.
        ahead = athlete.next_at - now
        now += max(TICK, ahead // TICK * TICK)

    ran = sorted(athlete.runs)
    assert not athlete.missed
    assert athlete.runs.keys() == days(ran[0], ran[-1])
    del athlete.runs[ran[0]]  # the first may begin late in its window: the mission began then
    for on, at in athlete.runs.items():
        assert (
            timedelta() <= at - run_moment(on, tz=tz, run_at=time(5, 30)) <= timedelta(minutes=20)
        )
        assert local_date(at, tz) == on


@settings(max_examples=60, deadline=None)
@given(
    tz=st.sampled_from(AWKWARD),
    moves=st.lists(st.tuples(st.integers(1, 200), st.sampled_from(AWKWARD)), max_size=6),
    gaps=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 80)), max_size=4),
    start_hour=st.integers(0, 24 * 300),
    run_minutes=st.integers(4 * 60 + 30, 11 * 60),
)
def test_no_date_runs_twice_and_none_vanishes(tz, moves, gaps, start_hour, run_minutes):
    """Travel at any hour and workers down for hours: each local date has a run or a gap, once."""
    start = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=start_hour)
    athlete = Athlete(tz, start, time(*divmod(run_minutes, 60)))
    travel = {start + timedelta(hours=hours): to for hours, to in moves}
    down = [(start + timedelta(hours=a), start + timedelta(hours=a + n)) for a, n in gaps]
    seen: set[date] = set()

    now = start
    while now < start + timedelta(days=21):
        for at in [at for at in travel if at <= now]:
            athlete.tz = travel.pop(at)
            athlete.next_at = now  # an edit of the zone makes the scheduler look again
        if not any(a <= now < b for a, b in down):
            before = dict(athlete.runs)
            athlete.tick(now)
            for on in athlete.runs.keys() - before.keys():
                moment = run_moment(on, tz=athlete.tz, run_at=athlete.run_at)
                assert moment <= now < moment + WINDOW
            seen.add(local_date(now, athlete.tz))
        now += timedelta(minutes=30)

    assert not athlete.runs.keys() & athlete.missed
    known = athlete.runs.keys() | athlete.missed
    if known:
        assert known == days(min(known), max(known))


def test_flying_over_the_date_line_and_back_gives_no_second_run():
    athlete = Athlete("America/Los_Angeles", datetime(2026, 11, 1, tzinfo=UTC))
    now = datetime(2026, 11, 1, tzinfo=UTC)
    there, back = now + timedelta(days=5, hours=3), now + timedelta(days=9, hours=2)
    while now < datetime(2026, 11, 20, tzinfo=UTC):
        for at, tz in ((there, "Pacific/Auckland"), (back, "America/Los_Angeles")):
            if at <= now < at + TICK:
                athlete.tz, athlete.next_at = tz, now
        athlete.tick(now)
        now += TICK

    assert athlete.runs.keys() | athlete.missed == days(date(2026, 11, 1), date(2026, 11, 19))
    assert len(athlete.missed) <= 2


def test_two_schedulers_at_once_see_the_same_date():
    start = datetime(2026, 6, 1, tzinfo=UTC)
    now = datetime(2026, 6, 2, 4, 0, tzinfo=UTC)
    ask = {"tz": "Europe/Berlin", "run_at": time(5, 30), "started_at": start, "last_day": END}

    first, second = agenda(now, taken=(), **ask), agenda(now, taken=(), **ask)

    assert first == second
    assert first.due.on == date(2026, 6, 2)
    assert agenda(now, taken={date(2026, 6, 2)}, **ask).due is None


def test_a_mission_started_in_the_afternoon_begins_tomorrow_without_a_gap():
    start = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
    todo = agenda(
        start, tz="Europe/Berlin", run_at=time(5, 30), started_at=start, taken=(), last_day=END
    )

    assert todo.due is None
    assert todo.missed == ()
    assert todo.next_at == datetime(2026, 6, 2, 3, 30, tzinfo=UTC)


def test_a_mission_started_within_the_window_runs_at_once():
    start = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)
    todo = agenda(
        start, tz="Europe/Berlin", run_at=time(5, 30), started_at=start, taken=(), last_day=END
    )

    assert todo.due.on == date(2026, 6, 1)


def test_after_six_hours_the_morning_is_missed():
    start = datetime(2026, 6, 1, tzinfo=UTC)
    close = datetime(2026, 6, 3, 9, 30, tzinfo=UTC)
    ask = {"tz": "Europe/Berlin", "run_at": time(5, 30), "started_at": start, "last_day": END}

    just = agenda(close - timedelta(seconds=1), taken={date(2026, 6, 1)}, **ask)
    late = agenda(close, taken={date(2026, 6, 1)}, **ask)

    assert (just.due.on, [m.on for m in just.missed]) == (date(2026, 6, 3), [date(2026, 6, 2)])
    assert late.due is None
    assert [m.on for m in late.missed] == [date(2026, 6, 2), date(2026, 6, 3)]


def test_nothing_runs_after_the_last_day():
    start = datetime(2026, 6, 1, tzinfo=UTC)
    todo = agenda(
        datetime(2026, 6, 5, 4, 0, tzinfo=UTC), tz="Europe/Berlin", run_at=time(5, 30),
        started_at=start, taken={date(2026, 6, d) for d in (1, 2, 3)}, last_day=date(2026, 6, 3),
    )  # fmt: skip

    assert (todo.due, todo.missed) == (None, ())


@pytest.mark.parametrize("tz", AWKWARD)
@pytest.mark.parametrize("run_at", [EARLIEST_RUN_AT, time(5, 30), LATEST_RUN_AT])
def test_the_run_time_exists_once_every_day(tz, run_at):
    for n in range(730):
        on = date(2026, 1, 1) + timedelta(days=n)
        back = run_moment(on, tz=tz, run_at=run_at).astimezone(zone(tz))
        assert (back.date(), back.time()) == (on, run_at)


@pytest.mark.parametrize("run_at", [time(4, 29), time(2, 30), time(0, 0), time(11, 1), time(23, 0)])
def test_run_times_outside_the_safe_hours_are_refused(run_at):
    with pytest.raises(InvalidInput, match="04:30"):
        check_run_at(run_at)


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "/etc/passwd", "x" * 300, None])
def test_a_zone_that_is_none_is_refused_by_field(name):
    with pytest.raises(InvalidInput) as refused:
        zone(name)
    assert "timezone" in refused.value.fields


def test_retries_wait_as_the_table_says():
    now = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)

    def waits(kind):
        ats = (retry_at(kind, failures=n, now=now) for n in range(1, 7))
        return [(at - now).total_seconds() / 60 for at in ats if at]

    assert waits("model_down") == [10, 30, 60, 120]
    assert waits("bad_answer") == [30]
    assert waits("email") == [15, 60, 240]
    assert (
        retry_at("model_down", failures=1, now=now, closes_at=now + timedelta(minutes=10)) is None
    )


def test_metrics_are_reused_for_an_hour():
    now = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)

    assert are_metrics_fresh(now - timedelta(minutes=59), now)
    assert not are_metrics_fresh(now - timedelta(minutes=60), now)
    assert not are_metrics_fresh(None, now)


def test_a_run_without_data_looks_again_for_two_hours():
    due = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)

    assert no_data_again_at(due, due_at=due) == due + timedelta(minutes=20)
    assert no_data_again_at(due + timedelta(minutes=101), due_at=due) is None
