"""The last command on the wall taken back: everything is as before it, or the refusal says why not."""

import threading

import pytest
from django.db import connection, transaction
from django.urls import reverse

from racecontrol.shared.errors import RaceError, StaleWrite
from racecontrol.testing.running import until
from strategy.models import LapEvent, LiveRun, Membership
from strategy.queries import live
from strategy.services.live import changes, feed, notes, pins, race, stints, undo
from strategy.services.live.frame import Order
from strategy.tests.builders import make_person, make_strategy
from strategy.tests.live_builders import fresh, make_run

pytestmark = pytest.mark.django_db
IN = feed.Told(key="in", kind="pit_in", at_ms=3 * 154_000, lap=3)


def seen(run) -> dict:
    """What the wall calculates from, without names of versions."""
    known = live.race_of(fresh(run))
    told = ("state", "marks", "laps", "neutrals", "weather", "readings", "fills", "penalties",
            "finished_ms")  # fmt: skip
    facts = {name: getattr(known, name) for name in told}
    # the last stint of a plan made on the wall takes what is left
    laps = [*(s.plan.laps for s in known.driven[:-1]), None]
    facts["stints"] = [
        (s.seat, n, s.status, s.start_ms, s.end_ms, s.plan.mark)
        for s, n in zip(known.driven, laps, strict=True)
    ]
    facts["stops"] = list(run.stops.order_by("in_ms").values(*notes.STOP_FIELDS))
    facts["green_at"] = fresh(run).green_at
    return facts


def mates(run, user):
    return [who["user_id"] for who in run.strategy.drivers if who["user_id"] != user.pk]


def penalty(order, run):
    notes.give_penalty(order, kind="time", amount=5_000)


def a_stop(order, run):
    notes.log_stop(order, in_ms=100_000, out_ms=160_000, lap=1, fuel_added_ml=20_000)


DO = {
    "flag": lambda o, run: race.set_flag(o, flag="sc"),
    "weather": lambda o, run: notes.change_weather(o, is_wet=True),
    "lap": lambda o, run: stints.update_stint_progress(o, stint=1, lap=4),
    "into the pits": lambda o, run: stints.update_stint_progress(o, stint=1, status="completed"),
    "stopped": lambda o, run: stints.update_stint_progress(o, stint=1, status="aborted"),
    "skipped": lambda o, run: stints.update_stint_progress(o, stint=2, status="skipped"),
    "finish": lambda o, run: race.set_state(o, state="finished"),
    "fuel": lambda o, run: notes.read_fuel(o, fuel_ml=60_000),
    "penalty": penalty,
    "stop": a_stop,
    "swap": lambda o, run: changes.emergency_driver_swap(
        o, stint=2, driver_id=mates(run, o.by)[0] if run.strategy.drivers[
            list(run.strategy.current.stints.order_by("number"))[1].seat]["user_id"] == o.by.pk
        else o.by.pk, reason="ill", override=True),
    "extend": lambda o, run: changes.extend_current_stint(o, stint=1, laps=-2),
    "pin": lambda o, run: pins.pin_stint(o, stint=1, driver=True, lap=22),
    "backup": lambda o, run: pins.name_backup(
        o, stint=1, driver_id=next(who["user_id"] for who in run.strategy.drivers if who["user_id"]
        != run.strategy.current.stints.get(number=1).driver_id)),
    "correct": lambda o, run: stints.correct_event(
        o, event_id=run.laps.first().pk, reason="was later", to_ms=160_000),
}  # fmt: skip


@pytest.mark.parametrize("what", DO)
def test_all_is_as_it_was(user, what):
    run = make_run(user, laps=3)
    before = seen(run)
    DO[what](Order(run.strategy_id, user), fresh(run))
    assert seen(run) != before

    done = undo.undo_last(Order(run.strategy_id, user))

    assert done is not None
    assert done.words.startswith("Taken back: ")
    assert seen(run) == before
    assert run.commands.get(undone_by=done).version == done.version - 1


def test_one_after_the_other_from_the_last_back(user):
    run = make_run(user, laps=3)
    before = seen(run)
    for what in ("flag", "fuel", "penalty"):
        DO[what](Order(run.strategy_id, user), run)

    words = [undo.undo_last(Order(run.strategy_id, user)).words for _ in range(3)]

    assert [w.split(": ")[1] for w in words] == ["Penalty", "60.0 L on board after lap 3.", "Safety car out."]  # fmt: skip
    assert seen(run) == before
    with pytest.raises(undo.CannotUndo, match="nothing to take back"):
        undo.undo_last(Order(run.strategy_id, user))


def test_the_green_flag_is_taken_back_while_no_lap_was_told(user):
    row = make_strategy(user)
    race.open_race(strategy_id=row.pk, by=user)
    race.set_state(Order(row.pk, user), state="grid")
    race.set_state(Order(row.pk, user), state="racing")

    undo.undo_last(Order(row.pk, user))

    run = live.run_with_all(row.pk)
    assert (run.state, run.green_at) == ("grid", None)
    race.set_state(Order(row.pk, user), state="racing")
    stints.update_stint_progress(Order(row.pk, user), stint=1, lap=1)
    undo.undo_last(Order(row.pk, user))
    undo.undo_last(Order(row.pk, user))  # a lap taken back is none that was told
    assert live.run_with_all(row.pk).state == "grid"
    race.set_state(Order(row.pk, user), state="racing")
    LapEvent.objects.create(run=run, source="b", key="1", kind="lap", lap=1, at_ms=1)
    with pytest.raises(undo.CannotUndo, match="the start stands"):
        undo.undo_last(Order(row.pk, user))


def test_green_again_is_taken_back_to_the_flag_that_was_out(user):
    run = make_run(user, laps=3)
    race.set_flag(Order(run.strategy_id, user, at_ms=300_000), flag="sc")
    before = seen(run)
    race.set_flag(Order(run.strategy_id, user, at_ms=400_000), flag="green")

    undo.undo_last(Order(run.strategy_id, user))

    assert seen(run) == before


def test_more_about_a_stop_is_taken_back_and_the_stop_stays(user):
    run = make_run(user, laps=3)
    a_stop(Order(run.strategy_id, user), run)
    before = seen(run)
    notes.log_stop(Order(run.strategy_id, user), stop_id=run.stops.get().pk, box_ms=31_000)

    undo.undo_last(Order(run.strategy_id, user))

    assert seen(run) == before


@pytest.mark.parametrize("way", ["the log put right", "the stint goes on"])
def test_a_stop_that_went_with_its_visit_comes_back_with_its_notes(user, way):
    run = make_run(user, laps=3)
    order = Order(run.strategy_id, user, at_ms=470_000)
    stints.update_stint_progress(order, stint=1, status="completed")
    stop = run.stops.get()
    notes.log_stop(
        Order(run.strategy_id, user), stop_id=stop.pk, fuel_added_ml=20_000, notes="wing"
    )
    before = seen(run)
    if way == "the log put right":
        entry = run.laps.get(kind="pit_in")
        stints.correct_event(
            Order(run.strategy_id, user), event_id=entry.pk, reason="not in", is_void=True
        )
    else:
        back = Order(run.strategy_id, user)
        stints.update_stint_progress(back, stint=1, status="in_progress")
    assert not run.stops.exists()

    undo.undo_last(Order(run.strategy_id, user))

    assert seen(run) == before
    assert run.stops.get().notes == "wing"
    undo.undo_last(Order(run.strategy_id, user))  # of the note, on the same stop
    assert run.stops.get().notes == ""


def test_an_entry_that_counts_again_by_mistake_leaves_no_stop_behind(user):
    run = make_run(user, laps=3)
    stints.update_stint_progress(
        Order(run.strategy_id, user, at_ms=470_000), stint=1, status="completed"
    )
    entry = run.laps.get(kind="pit_in")
    for is_void in (True, False):
        stints.correct_event(
            Order(run.strategy_id, user), event_id=entry.pk, reason="look", is_void=is_void
        )
    assert run.stops.exists()

    undo.undo_last(Order(run.strategy_id, user))

    assert not run.stops.exists()


def test_a_served_penalty_is_owed_again(user):
    run = make_run(user, laps=3)
    notes.give_penalty(Order(run.strategy_id, user), kind="stop_go", amount=5_000)
    before = seen(run)
    notes.serve_penalty(Order(run.strategy_id, user), penalty_id=run.penalties.get().pk)

    undo.undo_last(Order(run.strategy_id, user))

    assert seen(run) == before


def test_an_accepted_way_may_be_accepted_again(user):
    run = make_run(user, laps=3)
    row = changes.request_ways(strategy_id=run.strategy_id, by=user)
    row = changes.find_ways(proposal_id=row.pk, seconds=0.5)
    other = next(n for n, way in enumerate(row.options) if way["label"] != "Keep the plan")
    before = seen(run)
    changes.accept_way(Order(run.strategy_id, user), proposal_id=row.pk, option=other)

    undo.undo_last(Order(run.strategy_id, user))

    row.refresh_from_db()
    assert row.accepted is None
    assert seen(run) == before


def test_what_somebody_else_did_meanwhile_is_not_taken_back_unseen(user):
    run = make_run(user, laps=3)
    mine = race.set_flag(Order(run.strategy_id, user), flag="sc")
    notes.read_fuel(Order(run.strategy_id, user), fuel_ml=60_000)

    with pytest.raises(StaleWrite, match="L on board after lap 3"):
        undo.undo_last(Order(run.strategy_id, user), target=mine.key)

    assert run.readings.exists()


def test_sent_twice_it_takes_back_one(user):
    run = make_run(user, laps=3)
    for what in ("flag", "fuel"):
        DO[what](Order(run.strategy_id, user), run)
    order = Order(run.strategy_id, user)

    first, second = undo.undo_last(order), undo.undo_last(order)

    assert first == second
    assert run.flags.filter(to_ms=None).exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_feed_told_since_stands_in_the_way(user):
    run = make_run(user, laps=3)
    changes.extend_current_stint(Order(run.strategy_id, user), stint=1, laps=-2)
    feed.tell(strategy_id=run.strategy_id, source="bridge", events=[IN], by=user)

    with pytest.raises(undo.CannotUndo, match="came in or went out since"):
        undo.undo_last(Order(run.strategy_id, user))


class Elsewhere(threading.Thread):
    """Something done on a connection of its own, as another worker does; `ended` waits and tells."""

    def __init__(self, act):
        super().__init__(daemon=True)
        self.act, self.broke = act, None
        self.start()

    def run(self):
        try:
            self.act()
        except RaceError as refusal:
            self.broke = refusal
        finally:
            connection.close()

    def ended(self):
        self.join(60)
        assert not self.is_alive()
        return self.broke


@pytest.mark.django_db(transaction=True)
def test_what_a_feed_tells_that_began_before_the_command_stands_in_the_way(user):
    run = make_run(user, laps=3)
    has_begun, may_go_on = threading.Event(), threading.Event()

    def tell():
        with transaction.atomic():
            assert LiveRun.objects.exists()  # from here on this transaction has its time
            has_begun.set()
            assert may_go_on.wait(60)
            feed.tell(strategy_id=run.strategy_id, source="bridge", events=[IN], by=user)

    bridge = Elsewhere(tell)
    assert has_begun.wait(60)
    changes.extend_current_stint(Order(run.strategy_id, user), stint=1, laps=-2)
    may_go_on.set()
    assert bridge.ended() is None

    with pytest.raises(undo.CannotUndo, match="came in or went out since"):
        undo.undo_last(Order(run.strategy_id, user))


@pytest.mark.django_db(transaction=True)
def test_an_undo_that_waited_for_the_feed_sees_what_it_told(user):
    run = make_run(user, laps=3)
    changes.extend_current_stint(Order(run.strategy_id, user), stint=1, laps=-2)
    waits_for_us = (
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )

    def is_waiting():
        with connection.cursor() as cursor:
            cursor.execute(waits_for_us)
            return cursor.fetchone()[0]

    with transaction.atomic():
        feed.tell(strategy_id=run.strategy_id, source="bridge", events=[IN], by=user)
        back = Elsewhere(lambda: undo.undo_last(Order(run.strategy_id, user)))
        until(is_waiting, "the undo waits for the feed")

    assert "came in or went out since" in str(back.ended())
    assert fresh(run).laps.filter(kind="pit_in", is_void=False).exists()


def test_page_and_api_say_what_was_taken_back(client, user):
    run = make_run(user, laps=3)
    race.set_flag(Order(run.strategy_id, user), flag="sc")
    wall = reverse("strategy:wall", args=[run.strategy_id])
    key = run.commands.get().key
    assert f'name="target" value="{key}"' in client.get(wall).text

    client.post(reverse("strategy:wall-do", args=[run.strategy_id, "undo"]), {"target": str(key)})
    page = client.get(wall).text
    refused = client.post(f"/api/v1/strategies/{run.strategy_id}/live/undo", {},
                          content_type="application/json")  # fmt: skip

    assert "taken back" in page
    assert "Taken back: Safety car out." in page
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "cannot_undo"
    log = client.get(f"/api/v1/strategies/{run.strategy_id}/live/log").json()["items"]
    assert [(c["name"], c["is_undone"]) for c in log] == [("undo", False), ("flag", True)]


def test_a_driver_takes_nothing_back(client, user):
    boss = make_person("boss")
    run = make_run(boss, laps=3)
    Membership.objects.create(team=run.strategy.team, user=user, role="driver")
    race.set_flag(Order(run.strategy_id, boss), flag="sc")

    answer = client.post(f"/api/v1/strategies/{run.strategy_id}/live/undo", {},
                         content_type="application/json")  # fmt: skip

    assert answer.status_code == 403
    assert "Undo the last" not in client.get(reverse("strategy:wall", args=[run.strategy_id])).text
