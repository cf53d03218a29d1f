"""Live parts in a real browser: ten tabs on one stream, restarts, and the way without streams."""

import re

import pytest
from playwright.sync_api import expect

from racecontrol import livestream
from racecontrol.shared import live

pytestmark = pytest.mark.browser


def may_follow_all(user, topic):
    return True


@pytest.fixture(autouse=True)
def pages(settings):
    settings.LIVE_TOPICS = {"test": f"{__name__}.may_follow_all"}
    settings.ROOT_URLCONF = "racecontrol.tests.live_pages"


def until(page, text, selector="#board > #count"):
    expect(page.locator(selector)).to_contain_text(text, timeout=8000)


def wait_for(page, held):
    for _ in range(400):
        if held:
            return
        page.wait_for_timeout(20)
    raise AssertionError("nothing was asked for")


def is_state(page, state):
    expect(page.locator("html")).to_have_attribute("data-live-state", state, timeout=8000)


def open_streams() -> int:
    return len(livestream._hub.everyone())


@pytest.fixture
def board(page):
    """The page with live parts, and its stream is open."""
    page.goto("/board/")
    is_state(page, "open")
    return page


def test_a_part_is_fetched_when_something_happened(board):
    live.publish("test:open", {"lap": 1})

    until(board, "1 events")
    live.publish("test:open", {"lap": 2})  # the swapped part is live as well
    until(board, "2 events")


def test_what_happened_between_page_and_stream_is_not_lost(open_page):
    page = open_page()
    held = []
    page.route(re.compile(r"/js/live\.js(\?|$)"), lambda route: held.append(route))
    page.goto("/board/", wait_until="commit")
    page.wait_for_selector("#count")
    live.publish("test:open", {"lap": 1})
    wait_for(page, held)

    held[0].continue_()

    until(page, "1 events")


def test_ten_tabs_share_one_stream(open_page):
    first = open_page()
    tabs = [first] + [first.context.new_page() for _ in range(9)]
    for tab in tabs:
        tab.goto("/board/")
        is_state(tab, "open")

    assert open_streams() == 1
    live.publish("test:open", {"lap": 1})

    for tab in tabs:
        tab.bring_to_front()  # a hidden tab waits until it is looked at
        until(tab, "1 events")
    first.close()
    live.publish("test:open", {"lap": 2})
    tabs[1].bring_to_front()
    until(tabs[1], "2 events")


def test_streams_that_were_cut_come_back_with_what_was_missed(board):
    livestream.close_streams()
    is_state(board, "down")
    live.publish("test:open", {"lap": 1})

    until(board, "1 events")
    is_state(board, "open")


def test_nothing_changes_under_the_fingers_of_who_types(board):
    board.fill("#note", "box this lap")

    live.publish("test:open", {"lap": 1})
    live.publish("test:open:ext", {"lap": 1})
    until(board, "2 events", "#said")  # the news has arrived

    assert board.text_content("#board > #count") == "0 events"
    assert board.input_value("#note") == "box this lap"
    board.locator("#note").blur()
    until(board, "2 events")


def test_a_part_on_its_way_waits_for_who_began_to_type(board):
    held = []
    board.route("**/board/", lambda route: held.append(route))
    live.publish("test:open", {"lap": 1})
    wait_for(board, held)

    board.fill("#note", "box this lap")
    with board.expect_response("**/board/"):
        held[0].continue_()
    board.unroute("**/board/")
    board.wait_for_timeout(200)  # longer than a swap takes

    assert board.input_value("#note") == "box this lap"
    assert board.text_content("#board > #count") == "0 events"
    board.locator("#note").blur()
    until(board, "1 events")


def test_without_a_shared_worker_each_tab_has_its_own_stream(open_page):
    page = open_page()
    page.add_init_script("delete window.SharedWorker")
    page.goto("/board/")
    is_state(page, "open")

    live.publish("test:open", {"lap": 1})
    until(page, "1 events")

    livestream.close_streams()
    live.publish("test:open", {"lap": 2})
    until(page, "2 events")


def test_without_streams_the_part_is_fetched_by_the_clock(open_page):
    page = open_page()
    page.add_init_script("delete window.SharedWorker")
    page.route("**/live/**", lambda route: route.fulfill(status=502, body="proxy says no"))
    page.clock.install()
    page.goto("/board/")
    page.clock.fast_forward(100)
    is_state(page, "down")
    live.publish("test:open", {"lap": 1})

    page.clock.fast_forward(16_000)

    until(page, "1 events")
    page.problems.clear()  # the browser reports the refused streams


def test_the_extension_of_htmx_follows_too(board):
    live.publish("test:open:ext", {"lap": 1})

    until(board, "1 events", "#said")
