"""Who leaves without a password proves it by a code from their mail, on the page and over the API."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils.timezone import now

from racecontrol.models import PersonDeletion, RateWindow, User
from racecontrol.personal import deletion, leave_codes
from racecontrol.shared import tokens
from racecontrol.shared.errors import InvalidInput

pytestmark = pytest.mark.django_db
API = "/api/v1/me/deletion"
JSON = "application/json"


@pytest.fixture
def guest(db):
    """Signs in by another service: an address, and no password."""
    return User.objects.create_user("guest", "guest@example.org")


@pytest.fixture
def api(guest):
    _, secret = tokens.make(by=guest, name="program", scope="write")
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def browser(guest):
    client = Client()
    client.force_login(guest)
    return client


def code_in(mail) -> str:
    return re.search(r"^[A-Z2-7]{4}(-[A-Z2-7]{4}){2}$", mail.body, re.MULTILINE).group()


def leave(api, **body):
    return api.post(API, {"is_sure": True, **body}, content_type=JSON)


def test_a_token_alone_deletes_nothing(guest, api, mailoutbox):
    for body in ({}, {"password": "x"}, {"code": ""}, {"code": "AAAA-BBBB-CCCC"}):
        answer = leave(api, **body)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["code"])

    guest.refresh_from_db()
    assert guest.is_active
    assert not PersonDeletion.objects.exists()
    assert mailoutbox == []


def test_a_program_leaves_with_the_mailed_code(guest, api, mailoutbox):
    assert api.post(f"{API}/code").status_code == 202
    [mail] = mailoutbox
    assert mail.to == [guest.email]
    assert code_in(mail) not in mail.subject

    answer = leave(api, code=code_in(mail).lower().replace("-", " "))

    assert answer.status_code == 202
    guest.refresh_from_db()
    assert not guest.is_active


def test_a_person_leaves_with_the_mailed_code(guest, browser, mailoutbox):
    page = browser.get("/account/data/leave/")
    assert "guest@example.org" in page.text
    assert list(page.context["form"].fields) == ["code", "is_sure"]
    wrong = browser.post("/account/data/leave/", {"code": "guess", "is_sure": "on"})
    assert wrong.status_code == 422
    assert "older than 15 minutes" in wrong.text

    sent = browser.post("/account/data/leave/code/", follow=True)
    assert "on its way" in sent.text
    left = browser.post("/account/data/leave/", {"code": code_in(mailoutbox[0]), "is_sure": "on"})

    assert left.url == "/account/left/"
    guest.refresh_from_db()
    assert not guest.is_active


@pytest.mark.parametrize(("minutes", "is_good"), [(14, True), (16, False)])
def test_a_code_is_good_for_a_quarter_of_an_hour(guest, mailoutbox, minutes, is_good):
    leave_codes.send(by=guest)
    code = code_in(mailoutbox[0])

    with time_machine.travel(now() + timedelta(minutes=minutes), tick=False):
        assert leave_codes.is_good(code, user=guest) is is_good


def test_a_code_is_one_persons_and_ends_with_address_and_password(guest, other, mailoutbox):
    leave_codes.send(by=guest)
    code = code_in(mailoutbox[0])
    other.set_unusable_password()
    assert not leave_codes.is_good(code, user=other)

    guest.email = "thief@example.org"
    assert not leave_codes.is_good(code, user=guest)
    guest.email = "guest@example.org"
    assert leave_codes.is_good(code, user=guest)
    guest.set_password("a-password-1")
    with pytest.raises(InvalidInput) as refused:
        deletion.request_deletion(by=guest, code=code)
    assert list(refused.value.fields) == ["password"]


def test_codes_are_neither_guessed_nor_poured_into_a_mailbox(guest, api, mailoutbox):
    guesses = [leave(api, code=f"{number:012}").status_code for number in range(12)]
    asked = [api.post(f"{API}/code").status_code for _ in range(4)]

    # the minute may turn meanwhile
    assert guesses.count(422) <= 2 * deletion.TRIES_A_MINUTE
    assert guesses.count(429) >= 2
    assert asked.count(202) == len(mailoutbox) <= 2
    assert asked.count(429) >= 2


def test_no_code_for_who_has_a_password_or_no_address(user, guest, api, browser, mailoutbox):
    client = Client()
    client.force_login(user)
    assert "has a password" in client.post("/account/data/leave/code/", follow=True).text

    User.objects.filter(pk=guest.pk).update(email="")
    answer = api.post(f"{API}/code")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_ready")
    assert "set a password" in browser.get("/account/data/leave/").text
    assert mailoutbox == []


def test_a_stranger_gets_no_code(mailoutbox):
    assert Client().post(f"{API}/code").status_code == 401
    assert Client().post("/account/data/leave/code/").status_code == 302
    assert mailoutbox == []


def test_an_open_session_sets_no_password_round_the_code(guest, browser, mailoutbox):
    new = {"password1": "box-box-box-7", "password2": "box-box-box-7"}
    answer = browser.post("/accounts/password/set/", new)

    assert answer.url == "/accounts/password/reset/"
    guest.refresh_from_db()
    assert not guest.has_usable_password()

    browser.post("/accounts/password/reset/", {"email": guest.email})
    [mail] = mailoutbox
    assert mail.to == [guest.email]
    link = re.search(r"/accounts/password/reset/key/\S+", mail.body).group()
    form = browser.get(link, follow=True)
    browser.post(form.redirect_chain[-1][0], new)
    guest.refresh_from_db()
    assert guest.check_password("box-box-box-7")


def test_who_has_no_address_sets_a_password(guest, browser):
    User.objects.filter(pk=guest.pk).update(email="")
    new = {"password1": "box-box-box-7", "password2": "box-box-box-7"}
    browser.post("/accounts/password/set/", new)

    guest.refresh_from_db()
    assert guest.check_password("box-box-box-7")


def test_an_open_session_leads_codes_and_links_to_no_other_address(
    guest, browser, user, mailoutbox
):
    thief = {"email": "thief@example.org"}
    answers = [
        browser.post("/accounts/email/", {"action_add": "", **thief}),
        browser.post("/accounts/email/", {"action_remove": "", "email": guest.email}),
    ]
    assert [answer.url for answer in answers] == ["/accounts/password/set/"] * 2

    client = Client()
    client.force_login(user)
    asked = client.post("/accounts/email/", {"action_add": "", **thief})
    assert asked.url.startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(**thief).exists()
    assert mailoutbox == []

    client.post(asked.url, {"password": "pass-word-1"})
    assert EmailAddress.objects.filter(user=user, **thief).exists()


def test_a_mail_that_does_not_leave_is_told(guest, api, monkeypatch):
    def broken(*_args, **_more):
        raise ConnectionRefusedError

    monkeypatch.setattr(leave_codes, "post", broken)

    answer = api.post(f"{API}/code")

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "source_unavailable")
    assert RateWindow.objects.filter(key=leave_codes.rate_key(guest)).exists()
