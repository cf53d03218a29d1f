"""Every page there is, opened in a real browser: accessible, calm in the console, never too wide.

A new address joins by itself, with the sample its room's tests/matrix.py gives. Pages in the state
in which people use them (a race on the wall, a week of a mission) are looked at in the same way
by the browser tests of their rooms: `assert_fine_here`.
"""

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse

from racecontrol.testing.browser import assert_fine, assert_fine_here, faults_of
from racecontrol.testing.matrix import ROOMS, page_names, rooms_matrix
from racecontrol.testing.people import signed_in
from racecontrol.tests.dead_ends import WRONGS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The same page with an answer in it.
ASKED = {
    "search": "?q=a",
    "strategy:simulate": "?pace_percent=101&burn_percent=100&pit_loss_s=0&races=50&version=1",
    "strategy:wall": "?screen=1",
}
FOR_STRANGERS = [
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "account_email_verification_sent",
    "account_inactive",
]
FOREIGN = [
    "account_email",
    "account_change_password",
    "account_reauthenticate",
    "account_logout",
    "admin:index",
]


def is_page(answer) -> bool:
    """A whole page, not a part on its own, a file or JSON."""
    return answer["Content-Type"].startswith("text/html") and "<html" in answer.text[:300]


def room_of(name: str) -> str:
    return name.partition(":")[0] if ":" in name else "racecontrol"


@pytest.mark.parametrize("room", ROOMS)
def test_every_page_of_a_room(open_page, staff, everything_on, room):
    """As staff who own everything, so that no page is closed to them."""
    samples = rooms_matrix(staff).samples
    client = signed_in(staff)
    page, faults = open_page(staff), []
    for name, arguments in page_names():
        if room_of(name) != room or (arguments and name not in samples):
            continue
        url = reverse(name, kwargs=samples.get(name, {}))
        answer = client.get(url)
        if answer.status_code == 200 and is_page(answer):
            faults += faults_of(page, url, name=name.replace(":", "-"))
            if more := ASKED.get(name):
                faults += faults_of(page, url + more, name=f"{name.replace(':', '-')}-asked")
    assert not faults, "\n".join(faults)


def test_every_page_strangers_may_open(open_page, staff, stranger, everything_on):
    """Outside, without the sections at the side."""
    matrix = rooms_matrix(staff)
    page, faults = open_page(), []
    for name in sorted(name for name in matrix.public if not name.startswith("api:")):
        url = reverse(name, kwargs=matrix.samples.get(name, {}))
        answer = stranger.get(url)
        if answer.status_code == 200 and is_page(answer):
            faults += faults_of(page, url, name=f"stranger-{name.replace(':', '-')}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", FOR_STRANGERS)
def test_the_ways_in(open_page, name):
    assert_fine(open_page(), reverse(name), name=f"stranger-{name}")


def test_a_refused_sign_in(open_page):
    page = open_page()
    page.goto(reverse("account_login"))
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_label("Login").fill("nobody")
    page.locator("#main").get_by_role("button", name="Sign In").click()
    page.get_by_text("not correct").wait_for()

    assert_fine_here(page, name="stranger-refused")


def test_a_new_password_by_mail(open_page, user):
    key = default_token_generator.make_token(user)
    page = open_page()
    page.goto(
        reverse(
            "account_reset_password_from_key",
            kwargs={"uidb36": user_pk_to_url_str(user), "key": key},
        )
    )
    page.get_by_label("New Password", exact=True).wait_for()

    assert_fine_here(page, name="stranger-new-password")


@pytest.mark.parametrize("name", FOREIGN)
def test_pages_of_others_in_our_look(open_page, staff, name):
    assert_fine(open_page(staff), reverse(name), name=name.replace(":", "-"))


@pytest.mark.parametrize("is_inside", [True, False], ids=["inside", "outside"])
def test_every_page_of_what_goes_wrong(settings, open_page, user, is_inside):
    settings.ROOT_URLCONF = "racecontrol.tests.dead_ends"
    page, faults = open_page(user if is_inside else None), []
    for status in WRONGS:
        name = f"wrong-{status}-{'inside' if is_inside else 'outside'}"
        faults += faults_of(page, f"/wrong/{status}/", name=name, status=status)
    if is_inside:
        faults += faults_of(page, "/wrong/token/", name="wrong-token", status=403)
    assert not faults, "\n".join(faults)


def test_a_form_of_the_admin_breaks_no_policy(open_page, staff):
    """`open_page` fails the test if the console names a refused style or script."""
    page = open_page(staff)

    answer = page.goto(reverse("admin:racecontrol_user_change", args=[staff.pk]))

    assert answer.status == 200
    assert page.locator("#id_groups").is_visible()
