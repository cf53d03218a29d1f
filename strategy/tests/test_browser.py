"""Sign-up grid, wizard and board as people meet them, on a phone and on a desk."""

import pytest

from racecontrol.testing.browser import DESK, PHONE, assert_fine_here
from strategy.services import formation
from strategy.tests.builders import make_event, make_person, make_strategy, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


@SIZES
def test_a_plan_is_changed_on_the_board(open_page, user, size):
    row = make_strategy(user, drivers=3)
    page = open_page(user, viewport=size)
    page.goto(f"/strategy/{row.pk}/")
    assert_fine_here(page, name="strategy-board")

    stint = page.locator("#stint-1")
    stint.locator("summary").click()
    stint.get_by_label("Number").fill("-1")
    stint.get_by_role("button", name="Do it").click()

    page.wait_for_selector("#board >> text=move stint 1")
    row.refresh_from_db()
    assert row.current.number == 2


@SIZES
def test_hours_are_drawn_and_kept(open_page, user, size):
    event = make_event(user)
    page = open_page(user, viewport=size)
    page.goto(f"/strategy/events/{event.pk}/sign-up/")
    slots = page.locator(".slot")
    first, last = slots.nth(0).bounding_box(), slots.nth(2).bounding_box()
    page.mouse.move(first["x"] + 8, first["y"] + 8)
    page.mouse.down()
    page.mouse.move(last["x"] + 8, last["y"] + 8, steps=12)
    page.mouse.up()
    assert_fine_here(page, name="strategy-signup")

    page.get_by_role("button", name="Save my signup").click()
    page.wait_for_url(f"**/events/{event.pk}/")

    window = event.signups.get(user=user).windows.get()
    assert (window.ends_at - window.starts_at).total_seconds() == 3 * 1800


@SIZES
def test_teams_are_moved_by_keyboard_and_confirmed(open_page, user, size):
    event = make_event(user)
    for n in range(5):
        sign_up(event, make_person(f"p{n}"), skill=n)
    draft = formation.request_formation(
        event_id=event.pk, options={"smallest": 2, "largest": 3, "seconds": 0.1}, by=user
    )
    draft = formation.form(draft_id=draft.pk)
    big = max(range(2), key=lambda n: len(draft.teams[n]))
    page = open_page(user, viewport=size)
    page.goto(f"/strategy/events/{event.pk}/formations/{draft.pk}/")
    assert_fine_here(page, name="strategy-teams")

    card = page.locator(f"[data-team='{big}']")
    card.locator("select").first.select_option(str(1 - big))
    card.get_by_role("button", name="Move").first.click()
    page.wait_for_selector(f"[data-team='{1 - big}'] li:nth-child(3)")
    page.get_by_role("button", name="Confirm these teams").click()
    page.wait_for_selector("text=Undo the teams")

    assert event.signups.filter(status="team_assigned").count() == 5


@SIZES
def test_the_wizard_from_options_to_confirmed_teams(open_page, user, run_jobs, size):
    event = make_event(user)
    people = [make_person(f"p{n}") for n in range(4)]
    for person in people:
        sign_up(event, person)
    page = open_page(user, viewport=size)
    page.goto(f"/strategy/events/{event.pk}/")
    page.get_by_role("link", name="Form teams").click()
    page.get_by_label("Largest team").fill("2")
    pair = page.get_by_role("group", name="Pair 1")
    pair.get_by_label("Person").first.select_option(label="p0")
    pair.get_by_label("drives").select_option(label="not with")
    pair.get_by_label("Person").last.select_option(label="p1")
    assert_fine_here(page, name="strategy-wizard")
    page.get_by_role("button", name="Propose teams").click()
    page.wait_for_url("**/formations/*/")
    run_jobs()
    page.reload()

    page.wait_for_selector("#formation >> text=p0 and p1")
    assert page.locator("#formation .badge", has_text="not kept").count() == 0
    assert page.locator(".heat td").count() == 2 * 6
    assert_fine_here(page, name="strategy-proposed")
    page.get_by_role("button", name="Confirm these teams").click()
    page.wait_for_selector("text=Undo the teams")

    homes = {s.user.username: s.assigned_team_id for s in event.signups.all()}
    assert homes["p0"] != homes["p1"]
    page.get_by_role("button", name="Undo the teams").click()
    question = page.get_by_role("dialog", name="Undo these teams?")
    question.get_by_role("button", name="Undo the teams").click()
    page.wait_for_selector("text=Confirm these teams")
    assert event.signups.filter(status="signed_up").count() == 4


def test_a_person_is_dragged_to_another_team(open_page, user):
    event = make_event(user)
    for n in range(4):
        sign_up(event, make_person(f"p{n}"))
    draft = formation.request_formation(
        event_id=event.pk, options={"smallest": 1, "largest": 3, "seconds": 0.1}, by=user
    )
    draft = formation.form(draft_id=draft.pk)
    page = open_page(user, viewport=DESK)
    page.goto(f"/strategy/events/{event.pk}/formations/{draft.pk}/")
    person = draft.teams[0][0]

    page.locator(f"[data-signup='{person}']").drag_to(page.locator("[data-team='1']"))
    page.wait_for_selector(f"[data-team='1'] [data-signup='{person}']")

    draft.refresh_from_db()
    assert person in draft.teams[1]
