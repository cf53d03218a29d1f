"""The athlete's own data over the API: what a program can do is what a page can do."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from coaching.models import Activity, AthleteUpload, Connection, DailyMetric
from coaching.services import athlete as services
from coaching.tests.activity_bytes import gpx
from coaching.tests.connected import connect
from racecontrol.shared import jobs
from racecontrol.shared.jobs import Job
from racecontrol.testing.people import program

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_storage")]
AT = "/api/v1/athlete"
JSON = "application/json"


@pytest.fixture
def api(user):
    return program(user)


def agree(api, purpose="health", is_given=True):
    return api.put(f"{AT}/consents/{purpose}", {"is_given": is_given}, content_type=JSON)


def bring(api, content=None, name="ride.gpx"):
    return api.post(f"{AT}/uploads", {"file": SimpleUploadedFile(name, content or gpx())})


# -- consent ---------------------------------------------------------------------------------


def test_consent_is_given_and_taken_back(api, user):
    assert [row["is_given"] for row in api.get(f"{AT}/consents").json()] == [False, False]

    given = {row["purpose"]: row for row in agree(api).json()}
    assert (given["health"]["is_given"], given["model"]["is_given"]) == (True, False)
    assert services.has_health_consent(user)

    agree(api, is_given=False)
    assert not services.has_health_consent(user)
    assert agree(api, purpose="fame").status_code == 422


# -- connections -----------------------------------------------------------------------------


def test_services_are_listed_connected_or_not_and_without_secrets(api, user, providers, run_jobs):
    row = connect(providers, user, "oura")
    run_jobs()
    answer = api.get(f"{AT}/connections")

    told = {one["provider"]: one for one in answer.json()}
    assert list(told) == ["strava", "oura", "intervals"]
    assert (told["strava"]["status"], told["oura"]["status"]) == ("not_connected", "active")
    assert (
        told["oura"]["connect_url"]
        == "http://testserver/coaching/athlete/connections/oura/connect/"
    )
    assert told["oura"]["synced_until"] == f"{now():%Y-%m-%d}"
    assert told["intervals"]["takes_key"]
    row.refresh_from_db()
    assert row.access_token not in answer.text
    assert row.refresh_token not in answer.text


def test_fetching_testing_and_ending(api, user, providers, run_jobs):
    connect(providers, user, "oura")
    run_jobs()

    first = api.post(f"{AT}/connections/oura/sync")
    second = api.post(f"{AT}/connections/oura/sync")
    assert (first.status_code, first.json()["id"]) == (202, second.json()["id"])
    assert api.get(f"{AT}/connections/oura").json()["job"]["state"] == "queued"
    run_jobs()
    assert api.get(f"{AT}/connections/oura").json()["job"] is None

    assert api.post(f"{AT}/connections/oura/test").status_code == 202
    run_jobs()
    assert api.get(f"{AT}/connections/oura").json()["last_test"] == "Oura answers."

    assert api.delete(f"{AT}/connections/oura?drop=true").status_code == 204
    assert Connection.objects.count() == DailyMetric.objects.count() == 0
    run_jobs()
    assert len(providers.oura.revoked) == 1
    assert api.delete(f"{AT}/connections/oura").status_code == 404


def test_an_own_key_connects_after_consent_and_a_wrong_one_is_told_by_field(api, providers):
    def send(key):
        return api.put(f"{AT}/connections/intervals/key", {"api_key": key}, content_type=JSON)

    assert send("icu-key").status_code == 403
    agree(api)
    wrong = send("nope")
    assert wrong.status_code == 422
    assert "api_key" in wrong.json()["error"]["fields"]
    assert "nope" not in wrong.text
    assert send("icu-key").json()["status"] == "active"


def test_a_lost_permission_says_so_and_refuses_to_fetch(api, user, providers, run_jobs):
    connect(providers, user, "oura")
    run_jobs()
    providers.oura.expire()
    providers.fail("invalid-grant", times=-1, path="token")
    api.post(f"{AT}/connections/oura/sync")
    run_jobs()

    told = api.get(f"{AT}/connections/oura").json()
    assert told["status"] == "needs_reconnect"
    assert "connect again" in told["last_error"]
    assert api.post(f"{AT}/connections/oura/sync").status_code == 409


# -- files -----------------------------------------------------------------------------------


def test_a_file_is_brought_read_and_listed(api, run_jobs):
    assert bring(api).status_code == 403
    agree(api)
    sent = bring(api)
    assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
    assert bring(api).status_code == 409
    run_jobs()

    [row] = api.get(f"{AT}/uploads").json()["items"]
    assert (row["state"], row["message"], row["job"]) == ("done", "1 activity", None)
    assert api.get(f"{AT}/uploads/{row['id']}").json() == row
    bad = bring(api, b"MZ", "setup.exe")
    assert (bad.status_code, list(bad.json()["error"]["fields"])) == (422, ["file"])


def test_a_file_is_cancelled_or_tried_again(api, run_jobs):
    agree(api)
    first = bring(api).json()["id"]
    assert api.post(f"{AT}/uploads/{first}/cancel").json()["state"] == "cancelled"
    assert api.post(f"{AT}/uploads/{first}/retry").status_code == 409

    second = AthleteUpload.objects.get(pk=bring(api).json()["id"])
    Job.objects.filter(pk=second.job_id).update(attempts=3)
    jobs.run_now(second.job)
    told = api.get(f"{AT}/uploads/{second.pk}").json()
    assert (told["state"], told["is_retryable"]) == ("failed", True)

    assert api.post(f"{AT}/uploads/{second.pk}/retry").status_code == 202
    run_jobs()
    assert api.get(f"{AT}/uploads/{second.pk}").json()["state"] == "done"


# -- numbers, activities, days, form ---------------------------------------------------------


@pytest.fixture
def rides(user):
    for n in range(5):
        begun = now() - timedelta(days=n)
        Activity.objects.create(
            owner=user, source="FIT file", starts_at=begun, on=begun.date(), elapsed_s=3600,
            moving_s=3600, normalised_w=200,
        )  # fmt: skip


def test_numbers_turn_activities_into_load(api, rides):
    def points():
        return [one["load"] and one["load"]["points"] for one in page["items"]]

    page = api.get(f"{AT}/activities?limit=3").json()
    assert points() == [None] * 3
    numbers = {"threshold_w": 200, "source_order": ["FIT file", "FIT file"]}
    saved = api.put(f"{AT}/numbers", numbers, content_type=JSON).json()
    assert (saved["threshold_w"], saved["source_order"]) == (200, ["FIT file"])
    assert api.get(f"{AT}/numbers").json() == saved

    page = api.get(f"{AT}/activities?limit=3").json()
    assert points() == [100.0] * 3
    rest = api.get(f"{AT}/activities?limit=3&cursor={page['next_cursor']}").json()
    assert (len(rest["items"]), rest["next_cursor"]) == (2, None)
    form = api.get(f"{AT}/form").json()
    assert form["building"] == len(form["days"]) == 5
    assert form["days"][-1]["tsb"] == pytest.approx(
        form["days"][-1]["ctl"] - form["days"][-1]["atl"]
    )
    wrong = api.put(f"{AT}/numbers", {"resting_bpm": 90, "max_bpm": 100, "threshold_bpm": 180},
                    content_type=JSON)  # fmt: skip
    assert (wrong.status_code, list(wrong.json()["error"]["fields"])) == (422, ["threshold_bpm"])


def test_effort_is_told_and_taken_back(api, rides):
    ride = Activity.objects.first()
    url = f"{AT}/activities/{ride.pk}/effort"

    assert api.put(url, {"effort": 7}, content_type=JSON).json()["load"]["points"] == 100
    assert api.put(url, {"effort": None}, content_type=JSON).json()["load"] is None
    assert api.put(url, {"effort": 11}, content_type=JSON).status_code == 422


def test_days_name_the_source_that_speaks_and_spans_have_ends(api, user):
    today = now().date()
    for source, value in [("Apple Watch", 420), ("iPhone", 90)]:
        DailyMetric.objects.create(
            owner=user, metric="sleep", on=today, source=source, value=value, unit="min"
        )

    [row] = api.get(f"{AT}/days").json()
    assert (row["source"], row["value"]) == ("Apple Watch", 420)
    for query in (
        f"until={today + timedelta(days=2)}", "since=1990-01-01", "until=0001-01-01",
        f"since={today}&until={today - timedelta(days=1)}", "since=x",
    ):  # fmt: skip
        assert api.get(f"{AT}/days?{query}").status_code == 422, query
        assert api.get(f"{AT}/form?{query}").status_code == 422, query


# -- rights ----------------------------------------------------------------------------------


def test_others_see_nothing_and_a_reading_token_changes_nothing(
    api, user, other, providers, run_jobs
):
    agree(api)
    upload = bring(api).json()["id"]
    connect(providers, user, "oura")
    run_jobs()
    strange, reader = program(other), program(user, "read")

    assert strange.get(f"{AT}/uploads/{upload}").status_code == 404
    assert strange.post(f"{AT}/uploads/{upload}/cancel").status_code == 404
    assert strange.get(f"{AT}/uploads").json()["items"] == []
    assert strange.get(f"{AT}/activities").json()["items"] == []
    assert strange.get(f"{AT}/days").json() == []
    assert strange.get(f"{AT}/connections/oura").json()["status"] == "not_connected"
    assert strange.post(f"{AT}/connections/oura/sync").status_code == 404
    assert reader.get(f"{AT}/connections").status_code == 200
    for method, path in [
        ("delete", "connections/oura"), ("post", "connections/oura/sync"), ("post", "uploads"),
        ("put", "consents/health"), ("put", "numbers"),
    ]:  # fmt: skip
        assert getattr(reader, method)(f"{AT}/{path}").status_code == 403
    assert Client().get(f"{AT}/days").status_code == 401
    assert Connection.objects.filter(owner=user).exists()
    assert "no-store" in api.get(f"{AT}/days")["Cache-Control"]
