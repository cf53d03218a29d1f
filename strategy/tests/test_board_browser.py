"""The stint chart by mouse and by keyboard, in a real browser at both widths."""

import pytest

from racecontrol.testing.browser import DESK, PHONE, assert_fine_here
from strategy.services import plans
from strategy.tests.builders import make_strategy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


def open_board(open_page, user, row, size=DESK):
    page = open_page(user, viewport=size)
    page.goto(f"/strategy/{row.pk}/")
    return page


def version_shown(page, number):
    page.wait_for_selector(f"#board [data-version='{number}']")


def plan_of(row):
    row.refresh_from_db()
    return [(s.driver, s.laps) for s in plans.plan_of(row.current)]


@SIZES
def test_the_end_of_a_stint_is_dragged(open_page, user, size):
    row = make_strategy(user, drivers=3)
    before = plan_of(row)
    page = open_board(open_page, user, row, size)
    grip = page.locator("[data-stint='1'] .strip-grip")
    grip.evaluate("(it) => it.scrollIntoView({block: 'center', inline: 'center'})")
    box, strip = grip.bounding_box(), page.locator("[data-strip]").bounding_box()
    lap = strip["width"] / sum(laps for _, laps in before)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 3 * lap, y, steps=6)
    assert "(-3)" in page.locator("#strip-chosen").inner_text()
    page.mouse.up()
    version_shown(page, 2)

    after = plan_of(row)
    assert (after[0][1], after[1][1]) == (before[0][1] - 3, before[1][1] + 3)
    assert_fine_here(page, name="strategy-strip")


def test_a_stint_is_dragged_to_another_driver(open_page, user):
    row = make_strategy(user, drivers=3)
    first = plan_of(row)[0][0]
    seat = next(n for n in range(3) if n != first)
    page = open_board(open_page, user, row)
    box = page.locator("[data-stint='1'] .strip-body").bounding_box()
    line = page.locator(f"[data-row='{seat}'] rect").bounding_box()

    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 9, line["y"] + 4, steps=8)
    page.mouse.up()
    version_shown(page, 2)

    assert plan_of(row)[0][0] == seat


def test_the_whole_plan_is_changed_by_keyboard(open_page, user):
    row = make_strategy(user, drivers=2)
    before = plan_of(row)
    page = open_board(open_page, user, row)

    page.locator("[data-stint='1']").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    version_shown(page, 2)  # two presses are one change
    assert plan_of(row)[0][1] == before[0][1] - 2
    assert page.evaluate("document.activeElement.dataset.stint") == "1"

    page.keyboard.press("s")
    version_shown(page, 3)
    assert len(plan_of(row)) == len(before) + 1
    page.keyboard.press("m")
    version_shown(page, 4)
    assert plan_of(row)[0][1] == before[0][1] - 2

    page.keyboard.press("ArrowDown")
    version_shown(page, 5)
    assert plan_of(row)[0][0] == 1 - before[0][0]

    page.keyboard.press("u")
    version_shown(page, 4)
    assert plan_of(row)[0][0] == before[0][0]

    page.keyboard.press("h")
    page.wait_for_selector("[data-stint='1'][data-held]")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#board >> text=is held: release it")
    assert "Not done: move stint 1 -1" in page.locator("#board").inner_text()
    page.problems.clear()  # the browser notes the refusal


def test_two_boards_one_conflict_and_the_other_board_follows(open_page, user):
    row = make_strategy(user, drivers=2)
    page = open_board(open_page, user, row)
    page.evaluate("document.getElementById('board').removeAttribute('data-live')")
    plans.edit_stint(strategy_id=row.pk, base_version=1, change="move", stint=1, value=-1, by=user)

    page.locator("[data-stint='1']").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#board >> text=Somebody changed this strategy")

    version_shown(page, 2)  # theirs, on the page now
    page.problems.clear()
    assert row.versions.count() == 2
