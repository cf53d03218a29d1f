"""Every page, in a real browser: readable by people and screen readers, clean under our own policy.

A new page joins by itself (with the sample of its room's tests/matrix.py).
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from waffle.models import Flag

from racecontrol.shared import flags
from racecontrol.testing.matrix import page_names, rooms_matrix

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Overflowing the phone's width is the one fault no accessibility checker names.
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def pages(staff):
    """Addresses that answer a GET with a page, everything switched on, as staff sees them."""
    from django.test import Client

    for name in flags.ALL:
        Flag.objects.update_or_create(name=name, defaults={"everyone": True})
    matrix, client, found = rooms_matrix(staff), Client(), {}
    client.force_login(staff)
    for name, arguments in page_names():
        if arguments and name not in matrix.samples:
            continue  # test_url_matrix says so
        url = reverse(name, kwargs=matrix.samples.get(name, {}))
        answer = client.get(url)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            found[name] = url
    return found


@pytest.mark.parametrize(
    ("size", "theme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone, light", "desk, dark"]
)
def test_every_page_can_be_read(open_page, staff, pages, size, theme):
    page, axe, faults = open_page(staff, viewport=size, color_scheme=theme), Axe(), []
    for name, url in pages.items():
        page.goto(url)
        if "<html" not in page.content()[:200]:
            continue  # a part on its own
        wider = page.evaluate(TOO_WIDE)
        if wider > 0:
            faults.append(f"{name} ({url}): {wider} px wider than the screen")
        for violation in axe.run(page).response["violations"]:
            where = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
            faults.append(f"{name}: {violation['id']} ({violation['impact']}): {where}")
        faults += [f"{name}: {problem}" for problem in page.problems]
        page.problems.clear()
    assert not faults, "\n".join(faults)
    assert len(pages) >= 4
