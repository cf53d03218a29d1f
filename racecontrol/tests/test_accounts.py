"""Getting in and staying in charge: sign-up, sign-in, reset, account, tokens, each as a page."""

import re

import pytest
from allauth.account.adapter import get_adapter

from racecontrol.models import ApiToken, User

pytestmark = pytest.mark.django_db


def test_sign_up_leads_to_the_dashboard(stranger, mailoutbox):
    answer = stranger.post(
        "/accounts/signup/",
        {
            "email": "nina@example.org",
            "username": "nina",
            "password1": "five-lap-Heat-9",
            "password2": "five-lap-Heat-9",
        },
    )

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert stranger.get("/api/v1/me").json()["username"] == "nina"
    assert mailoutbox[0].to == ["nina@example.org"]


@pytest.mark.parametrize(
    ("told", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), ("Mars/Base", "UTC"), ("", "UTC")]
)
def test_clocks_are_in_the_zone_of_the_device_from_the_start(stranger, told, zone):
    data = {"email": "nina@example.org", "username": "nina", "time_zone": told,
            "password1": "five-lap-Heat-9", "password2": "five-lap-Heat-9"}  # fmt: skip

    stranger.post("/accounts/signup/", data)

    assert User.objects.get(username="nina").time_zone == zone


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (0, "", "192.0.2.9"),
        (0, "198.51.100.1", "192.0.2.9"),  # without a proxy of ours anybody may write that
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.5, 198.51.100.1", "198.51.100.1"),
        (3, "203.0.113.5, 198.51.100.1", "192.0.2.9"),  # fewer than there should be: none is ours
        (3, "", "192.0.2.9"),
    ],
)
def test_attempts_are_counted_by_an_address_nobody_can_invent(
    stranger, settings, rf, user, proxies, told, address
):
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": told} if told else {}

    asked = rf.get("/", headers=headers, REMOTE_ADDR="192.0.2.9")
    answer = stranger.post(
        "/accounts/login/", {"login": "sam", "password": "pass-word-1"}, headers=headers
    )

    assert get_adapter().get_client_ip(asked) == address
    assert answer.status_code == 302


def test_the_way_in_leads_on_to_where_one_was_going(stranger):
    page = stranger.get("/accounts/login/?next=/strategy/?a=1").text

    assert page.count("/accounts/signup/?next=%2Fstrategy%2F%3Fa%3D1") == 2


@pytest.mark.parametrize("login", ["sam", "sam@example.org"])
def test_sign_in_by_name_or_email(stranger, user, login):
    answer = stranger.post("/accounts/login/", {"login": login, "password": "pass-word-1"})

    assert answer.status_code == 302
    assert stranger.get("/").status_code == 200


def test_guessing_passwords_is_stopped(stranger, user):
    def guess():
        return stranger.post("/accounts/login/", {"login": "sam", "password": "wrong"})

    answers = [guess() for _ in range(12)]

    right = stranger.post("/accounts/login/", {"login": "sam", "password": "pass-word-1"})
    assert answers[-1].status_code in (200, 422, 429)
    assert right.status_code != 302  # even the right one, for a while


def test_a_forgotten_password_is_reset_by_mail(stranger, user, mailoutbox):
    stranger.post("/accounts/password/reset/", {"email": user.email})
    [link] = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", mailoutbox[0].body)

    form = stranger.get(link, follow=True)
    address = form.redirect_chain[-1][0]
    stranger.post(address, {"password1": "brand-New-pass-7", "password2": "brand-New-pass-7"})

    user.refresh_from_db()
    assert user.check_password("brand-New-pass-7")


def test_the_time_zone_must_be_one(client, user):
    answer = client.post("/account/", {"display_name": "Sam", "time_zone": "Mars/Olympus"})

    assert answer.status_code == 422
    user.refresh_from_db()
    assert user.time_zone == "UTC"

    assert (
        client.post(
            "/account/", {"display_name": "Sam", "time_zone": "Australia/Sydney"}
        ).status_code
        == 302
    )
    user.refresh_from_db()
    assert (user.display_name, user.time_zone) == ("Sam", "Australia/Sydney")


def test_a_token_is_shown_once_on_its_page_and_can_be_revoked(client, user):
    made = client.post("/account/tokens/", {"name": "bridge", "scope": "write"}).text
    [secret] = re.findall(r"rc_[\w-]{40,}", made)

    assert secret not in client.get("/account/tokens/").text
    assert "no-store" in client.get("/account/tokens/")["Cache-Control"]

    token = ApiToken.objects.get()
    client.post(f"/account/tokens/{token.pk}/revoke/", {"sure": "yes"})

    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_token_with_an_end_in_the_past_is_refused(client):
    answer = client.post(
        "/account/tokens/", {"name": "x", "scope": "read", "expires_at": "2020-01-01T00:00"}
    )

    assert answer.status_code == 422
    assert "past" in answer.text
    assert ApiToken.objects.count() == 0


def test_people_can_be_named_and_keep_their_login():
    person = User(username="nina", display_name="Nina R.")

    assert str(person) == "Nina R."
    assert str(User(username="nina")) == "nina"


@pytest.mark.parametrize("path", ["/admin/", "/ops/"])
def test_operations_are_for_staff(client, path):
    assert client.get(path).status_code in (302, 403)


def test_every_page_comes_with_a_strict_policy(client):
    answer = client.get("/")
    policy = answer["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_a_foreign_host_is_refused(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_an_address_with_a_nul_is_a_bad_request(client):
    assert client.get("/?q=%00").status_code == 400
