"""Missions as JSON, the admin's redaction, the import command: same services, same refusals."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from coaching.models import LlmAccount, Mission, StageResult
from coaching.tests.mission_builders import (
    MORNING,
    consent,
    days,
    give_model,
    make_mission,
    mission_data,
    morning,
)
from racecontrol.models import AuditEvent
from racecontrol.testing.shared_cases import needs_shared, shared_path

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def mission(mission, at):
    """Under way, and the API reads its clock."""
    return mission


def url(mission, rest=""):
    return f"/api/v1/missions/{mission.pk}{rest}"


def body(**values):
    return json.loads(json.dumps(mission_data(**values), default=str))


def test_a_mission_by_api_from_making_to_archive(client, user, fake, quick, at, run_jobs):
    give_model(user, fake)
    made = client.post("/api/v1/missions", body(), **JSON)
    assert made.status_code == 201, made.json()
    mission = Mission.objects.get()
    assert (made.json()["state"], made.json()["rules_version"]) == ("PREP", 1)

    refused = client.post(url(mission, "/start"), **JSON)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "forbidden_move"
    assert refused.json()["error"]["fields"]["allowed"] == ["start", "archive"]

    consent(user)
    assert client.post(url(mission, "/start"), **JSON).json()["state"] == "TRAINING"
    assert client.put(url(mission, "/check-in"), {"readiness": 66}, **JSON).status_code == 200
    queued = client.post(url(mission, "/run-now"), {}, **JSON)
    assert queued.status_code == 202
    run_jobs()
    status = client.get(url(mission, "/status")).json()
    assert status["today"]["status"] == "succeeded"
    detail = client.get(url(mission, f"/runs/{status['local_date']}")).json()
    assert "FACTS" in detail["exchanges"][0]["sent"][-1]["content"]
    answer = client.post(
        url(mission, f"/runs/{status['local_date']}/answer"), {"choice": "done"}, **JSON
    )
    assert answer.json() == {"choice": "done", "note": ""}
    assert client.get(url(mission, "/runs")).json()["items"][0]["kind"] in ("daily", "onboarding")

    assert client.post(url(mission, "/finish"), {"why": "ill"}, **JSON).status_code == 200
    run_jobs()
    assert client.post(url(mission, "/archive"), **JSON).json()["state"] == "ARCHIVED"
    steps = client.get(url(mission, "/history")).json()
    assert [s["target"] for s in steps] == ["PREP", "TRAINING", "MISSION_COMPLETE", "ARCHIVED"]


def test_bad_fields_are_all_named_and_nothing_is_saved(client):
    sent = body(event_end="2026-01-01", timezone="Mars/Base", constraints={"max_minutes": 9000})
    response = client.post("/api/v1/missions", sent, **JSON)

    assert response.status_code == 422
    fields = response.json()["error"]["fields"]
    assert {"event_end", "timezone", "constraints.max_minutes"} <= set(fields)
    assert not Mission.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"unknown": 1}, {"name": ""}, {"stage_plan": {"stages": "x"}}, {"run_at": "02:30"},
        {"mission_type": "moon"}, {"event_start": "soon"}, {"availability": {"monday": -1}},
        {"rider_profile": {"ftp": "big"}}, {"notifications": {"fax": True}},
        {"points_schema": {"table": {}}}, {"constraints": {"injuries": [{"area": ""}]}},
    ],
)  # fmt: skip
def test_each_bad_value_is_refused_by_name(client, mission, sent):
    before = Mission.objects.values().get()
    response = client.patch(url(mission), sent, **JSON)

    assert response.status_code == 422, response.json()
    assert response.json()["error"]["fields"]
    assert Mission.objects.values().get() == before


def test_locked_parts_are_refused_with_their_names(client, mission, at):
    at(MORNING + days(14))
    response = client.patch(
        url(mission), {"stage_plan": {"stages": []}, "mission_type": "one_day"}, **JSON
    )

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "edit_locked"
    assert set(response.json()["error"]["fields"]) == {"stage_plan", "mission_type"}
    # safety never locks
    saved = client.patch(url(mission), {"constraints": {"max_minutes": 30}}, **JSON)
    assert saved.json()["constraints"] == {"max_minutes": 30}


def test_an_old_version_is_refused(client, mission):
    response = client.patch(url(mission), {"name": "x", "version": mission.version - 1}, **JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "stale_write")


def test_a_new_plan_is_a_new_version_until_the_event_freezes_it(client, mission):
    plan = body()["stage_plan"]
    plan["stages"][0]["type"] = "mountain"
    assert client.patch(url(mission), {"stage_plan": plan}, **JSON).json()["rules_version"] == 2
    assert mission.rules.count() == 2


def test_moving_the_event_off_its_stages_names_the_plan(client, mission):
    response = client.patch(
        url(mission), {"event_start": "2026-07-01", "event_end": "2026-07-04"}, **JSON
    )
    assert response.status_code == 422
    assert any(name.startswith("stage_plan") for name in response.json()["error"]["fields"])


def test_travel_during_the_event_counts_from_tomorrow(client, mission, at):
    at(MORNING + days(14))
    client.patch(url(mission), {"timezone": "Asia/Tokyo"}, **JSON)
    mission.refresh_from_db()
    assert (mission.tz, mission.next_tz, mission.next_tz_on.isoformat()) == (
        "Europe/Berlin", "Asia/Tokyo", "2026-06-16",
    )  # fmt: skip
    at(MORNING + days(15))
    assert client.get(url(mission)).json()["timezone"] == "Asia/Tokyo"


def test_stages_and_progress_by_api(client, mission, at):
    at(MORNING + days(14))
    board = client.put(url(mission, "/stages/1"), {"ride_mode": "breakaway"}, **JSON).json()
    assert (board["total"], board["done"], board["planned"]) == (8, 1, 4)
    corrected = client.put(url(mission, "/stages/1"), {"ride_mode": "gc"}, **JSON).json()
    assert corrected["total"] == 5
    for rest, sent in (("/stages/9", {"ride_mode": "gc"}), ("/stages/1", {"ride_mode": "sprint"}),
                       ("/stages/4", {"ride_mode": "gc"})):  # fmt: skip
        assert client.put(url(mission, rest), sent, **JSON).status_code == 422
    same = {"ride_mode": "gc", "activity_ref": "a1", "activity_date": "2026-06-14"}
    assert client.put(url(mission, "/stages/1"), same, **JSON).status_code == 200
    twice = client.put(url(mission, "/stages/2"), same | {"activity_date": "2026-06-15"}, **JSON)
    assert "activity_ref" in twice.json()["error"]["fields"]
    assert client.delete(url(mission, "/stages/1")).json()["total"] == 0
    assert AuditEvent.objects.filter(verb="mission.stage_corrected").exists()


def test_a_draft_by_api(client, user, fake, quick, at, run_jobs):
    give_model(user, fake)
    consent(user)
    sent = {
        k: v for k, v in body().items() if k not in ("name", "prep_start", "llm_goal_statement")
    }
    made = client.post("/api/v1/missions/drafts", sent, **JSON)
    assert made.status_code == 202, made.json()
    run_jobs()
    draft = client.get(f"/api/v1/missions/drafts/{made.json()['id']}").json()
    assert draft["status"] == "ready", draft["problems"]
    assert [s["type"] for s in draft["proposal"]["stages"]] == ["flat", "hilly", "mountain", "itt"]
    confirm = f"/api/v1/missions/drafts/{draft['id']}/confirm"
    assert client.post(confirm, body(), **JSON).status_code == 201
    assert client.post(confirm, body(), **JSON).status_code == 409


def test_a_second_running_mission_is_refused(client, user, mission):
    second = make_mission(user, name="Second")
    response = client.post(url(second, "/start"), **JSON)

    assert response.status_code == 409
    assert "Another mission" in response.json()["error"]["message"]


# -- administrators --------------------------------------------------------------------------


@pytest.fixture
def written(mission):
    return morning(mission, note="my knee hurts")


def test_the_admin_shows_no_health_values_without_breaking_the_glass(client, staff, written):
    client.force_login(staff)
    pages = [
        "/admin/coaching/missionrun/", f"/admin/coaching/missionrun/{written.pk}/change/",
        "/admin/coaching/mission/", f"/admin/coaching/mission/{written.mission_id}/change/",
        "/admin/coaching/llmexchange/", "/admin/coaching/llmaccount/",
        f"/admin/coaching/llmaccount/{LlmAccount.objects.get().pk}/change/",
        f"/admin/coaching/llmexchange/{written.exchanges.first().pk}/change/",
        "/admin/coaching/missionnotification/", "/admin/coaching/consent/",
    ]  # fmt: skip
    for page in pages:
        response = client.get(page)
        assert response.status_code == 200, page
        text = response.content.decode()
        for secret in ("knee", "FACTS", "70 of 100", "sk-test", "Finish with a smile"):
            assert secret not in text, f"{page} shows {secret}"


def test_a_look_needs_the_permission_and_a_reason_and_is_logged(client, django_user_model, written):
    clerk = django_user_model.objects.create_user(username="clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_missionrun"))
    client.force_login(clerk)
    look = f"/admin/coaching/missionrun/{written.pk}/look/"
    assert client.get(look).status_code == 302

    clerk.user_permissions.add(Permission.objects.get(codename="see_health"))
    assert "my knee hurts" not in client.get(look).content.decode()
    assert "my knee hurts" not in client.post(look, {"reason": ""}).content.decode()
    assert "my knee hurts" in client.post(look, {"reason": "athlete asked us"}).content.decode()
    line = AuditEvent.objects.get(verb="mission_run.looked_into")
    assert (line.by, line.reason) == (clerk, "athlete asked us")


# -- the import command ----------------------------------------------------------------------


@needs_shared
def test_the_legacy_samples_are_imported_once(user, capsys):
    folder = shared_path("cases/coaching")
    mission, points = folder / "mission_legacy.toml", folder / "tdf_points_messy.json"

    call_command("import_missions", str(mission), points=points, user="sam")
    said = capsys.readouterr().out
    assert "dry run" in said
    assert "differs: counter total_points: the file says 40, its rows give 37" in said
    assert not Mission.objects.exists()

    for _ in range(2):
        call_command("import_missions", str(mission), points=points, user="sam", save=True)
    saved = Mission.objects.get()
    assert saved.legacy_id == "coastal-tour-2026"
    assert (saved.state, saved.constraints["min_tsb"]) == ("MISSION_COMPLETE", -15)
    assert StageResult.objects.count() == 5
    assert "5 the same" in capsys.readouterr().out
    row = StageResult.objects.get(number=2)
    assert (row.imported_points, row.assumed_tz) == (5, "UTC")


def test_an_import_for_nobody_or_from_nowhere_says_so(user, tmp_path):
    with pytest.raises(CommandError, match="nobody"):
        call_command("import_missions", "x.toml", user="ghost")
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("import_missions", str(tmp_path / "none.toml"), user="sam")
    broken = tmp_path / "m.toml"
    broken.write_text("id = 7")
    with pytest.raises(CommandError, match="start_date"):
        call_command("import_missions", str(broken), user="sam")
