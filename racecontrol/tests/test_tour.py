"""The tour of the README against a running set: from `make run` to a stored run plan, as a newcomer."""

import re
import signal

import pytest

from racecontrol.testing.running import RunningSet, until

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    running = RunningSet(tmp_path_factory.mktemp("tour with spaces"))
    running.start()
    yield running
    running.clean_up()


def stop(running):
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(180) == 0


def counts(running):
    tables = (
        "ingestion_event",
        "ingestion_race",
        "ingestion_raceresult",
        "ingestion_lap",
        "racecontrol_user",
    )
    return {table: running.ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables}


def imported(running):
    done = "SELECT count(*) FROM racecontrol_job WHERE state = 'done' AND func LIKE 'ingestion.%'"
    return running.ask(done)[0][0] and counts(running)["ingestion_lap"] > 1000


def test_the_tour_of_the_readme(running, browser):
    until(lambda: imported(running), "the demo event is imported by the worker", seconds=120)
    context = browser.new_context(base_url=f"http://127.0.0.1:{running.port}")
    page, problems = context.new_page(), []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))

    said = re.search(r"login: (\S+) / (\S+)", running.said())
    page.goto("/accounts/login/")
    page.fill("input[name=login]", said[1])
    page.fill("input[name=password]", said[2])
    page.press("input[name=password]", "Enter")

    # dashboard -> the event -> a main with results and both charts
    page.click("#main a[href^='/timing/events/']")
    page.click("#main table a:text('1/8 Nitro Buggy A-Main')")
    assert page.locator("#main table tbody tr").count() >= 10
    assert page.locator("figure[data-chart]").count() >= 2
    assert "from B-Main" in page.inner_text("#main")

    # a driver -> an ORP score from those very laps
    page.click("#main table tbody a[href^='/timing/drivers/'] >> nth=0")
    page.click("#main a:text('ORP') >> nth=0")
    assert re.search(r"\b\d{1,3}\.\d\b", page.inner_text("#main"))

    # plan a run, with the pace prefilled from the laps
    page.click("#main a:text('Plan a run')")
    pace = page.input_value("[name=target_pace]")
    assert 20 < float(pace) < 90
    page.fill("[name=required_laps]", "40")
    page.select_option("[name=unit]", "ml")
    page.fill("[name=burn]", "4")
    page.fill("[name=tank]", "125")
    page.click("#main button:has-text('Save the plan')")
    page.wait_for_url(re.compile(r"/run-plans/[0-9a-f-]{36}/"))
    plan_id = re.search(r"[0-9a-f-]{36}", page.url)[0]

    # and back by the API
    answer = context.request.get(f"/api/v1/run-plans/{plan_id}")
    assert answer.status == 200
    plan = answer.json()
    assert plan["inputs"]["target_pace_s"] == float(pace)
    assert plan["result"]["pit_stops_required"] == 1

    page.goto("/")
    assert "Grand Prix" in page.inner_text("#main")
    assert problems == []
    context.close()


def test_a_second_start_doubles_nothing_and_ctrl_c_leaves_nothing(running):
    before = counts(running)
    stop(running)
    assert running.left_over() == []

    running.start()
    until(running.answers, "the site answers")

    assert counts(running) == before
    stop(running)
    assert running.left_over() == []
