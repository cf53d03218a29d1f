"""The house's own pages: what they show, to whom, in every state."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from racecontrol.shared.cards import Card
from racecontrol.testing.pages import Page


@pytest.mark.django_db
def test_a_stranger_is_told_what_this_is_and_how_to_come_in(stranger):
    page = Page(stranger.get("/"))

    assert "Know your pace" in page.text("main")
    assert reverse("account_signup") in str(page.part("main"))
    assert reverse("account_login") in str(page.part("main"))


def test_a_newcomer_is_led_somewhere(client):
    page = Page(client.get("/"))

    assert "First steps" in page.text("main")
    assert reverse("account") in str(page.part("main"))


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_reset_password",
        "account_reset_password_done",
        "account_inactive",
        "account_email_verification_sent",
        "account_reset_password_from_key_done",
    ],
)
@pytest.mark.django_db
def test_the_way_in_is_in_our_shell(stranger, name):
    response = stranger.get(reverse(name))

    assert response.status_code == 200
    assert "Skip to the content" in response.text
    assert 'style="' not in response.text


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "account_logout"])
def test_account_pages_are_in_our_shell(client, name):
    response = client.get(reverse(name))

    assert response.status_code == 200
    assert 'class="side"' in response.text


@pytest.mark.django_db
def test_a_refused_sign_in_says_why_beside_the_form(stranger):
    response = stranger.post(reverse("account_login"), {"login": "nobody", "password": "wrong"})

    assert 'class="notice bad"' in response.text
    assert "not correct" in Page(response).text("main")


@pytest.mark.django_db
def test_a_field_names_its_help_and_its_errors(stranger):
    response = stranger.post(reverse("account_signup"), {"email": "no-address", "username": "sam"})

    assert 'aria-invalid="true"' in response.text
    assert 'aria-describedby="id_email_error"' in response.text
    assert "valid email" in Page(response).text("id_email_error")


def test_a_page_that_is_not_there_answers_in_our_shell(client):
    response = client.get("/nothing-here/")

    assert response.status_code == 404
    assert "Nothing here" in Page(response).text("main")


def test_a_form_without_its_token_says_what_to_do(user):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    response = strict.post(reverse("account"), {"display_name": "x", "time_zone": "UTC"})

    assert response.status_code == 403
    assert "reload the page" in Page(response).text("main")


def test_a_broken_page_shows_the_stand_alone_page(client, monkeypatch):
    def broken(request):
        raise RuntimeError("oh")

    monkeypatch.setattr("racecontrol.navigation.navigation", broken)
    monkeypatch.setattr("racecontrol.views.cards_of", broken)
    client.raise_request_exception = False

    response = client.get("/")

    assert response.status_code == 500
    assert "Something broke" in response.text


def test_the_chosen_colour_scheme_is_in_the_page_from_the_start(client):
    client.cookies["theme"] = "dark"
    assert '<html lang="en" data-theme="dark">' in client.get("/").text

    client.cookies["theme"] = '"><script>'
    assert '<html lang="en">' in client.get("/").text


def test_the_schemes_differ_in_nothing_but_colours():
    """By `light-dark()`, which takes nothing else: `racecontrol.testing.browser` counts on it."""
    by_theme = re.compile(r"""[^{}]*\[data-theme=[^{}]*\{([^{}]*)\}""")
    for sheet in sorted((settings.BASE_DIR / "static/css").glob("*.css")):
        text = sheet.read_text()
        assert "prefers-color-scheme" not in text, sheet.name
        for declarations in by_theme.findall(text):
            assert re.fullmatch(r"\s*color-scheme: (light|dark);\s*", declarations), sheet.name


def test_sections_show_only_what_exists_and_only_to_those_inside(client, stranger, boss):
    assert 'class="side"' not in stranger.get("/").text
    assert reverse("ops") not in client.get("/").text

    assert reverse("ops") in boss.get("/").text


def shared_card(request):
    return Card("components/_notice.html", {"text": "shared news", "level": "info"}, is_own=False)


def own_card(request):
    return Card("components/_notice.html", {"text": "my plans", "level": "info"})


def test_first_steps_are_shown_until_something_is_of_this_person(client, settings):
    settings.HOME_CARDS = [f"{__name__}.shared_card"]
    text = Page(client.get("/")).text("main")
    assert "shared news" in text
    assert "First steps" in text

    settings.HOME_CARDS = [f"{__name__}.shared_card", f"{__name__}.own_card"]
    text = Page(client.get("/")).text("main")
    assert "my plans" in text
    assert "First steps" not in text
