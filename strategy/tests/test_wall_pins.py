"""Pins and backups on the wall, by service, page and API: kept by every change, taken back, for planners."""

from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse

from racecontrol.models import AuditEvent
from racecontrol.shared.errors import ImpossiblePlan, NotAllowed, StaleWrite
from racecontrol.testing.pages import HTMX, Page
from strategy.models import Membership
from strategy.queries import live
from strategy.services import analytics, plans
from strategy.services.live import changes, pins, race, stints, undo
from strategy.services.live.frame import Order
from strategy.tests.builders import make_person, make_strategy
from strategy.tests.live_builders import make_run

pytestmark = pytest.mark.django_db


def order(run, by, **values) -> Order:
    return Order(strategy_id=run.strategy_id, by=by, **values)


def fresh(run):
    found = live.run_with_all(run.strategy_id)
    assert found is not None
    return found


def wall(run):
    return live.wall_of(fresh(run)).wall


def stint(run, number):
    return fresh(run).strategy.current.stints.get(number=number)


def other_than(run, number) -> int:
    """Somebody of the crew who does not drive this stint."""
    driver = stint(run, number).driver_id
    return next(w["user_id"] for w in run.strategy.drivers if w["user_id"] != driver)


def test_what_is_held_on_the_board_binds_the_wall(user):
    row = make_strategy(user)
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="move", stint=1, value=-3, by=user)
    plans.lock_stint(strategy_id=row.pk, base_version=2, stint=1, is_locked=True, by=user)
    row.refresh_from_db()
    end = row.current.stints.get(number=1).laps

    run = make_run(user, laps=3, strategy=row)

    window = wall(run).window
    assert (window.opens_lap, window.closes_lap, window.binding) == (end, end, "pinned by plan")
    assert window.limit == "fuel"
    with pytest.raises(ImpossiblePlan, match=f"pinned to lap {end}.*Unpin it first"):
        changes.extend_current_stint(order(run, user), stint=1, laps=-1)


def test_a_pin_is_one_command_however_often_it_is_sent(user):
    run = make_run(user, laps=3)
    key = uuid4()

    first, again = (
        pins.pin_stint(order(run, user, key=key), stint=1, driver=True, lap=20) for _ in range(2)
    )
    same = pins.pin_stint(order(run, user), stint=1, driver=True, lap=20)

    assert first == again
    assert same is None
    assert (
        first.words == f"Stint 1 pinned: {stint(run, 1).driver} stays in and the stop after lap 20."
    )
    assert (stint(run, 1).pinned_lap, stint(run, 1).is_driver_pinned) == (20, True)
    assert wall(run).window.predicted_lap == 20
    assert AuditEvent.objects.get(verb="live.pin").after["plan"] == 2
    assert run.commands.count() == 1


def test_a_stint_is_free_again_and_the_window_with_it(user):
    run = make_run(user, laps=3)
    pins.pin_stint(order(run, user), stint=1, lap=20)

    pins.pin_stint(order(run, user), stint=1)

    assert not wall(run).window.is_pinned
    assert stint(run, 1).pinned_lap is None
    changes.extend_current_stint(order(run, user), stint=1, laps=1)
    assert stint(run, 1).laps == 21


def test_a_pinned_stop_is_overridden_only_with_a_reason_and_is_free_then(user):
    run = make_run(user, laps=3)
    pins.pin_stint(order(run, user), stint=1, lap=20)

    with pytest.raises(ImpossiblePlan) as refused:
        changes.extend_current_stint(order(run, user), stint=1, laps=-2)
    done = changes.extend_current_stint(order(run, user), stint=1, laps=-2, reason="rain",
                                        override=True)  # fmt: skip

    assert refused.value.fields["pins"] == [f"{stint(run, 1).driver}'s stop is pinned to lap 20."]
    assert done.after["broken_pins"] == refused.value.fields["pins"]
    assert (stint(run, 1).laps, stint(run, 1).pinned_lap) == (18, None)


def test_an_extension_leaves_a_later_pinned_stop_where_it_is(user):
    run = make_run(user, laps=3)
    stop = stint(run, 1).laps + stint(run, 2).laps - 2
    pins.pin_stint(order(run, user), stint=2, lap=stop)

    changes.extend_current_stint(order(run, user), stint=1, laps=-2)

    second = stint(run, 2)
    assert (second.start_lap + second.laps, second.pinned_lap) == (stop, stop)
    line = next(s for s in wall(run).stints if s.number == 2)
    assert line.pinned_lap == stop


def test_who_saw_the_stint_before_it_was_pinned_is_told(user):
    run = make_run(user, laps=3)
    seen = run.version
    pins.pin_stint(order(run, user), stint=1, lap=20)

    with pytest.raises(StaleWrite, match="pinned"):
        changes.extend_current_stint(order(run, user, base_version=seen), stint=1, laps=-1)
    with pytest.raises(StaleWrite):
        pins.pin_stint(order(run, user, base_version=seen), stint=1, lap=19)


def test_ways_on_keep_the_pins_and_so_does_the_one_accepted(user, run_jobs):
    run = make_run(user, laps=3)
    first = stint(run, 2).driver_id
    pins.pin_stint(order(run, user), stint=2, driver=True, lap=40)
    proposal = changes.request_ways(strategy_id=run.strategy_id, by=user)

    found = changes.find_ways(proposal_id=proposal.pk, seconds=2.0)

    best = next(
        n
        for n, o in enumerate(found.options)
        if not o["broken_pins"] and o["label"] != "Keep the plan"
    )
    changes.accept_way(order(run, user), proposal_id=proposal.pk, option=best)
    pinned = fresh(run).strategy.current.stints.get(pinned_lap=40)
    assert (pinned.driver_id, pinned.is_driver_pinned) == (first, True)
    assert pinned.start_lap + pinned.laps == 40


def test_a_pin_set_while_ways_were_looked_at_stands_in_their_way(user):
    run = make_run(user, laps=3)
    proposal = changes.request_ways(strategy_id=run.strategy_id, by=user)
    changes.find_ways(proposal_id=proposal.pk, seconds=1.0)
    pins.pin_stint(order(run, user), stint=1, driver=True)

    with pytest.raises(StaleWrite, match="pinned"):
        changes.accept_way(order(run, user), proposal_id=proposal.pk, option=0)


def test_a_pin_is_no_decision_of_the_report_unless_it_moves_the_stop(user):
    run = make_run(user, laps=3)
    pins.name_backup(order(run, user), stint=1, driver_id=other_than(run, 1))
    assert len(analytics.plan_history(fresh(run))) == 1

    pins.pin_stint(order(run, user), stint=1, lap=20)

    assert len(analytics.plan_history(fresh(run))) == 2


def test_drivers_pin_nothing(user):
    run = make_run(user, laps=3)
    Membership.objects.filter(user=user, team=run.strategy.team).update(role="driver")

    with pytest.raises(NotAllowed):
        pins.pin_stint(order(run, user), stint=1, lap=20)
    with pytest.raises(NotAllowed):
        pins.name_backup(order(run, user), stint=1, driver_id=None)


# -- the backup


def test_a_backup_is_told_and_offered_first(user, run_jobs):
    run = make_run(user, laps=3)
    backup = other_than(run, 2)
    mail.outbox.clear()

    pins.name_backup(order(run, user), stint=2, driver_id=backup)
    run_jobs()

    told = [m for m in mail.outbox if "backup of stint 2" in m.subject]
    assert len(told) == 1
    assert wall(run).next_up.backup.is_called  # the planned one has not said that he is ready
    from strategy.wall_typed import typed

    swap = next(one for one in typed(live.wall_of(fresh(run))) if one.key == "swap").form
    assert swap.fields["driver_id"].choices[0][0] == backup
    assert "backup of stint 2" in swap.fields["driver_id"].choices[0][1]
    assert (swap.initial["stint"], swap.initial["driver_id"]) == (2, backup)


def test_a_driver_who_said_he_is_ready_is_not_replaced_unasked(user):
    run = make_run(user, laps=3)
    pins.name_backup(order(run, user), stint=2, driver_id=other_than(run, 2))
    stints.update_stint_progress(order(run, user), stint=2, status="ready")

    assert not wall(run).next_up.backup.is_called


def test_the_backup_who_takes_over_is_none_any_more(user):
    run = make_run(user, laps=3)
    backup = other_than(run, 2)
    pins.name_backup(order(run, user), stint=2, driver_id=backup)

    changes.emergency_driver_swap(order(run, user), stint=2, driver_id=backup, reason="ill")

    assert (stint(run, 2).driver_id, stint(run, 2).backup_seat) == (backup, None)


# -- page and API


def url(run, name):
    return reverse("strategy:wall-do", args=[run.strategy_id, name])


def test_the_page_pins_shows_and_frees(client, user):
    run = make_run(user, laps=3)
    page = reverse("strategy:wall", args=[run.strategy_id])

    seen = client.post(url(run, "pin"), {"stint": 1, "lap": 20, "is_preview": "on"}, headers=HTMX)
    client.post(url(run, "pin"), {"stint": 1, "driver": "on", "lap": 20})
    shown = Page(client.get(page))

    assert "The stop would be on lap 20" in Page(seen).text("preview-pin")
    assert "pinned by plan" in shown.text("wall")
    assert "to lap 20" in shown.text("wall")
    client.post(url(run, "pin"), {"stint": 1})
    assert "pinned by plan" not in Page(client.get(page)).text("wall")


def test_a_refused_pin_shows_why(client, user):
    run = make_run(user, laps=3)

    answer = client.post(url(run, "pin"), {"stint": 1, "lap": 200})

    assert answer.status_code == 422
    assert b"The stop can be pinned to lap" in answer.content


def test_the_page_names_a_backup_beside_the_next_driver(client, user):
    run = make_run(user, laps=3)

    client.post(url(run, "backup"), {"stint": 2, "driver_id": other_than(run, 2)})

    words = Page(client.get(reverse("strategy:wall", args=[run.strategy_id]))).text("wall")
    assert f"backup {stint(run, 2).strategy.drivers[stint(run, 2).backup_seat]['name']}" in words


def test_the_last_pin_is_taken_back_on_the_page(client, user):
    run = make_run(user, laps=3)
    client.post(url(run, "pin"), {"stint": 1, "lap": 20})

    client.post(url(run, "undo"), {})

    assert stint(run, 1).pinned_lap is None
    assert stint(run, 1).laps == run.first_plan.stints.get(number=1).laps


def test_the_api_pins_previews_and_names_a_backup(client, user):
    run = make_run(user, laps=3)
    base = f"/api/v1/strategies/{run.strategy_id}/live"

    def post(path, body):
        return client.post(f"{base}/{path}", body, content_type="application/json")

    seen = post("stints/1/pin", {"lap": 20, "is_preview": True}).json()
    done = post("stints/1/pin", {"driver": True, "lap": 20, "key": str(uuid4())}).json()
    refused = post("stints/1/extend", {"laps": -1})
    named = post("stints/2/backup", {"driver_id": other_than(run, 2)}).json()
    told = client.get(base).json()

    assert (seen["opens_lap"], seen["closes_lap"], seen["command"]) == (20, 20, None)
    assert done["command"]["name"] == "pin"
    assert "pins" in refused.json()["error"]["fields"]
    assert named["command"]["name"] == "backup"
    assert (told["window"]["is_pinned"], told["window"]["closes_by"]) == (True, "pinned by plan")
    assert told["next_up"]["backup"]["is_eligible"]
    assert told["stints"][0]["pinned_lap"] == 20
    assert post("stints/1/pin", {"lap": 0}).status_code == 422


def test_strangers_pin_nothing(client, user):
    run = make_run(make_person("somebody"), laps=3)

    assert client.post(url(run, "pin"), {"stint": 1, "lap": 20}).status_code == 404
    assert client.post(f"/api/v1/strategies/{run.strategy_id}/live/stints/1/pin", {"lap": 20},
                       content_type="application/json").status_code == 404  # fmt: skip


def test_the_board_pins_and_names_by_form_and_api(client, user):
    row = make_strategy(user)
    page = reverse("strategy:strategy", args=[row.pk])
    seat = row.current.stints.get(number=1).seat

    client.post(page, {"do": "pin_stop", "stint": 1, "base_version": 1})
    client.post(page, {"do": "backup", "stint": 1, "value": 1 - seat, "base_version": 2})
    client.patch(f"/api/v1/strategies/{row.pk}/stints/2", {"base_version": 3, "pinned": ["driver"]},
                 content_type="application/json")  # fmt: skip
    words = Page(client.get(page)).text("board")

    first, second = row.current.stints.filter(number__in=[1, 2])
    assert (first.pinned_lap, first.is_driver_pinned, first.backup_seat) == (
        first.laps,
        False,
        1 - seat,
    )
    assert (second.pinned_lap, second.is_driver_pinned) == (None, True)
    assert f"stops after lap {first.laps}" in words
    assert "driver pinned" in words
    assert f"backup {row.drivers[1 - seat]['name']}" in words
    client.patch(f"/api/v1/strategies/{row.pk}/stints/1", {"base_version": 4, "backup_seat": -1},
                 content_type="application/json")  # fmt: skip
    assert row.current.stints.get(number=1).backup_seat is None


def test_the_plan_is_the_race_once_it_is_on(user):
    """What the board pinned lasts when the race is opened and driven by the wall."""
    row = make_strategy(user)
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="move", stint=2, value=-4, by=user)
    plans.pin_stint(strategy_id=row.pk, base_version=2, stint=2, driver=True, stop=True, by=user)
    race.open_race(strategy_id=row.pk, by=user)
    race.set_state(Order(row.pk, user), state="racing")
    run = live.run_with_all(row.pk)

    changes.extend_current_stint(order(run, user), stint=1, laps=-2)
    undo.undo_last(order(run, user))

    assert stint(run, 2).is_locked
