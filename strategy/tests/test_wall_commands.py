"""Commands from the wall's page: plain forms, the script's JSON, refusals, and own commands in a row."""

from uuid import uuid4

import pytest
from django.urls import reverse

from racecontrol.testing.pages import HTMX, Page
from strategy.models import LiveRun, Membership
from strategy.services import analytics
from strategy.services.live import changes, race
from strategy.services.live.frame import Order
from strategy.tests.builders import make_person, make_strategy
from strategy.tests.live_builders import fresh, make_run

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def url(run, name):
    return reverse("strategy:wall-do", args=[run.strategy_id, name])


def send(client, run, name, **data):
    base = {"base_version": run.version, "key": str(uuid4())}
    return client.post(url(run, name), base | data, headers=JSON)


def test_a_plain_form_does_it_and_goes_back_to_the_wall(client, user):
    run = make_run(user, laps=3)

    answer = client.post(url(run, "flag"), {"flag": "sc", "base_version": run.version})

    assert answer.status_code == 302
    assert run.flags.get().kind == "sc"
    assert "Safety car" in Page(client.get(answer.url)).text("wall")


def test_the_race_goes_from_the_wall_to_the_flag_by_forms(client, user):
    row = make_strategy(user)
    wall = reverse("strategy:wall-do", args=[row.pk, "open"])

    client.post(wall, {"is_training": "on"})
    for state in ("grid", "racing", "finished"):
        told = {"state": state, "sure": "yes"}
        client.post(reverse("strategy:wall-do", args=[row.pk, "state"]), told)

    run = LiveRun.objects.get(strategy=row)
    assert (run.state, run.is_training) == ("finished", True)


@pytest.mark.parametrize(
    ("name", "told", "asked"),
    [
        ("state", {"state": "finished"}, "Is the race over?"),
        ("progress", {"stint": "1", "status": "aborted"}, "stopped on track: end stint 1?"),
    ],
)
def test_without_scripts_the_question_is_a_page(client, user, name, told, asked):
    run = make_run(user, laps=3)

    page = client.post(url(run, name), told)

    assert asked in Page(page).text("main")
    assert not run.commands.exists()
    assert client.post(url(run, name), told | {"sure": "yes"}).status_code == 302
    assert run.commands.count() == 1


def test_the_script_is_told_the_version_and_what_was_done(client, user):
    run = make_run(user, laps=3)

    answer = send(client, run, "progress", stint=1, status="completed")

    assert answer.json()["version"] == run.version + 1
    assert "completed" in answer.json()["words"]


def test_a_command_sent_twice_is_done_once(client, user):
    run = make_run(user, laps=3)
    key = str(uuid4())

    first, second = (send(client, run, "fuel", fuel_ml="40.5", key=key) for _ in range(2))

    assert first.json() == second.json()
    assert run.readings.get().fuel_ml == 40_500


def test_a_stale_command_is_told_who_did_what(client, user):
    run = make_run(user, laps=3)
    mate = make_person("mate")
    Membership.objects.create(team=run.strategy.team, user=mate, role="strategist")
    race.set_flag(Order(run.strategy_id, mate, base_version=run.version), flag="fcy")

    answer = send(client, run, "flag", flag="sc")

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "stale_write"
    assert "mate" in str(answer.json()["error"])


def test_ones_own_commands_in_a_row_are_no_news_to_oneself(client, user):
    run = make_run(user, laps=3)
    key = str(uuid4())
    send(client, run, "flag", flag="fcy", key=key)

    stale = send(client, run, "flag", flag="sc")
    knowing = send(client, run, "flag", flag="sc", knows=key)

    assert (stale.status_code, knowing.status_code) == (409, 200)


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("flag", {"flag": "blue"}, "flag"),
        ("fuel", {"fuel_ml": "much"}, "fuel_ml"),
        ("progress", {"status": "completed"}, "stint"),
        ("fuel", {"fuel_ml": "10", "knows": "not-a-key"}, "knows"),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(client, user, name, data, field):
    run = make_run(user, laps=3)

    answer = send(client, run, name, **data)

    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]
    assert not run.commands.exists()


def test_a_refused_form_shows_the_wall_and_why(client, user):
    run = make_run(user, laps=3)

    answer = client.post(url(run, "progress"), {"stint": 3, "status": "ready"})

    assert answer.status_code == 409
    assert b"Stint 2 comes before it" in answer.content


def test_drivers_may_look_and_say_they_are_ready_but_not_command(client, user):
    run = make_run(user, laps=3)
    Membership.objects.filter(user=user, team=run.strategy.team).update(role="driver")

    assert send(client, run, "flag", flag="sc").status_code == 403
    page = client.get(reverse("strategy:wall", args=[run.strategy_id]))
    assert b"data-command" not in page.content


def test_strangers_command_nothing(client, user):
    run = make_run(make_person("somebody"), laps=3)

    assert send(client, run, "flag", flag="sc").status_code == 404


def test_an_unknown_command_is_not_found(client, user):
    assert send(client, make_run(user, laps=3), "fly").status_code == 404


def test_the_chequered_flag_queues_the_report_once(client, user, queued):
    run = make_run(user, laps=3)

    send(client, run, "state", state="finished")
    run.refresh_from_db()
    send(client, run, "penalty", kind="time", amount="10", reason="track limits")

    assert [name for name, _ in queued()].count("strategy.tasks.measure") == 1


def test_the_driver_who_is_next_says_so_on_his_phone(client, user):
    run = make_run(user, laps=3)
    Membership.objects.filter(user=user, team=run.strategy.team).update(role="driver")
    page = reverse("strategy:my-turn", args=[run.strategy_id])
    assert run.strategy.current.stints.get(number=2).driver == user
    assert "I am ready" in Page(client.get(page)).text("wall")

    answer = send(client, run, "progress", stint=2, status="ready")

    assert answer.status_code == 200
    assert "knows that you are ready" in Page(client.get(page)).text("wall")


# -- changes that are looked at first


def swap_values(run, **values):
    mate = next(d for d in run.strategy.drivers if d["name"] == "mate1")["user_id"]
    return {"stint": 2, "driver_id": mate, "after_laps": 1} | values


def test_a_swap_is_shown_before_it_is_done(client, user):
    run = make_run(user, laps=3)

    shown = client.post(
        url(run, "swap"), swap_values(run, is_preview="on"), headers=HTMX | {"HX-Target": "x"}
    )

    words = Page(shown).text("preview-swap")
    assert "What would follow" in words
    assert "changes" in words
    assert not run.commands.exists()


def test_a_preview_without_scripts_opens_the_form_on_the_wall(client, user):
    run = make_run(user, laps=3)

    shown = client.post(url(run, "extend"), {"stint": 1, "laps": -2, "is_preview": "on"})

    assert shown.status_code == 200
    assert "What would follow" in Page(shown).text("preview-extend")
    assert b'value="-2"' in shown.content


def test_a_swap_is_done_with_its_reason(client, user):
    run = make_run(user, laps=3)

    done = send(client, run, "swap", **swap_values(run, reason="sam is unwell"))

    assert done.status_code == 200
    run.strategy.refresh_from_db()
    assert run.strategy.current.stints.get(number=2).driver.username == "mate1"
    assert run.commands.get().reason == "sam is unwell"


def test_a_swap_that_breaks_a_rule_needs_an_override(client, user):
    run = make_run(user, laps=3)
    send(client, run, "swap", **swap_values(run, reason="sam is unwell"))
    run.refresh_from_db()
    values = swap_values(run, stint=3, reason="still unwell")

    # three hours without a break, where two and a half are allowed
    refused = send(client, run, "swap", **values)
    done = send(client, run, "swap", override="on", **values)

    assert (refused.status_code, done.status_code) == (422, 200)
    assert "breaches" in refused.json()["error"]["fields"]


def test_a_shorter_stint_is_a_new_plan_and_a_decision_of_the_report(client, user):
    run = make_run(user, laps=3)

    done = send(client, run, "extend", stint=1, laps="-2", reason="tyres")

    assert done.status_code == 200
    run.strategy.refresh_from_db()
    assert run.strategy.current.stints.get(number=1).laps == 22
    history = analytics.plan_history(fresh(run))
    assert [plan.number for _, plan in history] == [1, 2]
    assert history[1][0] >= 3 * 154_000 - 1_000


def test_what_cannot_be_previewed_says_why(client, user):
    run = make_run(user, laps=3)

    shown = client.post(url(run, "extend"), {"stint": 1, "laps": "400", "is_preview": "on"},
                        headers=HTMX)  # fmt: skip

    assert "What would follow" not in Page(shown).text("preview-extend")
    assert Page(shown).text("preview-extend")


def test_ways_on_are_looked_for_in_the_background_and_accepted(client, user, queued):
    run = make_run(user, laps=3)

    send(client, run, "ways")
    proposal = run.proposals.get()
    changes.find_ways(proposal_id=proposal.pk, seconds=1.0)
    page = client.get(reverse("strategy:wall", args=[run.strategy_id]))
    done = send(client, run, "accept", proposal_id=proposal.pk, option=0)

    assert "Accept" in Page(page).text("wall")
    assert done.status_code == 200
    proposal.refresh_from_db()
    assert proposal.accepted == 0


def test_a_penalty_is_served_with_one_press_and_a_warning_needs_none(client, user):
    run = make_run(user, laps=3)
    for kind in ("drive_through", "warning"):
        run.penalties.create(kind=kind, given_ms=1_000)
    penalty = run.penalties.get(kind="drive_through")
    url = f"/strategy/{run.strategy_id}/wall/"

    before = client.get(url).content.decode()
    send(client, run, "served", penalty_id=penalty.pk)
    after = client.get(url).content.decode()

    assert "Drive-through served" in before
    assert "of penalties to serve" in before
    assert "Warning served" not in before
    assert 'name="penalty_id"' not in after
    assert "of penalties to serve" not in after
