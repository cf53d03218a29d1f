"""The pit wall as people see it: the figures, who may look, one's own turn, before and after."""

import re

import pytest
from django.http import HttpResponse
from django.urls import reverse

from racecontrol.testing.pages import HTMX, Page
from strategy.forms.wall import CorrectForm
from strategy.models import Membership
from strategy.services.live import race
from strategy.services.live.frame import Order
from strategy.tests.builders import make_person, make_strategy
from strategy.tests.race_builders import drive

pytestmark = pytest.mark.django_db


def wall_url(run, name="wall"):
    return reverse(f"strategy:{name}", args=[run.strategy_id])


def test_before_the_grid_the_wall_says_so(client, user):
    row = make_strategy(user)

    assert b"Not on the wall yet" in client.get(reverse("strategy:wall", args=[row.pk])).content
    assert b"Not on the wall yet" in client.get(reverse("strategy:my-turn", args=[row.pk])).content


def test_the_wall_shows_who_is_in_fuel_window_next_and_drive_time(client, user):
    run = drive(user, laps=5, is_training=True)

    words = Page(client.get(wall_url(run))).text("wall")

    for told in ("Green", "In the car", "Laps in stint", "Fuel left", "Pit window", "Next driver",
                 "Drive time", "Plan against race"):  # fmt: skip
        assert told in words, told


def test_the_part_asked_for_anew_is_the_one_on_the_page(client, user):
    run = drive(user, laps=5, is_training=True)  # its clock stands where the feed left it
    url = wall_url(run)

    page = client.get(url)
    part = client.get(url, headers=HTMX | {"HX-Target": "wall"})

    assert b"<html" not in part.content
    # but how old it is when it is sent
    aged = [re.sub(r'data-age="\d+"', "", answer.content.decode()) for answer in (page, part)]
    first, second = (Page(HttpResponse(html)).part("wall") for html in aged)
    assert first == second


def test_many_who_look_at_the_same_have_it_drawn_once(
    client, user, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr("strategy.wall_parts.SECONDS", 600)  # a busy machine is no fault
    run = drive(user, laps=5, is_training=True)
    ask = HTMX | {"HX-Target": "wall"}
    first = client.get(wall_url(run), headers=ask)

    with django_assert_max_num_queries(5):  # session, person, strategy, role, newest news
        second = client.get(wall_url(run), headers=ask)

    assert len(first.content) == pytest.approx(len(second.content), abs=4)


def test_news_are_never_answered_with_what_was_before(client, user):
    run = drive(user, laps=5, is_training=True)
    ask = HTMX | {"HX-Target": "wall"}
    client.get(wall_url(run), headers=ask)

    race.set_flag(Order(run.strategy_id, user), flag="sc")

    assert "Safety car" in Page(client.get(wall_url(run), headers=ask)).text("wall")


def test_a_part_for_all_carries_nobodys_token(client, user):
    run = drive(user, laps=5, is_training=True)

    part = client.get(wall_url(run), headers=HTMX | {"HX-Target": "wall"})

    assert b"data-command" in part.content
    assert b"csrfmiddlewaretoken" not in part.content


def test_planners_and_drivers_are_not_shown_each_others_part(client, user):
    run = drive(user, laps=5, is_training=True)
    ask = HTMX | {"HX-Target": "wall"}
    planner = client.get(wall_url(run), headers=ask)

    Membership.objects.filter(user=user).update(role="driver")
    driver = client.get(wall_url(run), headers=ask)

    assert b"data-command" in planner.content
    assert b"data-command" not in driver.content


def test_a_driver_reads_when_he_is_in_by_his_own_clock(client, user):
    run = drive(user, laps=5, is_training=True)
    user.time_zone = "Asia/Tokyo"
    user.save()

    words = Page(client.get(wall_url(run, "my-turn"))).text("wall")

    # green at 14:00 UTC, the first stint takes 24 laps: in after about an hour, 00:02 in Tokyo
    assert "You are in at 00:02" in words
    assert "your time (Asia/Tokyo), in 19 laps ± 1" in words


def test_a_finished_race_is_still_a_wall(client, user):
    run = drive(user)

    assert "Not racing" in Page(client.get(wall_url(run))).text("wall")
    assert "You are done" in Page(client.get(wall_url(run, "my-turn"))).text("wall")


def test_strangers_see_no_wall(client, user):
    run = drive(make_person("somebody"), laps=3)

    assert client.get(wall_url(run)).status_code == 404
    assert client.get(wall_url(run, "my-turn")).status_code == 404


def test_what_happened_on_the_second_day_can_be_put_right():
    form = CorrectForm({"event_id": "1", "to_ms": "90000.5", "reason": "later"})
    form.fields["event_id"].choices = [(1, "into the pits")]

    assert form.is_valid(), form.errors
    assert form.cleaned_data["to_ms"] == 90_000_500
