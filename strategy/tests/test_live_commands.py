"""Commands on the wall: once, on the version they were based on, by whom they are allowed to."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.utils.timezone import now

from racecontrol.models import AuditEvent, Job
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, StaleWrite
from strategy.domain.live.transitions import WrongMove
from strategy.models import LapEvent, Membership, PitStop, Role
from strategy.queries import live
from strategy.services import plans
from strategy.services.live import feed, notes, race, stints
from strategy.services.live.frame import NoRace, Order
from strategy.tests.builders import make_person, make_strategy
from strategy.tests.live_builders import fresh, make_run, order, status_of

pytestmark = pytest.mark.django_db


def test_from_the_grid_to_the_flag(user):
    strategy = make_strategy(user)
    run = race.open_race(strategy_id=strategy.pk, by=user)

    race.set_state(order(run, user), state="grid")
    assert status_of(run, 1) == "ready"
    race.set_state(order(run, user, at=now() - timedelta(hours=3)), state="racing")
    assert status_of(run, 1) == "in_progress"
    race.set_state(order(run, user), state="finished")

    assert status_of(run, 1) == "completed"
    assert fresh(run).state == "finished"
    assert [c.name for c in fresh(run).commands.all()] == ["race", "race", "race"]
    assert AuditEvent.objects.filter(verb="live.race").count() == 3


@pytest.mark.parametrize(
    ("state", "wanted"),
    [("scheduled", "finished"), ("grid", "finished"), ("racing", "grid"), ("racing", "scheduled"),
     ("finished", "grid"), ("finished", "scheduled")],
)  # fmt: skip
def test_a_race_takes_no_step_that_is_not_next(user, state, wanted):
    run = make_run(user, state=state, finished_ms=1_000 if state == "finished" else None)

    with pytest.raises(WrongMove, match="not next"):
        race.set_state(order(run, user), state=wanted)
    assert fresh(run).state == state


def test_a_finish_too_early_is_taken_back(user):
    run = make_run(user, laps=5)
    race.set_state(order(run, user), state="finished")

    race.set_state(order(run, user), state="racing")

    assert status_of(run, 1) == "in_progress"
    assert fresh(run).finished_ms is None


def test_completing_a_stint_stamps_it_readies_the_next_and_tells_its_driver(user, run_jobs):
    run = make_run(user, laps=24, minutes=65)
    mail.outbox.clear()

    stints.update_stint_progress(order(run, user, at_ms=24 * 154_000 + 1), stint=1,
                                 status="completed")  # fmt: skip
    run_jobs()

    first, second = fresh(run).strategy.current.stints.filter(number__in=[1, 2])
    assert (first.status, first.actual_laps, first.actual_start_lap) == ("completed", 24, 0)
    assert first.actual_end_at == run.green_at + timedelta(milliseconds=24 * 154_000 + 1)
    assert second.status == "ready"
    told = [m for m in mail.outbox if "You are in" in m.subject]
    assert [m.to for m in told] == [[second.driver.email]]
    assert PitStop.objects.get().lap == 24


def test_the_next_stint_starts_when_the_car_goes_out(user):
    run = make_run(user, laps=24, minutes=70)
    stints.update_stint_progress(order(run, user, at_ms=3_700_000), stint=1, status="completed")

    stints.update_stint_progress(order(run, user, at_ms=3_790_000), stint=2, status="in_progress")

    assert status_of(run, 2) == "in_progress"
    stop = PitStop.objects.get()
    assert (stop.in_ms, stop.out_ms) == (3_700_000, 3_790_000)


def test_a_lap_told_by_a_person_counts_once(user):
    run = make_run(user, laps=4, minutes=15)

    first = stints.update_stint_progress(order(run, user), stint=1, lap=5)
    again = stints.update_stint_progress(order(run, user), stint=1, lap=5)

    assert first is not None
    assert again is None
    assert live.race_of(fresh(run)).laps_done == 5


def test_a_lap_of_a_stint_that_does_not_run_is_refused(user):
    run = make_run(user, laps=4)

    with pytest.raises(WrongMove, match="under way"):
        stints.update_stint_progress(order(run, user), stint=2, lap=5)


@pytest.mark.parametrize("told", [{}, {"status": "ready", "lap": 3}, {"lap": 0}, {"status": "fly"}])
def test_progress_is_a_lap_or_a_known_state(user, told):
    run = make_run(user, laps=1)

    with pytest.raises(InvalidInput):
        stints.update_stint_progress(order(run, user), stint=1, **told)


def test_a_command_sent_twice_is_done_once(user):
    run = make_run(user, laps=24, minutes=65)
    once = order(run, user, key=uuid4(), at_ms=3_700_000)

    first = stints.update_stint_progress(once, stint=1, status="completed")
    second = stints.update_stint_progress(once, stint=1, status="completed")

    assert first == second
    assert fresh(run).version == run.version + 1
    assert LapEvent.objects.filter(kind="pit_in").count() == 1


def test_a_key_is_not_used_for_two_commands(user):
    run = make_run(user, laps=3)
    once = order(run, user, key=uuid4())
    race.set_flag(once, flag="sc")

    with pytest.raises(InvalidInput, match="another command"):
        race.set_flag(once, flag="green")


def test_a_stale_command_about_the_same_thing_is_told_what_changed(user, other):
    run = make_run(user, laps=3)
    Membership.objects.create(team=run.strategy.team, user=other, role=Role.STRATEGIST)
    race.set_flag(order(run, other, base_version=1), flag="sc")

    with pytest.raises(StaleWrite, match="olga: Safety car out") as refusal:
        race.set_flag(order(run, user, base_version=1), flag="red")

    assert "olga: Safety car out." in refusal.value.fields["base_version"][0]
    assert race.out_now(fresh(run)) == "sc"


def test_a_stale_command_about_something_else_goes_through(user):
    run = make_run(user, laps=3)
    race.set_flag(order(run, user, base_version=1), flag="sc")

    row = notes.read_fuel(order(run, user, base_version=1), fuel_ml=80_000)

    assert row is not None
    assert (row.base_version, row.version) == (1, 3)


def test_two_who_press_the_same_button_do_it_once(user, other):
    run = make_run(user, laps=24, minutes=65)
    Membership.objects.create(team=run.strategy.team, user=other, role=Role.STRATEGIST)
    stints.update_stint_progress(order(run, user, base_version=1), stint=1, status="completed")

    again = order(run, other, base_version=2)

    assert stints.update_stint_progress(again, stint=1, status="completed") is None
    assert fresh(run).version == 2


def test_drivers_say_ready_for_their_own_stints_only(user):
    run = make_run(user, laps=3)
    second = run.strategy.current.stints.get(number=2)
    driver = second.driver if second.driver != user else make_person("nobody")
    Membership.objects.update_or_create(
        team=run.strategy.team, user=driver, defaults={"role": Role.DRIVER}
    )
    passenger = make_person("passenger")
    Membership.objects.create(team=run.strategy.team, user=passenger, role=Role.DRIVER)
    run.strategy.current.stints.filter(number=2).update(driver=driver)

    with pytest.raises(NotAllowed, match="own stints"):
        stints.update_stint_progress(order(run, passenger), stint=2, status="ready")
    stints.update_stint_progress(order(run, driver), stint=2, status="ready")

    assert status_of(run, 2) == "ready"
    with pytest.raises(NotAllowed):
        stints.update_stint_progress(order(run, driver), stint=1, status="completed")


def test_strangers_find_no_race_and_viewers_change_nothing(user, other):
    run = make_run(user, laps=3)

    with pytest.raises(NotFound):
        race.set_flag(order(run, other), flag="sc")
    Membership.objects.create(team=run.strategy.team, user=other, role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        race.set_flag(order(run, other), flag="sc")
    with pytest.raises(NotAllowed):
        feed.tell(strategy_id=run.strategy_id, source="x", by=other,
                  events=[feed.Told(key="1", kind="lap", lap=4)])  # fmt: skip


def test_without_a_race_there_is_nothing_to_command(user):
    strategy = make_strategy(user)

    with pytest.raises(NoRace):
        race.set_flag(Order(strategy_id=strategy.pk, by=user), flag="sc")


def test_flags_follow_each_other_and_close_with_green(user):
    run = make_run(user, laps=3, minutes=60)

    for at, flag in ((100_000, "fcy"), (200_000, "sc"), (400_000, "green")):
        race.set_flag(order(run, user, at_ms=at), flag=flag)
    again = race.set_flag(order(run, user, at_ms=405_000), flag="green")

    periods = [(f.kind, f.from_ms, f.to_ms) for f in run.flags.all()]
    assert periods == [("fcy", 100_000, 200_000), ("sc", 200_000, 400_000)]
    assert again is None
    with pytest.raises(WrongMove, match="too late"):
        race.set_flag(order(run, user, at_ms=300_000), flag="red")


def test_green_soon_after_a_change_of_flags_takes_the_last_one_in(user):
    run = make_run(user, laps=3, minutes=60)

    for at, flag in ((100_000, "sc"), (110_000, "red"), (115_000, "green")):
        race.set_flag(order(run, user, at_ms=at), flag=flag)

    assert race.out_now(fresh(run)) == "green"
    assert [(f.kind, f.to_ms) for f in run.flags.all()] == [("sc", 110_000), ("red", 115_000)]


def test_a_moment_to_come_or_before_the_start_is_refused(user):
    run = make_run(user, laps=3, minutes=10)

    with pytest.raises(InvalidInput, match="still to come"):
        race.set_flag(order(run, user, at_ms=3_600_000), flag="sc")
    with pytest.raises(InvalidInput, match="before the green"):
        race.set_flag(order(run, user, at=run.green_at - timedelta(minutes=1)), flag="sc")


def test_a_stop_is_noted_and_completed_later(user):
    run = make_run(user, laps=24, minutes=65)
    stints.update_stint_progress(order(run, user, at_ms=3_700_000), stint=1, status="completed")
    stop = PitStop.objects.get()

    notes.log_stop(order(run, user), stop_id=stop.pk, fuel_added_ml=60_000, tyres="new",
                   repair_ms=20_000, notes="left mirror")  # fmt: skip

    stop.refresh_from_db()
    assert (stop.fuel_added_ml, stop.tyres, stop.repair_ms) == (60_000, "new", 20_000)
    assert stop.in_ms == 3_700_000


@pytest.mark.parametrize(
    "values", [{"out_ms": 1_000}, {"fuel_added_ml": 10**9}, {"in_ms": 1_000, "colour": "red"}]
)
def test_an_impossible_stop_is_refused_and_changes_nothing(user, values):
    run = make_run(user, laps=3, minutes=20)

    with pytest.raises(InvalidInput):
        notes.log_stop(order(run, user, at_ms=500_000), **values)
    assert not PitStop.objects.exists()
    assert fresh(run).version == 1


def test_penalties_are_given_and_served(user):
    run = make_run(user, laps=3, minutes=20)
    notes.give_penalty(
        order(run, user, at_ms=100_000), kind="stop_go", amount=10_000, reason="speed"
    )
    row = run.penalties.get()
    before = live.wall_of(fresh(run)).wall.finish
    lane_ms = live.race_of(fresh(run)).instance.pit.lane_ms
    assert before.owed_ms == lane_ms + 10_000

    notes.serve_penalty(order(run, user, at_ms=500_000), penalty_id=row.pk)

    row.refresh_from_db()
    assert (row.given_ms, row.served_ms) == (100_000, 500_000)
    assert notes.serve_penalty(order(run, user), penalty_id=row.pk) is None
    assert live.wall_of(fresh(run)).wall.finish.owed_ms == 0


def test_rain_moves_the_finish(user):
    run = make_run(user, laps=5)
    before = live.wall_of(run).wall.finish.laps

    notes.change_weather(order(run, user), is_wet=True)

    state = live.wall_of(fresh(run))
    assert state.wall.is_wet
    assert state.wall.finish.laps < before
    assert notes.change_weather(order(run, user), is_wet=True) is None


def test_a_reading_corrects_the_fuel(user):
    run = make_run(user, laps=6)

    notes.read_fuel(order(run, user), fuel_ml=61_000)

    fuel = live.wall_of(fresh(run)).wall.fuel
    assert fuel is not None
    assert (fuel.left_ml, fuel.is_read) == (61_000, True)
    with pytest.raises(InvalidInput, match="tank"):
        notes.read_fuel(order(run, user), fuel_ml=900_000)
    with pytest.raises(InvalidInput, match="not known"):
        notes.read_fuel(order(run, user), fuel_ml=1_000, lap=99)


def test_what_was_told_wrong_is_put_right_with_a_reason(user):
    run = make_run(user, laps=24, minutes=70)
    stints.update_stint_progress(order(run, user, at_ms=3_700_000), stint=1, status="completed")
    event = LapEvent.objects.get(kind="pit_in")

    stints.correct_event(order(run, user), event_id=event.pk, to_ms=3_698_000, reason="clock")

    row = fresh(run).strategy.current.stints.get(number=1)
    assert row.actual_end_at == run.green_at + timedelta(milliseconds=3_698_000)
    assert PitStop.objects.get().in_ms == 3_698_000
    trail = fresh(run).commands.last()
    assert (trail.before["at_ms"], trail.after["at_ms"], trail.reason) == (
        3_700_000,
        3_698_000,
        "clock",
    )
    with pytest.raises(InvalidInput, match="why"):
        stints.correct_event(order(run, user), event_id=event.pk, is_void=True, reason=" ")


def test_a_stint_completed_by_mistake_runs_on(user):
    run = make_run(user, laps=20, minutes=65)
    stints.update_stint_progress(order(run, user), stint=1, status="completed")

    stints.update_stint_progress(order(run, user), stint=1, status="in_progress")

    assert status_of(run, 1) == "in_progress"
    assert not PitStop.objects.exists()


def test_an_early_last_stop_makes_a_stint_for_what_is_left(user):
    run = make_run(user, laps=24, minutes=62)
    last = run.strategy.current.stints.count()
    run.strategy.current.stints.filter(number__gt=1).update(status="skipped")

    stints.update_stint_progress(order(run, user, at_ms=3_700_000), stint=1, status="completed")

    plan = fresh(run).strategy.current
    assert plan.origin == "live"
    assert [s.status for s in plan.stints.all()] == ["completed", "ready"]
    assert fresh(run).commands.last().after["plan"] == plan.number
    assert last > 2


def test_while_the_race_is_on_the_board_leaves_the_plan_alone(user):
    run = make_run(user, laps=3)

    with pytest.raises(plans.Locked, match="pit wall"):
        plans.edit_stint(strategy_id=run.strategy_id, base_version=1, change="move", stint=1,
                         value=-1, by=user)  # fmt: skip


def test_rain_told_twice_is_looked_into_once(user):
    run = make_run(user, laps=3)
    order = Order(run.strategy_id, user)
    notes.change_weather(order, is_wet=True)
    run.proposals.update(options=[{"label": "done"}])
    Job.objects.all().update(state="done")

    notes.change_weather(order, is_wet=True)
    notes.change_weather(Order(run.strategy_id, user), is_wet=True)

    assert run.proposals.count() == 1


def test_the_box_is_a_part_of_the_stop(user):
    run = make_run(user, laps=3)
    told = {"in_ms": 100_000, "out_ms": 160_000, "lap": 1}

    with pytest.raises(InvalidInput) as refused:
        notes.log_stop(Order(run.strategy_id, user), box_ms=61_000, **told)
    notes.log_stop(Order(run.strategy_id, user), box_ms=31_000, **told)

    assert refused.value.fields["box_ms"] == ["At most 60000 ms."]
    assert run.stops.get().box_ms == 31_000
