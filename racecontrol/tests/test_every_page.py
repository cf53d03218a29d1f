"""Every page there is, opened in a real browser: accessible, calm in the console, never too wide.

A new address joins by itself, with the sample its room's tests/matrix.py gives.
"""

import pytest
from django.urls import reverse

from racecontrol.testing.browser import assert_fine, faults_of
from racecontrol.testing.matrix import ROOMS, page_names, rooms_matrix
from racecontrol.testing.people import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOR_STRANGERS = ["home", "account_login", "account_signup", "account_reset_password"]
FOREIGN = ["account_email", "account_change_password", "account_logout", "admin:index"]


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
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", FOR_STRANGERS)
def test_pages_for_strangers(open_page, name):
    assert_fine(open_page(), reverse(name), name=f"stranger-{name}")


@pytest.mark.parametrize("name", FOREIGN)
def test_pages_of_others_in_our_look(open_page, staff, name):
    assert_fine(open_page(staff), reverse(name), name=name.replace(":", "-"))


def test_a_form_of_the_admin_breaks_no_policy(open_page, staff):
    """`open_page` fails the test if the console names a refused style or script."""
    page = open_page(staff)

    answer = page.goto(reverse("admin:racecontrol_user_change", args=[staff.pk]))

    assert answer.status == 200
    assert page.locator("#id_groups").is_visible()
