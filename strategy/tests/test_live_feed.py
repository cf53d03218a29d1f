"""The timing feed: late, twice, backwards and wrong, and the reminders of drivers."""

from datetime import timedelta

import pytest
from django.core import mail

from racecontrol.models import LiveEvent
from racecontrol.shared.errors import InvalidInput
from strategy.domain.live.transitions import WrongMove
from strategy.models import LapEvent, LiveRun, PitStop
from strategy.queries import live
from strategy.services.live import feed, notes, race, stints, tell
from strategy.tests.live_builders import fresh, laps_told, make_run, order, status_of

pytestmark = pytest.mark.django_db


# -- the feed


def hear(run, by, events, source="bridge"):
    return feed.tell(strategy_id=run.strategy_id, source=source, events=events, by=by)


def test_a_feed_sent_twice_counts_once(user):
    run = make_run(user, minutes=60)

    first, second = hear(run, user, laps_told(1, 2, 3)), hear(run, user, laps_told(1, 2, 3))

    assert (first.new, first.known, first.laps) == (3, 0, 3)
    assert (second.new, second.known, second.laps) == (0, 3, 3)
    assert LapEvent.objects.count() == 3


def test_a_whole_stop_told_backwards_is_the_same_stop(user):
    run = make_run(user, minutes=70)
    told = [
        feed.Told(key="out", kind="pit_out", at_ms=3_800_000),
        feed.Told(key="in", kind="pit_in", at_ms=3_700_000, lap=24),
    ]
    for event in (*laps_told(*range(25, 26)), *told, *reversed(laps_told(*range(1, 25)))):
        hear(run, user, [event])

    rows = list(fresh(run).strategy.current.stints.all()[:2])
    assert [(r.status, r.actual_laps) for r in rows] == [("completed", 24), ("in_progress", None)]
    stop = PitStop.objects.get()
    assert (stop.in_ms, stop.out_ms) == (3_700_000, 3_800_000)


def test_a_stop_a_person_and_the_feed_tell_is_one_stop_with_its_notes(user):
    run = make_run(user, laps=24, minutes=70)
    stints.update_stint_progress(order(run, user, at_ms=3_703_000), stint=1, status="completed")
    notes.log_stop(order(run, user), stop_id=PitStop.objects.get().pk, notes="left mirror")

    hear(run, user, [feed.Told(key="in", kind="pit_in", at_ms=3_700_000, lap=24),
                     feed.Told(key="out", kind="pit_out", at_ms=3_790_000)])  # fmt: skip
    stints.update_stint_progress(order(run, user, at_ms=3_792_000), stint=2, status="in_progress")

    stop = PitStop.objects.get()
    assert (stop.in_ms, stop.out_ms, stop.notes) == (3_700_000, 3_790_000, "left mirror")
    assert [status_of(run, n) for n in (1, 2)] == ["completed", "in_progress"]


def test_a_way_in_told_late_by_a_slow_clock_does_not_end_the_next_stint(user):
    run = make_run(user, laps=24, minutes=70)
    stints.update_stint_progress(order(run, user, at_ms=3_700_000), stint=1, status="completed")
    stints.update_stint_progress(order(run, user, at_ms=3_790_000), stint=2, status="in_progress")

    hear(run, user, [feed.Told(key="in", kind="pit_in", at_ms=3_795_000, lap=24)])

    assert status_of(run, 2) == "in_progress"


def test_a_lap_told_after_its_stint_ended_still_counts_for_it(user):
    run = make_run(user, laps=23, minutes=70)
    stints.update_stint_progress(order(run, user, at_ms=3_700_000), stint=1, status="completed")
    stints.update_stint_progress(order(run, user, at_ms=3_790_000), stint=2, status="in_progress")

    hear(run, user, [feed.Told(key="l24", kind="lap", lap=24, at_ms=24 * 154_000)])

    assert fresh(run).strategy.current.stints.get(number=1).actual_laps == 24


def test_the_finish_is_the_crossing_after_the_clock_ran_out_not_the_press_of_a_button(user):
    run = make_run(user, laps=71, minutes=200)  # 71 laps of 154 s: three hours and two minutes

    race.set_state(order(run, user), state="finished")

    assert fresh(run).finished_ms == 71 * 154_000


def test_a_version_nobody_has_seen_yet_is_no_base(user):
    run = make_run(user, laps=3)

    with pytest.raises(InvalidInput, match="no such version"):
        race.set_flag(order(run, user, base_version=9), flag="sc")


def test_a_bad_event_is_named_and_the_others_count(user):
    run = make_run(user, minutes=60)
    bad = [
        feed.Told(key="a", kind="lap", at_ms=5),
        feed.Told(key="b", kind="lap", lap=9, at_ms=10**8),
        feed.Told(key="c", kind="flag", value="blue"),
        feed.Told(key="l1", kind="lap", lap=7, at_ms=154_000),
    ]

    heard = hear(run, user, [*laps_told(1), *bad])

    assert heard.new == 1
    assert sorted(place for place, _ in heard.refused) == [1, 2, 3, 4]


def test_flags_and_weather_come_by_the_feed_too(user):
    run = make_run(user, laps=3, minutes=60)
    told = [feed.Told(key="f", kind="flag", value="fcy", at_ms=200_000),
            feed.Told(key="w", kind="weather", value="wet", at_ms=250_000)]  # fmt: skip

    first, second = hear(run, user, told), hear(run, user, told)

    assert (first.new, second.new, second.known) == (2, 0, 2)
    assert live.wall_of(fresh(run)).wall.clock.flag == "fcy"
    assert live.wall_of(fresh(run)).wall.is_wet


def test_a_drive_through_is_no_end_of_a_stint(user):
    run = make_run(user, laps=3, minutes=20)
    hear(run, user, [feed.Told(key="d", kind="pit_in", at_ms=500_000, is_drive_through=True),
                     feed.Told(key="e", kind="pit_out", at_ms=530_000, is_drive_through=True)])  # fmt: skip

    assert status_of(run, 1) == "in_progress"


def test_laps_do_not_make_peoples_commands_stale(user):
    run = make_run(user, minutes=60)
    hear(run, user, laps_told(1, 2, 3))

    assert fresh(run).version == 1
    assert race.set_flag(order(run, user, base_version=1), flag="sc") is not None


def test_pages_hear_of_laps_and_commands(user):
    run = make_run(user, minutes=60)
    LiveEvent.objects.all().delete()

    hear(run, user, laps_told(1))
    race.set_flag(order(run, user), flag="sc")

    topics = list(LiveEvent.objects.values_list("topic", flat=True))
    assert topics == [f"strategy:{run.strategy_id}"] * 2


@pytest.mark.parametrize("state", ["scheduled", "grid"])
def test_before_the_green_flag_the_feed_is_refused(user, state):
    run = make_run(user, state=state)

    with pytest.raises(WrongMove, match="green flag"):
        hear(run, user, laps_told(1))


# -- reminders


def test_drivers_are_reminded_once_each_time_it_comes_nearer(user, run_jobs):
    run = make_run(user, laps=6)
    state = live.wall_of(run)
    coming = min((t for t in state.wall.turns if not t.is_in and t.at_ms), key=lambda t: t.at_ms)
    name = run.strategy.drivers[coming.seat]["name"]

    def told(minutes_before: float) -> int | None:
        """Look as if it were so long before the next driver's turn."""
        ahead = coming.at_ms - state.wall.clock.now_ms - round(minutes_before * 60_000)
        laps_on = max(round(ahead / 154_000), 0)
        for n in range(7, 7 + laps_on):
            run.laps.get_or_create(source="test", key=f"lap-{n}", defaults={
                "kind": "lap", "lap": n, "at_ms": n * 154_000})  # fmt: skip
        LiveRun.objects.filter(pk=run.pk).update(green_at=run.green_at - timedelta(
            milliseconds=laps_on * 154_000))  # fmt: skip
        mail.outbox.clear()
        sent = tell.remind(run.strategy_id)
        run_jobs()
        assert [m.to[0].split("@")[0] for m in mail.outbox] == [name] * len(mail.outbox)
        assert all("your time" in m.body for m in mail.outbox)
        return sent

    sent = [told(40), told(28), told(27), told(13), told(3), told(2)]

    assert sent == [0, 1, 0, 1, 1, 0]
    LiveRun.objects.filter(pk=run.pk).update(state="finished", finished_ms=1)
    assert tell.remind(run.strategy_id) is None
