"""The pages of run plans: plan while typing, keep, find, share, compare."""

import csv
import io
import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from waffle.testutils import override_flag

from racecontrol.shared import flags
from racecontrol.testing.pages import HTMX, Page
from racecontrol.testing.people import signed_in
from runplans.models import RunPlan
from runplans.tests.builders import INPUTS, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("feature")]

NEW = "/run-plans/new/"
TYPED = {"required_laps": "25", "target_pace": "1:30.6", "burn": "2,7", "tank": "60", "unit": "l"}
LIVE = HTMX | {"HX-Target": "plan-preview"}


def test_typing_shows_the_plan_and_keeps_nothing(client):
    answer = client.post(NEW, TYPED | {"calculate": "1"}, headers=LIVE)

    text = Page(answer).text("plan-preview")
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "67.5 L" in text
    assert "37:45" in text
    assert "Stint 2" in text
    assert "The tank is empty after lap 25" in text
    assert "finishes_dry" not in text
    assert RunPlan.objects.count() == 0


def test_without_javascript_calculate_shows_the_same_part(client):
    live = client.post(NEW, TYPED | {"calculate": "1"}, headers=LIVE)
    whole = client.post(NEW, TYPED | {"calculate": "1"})

    assert Page(whole).part("plan-preview") == Page(live).part("plan-preview")
    assert 'value="2,7"' in whole.text
    assert RunPlan.objects.count() == 0


def test_a_half_filled_form_says_what_is_missing(client):
    answer = client.post(NEW, {"required_laps": "25", "calculate": "1"}, headers=LIVE)

    assert answer.status_code == 200
    assert "Fuel a lap : Required" in Page(answer).text("plan-preview")


def test_saving_keeps_the_plan_for_its_owner(client, user):
    answer = client.post(
        NEW,
        TYPED
        | {"title": "Friday", "objective": "baseline", "driver": "Rae", "track": "Oval"}
        | {"pit_loss": "45", "reserve_laps": "1", "saving": "on", "fill_policy": "even"},
    )

    plan = RunPlan.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("runplans:plan", args=[plan.pk])
    assert plan.owner == user
    assert plan.inputs == {
        "title": "Friday",
        "objective": "baseline",
        "required_laps": 25,
        "target_pace_s": 90.6,
        "fuel_burn_l_per_lap": 2.7,
        "car": {"tank_capacity_l": 60},
        "track": {"name": "Oval", "pit_lane_loss_s": 45},
        "driver": {"name": "Rae"},
        "reserve_laps": 1,
        "fill_policy": "even",
        "options": ["saving"],
    }
    page = Page(client.get(answer["Location"]))
    assert "Friday" in page.text("main")
    assert "Saving a stop" in page.text("main")


def test_millilitres_are_stored_as_litres(client):
    client.post(
        NEW,
        {"run_duration_min": "8", "target_pace": "24.318", "unit": "ml", "burn": "3.5"}
        | {"tank": "125"},
    )

    plan = RunPlan.objects.get()
    assert plan.inputs["fuel_burn_l_per_lap"] == 0.0035
    assert plan.inputs["car"] == {"tank_capacity_l": 0.125}
    text = Page(client.get(plan.get_absolute_url())).text("main")
    assert "66.5 ml" in text


def test_a_refused_form_says_why_beside_each_field(client):
    answer = client.post(
        NEW, TYPED | {"start": "61", "required_laps": "many", "title": "x" * 201, "driver": "Rae"}
    )

    page = Page(answer)
    assert answer.status_code == 422
    assert "More than the tank holds." in page.text("id_start_error")
    assert "Must be a number." in page.text("id_required_laps_error")
    assert "At most 200 characters." in page.text("id_title_error")
    assert 'value="Rae"' in answer.text
    assert RunPlan.objects.count() == 0


@pytest.mark.parametrize("typed", ["1e999", "9" * 5000, "nan", "-1", "1:75", "::", "٣", "1_0"])
@pytest.mark.parametrize("field", ["target_pace", "burn", "required_laps", "reserve_laps"])
def test_odd_numbers_are_refused_not_broken(client, field, typed):
    answer = client.post(NEW, TYPED | {field: typed})

    assert answer.status_code == 422
    assert RunPlan.objects.count() == 0


def test_a_plan_can_be_duplicated_and_changed(client, user):
    plan = make_plan(user, car={"tank_capacity_l": 60.5, "setup": {"camber": -2}}, weather=None)

    form = client.get(NEW, {"from": plan.pk}).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    answer = client.post(NEW, typed | {"required_laps": "30"})

    copy = RunPlan.objects.exclude(pk=plan.pk).get()
    assert answer.status_code == 302
    changed = {k: v for k, v in plan.inputs.items() if v is not None} | {"required_laps": 30}
    assert copy.inputs == changed


def test_somebody_elses_plan_cannot_be_duplicated(client, other):
    plan = make_plan(other)

    answer = client.get(NEW, {"from": plan.pk})

    assert "Rae Ducker" not in answer.text


def test_the_list_filters_and_pages(client, user, other):
    make_plan(other, title="Not mine")
    make_plan(user, title="First")
    make_plan(user, title="Second", objective="qualy", driver={"name": "Zoe"})

    assert "First" in (everything := client.get("/run-plans/").text)
    assert "Second" in everything
    assert "Not mine" not in everything
    chosen = client.get("/run-plans/", {"driver": "Zoe"}).text
    assert "Second" in chosen
    assert ">First<" not in chosen
    assert "No plan fits" in client.get("/run-plans/", {"objective": "none"}).text


def test_an_empty_list_leads_to_the_form(client):
    assert NEW in str(Page(client.get("/run-plans/")).part("main"))


def test_the_list_asks_the_database_the_same_however_long_it_is(client, user):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            client.get("/run-plans/")
        return len(asked)

    make_plan(user)
    queries()  # flags and sessions are remembered from here on
    with_one = queries()
    for _ in range(5):
        make_plan(user)

    assert queries() == with_one


def test_a_shared_link_opens_one_plan_to_anyone_until_it_is_taken_back(client, stranger, user):
    plan = make_plan(user)
    url = reverse("runplans:plan", args=[plan.pk])
    assert stranger.get(url).status_code == 302

    client.post(reverse("runplans:share", args=[plan.pk]))
    link = Page(client.get(url)).text("share-link").removeprefix("http://testserver")

    opened = stranger.get(link)
    assert opened.status_code == 200
    assert "67.5 L" in opened.text
    assert opened["Referrer-Policy"] == "no-referrer"
    assert str(plan.pk) not in opened.text
    assert stranger.get(url).status_code == 302
    assert stranger.get(f"/api/v1/run-plans/{plan.pk}").status_code == 404

    client.post(reverse("runplans:unshare", args=[plan.pk]), {"sure": "yes"})
    assert stranger.get(link).status_code == 404
    client.post(reverse("runplans:share", args=[plan.pk]))
    assert stranger.get(link).status_code == 404


def test_others_can_neither_share_nor_unshare(user, other, client):
    plan = make_plan(user)
    client.post(reverse("runplans:share", args=[plan.pk]))
    stranger = signed_in(other)

    for name in ("share", "unshare"):
        answer = stranger.post(reverse(f"runplans:{name}", args=[plan.pk]))
        assert answer.status_code == 404
    assert RunPlan.objects.get().is_shared


def test_downloads(client, user):
    plan = make_plan(user, title='=HYPERLINK("x")')

    sheet = client.get(reverse("runplans:csv", args=[plan.pk]))
    document = client.get(reverse("runplans:json", args=[plan.pk]))

    assert "attachment" in sheet["Content-Disposition"]
    assert list(csv.reader(io.StringIO(sheet.text))) == [
        ["stint_no", "laps", "first_lap", "last_lap", "fuel_start_l", "refuel_l", "fuel_end_l"],
        ["1", "22", "1", "22", "60.0", "0.0", "0.6"],
        ["2", "3", "23", "25", "8.1", "7.5", "0.0"],
    ]
    assert document.content == client.get(f"/api/v1/run-plans/{plan.pk}").content
    assert json.loads(document.content)["result"] == plan.result


def test_the_clipboard_sheet_has_every_stint(client, user):
    text = Page(client.get(reverse("runplans:print", args=[make_plan(user).pk]))).text("main")

    assert "finish 25" in text
    assert "+7.5 L" in text


def test_two_plans_side_by_side(client, user, other):
    first, second = make_plan(user), make_plan(user, title="Longer", required_laps=40)
    page = client.get("/run-plans/compare/", {"plan": [first.pk, second.pk]})

    text = Page(page).text("main")
    assert "67.5 L" in text
    assert "108 L" in text
    assert text.count("differs") >= 4
    alone = client.get("/run-plans/compare/", {"plan": first.pk})
    assert "Tick exactly two" in alone.text
    foreign = {"plan": [first.pk, make_plan(other).pk]}
    assert client.get("/run-plans/compare/", foreign).status_code == 404
    missing = {"plan": [first.pk, uuid.uuid4()]}
    assert client.get("/run-plans/compare/", missing).status_code == 404


def test_while_the_flag_is_off_there_are_no_pages(client, user):
    plan = make_plan(user)
    urls = ["/run-plans/", NEW, "/run-plans/compare/", plan.get_absolute_url()]

    with override_flag(flags.RUN_PLANS_V1, active=False):
        assert [client.get(url).status_code for url in urls] == [404] * 4
        assert client.post(NEW, TYPED).status_code == 404
    assert RunPlan.objects.count() == 1


def test_a_stranger_is_sent_to_sign_in(stranger):
    for url in ("/run-plans/", NEW):
        assert "/login" in stranger.get(url)["Location"]


@pytest.mark.parametrize(
    "odd",
    [
        {"driver": {"name": 5, "pace_from": "x"}, "track": {"name": None}, "car": None},
        {"tank_capacity_l": 60, "car": {"tank_capacity_l": None}, "title": ""},
        {"weather": {"conditions": ["a"]}, "fuel_burn_l_per_lap": 1e-6, "required_laps": 20000},
    ],
)
def test_plans_posted_with_odd_contexts_can_be_seen_and_duplicated(client, user, odd):
    plan = make_plan(user, **odd)

    for url in (plan.get_absolute_url(), f"{NEW}?from={plan.pk}", "/run-plans/"):
        assert client.get(url).status_code == 200


def test_sharing_is_on_the_trail(client, user):
    from racecontrol.shared import audit

    plan = make_plan(user, **INPUTS)
    client.post(reverse("runplans:share", args=[plan.pk]))

    assert [event.verb for event in audit.trail_of(plan)] == ["run_plan.shared"]


def test_the_dashboard_shows_the_latest_plans(client, user, other):
    assert "Run plans" not in Page(client.get("/")).text("main")
    make_plan(other, title="Not mine")
    for number in range(4):
        make_plan(user, title=f"Plan {number}")

    text = Page(client.get("/")).text("card-run-plans")
    shown = client.get("/").text
    assert text == "Run plans"
    assert shown.count("25 laps, 67.5 L, 1 stop<") == 3
    assert "Not mine" not in shown
    with override_flag(flags.RUN_PLANS_V1, active=False):
        assert "card-run-plans" not in client.get("/").text


def test_the_demo_has_two_plans_that_differ_by_a_stop(user):
    from runplans.demo import load_demo

    load_demo(by=user)
    load_demo(by=user)

    stops = [p.result["pit_stops_required"] for p in RunPlan.objects.order_by("inputs__title")]
    assert stops[0] == stops[1] + 1
