"""The run plan API, line by line of its acceptance."""

import json
import uuid

import pytest
from django.db import connection
from django.test import Client
from structlog.testing import capture_logs
from waffle.testutils import override_flag

from racecontrol.shared import flags
from racecontrol.testing.people import bearer
from racecontrol.testing.shared_cases import shared_json
from runplans import metrics
from runplans.models import RunPlan
from runplans.tests.builders import INPUTS, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("feature")]

NOBODYS_ID = "7f9c24e8-3b1a-4d52-9e0f-5a6b7c8d9e0f"  # the same in every test process
URL = "/api/v1/run-plans"
CASES = (shared_json("cases/runplans.json") or {"cases": []})["cases"]


def post(client, body, **options):
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(URL, text, content_type="application/json", **options)


def test_a_plan_is_made_and_read_back_byte_for_byte(stranger):
    made = post(stranger, INPUTS)

    assert made.status_code == 201
    assert list(made.json()) == ["id", "inputs", "result"]
    assert made.json()["inputs"] == INPUTS
    result = made.json()["result"]
    assert (result["total_fuel_required_l"], result["laps_possible"]) == (67.5, 22)
    assert result["pit_stops_required"] == 1
    read = stranger.get(f"{URL}/{made.json()['id']}")
    assert read.status_code == 200
    assert read.content == made.content
    assert read["Content-Type"] == made["Content-Type"] == "application/json"


def test_minutes_and_pace_become_laps(stranger):
    body = {"run_duration_min": 30, "target_pace_s": 91.3, "fuel_burn_l_per_lap": 2.5}

    result = post(stranger, body).json()["result"]

    assert result["estimated_laps"] == 19
    assert result["total_fuel_required_l"] == 47.5


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_owners_cases_over_http(case, stranger):
    answer = post(stranger, case["body"])

    expected = case["expect"]
    assert answer.status_code == expected["status"]
    if expected["status"] == 422:
        assert sorted(answer.json()["error"]["fields"]) == sorted(expected["error_fields"])
        assert RunPlan.objects.count() == 0
        return
    result = answer.json()["result"]
    notes = result.pop("notes")
    assert result == expected["result"]
    assert [note.split(":")[0] for note in notes] == expected["note_codes"]
    assert answer.json()["inputs"] == json.loads(case["body"])
    assert stranger.get(f"{URL}/{answer.json()['id']}").content == answer.content


def test_every_wrong_field_is_in_one_answer(stranger):
    body = {"required_laps": -1, "car": {"tank_capacity_l": "big"}, "starting_fuel": 3}

    answer = post(stranger, body)

    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "validation_error"
    assert error["message"] == "4 values cannot be used."
    assert set(error["fields"]) == {
        "required_laps",
        "car.tank_capacity_l",
        "fuel_burn_l_per_lap",
        "starting_fuel",
    }
    assert all(isinstance(text, str) for texts in error["fields"].values() for text in texts)
    assert RunPlan.objects.count() == 0


def with_raw(value):
    return json.dumps(INPUTS)[:-1] + f',"weather":{{"x":{value}}}}}'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(with_raw("NaN"), 422, id="NaN"),
        pytest.param(with_raw("-Infinity"), 422, id="Infinity"),
        pytest.param(with_raw("1e999"), 422, id="1e999"),
        pytest.param(with_raw("9" * 5_000), 422, id="a number of 5000 digits"),
        pytest.param(with_raw('"\\u0000"'), 422, id="NUL"),
        pytest.param(with_raw('"\\ud83d"'), 422, id="half a surrogate pair"),
        pytest.param(with_raw('{"\\u0000":1}'), 422, id="NUL in a name"),
        pytest.param(with_raw("[" * 40 + "]" * 40), 422, id="40 levels"),
        pytest.param(with_raw("[" * 9_000 + "]" * 9_000), 422, id="9000 levels"),
        pytest.param(with_raw(f'"{"x" * 66_000}"'), 413, id="over 64 KB"),
        pytest.param(b"\xff\xfe{}", 422, id="not UTF-8"),
        pytest.param(b"", 422, id="empty"),
        pytest.param('{"\\ud800": 1, "\\u0000": 2}', 422, id="unprintable unknown names"),
    ],
)
def test_what_no_database_can_hold_is_refused_and_leaves_nothing(body, status, stranger):
    answer = post(stranger, body)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert RunPlan.objects.count() == 0


def test_a_body_of_just_under_64_kb_is_kept(stranger):
    answer = post(stranger, with_raw(f'"{"x" * 65_000}"'))

    assert answer.status_code == 201


def test_two_equal_posts_make_two_plans(stranger):
    first, second = post(stranger, INPUTS).json(), post(stranger, INPUTS).json()

    assert first["id"] != second["id"]
    assert first["result"] == second["result"]
    assert RunPlan.objects.count() == 2


@pytest.mark.parametrize(
    "plan_id", [NOBODYS_ID, "42", "not-an-id", "%00", "x" * 500, "{" + NOBODYS_ID]
)
def test_an_unknown_or_malformed_id_is_not_found(plan_id, stranger):
    answer = stranger.get(f"{URL}/{plan_id}")

    assert answer.status_code in ({400, 404} if plan_id == "%00" else {404})
    assert answer.json()["error"]["code"] in {"not_found", "bad_request"}


def test_while_the_flag_is_off_there_is_nothing_here(client, stranger, user):
    plan = make_plan()
    token = bearer(user)

    with override_flag(flags.RUN_PLANS_V1, active=False):
        answers = [
            post(stranger, INPUTS),
            post(stranger, "nonsense"),
            post(stranger, INPUTS, headers={"Authorization": "Bearer wrong"}),
            post(stranger, INPUTS, headers=token),
            stranger.get(f"{URL}/{plan.pk}"),
            client.get(f"{URL}/{plan.pk}"),
            client.get(URL),
            stranger.get(URL),
            stranger.get(URL, headers={"Authorization": "Bearer wrong"}),
        ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert RunPlan.objects.count() == 1


def test_strangers_need_the_setting(stranger, settings, user):
    plan = make_plan()
    settings.RUN_PLANS_ANONYMOUS = False

    assert post(stranger, INPUTS).status_code == 401
    assert stranger.get(f"{URL}/{plan.pk}").status_code == 401
    assert post(stranger, INPUTS, headers=bearer(user)).status_code == 201
    assert RunPlan.objects.count() == 2


def test_an_owned_plan_is_for_its_owner_their_team_and_staff(
    stranger, client, user, other, staff, settings
):
    plan_id = post(stranger, INPUTS, headers=bearer(user)).json()["id"]
    url = f"{URL}/{plan_id}"

    assert RunPlan.objects.get().owner == user
    assert client.get(url).status_code == 200
    assert stranger.get(url, headers=bearer(user, "read")).status_code == 200
    assert stranger.get(url, headers=bearer(staff)).status_code == 200
    assert stranger.get(url).status_code == 404
    assert stranger.get(url, headers=bearer(other)).status_code == 404
    settings.TEAM_LOOKUP = "runplans.tests.test_api.everyone_is_a_teammate"
    assert stranger.get(url, headers=bearer(other)).status_code == 200


def everyone_is_a_teammate(user, owner_id):
    return True


def test_tokens_that_may_not_write_or_are_wrong_are_refused(stranger, user):
    assert post(stranger, INPUTS, headers=bearer(user, "read")).status_code == 403
    assert post(stranger, INPUTS, headers={"Authorization": "Bearer rc_no"}).status_code == 401
    assert RunPlan.objects.count() == 0


def test_a_session_needs_the_csrf_token(user):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)

    assert post(browser, INPUTS).status_code == 403
    assert RunPlan.objects.count() == 0


def test_the_list_holds_ones_own_plans_newest_first(client, user, other, stranger):
    make_plan(other)
    make_plan()
    for number in range(3):
        plan = make_plan(user, title=f"Plan {number}", objective=f"test {number % 2}")
        RunPlan.objects.filter(pk=plan.pk).update(created_at=f"2026-01-0{number + 1}T00:00Z")
    RunPlan.objects.filter(title="Plan 2").update(
        inputs=INPUTS | {"driver": {"name": "Zoe"}, "track": {"name": "Spa"}}
    )

    first = client.get(URL, {"limit": 2}).json()
    second = client.get(URL, {"limit": 2, "cursor": first["next_cursor"]}).json()

    assert [p["title"] for p in first["items"]] == ["Plan 2", "Plan 1"]
    assert [p["title"] for p in second["items"]] == ["Plan 0"]
    assert second["next_cursor"] is None

    def titles(**filters):
        return [p["title"] for p in client.get(URL, filters).json()["items"]]

    assert titles(objective="test 0") == ["Plan 2", "Plan 0"]
    assert titles(driver="Zoe") == ["Plan 2"]
    assert titles(track="Oval Park") == ["Plan 1", "Plan 0"]
    assert client.get(URL, {"cursor": "junk"}).status_code == 422
    assert client.get(URL, {"limit": 0}).status_code == 422
    assert stranger.get(URL).status_code == 401


def test_a_plan_that_was_read_before_need_not_be_sent_again(stranger):
    url = f"{URL}/{make_plan().pk}"
    tag = stranger.get(url)["ETag"]

    assert stranger.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_too_many_writes_wait(stranger, settings):
    settings.API_ANONYMOUS_WRITES_PER_MINUTE = 2

    answers = [post(stranger, INPUTS).status_code for _ in range(3)]

    assert answers == [201, 201, 429]
    assert RunPlan.objects.count() == 2


def test_what_happens_is_logged_and_counted(stranger):
    made, refused = metrics.CREATED._value.get(), metrics.REFUSED._value.get()
    timed = metrics.CREATE_MS._sum.get()

    with capture_logs() as logs:
        plan_id = post(stranger, INPUTS).json()["id"]
        post(stranger, {"required_laps": 3})
        stranger.get(f"{URL}/{plan_id}")
        stranger.get(f"{URL}/{uuid.uuid4()}")

    events = {line["event"]: line for line in logs if line["event"].startswith("run_plan")}
    assert list(events) == [
        "run_plan_created",
        "run_plan_refused",
        "run_plan_read",
        "run_plan_not_found",
    ]
    assert events["run_plan_created"]["plan_id"] == plan_id
    assert events["run_plan_created"]["fuel_l"] == 67.5
    assert events["run_plan_refused"]["fields"] == ["fuel_burn_l_per_lap"]
    assert metrics.CREATED._value.get() == made + 1
    assert metrics.REFUSED._value.get() == refused + 1
    assert metrics.CREATE_MS._sum.get() > timed


def test_a_plan_written_by_plain_sql_is_whole():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO run_plans (inputs, result) VALUES ('{}', '{}')")

    plan = RunPlan.objects.get()
    assert plan.status == "computed"
    assert plan.created_at == plan.updated_at is not None
