"""The search over everything as a person uses it: by keyboard, by finger, and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from ingestion.tests.builders import make_driver, make_event, make_track
from racecontrol.testing.browser import PHONE, assert_fine_here
from runplans.tests.builders import make_plan

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def timing(transactional_db):
    make_event(track=make_track("silverlake", name="Silverlake"), name="Spring Cup")
    make_driver("KIM SPRINGER")
    return make_driver("ANNA SPRING")


def without_parts(route) -> None:
    """Cut off what htmx asks; whole pages come through."""
    if route.request.headers.get("hx-request"):
        route.abort()
    else:
        route.continue_()


def test_by_keyboard_from_anywhere_to_what_was_meant(open_page, user, timing):
    page = open_page(user)
    page.goto("/account/")
    palette, field = page.get_by_role("dialog"), page.get_by_label("Search everything").last
    hits = palette.locator(".hit")

    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    expect(field).to_be_focused()
    expect(hits.first).to_contain_text("Import an event")

    page.keyboard.type("spring")
    expect(hits).to_have_text([re.compile("Spring Cup"), re.compile("Anna"), re.compile("Kim")])
    expect(palette.get_by_role("status")).to_contain_text("3 shown")

    page.keyboard.press("ArrowDown")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()

    page.keyboard.press("ArrowDown")
    page.keyboard.type("er")  # whoever types on a hit goes on in the field
    expect(field).to_have_value("springer")
    expect(hits).to_have_text([re.compile("Kim Springer")])
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()

    page.locator("main").focus()
    page.keyboard.press("/")
    expect(field).to_be_focused()
    field.fill("anna")
    expect(hits).to_have_text([re.compile("Anna Spring")])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/timing/drivers/{timing.pk}/")


def test_a_slash_in_a_field_is_a_slash_and_enter_without_an_answer_asks_the_page(
    open_page, user, timing
):
    page = open_page(user)
    page.goto("/account/")
    palette = page.locator("#palette")
    name = page.get_by_label("Display name")

    name.fill("")
    name.press("/")
    expect(name).to_have_value("/")
    expect(palette).to_be_hidden()

    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    page.route("**/search/?*", without_parts)
    page.locator("#palette-q").fill("anna")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=anna")
    expect(page.locator("#search-found")).to_contain_text("Anna Spring")
    page.problems.clear()  # the request that was cut off on purpose


def test_on_a_phone(open_page, user, timing):
    make_plan(user, title="Spring plan")
    page = open_page(user, has_touch=True, viewport=PHONE)
    page.goto("/account/")

    page.get_by_role("link", name="Search").tap()
    page.locator("#palette-q").fill("spring")
    expect(page.locator("#palette .hit")).to_have_count(3)

    assert_fine_here(page, name="palette")
    page.locator("#palette").get_by_role("button", name="Close").tap()
    expect(page.locator("#palette")).to_be_hidden()
    page.get_by_role("link", name="Search").tap()
    page.locator("#palette .hit", has_text="Anna").tap()
    page.wait_for_url(f"**/timing/drivers/{timing.pk}/")


def test_without_javascript_it_is_a_page(open_page, user, timing):
    page = open_page(user, java_script_enabled=False)
    page.goto("/account/")

    page.get_by_role("link", name="Search").click()
    page.get_by_label("What are you looking for?").fill("anna")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Anna Spring").click()

    assert page.url.endswith(f"/timing/drivers/{timing.pk}/")
