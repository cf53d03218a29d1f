"""Signing up by an event's link: whoever holds it, in the own zone, until it is withdrawn."""

from datetime import timedelta

import pytest
from django.urls import reverse

from racecontrol.shared.errors import NotFound
from racecontrol.testing.pages import Page
from strategy.models import EventParticipation, Membership
from strategy.services import events, hosting
from strategy.tests.builders import START, make_event, make_strategy

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(other):
    return make_event(other)


def link(event):
    return reverse("strategy:signup-link", args=[event.signup_token])


def first_half_hours(count):
    return [int((START + n * timedelta(minutes=30)).timestamp()) for n in range(count)]


def test_whoever_holds_the_link_signs_up_without_joining_the_team(client, user, event):
    answer = client.post(link(event), {"slot": first_half_hours(3), "lap_ms": "151.5"})

    row = EventParticipation.objects.get(event=event, user=user)
    assert answer.url == reverse("strategy:event", args=[event.pk])
    assert (row.status, row.lap_ms, row.free_ms) == ("signed_up", 151_500, 5_400_000)
    assert not Membership.objects.filter(user=user).exists()
    assert "Free for 1:30:00" in Page(client.get(answer.url)).text("main")


def test_without_the_link_there_is_no_event(client, event):
    page = reverse("strategy:signup", args=[event.pk])

    assert client.get(page).status_code == 404
    assert client.post(page, {"slot": first_half_hours(3)}).status_code == 404
    assert not EventParticipation.objects.exists()


@pytest.mark.parametrize("is_on", [True, False])
def test_a_new_link_or_none_ends_the_one_before(client, other, event, is_on):
    before = link(event)

    event = hosting.set_link(event_id=event.pk, is_on=is_on, by=other)

    assert client.get(before).status_code == 404
    assert client.post(before, {"slot": first_half_hours(3)}).status_code == 404
    assert bool(event.signup_token) is is_on
    if is_on:
        assert client.get(link(event)).status_code == 200


def test_a_closed_sign_up_says_so(client, other, event):
    hosting.change_event(event_id=event.pk, is_signup_open=False, by=other)

    answer = client.post(link(event), {"slot": first_half_hours(3)})

    assert answer.status_code == 422
    assert "The sign-up is closed" in answer.text


def test_a_link_opens_its_own_event_only(user, other, event):
    closed = make_event(other, name="Another", team=event.host)

    with pytest.raises(NotFound):
        events.sign_up(event_id=closed.pk, token=event.signup_token, by=user)


def test_hours_are_asked_for_in_the_zone_one_chooses(client, user, event):
    chosen = client.post(link(event), {"time_zone": "Asia/Tokyo"})
    page = client.get(chosen.url)

    user.refresh_from_db()
    assert (chosen.url, user.time_zone) == (link(event), "Asia/Tokyo")
    assert "23:00" in Page(page).text("main")  # 14:00 UTC
    assert client.post(link(event), {"time_zone": "Mars/Base"}).status_code == 422


def test_only_planners_see_and_change_the_link(client, user, event, other):
    Membership.objects.create(team=event.host, user=user, role="driver")
    url = reverse("strategy:event-link", args=[event.pk])

    assert str(event.signup_token) not in client.get(
        reverse("strategy:event", args=[event.pk])).text  # fmt: skip
    assert client.post(url, {"is_on": "no"}).status_code == 403

    client.force_login(other)
    assert str(event.signup_token) in client.get(
        reverse("strategy:event", args=[event.pk])).text  # fmt: skip
    assert "X-Asks" in client.post(url, {"is_on": "no"})
    assert client.post(url, {"is_on": "no", "sure": "yes"}).status_code == 302
    event.refresh_from_db()
    assert event.signup_token is None


def test_the_api_does_the_same(client, event, other, user):
    token = event.signup_token
    window = {"starts_at": START.isoformat(), "ends_at": (START + timedelta(hours=1)).isoformat()}

    looked = client.get(f"/api/v1/sign-up-links/{token}")
    signed = client.put(f"/api/v1/sign-up-links/{token}/participation", {"windows": [window]},
                        content_type="application/json")  # fmt: skip
    refused = client.get(f"/api/v1/strategy-events/{event.pk}/link")

    assert (looked.json()["name"], signed.json()["user_id"]) == (event.name, user.pk)
    assert refused.status_code == 404
    client.force_login(other)
    told = client.get(f"/api/v1/strategy-events/{event.pk}/link").json()
    assert told["url"].endswith(link(event))
    renewed = client.post(f"/api/v1/strategy-events/{event.pk}/link").json()["token"]
    assert client.delete(f"/api/v1/strategy-events/{event.pk}/link").status_code == 204
    for old in (token, renewed):
        assert client.get(f"/api/v1/sign-up-links/{old}").status_code == 404


def test_a_plan_starts_with_the_team_that_was_formed(client, user):
    row = make_strategy(user, drivers=3)
    signups = list(row.event.signups.order_by("pk"))
    for signup in signups[:2]:
        hosting.assign(signup_id=signup.pk, team_id=row.team_id, by=user)

    page = client.get(reverse("strategy:strategy-new", args=[row.event_id]))

    form = page.context["form"]
    assert form["team"].value() == row.team_id
    assert form["drivers"].value() == [signup.user_id for signup in signups]
    assert "13 Jun 2026, 14:00 UTC" in page.text
