"""Two people at the wall side by side, a lost connection, a refusal taken back, phone and big screen."""

import re

import pytest
from playwright.sync_api import expect

from racecontrol.testing.browser import DESK, PHONE, assert_fine, assert_fine_here, take_picture
from strategy.models import Membership
from strategy.services import analytics
from strategy.services.live import changes, race
from strategy.services.live.frame import Order
from strategy.tests.builders import make_person
from strategy.tests.live_builders import make_run
from strategy.tests.race_builders import drive

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE_MS = 20_000


def mate_of(run):
    mate = make_person("mate")
    Membership.objects.create(team=run.strategy.team, user=mate, role="strategist")
    return mate


def wall_of(page, run):
    page.goto(f"/strategy/{run.strategy_id}/wall/")
    expect(page.locator("html[data-live-state=open]")).to_be_attached(timeout=PATIENCE_MS)
    return page


def flag(page):
    return page.locator("#wall [data-value=flag]")


def test_two_at_the_wall_see_each_others_changes(open_page, user):
    run = make_run(user, laps=3)
    mine, theirs = wall_of(open_page(user), run), wall_of(open_page(mate_of(run)), run)

    mine.get_by_role("button", name="Safety car").click()
    expect(flag(theirs)).to_have_text("Safety car", timeout=PATIENCE_MS)

    theirs.get_by_role("button", name="In the pits now").click()
    expect(mine.locator("#wall [data-value=in-car]")).to_have_text("stands", timeout=PATIENCE_MS)

    assert list(run.commands.order_by("version").values_list("name", flat=True)) == ["flag", "progress"]  # fmt: skip


def test_commands_wait_through_a_lost_connection_and_go_in_their_order(open_page, user):
    run = make_run(user, laps=3)
    page = wall_of(open_page(user), run)
    page.context.set_offline(True)

    page.get_by_role("button", name="Safety car").click()
    expect(flag(page)).to_have_text("Safety car")
    expect(page.locator("#wall .is-pending")).to_have_count(1)
    page.get_by_role("button", name="In the pits now").click()
    expect(page.locator("#wall-queue li")).to_have_count(2)
    expect(page.locator("#wall-queue")).to_contain_text("No connection", timeout=PATIENCE_MS)
    assert_fine_here(page, name="wall-offline")
    assert not run.commands.exists()

    page.context.set_offline(False)

    expect(page.locator("#wall-queue li")).to_have_count(0, timeout=PATIENCE_MS)
    done = run.commands.order_by("version").values_list("name", flat=True)
    assert list(done) == ["flag", "progress"]
    expect(page.locator("#wall [data-value=in-car]")).to_have_text("stands", timeout=PATIENCE_MS)
    page.problems.clear()  # the browser tells of the requests that failed


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_what_ends_something_asks_in_the_page_and_tells_when_it_was_pressed(open_page, user, size):
    run = make_run(user, laps=3)
    page = wall_of(open_page(user, viewport=size), run)
    page.context.set_offline(True)
    stopped = page.get_by_role("button", name="Stopped on track")
    question = page.get_by_role("dialog", name=re.compile("stopped on track: end stint 1"))

    stopped.click()
    expect(question.get_by_role("link", name="Not now")).to_be_focused()
    expect(question).to_contain_text("“Undo the last” takes it back")
    take_picture(page, f"wall-asks-{size['width']}")
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(page.locator("#wall-queue li")).to_have_count(0)

    stopped.click()
    pressed = page.evaluate("Number(document.querySelector('form[data-pressed]').dataset.pressed)")
    question.get_by_role("button", name="End the stint").click()
    expect(page.locator("#wall-queue li")).to_have_count(1)
    told = page.evaluate(
        "JSON.parse(sessionStorage.getItem(Object.keys(sessionStorage).find((key) => key.startsWith('wall:'))))"
    )
    fields = dict(told[0]["fields"])
    assert (fields["status"], "sure" in fields) == ("aborted", False)
    now_ms = page.evaluate("""(pressed) => {
        const clock = document.querySelector("#wall [data-now-ms]");
        return Number(clock.dataset.ms) + (pressed - clock.bornAt) * Number(clock.dataset.rate || 0);
    }""", pressed)  # fmt: skip
    assert abs(int(fields["at_ms"]) - now_ms) <= 1

    page.context.set_offline(False)
    expect(page.locator("#wall-queue li")).to_have_count(0, timeout=PATIENCE_MS)
    assert [c.body["status"] for c in run.commands.filter(name="progress")] == ["aborted"]
    page.problems.clear()


def test_a_question_outlives_news_that_draw_the_wall_anew(open_page, user):
    run = make_run(user, laps=3)
    page = wall_of(open_page(user), run)
    page.get_by_role("button", name="Chequered flag").click()
    question = page.get_by_role("dialog", name="Is the race over?")
    expect(question).to_be_visible()

    race.set_flag(Order(run.strategy_id, user), flag="sc")
    expect(flag(page)).to_have_text("Safety car", timeout=PATIENCE_MS)
    question.get_by_role("button", name="Chequered flag").click()

    expect(page.locator("#wall-queue li")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="It was not the flag yet")).to_be_visible(
        timeout=PATIENCE_MS
    )


def test_what_is_refused_is_taken_back_for_all_to_see(open_page, user):
    run = make_run(user, laps=3)
    page = wall_of(open_page(user), run)
    page.route("**/wall/do/flag/", lambda route: route.fulfill(
        status=409, content_type="application/json",
        body='{"error": {"code": "stale_write", "message": "Kim: Red flag out. Look again."}}',
    ))  # fmt: skip

    page.get_by_role("button", name="Safety car").click()

    refused = page.locator("#wall-queue li[data-state=refused]")
    expect(refused).to_contain_text("Kim: Red flag out.")
    assert_fine_here(page, name="wall-refused")
    expect(flag(page)).to_have_text("Green")
    refused.get_by_role("button", name="Understood").click()
    expect(page.locator("#wall-queue li")).to_have_count(0)
    page.problems.clear()


def test_a_queue_survives_a_reload_of_the_page(open_page, user):
    run = make_run(user, laps=3)
    page = wall_of(open_page(user), run)
    page.route("**/wall/do/**", lambda route: route.abort())
    page.get_by_role("button", name="Safety car").click()
    expect(page.locator("#wall-queue")).to_contain_text("No connection", timeout=PATIENCE_MS)

    page.unroute("**/wall/do/**")
    page.reload()

    expect(page.locator("#wall-queue li")).to_have_count(0, timeout=PATIENCE_MS)
    expect(flag(page)).to_have_text("Safety car", timeout=PATIENCE_MS)
    assert run.commands.count() == 1
    page.problems.clear()


def test_sound_is_off_until_somebody_wants_it(open_page, user):
    page = wall_of(open_page(user), make_run(user, laps=3))
    sound = page.locator("#wall-sound")
    expect(sound).to_have_attribute("aria-pressed", "false")

    sound.click()

    expect(sound).to_have_text(re.compile("Sound is on"))


def test_the_wall_works_without_scripts(open_page, user):
    run = make_run(user, laps=3)
    page = open_page(user, java_script_enabled=False)
    page.goto(f"/strategy/{run.strategy_id}/wall/")

    page.get_by_role("button", name="Safety car").click()

    expect(flag(page)).to_have_text("Safety car")
    page.get_by_text("Fuel reading").click()
    page.get_by_label("On board, litres").fill("41.5")
    page.get_by_role("button", name="Note it").first.click()
    expect(page.locator("#wall")).to_contain_text("from a reading")
    assert run.readings.get().fuel_ml == 41_500


@pytest.mark.parametrize("way", ["", "?screen=1", "me/"])
def test_every_kind_of_wall_is_fine_to_look_at(open_page, user, way):
    run = drive(user, laps=30, is_training=True)
    name = {"": "wall", "?screen=1": "wall-screen", "me/": "wall-phone"}[way]

    assert_fine(open_page(user), f"/strategy/{run.strategy_id}/wall/{way}", name=name)


def test_the_report_is_fine_to_look_at(open_page, user):
    run = drive(user, slow_stop_ms=8_000, slower_ms=300)
    analytics.measure(run_id=run.pk, seconds=1)
    page = open_page(user)

    assert_fine(page, f"/strategy/{run.strategy_id}/report/", name="report")
    assert_fine(page, f"/strategy/teams/{run.strategy.team_id}/trends/", name="trends")


def test_the_wall_on_a_phone_and_a_desk_has_its_typed_commands(open_page, user):
    run = make_run(user, laps=3)
    for size in (PHONE, DESK):
        page = wall_of(open_page(user, viewport=size), run)
        page.get_by_text("Penalty", exact=True).click()
        page.get_by_label("Seconds, or laps").fill("10")
        take_picture(page, f"wall-typed-{size['width']}")
        page.locator("#do-penalty").get_by_role("button", name="Note it").click()
        expect(page.locator("#wall-queue li")).to_have_count(0, timeout=PATIENCE_MS)

    assert [p.amount for p in run.penalties.all()] == [10_000, 10_000]


def test_a_change_is_seen_first_and_done_on_what_was_seen(open_page, user):
    run = make_run(user, laps=3)
    page = wall_of(open_page(user), run)
    fold = page.locator("#do-extend")
    fold.locator("summary").click()
    fold.get_by_label("Laps more").fill("-2")

    fold.get_by_role("button", name="What would follow").click()
    expect(fold.locator("#preview-extend")).to_contain_text("What would follow")
    expect(fold.locator("#preview-extend")).to_contain_text("changes")
    assert_fine_here(page, name="wall-preview")
    fold.get_by_role("button", name="Change it").click()

    expect(page.locator("#wall-queue li")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator("#wall [data-value=laps]")).to_have_text("22", timeout=PATIENCE_MS)

    fold = page.locator("#do-pin")
    fold.locator("summary").click()
    fold.get_by_label("Stop after lap of the race").fill("20")
    fold.get_by_role("button", name="Pin it so").click()
    expect(page.locator("#wall")).to_contain_text("pinned by plan", timeout=PATIENCE_MS)


def test_ways_on_are_found_and_one_is_accepted(open_page, user):
    run = make_run(user, laps=3)
    page = wall_of(open_page(user), run)
    page.get_by_role("button", name="Look for ways on").click()
    expect(page.locator("#wall")).to_contain_text("Looking for ways on", timeout=PATIENCE_MS)
    changes.find_ways(proposal_id=run.proposals.get().pk, seconds=1.0)

    expect(page.get_by_role("button", name="Accept").first).to_be_visible(timeout=PATIENCE_MS)
    assert_fine_here(page, name="wall-ways")
    page.get_by_role("button", name="Accept").first.click()
    question = page.get_by_role("dialog", name=re.compile("Make this the plan"))
    expect(question).to_contain_text("“Undo the last” takes it back")
    question.get_by_role("button", name="Make it the plan").click()

    expect(page.locator("#wall")).to_contain_text("accepted", timeout=PATIENCE_MS)
    assert run.proposals.get().accepted == 0


def test_where_streams_fail_the_wall_asks_by_itself(open_page, user):
    run = make_run(user, laps=3)
    page = open_page(user)
    page.add_init_script("delete window.SharedWorker")
    page.route("**/live/?*", lambda route: route.abort())
    page.clock.install()
    page.goto(f"/strategy/{run.strategy_id}/wall/")
    page.clock.fast_forward(100)
    expect(page.locator("html[data-live-state=down]")).to_be_attached(timeout=PATIENCE_MS)
    expect(page.get_by_text("The news have stopped.")).to_be_visible()

    race.set_flag(Order(run.strategy_id, user), flag="sc")
    page.clock.fast_forward(16_000)

    expect(flag(page)).to_have_text("Safety car", timeout=PATIENCE_MS)
    page.problems.clear()
