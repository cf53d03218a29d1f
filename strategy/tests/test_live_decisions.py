"""Swap, extension and ways on as commands: seen first, confirmed, told, refused."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail

from racecontrol.shared import jobs
from racecontrol.shared.errors import ImpossiblePlan, InvalidInput, NotAllowed, StaleWrite
from strategy.domain.live.transitions import WrongMove
from strategy.models import LiveProposal, Membership, PlanVersion, Role
from strategy.queries import live
from strategy.services.live import changes, feed, notes, race, stints
from strategy.tests.builders import make_person
from strategy.tests.live_builders import fresh, make_run, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(user):
    """Three drivers, six laps into the first stint."""
    return make_run(user, laps=6, event={"drivers": 3, "hours": 4})


def someone_else(run, number: int = 1) -> int:
    """The user id of a driver who does not drive stint `number`."""
    seat = run.strategy.current.stints.get(number=number).seat
    return next(d["user_id"] for n, d in enumerate(run.strategy.drivers) if n != seat)


def plan_as_told(run) -> list[tuple[str, int]]:
    return [(line.name, line.laps) for line in live.wall_of(fresh(run)).wall.stints]


def test_a_swap_is_seen_first_and_changes_nothing(run, user):
    before = plan_as_told(run)

    outcome = changes.preview_swap(
        strategy_id=run.strategy_id, stint=1, driver_id=someone_else(run), by=user
    )

    assert outcome.gain_ms < 0
    assert plan_as_told(run) == before
    assert PlanVersion.objects.count() == 1


def test_a_swap_splits_the_running_stint_and_the_log_goes_on(run, user, run_jobs):
    mail.outbox.clear()
    driver_id = someone_else(run)

    row = changes.emergency_driver_swap(
        order(run, user), stint=1, driver_id=driver_id, reason="ill", override=True
    )
    run_jobs()

    plan = fresh(run).strategy.current
    first, second = plan.stints.all()[:2]
    assert (first.status, first.laps) == ("in_progress", 7)
    assert (second.driver_id, second.start_lap, second.status) == (driver_id, 7, "planned")
    assert row is not None
    assert (row.reason, row.after["plan"]) == ("ill", plan.number)
    assert (plan.origin, plan.parent.number) == ("live", 1)
    assert any("Change on the wall" in m.subject for m in mail.outbox)
    laps = live.wall_of(fresh(run)).wall.in_car
    assert laps is not None
    assert laps.laps == 6


def test_the_split_stint_ends_and_the_new_driver_starts(run, user):
    driver_id = someone_else(run)
    changes.emergency_driver_swap(order(run, user), stint=1, driver_id=driver_id, reason="ill",
                                  override=True)  # fmt: skip
    stints.update_stint_progress(order(run, user), stint=1, status="completed")
    stints.update_stint_progress(order(run, user), stint=2, status="in_progress")

    wall = live.wall_of(fresh(run)).wall

    assert wall.in_car is not None
    assert wall.in_car.number == 2
    assert live.wall_of(fresh(run)).user_ids[wall.in_car.seat] == driver_id


def test_a_swap_needs_a_reason_a_driver_of_the_plan_and_a_planner(run, user, other):
    with pytest.raises(InvalidInput, match="why"):
        changes.emergency_driver_swap(order(run, user), stint=1, driver_id=2, reason=" ")
    with pytest.raises(InvalidInput, match="drivers of this strategy"):
        changes.emergency_driver_swap(order(run, user), stint=1, driver_id=other.pk, reason="x")
    Membership.objects.create(team=run.strategy.team, user=other, role=Role.DRIVER)
    with pytest.raises(NotAllowed):
        changes.emergency_driver_swap(order(run, other), stint=1, driver_id=user.pk, reason="x")
    assert fresh(run).version == 1


def test_a_swap_that_breaks_a_rule_is_refused_until_overridden(user):
    run = make_run(user, laps=6, event={"drivers": 3, "hours": 4})
    seats = set(run.strategy.current.stints.values_list("seat", flat=True))
    relieved = next(n for n in range(3) if n not in seats)  # the slowest drives nothing
    problem = run.strategy.current.problem
    problem["drivers"][relieved]["max_drive_ms"] = 60_000
    PlanVersion.objects.filter(pk=run.strategy.current_id).update(problem=problem)
    driver_id = run.strategy.drivers[relieved]["user_id"]
    told = {"stint": 2, "driver_id": driver_id, "reason": "he asked"}

    with pytest.raises(ImpossiblePlan, match="drives too much") as refusal:
        changes.emergency_driver_swap(order(run, user), **told)
    assert refusal.value.fields["breaches"]
    row = changes.emergency_driver_swap(order(run, user), override=True, **told)

    assert row is not None
    assert "max_drive" in row.after["broken"]


def test_an_extension_keeps_the_count_of_laps_and_shows_the_new_window(run, user):
    planned = run.strategy.current.stints.get(number=1).laps
    laps = live.wall_of(run).wall.finish.laps
    outcome = changes.preview_extension(strategy_id=run.strategy_id, stint=1, laps=-3, by=user)

    changes.extend_current_stint(order(run, user), stint=1, laps=-3)

    assert outcome.window is not None
    assert outcome.window.predicted_lap == planned - 3
    wall = live.wall_of(fresh(run)).wall
    assert wall.window is not None
    assert wall.window.predicted_lap == planned - 3
    assert abs(wall.finish.laps - laps) <= 1
    rows = list(fresh(run).strategy.current.stints.all())
    assert [r.start_lap for r in rows] == [sum(r.laps for r in rows[:n]) for n in range(len(rows))]


def test_an_extension_beyond_the_tank_changes_nothing(run, user):
    with pytest.raises(ImpossiblePlan, match="fuel"):
        changes.extend_current_stint(order(run, user), stint=1, laps=20)
    assert fresh(run).version == 1


def test_two_who_decide_about_the_same_stint_one_is_told(run, user, other):
    Membership.objects.create(team=run.strategy.team, user=other, role=Role.STRATEGIST)
    changes.extend_current_stint(order(run, other, base_version=1), stint=1, laps=-2)

    with pytest.raises(StaleWrite, match="olga: Stint 1 goes 2 laps shorter"):
        changes.emergency_driver_swap(order(run, user, base_version=1), stint=1,
                                      driver_id=someone_else(run), reason="ill")  # fmt: skip


def test_completing_a_stint_goes_through_though_its_length_was_changed_meanwhile(run, user):
    changes.extend_current_stint(order(run, user, base_version=1), stint=1, laps=-2)

    row = stints.update_stint_progress(
        order(run, user, base_version=1), stint=1, status="completed"
    )

    assert row is not None


def test_ways_on_are_found_by_the_worker_and_nothing_changes_until_accepted(run, user, run_jobs):
    before = plan_as_told(run)
    row = changes.request_ways(strategy_id=run.strategy_id, by=user)
    assert changes.request_ways(strategy_id=run.strategy_id, by=user) == row

    run_jobs()

    row.refresh_from_db()
    assert plan_as_told(run) == before
    assert len(row.options) >= 2
    assert {"label", "gain_ms", "low_ms", "high_ms", "risk_ms", "runs_dry", "breaches"} <= (
        row.options[0].keys()
    )
    assert "Keep the plan" in {option["label"] for option in row.options}


def test_an_accepted_way_is_the_plan_once(run, user, run_jobs):
    row = changes.request_ways(strategy_id=run.strategy_id, by=user)
    run_jobs()
    row.refresh_from_db()
    place = next(n for n, o in enumerate(row.options) if o["label"] != "Keep the plan")
    once = order(run, user, key=uuid4())

    first = changes.accept_way(once, proposal_id=row.pk, option=place)
    second = changes.accept_way(once, proposal_id=row.pk, option=place)
    third = changes.accept_way(order(run, user), proposal_id=row.pk, option=place)

    assert first == second
    assert third is None
    told = [(s["driver"], s["laps"]) for s in row.options[place]["stints"]]
    assert plan_as_told(run) == told
    row.refresh_from_db()
    assert row.accepted == place


def test_a_way_on_is_not_taken_once_the_race_moved_on(run, user, run_jobs):
    row = changes.request_ways(strategy_id=run.strategy_id, by=user)
    run_jobs()
    notes.change_weather(order(run, user), is_wet=True)

    with pytest.raises(StaleWrite, match="track is wet"):
        changes.accept_way(order(run, user), proposal_id=row.pk, option=0)


def test_rain_has_ways_on_looked_for(run, user, run_jobs):
    notes.change_weather(order(run, user), is_wet=True)
    run_jobs()

    row = LiveProposal.objects.get()
    best = row.options[0]
    assert all(stint["compound"] == 1 for stint in best["plan"][1:])


@pytest.mark.parametrize(("flag", "searches"), [("fcy", 1), ("sc", 1), ("red", 0)])
def test_a_flag_that_makes_stops_cheap_has_ways_on_looked_for_once(run, user, flag, searches):
    once = order(run, user, key=uuid4())

    race.set_flag(once, flag=flag)
    jobs.Job.objects.update(state=jobs.Job.State.DONE)
    race.set_flag(once, flag=flag)  # sent again
    race.set_flag(order(run, user), flag=flag)  # told by somebody else
    race.set_flag(order(run, user), flag="green")

    assert LiveProposal.objects.count() == searches


@pytest.mark.parametrize(("kind", "value"), [("flag", "sc"), ("weather", "wet")])
def test_what_the_feed_says_of_flags_and_rain_has_ways_on_looked_for(run, user, kind, value):
    told = [feed.Told(key="a", kind=kind, value=value, at_ms=850_000)]
    for _ in range(2):
        feed.tell(strategy_id=run.strategy_id, source="bridge", events=told, by=user)

    assert LiveProposal.objects.count() == 1


def test_a_passed_stop_of_a_way_on_is_refused(user, run_jobs):
    run = make_run(user, laps=6, minutes=40, event={"drivers": 3, "hours": 4})
    row = changes.request_ways(strategy_id=run.strategy_id, by=user)
    run_jobs()
    row.refresh_from_db()
    place = min(range(len(row.options)), key=lambda n: row.options[n]["pit_lap"])
    for lap in range(7, 13):
        stints.update_stint_progress(order(run, user, at_ms=lap * 154_000), stint=1, lap=lap)

    with pytest.raises(Exception, match="has passed"):
        changes.accept_way(order(run, user), proposal_id=row.pk, option=place)


def test_a_way_on_is_not_taken_once_the_feed_told_the_car_came_in(user, run_jobs):
    run = make_run(user, laps=6, minutes=40, event={"drivers": 3, "hours": 4})
    row = changes.request_ways(strategy_id=run.strategy_id, by=user)
    run_jobs()
    before = fresh(run).strategy.current
    came_in = feed.Told(key="in", kind="pit_in", at_ms=7 * 154_000, lap=6)
    feed.tell(strategy_id=run.strategy_id, source="decoder", events=[came_in], by=user)

    with pytest.raises(WrongMove, match="came in meanwhile"):
        changes.accept_way(order(run, user), proposal_id=row.pk, option=0)
    assert fresh(run).strategy.current == before


def test_a_stranger_asks_for_no_ways_on(run, other):
    with pytest.raises(Exception, match="not yours"):
        changes.request_ways(strategy_id=run.strategy_id, by=other)


def test_a_late_lap_does_not_disturb_a_changed_plan(run, user):
    """A version made live folds the same log: what is told late lands where it belongs."""
    changes.extend_current_stint(order(run, user), stint=1, laps=-3)
    run.laps.filter(lap=4).delete()
    run.laps.create(source="late", key="4", kind="lap", lap=4, at_ms=4 * 154_000)

    row = fresh(run).strategy.current.stints.get(number=1)

    assert row.actual_start_at == run.green_at
    assert live.race_of(fresh(run)).laps_done == 6


def test_the_passenger_hears_when_he_is_in(user):
    run = make_run(user, laps=6, event={"drivers": 3, "hours": 4})
    state = live.wall_of(run)
    coming = next(t for t in state.wall.turns if not t.is_in and t.at_ms)

    assert state.moment(coming.at_ms) == run.green_at + timedelta(milliseconds=coming.at_ms)
    assert make_person("x").pk not in state.user_ids
