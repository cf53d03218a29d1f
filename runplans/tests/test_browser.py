"""The live form as people meet it: on a phone and on a desk, with and without JavaScript."""

import pytest

from racecontrol.testing.browser import DESK, PHONE, assert_fine_here, take_picture
from runplans.demo import load_demo
from runplans.models import RunPlan
from runplans.tests.builders import make_plan

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("feature"),
]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_plan_grows_while_one_types(open_page, user, size):
    page = open_page(user, viewport=size)
    page.goto("/run-plans/new/")
    page.wait_for_selector("#plan-preview >> text=Give the laps or the minutes")

    page.get_by_label("Laps", exact=True).fill("25")
    page.get_by_label("Pace a lap").fill("1:30.6")
    page.get_by_label("Fuel a lap").fill("2.7")
    page.get_by_label("Tank holds").fill("60")
    page.wait_for_selector("#plan-preview >> text=67.5 L")
    assert "37:45" in page.inner_text("#plan-preview")
    assert page.evaluate("document.activeElement.name") == "tank"
    assert_fine_here(page, name="runplans-live")

    page.get_by_label("Fuel at the start").fill("61")
    page.wait_for_selector("#plan-preview >> text=More than the tank holds.")
    page.get_by_label("Fuel at the start").fill("20")
    page.wait_for_selector("#plan-preview >> text=7 laps on the fuel at the start")
    assert RunPlan.objects.count() == 0

    page.get_by_role("button", name="Save the plan").click()
    page.wait_for_url("**/run-plans/*-*/")
    assert "67.5 L" in page.inner_text("main")
    assert RunPlan.objects.get().owner == user


def test_without_javascript_it_calculates_and_saves(open_page, user):
    page = open_page(user, java_script_enabled=False, viewport=PHONE)
    page.goto("/run-plans/new/")
    page.get_by_label("Minutes").fill("30")
    page.get_by_label("Pace a lap").fill("91.3")
    page.get_by_label("Fuel a lap").fill("2.5")

    page.get_by_role("button", name="Calculate").click()
    assert "47.5 L" in page.inner_text("#plan-preview")
    assert RunPlan.objects.count() == 0

    page.get_by_role("button", name="Save the plan").click()
    assert "65.3 s are left after lap 19" in page.inner_text("main")


def test_the_clipboard_sheet_prints_without_the_shell(open_page, user):
    plan = make_plan(user, required_laps=70, track={"name": "Oval Park", "pit_lane_loss_s": 45})
    page = open_page(user)
    page.goto(f"/run-plans/{plan.pk}/print/")
    page.emulate_media(media="print")

    for chrome in (".side", ".top", ".no-print"):
        assert not page.locator(chrome).first.is_visible(), chrome
    assert page.get_by_text("finish 70").is_visible()
    assert page.locator(".tick").count() == len(plan.result["stints"])
    take_picture(page, "runplans-paper")


def test_two_plans_of_the_demo_side_by_side(open_page, user):
    load_demo(by=user)
    page = open_page(user)
    page.goto("/run-plans/")
    for box in page.locator("input[type=checkbox][name=plan]").all():
        box.check()
    page.get_by_role("button", name="Compare the two ticked").click()

    assert "differs" in page.inner_text("main")
    assert_fine_here(page, name="runplans-compared")
