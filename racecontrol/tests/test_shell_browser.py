"""The shell and the charts as a person uses them: with a mouse, a keyboard, a phone, and on paper."""

import itertools

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from racecontrol.models import Job
from racecontrol.shared import jobs
from racecontrol.testing.browser import (
    PHONE,
    assert_fine,
    assert_fine_here,
    axe_faults,
    overflow_faults,
    take_picture,
)
from racecontrol.tests import shell_pages

pytestmark = pytest.mark.browser

LAP_TIMES = "#chart-lap-times"
NAMES = f"{LAP_TIMES} svg.chart:visible .series-label text"


@pytest.fixture
def page(settings, open_page, user):
    settings.ROOT_URLCONF = "racecontrol.tests.shell_pages"
    page = open_page(user)
    page.goto("/shell/")
    return page


def opacity(page, column: int) -> float:
    line = page.locator(f"{LAP_TIMES} svg.chart:visible .series[data-column='{column}']")
    return float(line.evaluate("e => getComputedStyle(e).opacity"))


def test_a_page_full_of_charts_has_no_fault(page):
    assert_fine(page, "/shell/", name="shell")


@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_twelve_drivers_stay_apart_and_in_the_picture(page, width):
    page.set_viewport_size({"width": width, "height": 900})

    boxes = sorted((box.bounding_box() for box in page.locator(NAMES).all()), key=lambda b: b["y"])
    picture = page.locator(f"{LAP_TIMES} svg.chart:visible").bounding_box()
    assert len(boxes) == 12
    for above, below in itertools.pairwise(boxes):
        assert above["y"] + above["height"] * 0.85 <= below["y"]
    assert all(box["x"] + box["width"] <= picture["x"] + picture["width"] + 1 for box in boxes)
    assert all(box["height"] >= 9 for box in boxes), "too small to read"


def test_the_smallest_phone_does_not_scroll_sideways(page, user):
    user.display_name = "Maximiliane Featherstonehaugh"
    user.save()
    page.set_viewport_size({"width": 320, "height": 568})

    page.reload()

    assert overflow_faults(page) == []


def test_the_pointer_reads_the_laps_under_it(page):
    plot = page.locator(f"{LAP_TIMES} [data-chart-plot]")
    box = plot.bounding_box()

    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 80)

    tip = page.locator(f"{LAP_TIMES} .chart-tip")
    expect(tip).to_contain_text("Lap ")
    expect(tip).to_contain_text("Driver 0 Long-Surname")
    expect(tip).to_contain_text("and 4 more")


def test_a_finger_leaves_the_figures_to_read(settings, open_page, user):
    settings.ROOT_URLCONF = "racecontrol.tests.shell_pages"
    page = open_page(user, has_touch=True, viewport=PHONE)
    page.goto("/shell/")
    tip = page.locator(f"{LAP_TIMES} .chart-tip")

    page.locator(f"{LAP_TIMES} [data-chart-plot]").tap(position={"x": 120, "y": 40})
    expect(tip).to_contain_text("Lap 18")
    page.locator("h1").tap()

    expect(tip).to_be_hidden()


def test_the_keyboard_moves_the_cursor_and_keeps_a_driver_in_view(page):
    page.locator(f"{LAP_TIMES} [data-chart-plot]").focus()

    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"{LAP_TIMES} [role=status]")).to_contain_text("Lap 2:")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator(f"{LAP_TIMES} [role=status]")).to_have_text(
        "Driver 1 Long-Surname kept in view"
    )
    assert opacity(page, 2) == 1
    assert opacity(page, 1) < 0.5
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert opacity(page, 1) == 1


def test_a_click_on_a_name_keeps_that_driver_in_view(page):
    page.locator(NAMES).nth(3).click()

    assert opacity(page, 4) == 1
    assert opacity(page, 1) < 0.5


def test_the_chosen_colours_stay_after_a_reload(page):
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="As the system").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") is None


def test_a_refusal_is_told_among_the_notices(page):
    page.get_by_role("button", name="Refused").click()

    expect(page.locator("#notices")).to_contain_text("try again at 14:05")
    assert any("429" in problem for problem in page.problems)
    page.problems.clear()


def test_a_broken_answer_is_told_in_words(page):
    page.get_by_role("button", name="Broken").click()

    expect(page.locator("#notices")).to_contain_text("That did not work (500)")
    page.problems.clear()


def test_a_part_asked_for_after_the_session_ended_leads_to_the_sign_in(page):
    page.context.clear_cookies()

    page.get_by_role("button", name="Part").click()

    expect(page).to_have_title("Sign In · Race Control")
    expect(page.get_by_role("button", name="Sign In")).to_be_visible()
    assert page.url.endswith("/accounts/login/?next=/shell/")


@pytest.mark.parametrize("button", ["Delete", "Take it out"])
def test_what_cannot_be_undone_asks_first(page, button):
    page.get_by_role("button", name=button, exact=True).click()
    question = page.get_by_role("dialog", name="Delete it?")
    expect(question).to_contain_text("This cannot be undone.")
    expect(question.get_by_role("link", name="Not now")).to_be_focused()
    assert_fine_here(page, name="question")

    question.get_by_role("link", name="Not now").click()
    expect(question).to_have_count(0)
    expect(page).to_have_title("Shell")

    page.get_by_role("button", name=button, exact=True).click()
    question.get_by_role("button", name="Delete").click()
    expect(page).to_have_title("Deleted")


@pytest.fixture
def told():
    shell_pages.TOLD.clear()
    return shell_pages.TOLD


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}])
def test_a_question_that_stands_in_the_page_needs_no_network(page, told, size):
    page.set_viewport_size(size)
    page.context.set_offline(True)
    button = page.get_by_role("button", name="Here", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="Do it here?")
    expect(question.get_by_role("link", name="Not now")).to_be_focused()
    assert not axe_faults(page) + overflow_faults(page)
    take_picture(page, f"ask-here-{size['width']}")

    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(button).to_be_focused()

    page.context.set_offline(False)
    button.click()
    question.get_by_role("button", name="Do it").click()
    expect(page).to_have_title("Told")
    assert [(one["key"], one["sure"]) for one in told] == [("1", "yes")]
    page.problems.clear()  # what asks for news tells that it was offline


def test_a_double_press_asks_once_and_does_it_once(page, told):
    page.evaluate("""() => {
        const press = (name) => [...document.querySelectorAll("button")].find((one) => one.textContent === name).click();
        press("Here"); press("Here");
    }""")
    question = page.get_by_role("dialog", name="Do it here?")
    expect(question).to_have_count(1)

    question.get_by_role("button", name="Do it").evaluate("one => { one.click(); one.click(); }")

    expect(page).to_have_title("Told")
    assert len(told) == 1


def test_what_the_server_did_without_a_question_is_not_sent_again(page, told):
    page.get_by_role("button", name="Bare").evaluate("one => { one.click(); one.click(); }")

    expect(page).to_have_title("Told")
    assert len(told) == 1


def test_a_form_whose_part_was_drawn_anew_meanwhile_still_does_it(page, told):
    page.get_by_role("button", name="Here", exact=True).click()
    question = page.get_by_role("dialog", name="Do it here?")
    expect(question).to_be_visible()
    page.evaluate("document.querySelector('form[action=\"/told/\"]').remove()")

    question.get_by_role("button", name="Do it").click()

    expect(page).to_have_title("Told")
    assert [one["key"] for one in told] == ["1"]


def test_the_question_is_a_page_without_javascript(settings, open_page, user):
    settings.ROOT_URLCONF = "racecontrol.tests.shell_pages"
    page = open_page(user, java_script_enabled=False)
    page.goto("/shell/")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Delete it?")).to_be_visible()

    page.get_by_role("button", name="Delete", exact=True).click()

    expect(page).to_have_title("Deleted")


def test_the_page_of_the_question_has_no_fault(page):
    page.evaluate(
        "document.querySelector('form[action=\"/deleting/\"]').submit()"
    )  # past the scripts
    expect(page.get_by_role("heading", name="Delete it?")).to_be_visible()

    assert_fine_here(page, name="question-page")


def test_escape_closes_the_menu_and_gives_the_focus_back(page):
    page.locator(".menu summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert_fine_here(page, name="menu")

    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(page.locator(".menu summary")).to_be_focused()


def test_the_first_tab_leads_past_the_sections(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()

    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_paper_shows_the_page_without_the_shell(page):
    page.emulate_media(media="print")

    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator(".side")).to_be_hidden()
    expect(page.locator(f"{LAP_TIMES} svg.chart:visible")).to_be_visible()


def test_without_javascript_the_page_says_the_same(settings, open_page, user):
    settings.ROOT_URLCONF = "racecontrol.tests.shell_pages"
    page = open_page(user, java_script_enabled=False)
    page.goto("/shell/")

    page.get_by_text("The same as a table").first.click()

    expect(page.get_by_role("cell", name="24.037 ").first).to_be_visible()
    expect(page.locator("[data-theme-switch]")).to_be_hidden()


def test_an_inline_script_or_style_is_refused_by_the_policy(page):
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.hacked = true";
            document.head.append(script);
            document.body.insertAdjacentHTML("beforeend", "<p id='red' style='color: rgb(1, 2, 3)'>x</p>");
        }"""
    )

    assert page.evaluate("window.hacked") is None
    assert page.locator("#red").evaluate("e => getComputedStyle(e).color") != "rgb(1, 2, 3)"
    assert len(page.problems) == 2
    page.problems.clear()


def test_a_job_is_watched_until_it_ends(open_page, user):
    job = Job.objects.create(
        title="Import Harvest Cup", func="x.y", owner=user, state="running", done=3, total=12
    )
    page = open_page(user)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/jobs/{job.pk}/")
    expect(page.get_by_text("3 of 12")).to_be_visible()

    Job.objects.filter(pk=job.pk).update(done=11, message="Race 11 of 12")
    expect(page.get_by_text("Race 11 of 12")).to_be_visible()
    Job.objects.filter(pk=job.pk).update(state="done", message="28 races", result={"url": "/ops/"})
    expect(page.get_by_text("28 races")).to_be_visible()

    expect(page.get_by_role("link", name="Open")).to_have_attribute("href", "/ops/")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    before = len(asked)
    page.wait_for_timeout(2600)
    assert len(asked) == before, "it still asks after the job has ended"


def test_jobs_in_every_state_and_the_operations_of_a_bad_day(open_page, staff):
    made = [
        Job.objects.create(
            title=f"Import {label}", func="x.y", owner=staff, state=state, done=3, total=12,
            message="Race 3 of 12", error="Traceback: it broke in the third race",
            finished_at=None if state in Job.OPEN else now(), result={"url": "/timing/"},
        )
        for state, label in Job.State.choices
    ]  # fmt: skip
    page = open_page(staff)
    for job in made:
        assert_fine(page, f"/jobs/{job.pk}/", name=f"job-{job.state}")
    assert_fine(page, "/ops/", name="ops-bad-day")
    page.get_by_text("What broke").first.wait_for()


def test_a_job_is_cancelled_and_tried_again_without_a_reload(open_page, user):
    job = jobs.enqueue("racecontrol.tests.work.count", 1, owner=user, title="Count")
    page = open_page(user)
    page.goto(f"/jobs/{job.pk}/")

    page.get_by_role("button", name="Cancel").click()
    question = page.get_by_role("dialog", name="Cancel “Count”?")
    expect(question).to_contain_text("It can be started again.")
    question.get_by_role("link", name="Not now").click()
    expect(question).to_have_count(0)
    assert Job.objects.get(pk=job.pk).is_open

    page.get_by_role("button", name="Cancel").click()
    question.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("cancelled", exact=True)).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("waiting for a worker")).to_be_visible()

    assert Job.objects.get(pk=job.pk).state == "queued"
