"""Bump-ups on pages: an event's ladders, corrections in place, the numbers over history."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion.models import BumpUp, Driver
from ingestion.services import bumpups as services
from ingestion.tests.bumpup_builders import make_event, make_main, save_demo
from racecontrol.testing.pages import HTMX, Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(event):
    return f"/timing/events/{event.pk}/bump-ups/"


def test_an_event_shows_its_ladder_and_its_moves(client, url):
    text = Page(client.get(url)).text("event-bump-ups")

    assert "4 moved up" in text
    assert "Driver n" in text
    assert "B-Main (1st)" in text
    assert "and up again" in text
    assert "Buggy: the way up" in text


def test_only_those_who_may_see_buttons(client, url, staff):
    assert "Reject" not in client.get(url).text

    client.force_login(staff)
    assert "Reject" in client.get(url).text


def test_the_swapped_part_is_what_a_reload_shows(client, url, staff):
    client.force_login(staff)
    row = BumpUp.objects.filter(driver__source_driver_id="g").get()

    swapped = client.post(
        f"/timing/bump-ups/{row.pk}/", {"status": "rejected", "note": "Swap"}, headers=HTMX
    )

    assert Page(swapped).part("event-bump-ups") == Page(client.get(url)).part("event-bump-ups")
    assert "<html" not in swapped.text
    assert "rejected" in Page(swapped).text(f"move-{row.pk}")
    assert "3 moved up" in Page(swapped).text("event-bump-ups")
    assert "detected → rejected" in Page(swapped).text("event-bump-ups")
    assert "steph" in Page(swapped).text("event-bump-ups")


def test_a_verdict_works_without_javascript_and_keeps_the_filter(client, url, staff):
    client.force_login(staff)
    row = BumpUp.objects.first()

    answer = client.post(f"/timing/bump-ups/{row.pk}/?show=moved&class=", {"status": "confirmed"})

    assert answer.status_code == 302
    assert answer["Location"] == f"{url}?show=moved&class="


def test_others_may_not_correct(client, event):
    row = BumpUp.objects.first()

    verdict = client.post(f"/timing/bump-ups/{row.pk}/", {"status": "rejected"})
    added = client.post(f"/timing/events/{event.pk}/bump-ups/", {})

    assert (verdict.status_code, added.status_code) == (403, 403)
    row.refresh_from_db()
    assert row.status == "detected"


def test_a_move_is_added_by_hand(client, event, url, staff):
    client.force_login(staff)
    a, b = event.races.get(main="A"), event.races.get(main="B")
    driver = Driver.objects.get(source_driver_id="d")
    given = {
        "source_race_id": b.pk,
        "target_race_id": a.pk,
        "driver_id": driver.pk,
        "note": "Id changed",
    }

    swapped = client.post(url, given, headers=HTMX)

    assert swapped.status_code == 200
    assert "added by hand" in Page(swapped).text("event-bump-ups")
    assert Page(swapped).part("event-bump-ups") == Page(client.get(url)).part("event-bump-ups")


def test_a_bad_move_answers_422_in_place(client, event, url, staff):
    client.force_login(staff)
    a, b = event.races.get(main="A"), event.races.get(main="B")
    driver = Driver.objects.get(source_driver_id="r")
    given = {"source_race_id": b.pk, "target_race_id": a.pk, "driver_id": driver.pk}

    refused = client.post(url, given, headers=HTMX)

    assert refused.status_code == 422
    assert "not in the result of the higher main" in Page(refused).text("event-bump-ups")
    assert event.bump_ups.count() == 4


def test_filters_show_less(client, event, url):
    event.races.get(main="C").results.all().delete()
    services.detect_for_event(event.pk)

    review = Page(client.get(f"{url}?show=review")).text("event-bump-ups")
    moved = Page(client.get(f"{url}?show=moved")).text("event-bump-ups")

    assert "only the grid suggests it" in review
    assert "only the grid suggests it" not in moved
    assert client.get(f"{url}?show=nonsense&class=none").status_code == 200


def test_an_event_without_a_ladder_says_so(client):
    event = make_event()
    make_main(event, "Junior A-Main", "abc", number=1)

    assert "No ladder in this event" in client.get(f"/timing/events/{event.pk}/bump-ups/").text
    assert client.get("/timing/events/0/bump-ups/").status_code == 404


def test_the_demo_meeting_names_who_did_not_start(client):
    event = save_demo()
    services.detect_for_event(event.pk)

    text = Page(client.get(f"/timing/events/{event.pk}/bump-ups/")).text("event-bump-ups")

    assert "8 moved up" in text
    assert "DNS" in text
    assert "1/8 Electric Buggy" in text
    assert "Nobody moved up" in text
    assert "Junior" not in text


def test_statistics_are_shown_and_narrowed(client, event):
    page = client.get("/timing/bump-ups/").text
    assert "C → B → A" in page
    assert "Driver n" in page

    none = client.get("/timing/bump-ups/?track=redgum&season=2026&class_name=buggy").text
    assert "C → B → A" in none
    # What cannot be chosen narrows nothing.
    assert "C → B → A" in client.get("/timing/bump-ups/?season=1999").text


def test_statistics_without_any_history(client):
    assert "No bump-ups yet" in client.get("/timing/bump-ups/").text


def test_pages_cost_a_fixed_number_of_queries(client, event, url, django_assert_num_queries):
    client.get(url)
    client.get("/timing/bump-ups/")  # what the house remembers is remembered now
    with CaptureQueriesContext(connection) as small:
        client.get(url)
        client.get("/timing/bump-ups/")
    demo = save_demo()
    services.detect_for_event(demo.pk)

    with django_assert_num_queries(len(small)):
        client.get(f"/timing/events/{demo.pk}/bump-ups/")
        client.get("/timing/bump-ups/")


def test_a_race_says_who_came_from_below_and_narrows_to_them(client, event):
    race = event.races.get(main="A")
    url = f"/timing/races/{race.pk}/"

    text = Page(client.get(url)).text("main")
    bumped = Page(client.get(f"{url}?came=bumped")).text("main")
    direct = Page(client.get(f"{url}?came=direct")).text("main")

    assert "from B-Main (1st)" in text
    assert "from B-Main (2nd)" in text
    assert "Driver N" in bumped
    assert "Driver A" not in bumped.partition("Lap")[0]
    assert "Driver A" in direct
    assert "from B-Main" not in direct


def test_a_race_nobody_moved_up_into_has_no_such_filter(client, event):
    race = event.races.get(main="C")

    assert "Qualified directly" not in client.get(f"/timing/races/{race.pk}/").text


def test_a_driver_shows_the_ways_up(client, event):
    driver = Driver.objects.get(source_driver_id="n")

    text = Page(client.get(f"/timing/drivers/{driver.pk}/")).text("driver-bump-ups")

    assert "C-Main (2nd)" in text
    assert "B-Main (1st)" in text
    assert "Club Night" in text
