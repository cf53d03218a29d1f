"""Practice days as a program meets them; and that the events it knows stayed as they were."""

from datetime import timedelta

import pytest
from waffle.models import Flag

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import Event, PracticeRun, PracticeSession, Race, RaceResult
from ingestion.services.practice import archive
from ingestion.services.practice.requests import request_bulk, request_import
from ingestion.tests.practice_days import (
    DAY,
    DAY_ID,
    a_minute_goes_by,
    do_import,
    session_pages,
    sessions_of,
)
from racecontrol.models import Job
from racecontrol.shared import flags, jobs

pytestmark = pytest.mark.django_db
API = "/api/v1/practice-days"
RANGE = {"track": DEMO, "from": str(DAY - timedelta(days=7)), "to": str(DAY)}


def post(client, path, body=None):
    return client.post(f"{API}{path}", body or {}, content_type="application/json")


def discover(client, **more):
    return post(client, "/discover", RANGE | more)


# -- who may


OPERATIONS = [
    ("post", "/discover"),
    ("get", "/search"),
    ("post", "/import"),
    ("get", f"/{DAY_ID}"),
    ("get", f"/{DAY_ID}/status"),
    ("post", f"/{DAY_ID}/import"),
    ("post", f"/{DAY_ID}/refresh"),
    ("post", f"/{DAY_ID}/sessions/1/retry"),
]


def status_of(client, method, path):
    return getattr(client, method)(f"{API}{path}", content_type="application/json").status_code


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_off_means_not_there(client, staff, method, path):
    assert status_of(client, method, path) == 404
    client.force_login(staff)
    assert status_of(client, method, path) == 404
    assert Job.objects.count() == 0


def test_on_for_one_person_is_on_for_nobody_else(client, user, other):
    Flag.objects.create(name=flags.ENABLE_PRACTICE_DAYS, superusers=False).users.add(user)

    assert client.get(f"{API}/search").status_code == 200
    client.force_login(other)
    assert client.get(f"{API}/search").status_code == 404


def test_strangers_are_told_to_sign_in(stranger, practice_on):
    assert stranger.get(f"{API}/search").status_code == 401
    assert post(stranger, "/discover").status_code == 401


def test_use_of_the_flag_is_logged(client, user, practice_on):
    from structlog.testing import capture_logs

    with capture_logs() as logs:
        client.get(f"{API}/search")

    used = [line for line in logs if line["event"] == "flag_used"]
    assert {(line["flag"], line["user_id"]) for line in used} == {
        (flags.ENABLE_PRACTICE_DAYS, user.pk)
    }


# -- discovery


def test_discovery_runs_in_the_worker_and_tells_what_it_found(site, client, practice_on, run_jobs):
    asked = discover(client)
    assert asked.status_code == 202
    assert (asked.json()["state"], asked.json()["days"]) == ("running", [])

    run_jobs()
    found = discover(client)

    assert found.status_code == 200
    answer = found.json()
    assert (answer["type"], answer["state"]) == ("practice_day_discovery", "done")
    assert (answer["from"], answer["to"], answer["failures"]) == (RANGE["from"], RANGE["to"], [])
    assert {day["type"] for day in answer["days"]} == {"practice_day"}
    newest, said = answer["days"][0], sessions_of(site)
    assert (newest["source_event_id"], newest["date"]) == (DAY_ID, str(DAY))
    assert newest["state"] == "listed"
    assert newest["sessions"] == len(said)
    assert newest["total_laps"] == sum(len(s.counted_ms) for s in said)
    names = {s.driver_name for s in said} - {"Unknown Driver"}
    assert newest["unique_drivers"] == newest["liverc"]["unique_drivers"] == len(names)
    assert [one["id"] for one in newest["session_list"]] == [str(s.id) for s in said]
    first = newest["session_list"][0]
    assert (first["type"], first["driver_name"]) == ("practice_session", said[0].driver_name)
    assert Race.objects.count() == 0
    assert Job.objects.count() == 1  # asked once


def test_discovery_is_paged(site, client, practice_on, run_jobs):
    discover(client)
    run_jobs()

    first = discover(client, limit=1).json()
    rest = discover(client, limit=50, cursor=first["next_cursor"]).json()

    assert len(first["days"]) == 1
    dates = [day["date"] for day in first["days"] + rest["days"]]
    assert dates == sorted(set(dates), reverse=True)
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "from"),
        ({"from": "2026-10-01", "to": "2026-10-31"}, "track"),
        ({"track": DEMO, "from": "2026-10-01"}, "to"),
        ({"track": DEMO, "from": "2026-07-01", "to": "2026-10-02"}, "to"),
        ({"track": DEMO, "from": "2026-10-02", "to": "2026-10-01"}, "to"),
        ({"track": "not a slug", "from": "2026-10-01", "to": "2026-10-02"}, "track"),
        ({"track": DEMO, "from": "soon", "to": "2026-10-02"}, "from"),
        ({"track": DEMO, "from": "2026-10-01", "to": "2026-10-02", "limit": 51}, "limit"),
    ],
)
def test_a_wrong_question_is_refused_by_field(site, client, practice_on, body, field):
    answer = post(client, "/discover", body)

    assert answer.status_code == 422
    assert any(name.endswith(field) for name in answer.json()["error"]["fields"])
    assert Job.objects.count() == 0


# -- import


def test_a_day_is_imported_watched_and_read(site, client, practice_on, run_jobs):
    asked = post(client, f"/{DAY_ID}/import")
    assert asked.status_code == 202
    assert asked.json()["type"] == "practice_day"
    status = client.get(f"{API}/{DAY_ID}/status").json()
    assert (status["state"], status["job"]["id"]) == ("listed", asked.json()["import_id"])

    run_jobs()

    status = client.get(f"{API}/{DAY_ID}/status").json()
    assert (status["state"], status["job"]["state"], status["failed"]) == ("imported", "done", [])
    day = client.get(f"{API}/{DAY_ID}").json()
    assert (day["type"], day["state"]) == ("practice_day", "imported")
    assert day["imported_sessions"] == len(day["session_list"]) == len(sessions_of(site))
    known = next(one for one in day["session_list"] if one["driver_name"] != "Unknown Driver")
    assert known["driver_id"]
    assert known["match"]["method"] == "new"
    assert known["match"]["evidence"]
    assert {one["class_name"] for one in day["leaders"]} >= {""}
    fastest = min(leader["fast_lap_ms"] for leader in day["leaders"])
    assert day["leaders"][0]["fast_lap_ms"] == fastest
    [listed] = client.get(f"{API}/search", {"track": DEMO}).json()["items"]
    assert listed["source_event_id"] == DAY_ID


def test_a_second_caller_gets_the_running_import(site, client, other, practice_on):
    first = post(client, f"/{DAY_ID}/import").json()
    client.force_login(other)
    again = post(client, f"/{DAY_ID}/import").json()
    refreshed = post(client, "/import", {"source_event_ids": [DAY_ID]})

    assert again["import_id"] == first["import_id"]
    assert refreshed.status_code == 202


def test_who_asks_for_a_day_of_a_bulk_import_gets_that(site, client, practice_on):
    bulk = post(client, "/import", {"source_event_ids": [DAY_ID]}).json()

    assert post(client, f"/{DAY_ID}/import").json()["import_id"] == bulk["import_id"]
    status = client.get(f"{API}/{DAY_ID}/status").json()
    assert status["job"]["id"] == bulk["import_id"]


def test_several_days_are_one_job_with_partial_failures(site, client, practice_on, run_jobs):
    discover(client)
    run_jobs()
    known = [day["source_event_id"] for day in client.get(f"{API}/search").json()["items"]]
    assert len(known) > 1
    nobody = f"{DEMO}-practice-2026-11-10"

    asked = post(client, "/import", {"source_event_ids": [*known, nobody]})
    assert asked.json()["source_event_ids"] == [*known, nobody]
    run_jobs()

    job = Job.objects.get(pk=asked.json()["import_id"])
    assert job.state == "done"
    assert (job.done, job.total) == (len(known) + 1, len(known) + 1)
    assert {one["source_event_id"] for one in job.result["days"]} == set(known)
    [failed] = job.result["failed_days"]
    assert failed["source_event_id"] == nobody
    assert "Nobody practised" in failed["reason"]
    assert Event.objects.filter(state="imported").count() == len(known)


def test_a_range_takes_the_known_days(site, client, practice_on, run_jobs):
    discover(client)
    run_jobs()

    answer = post(client, "/import", RANGE).json()

    assert answer["discovers_first"] is False
    assert answer["source_event_ids"][-1] == DAY_ID
    assert len(answer["source_event_ids"]) == Event.objects.count()


def test_a_range_nobody_looked_at_is_discovered_in_the_same_job(
    site, client, practice_on, run_jobs
):
    answer = post(client, "/import", RANGE)
    assert answer.status_code == 202
    assert (answer.json()["discovers_first"], answer.json()["source_event_ids"]) == (True, [])
    again = post(client, "/import", RANGE).json()
    assert again["import_id"] == answer.json()["import_id"]
    assert PracticeRun.objects.count() == 1
    run_jobs()

    job = Job.objects.get(pk=answer.json()["import_id"])
    days = sorted(Event.objects.values_list("source_event_id", flat=True))
    assert (job.state, job.args[0]) == ("done", days)
    assert [one["source_event_id"] for one in job.result["days"]] == days
    assert set(Event.objects.values_list("state", flat=True)) == {"imported"}
    assert PracticeRun.objects.get(kind="discovery").outcome == "done"
    assert Job.objects.filter(func__endswith="run_discover_practice").count() == 0


def test_days_that_cannot_be_listed_do_not_stop_the_range(site, client, practice_on, run_jobs):
    site.fail(f"session_list&d={DAY}", "500", times=100)

    asked = post(client, "/import", RANGE).json()
    run_jobs()

    job = Job.objects.get(pk=asked["import_id"])
    assert job.state == "done"
    assert [one["page"] for one in job.result["failed_pages"]] == [str(DAY)]
    assert [one["source_event_id"] for one in job.result["failed_days"]] == [DAY_ID]
    assert job.result["days"]


def test_a_range_without_practice_says_so(site, client, practice_on, run_jobs):
    nobody = {"track": DEMO, "from": "2026-11-10", "to": "2026-11-10"}

    first = post(client, "/import", nobody).json()
    run_jobs()

    job = Job.objects.get(pk=first["import_id"])
    assert (job.state, "names no day" in job.message) == ("failed", True)
    assert post(client, "/import", nobody).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_range_goes_on_after_a_spent_minute(site, client, practice_on, settings, run_jobs):
    settings.LIVERC_PER_MINUTE = 2  # the calendar and one of the days
    asked = post(client, "/import", RANGE).json()
    run_jobs()
    job = Job.objects.get(pk=asked["import_id"])
    assert job.state == "paused"

    settings.LIVERC_PER_MINUTE = 10_000
    a_minute_goes_by()
    jobs.run_now(job)

    job.refresh_from_db()
    assert job.state == "done"
    assert len(job.result["days"]) == Event.objects.count() > 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source_event_ids": ["nonsense"]}, "source_event_id"),
        ({"source_event_ids": [DAY_ID], "track": DEMO}, "source_event_ids"),
        ({"track": DEMO}, "from"),
        ({}, "from"),
    ],
)
def test_a_bulk_import_of_nonsense_is_refused_by_field(client, practice_on, body, field):
    answer = post(client, "/import", body)

    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]


def test_a_failed_session_is_listed_and_retried_alone(site, client, practice_on, run_jobs):
    bad = sessions_of(site)[1]
    site.fail(f"view_session&id={bad.id}$", "changed", times=1)
    post(client, f"/{DAY_ID}/import")
    run_jobs()
    status = client.get(f"{API}/{DAY_ID}/status").json()
    assert status["state"] == "partial"
    assert [one["id"] for one in status["failed"]] == [str(bad.id)]
    assert status["failed"][0]["failure"]
    pages = session_pages(site)

    answer = post(client, f"/{DAY_ID}/sessions/{bad.id}/retry")
    run_jobs()

    assert answer.status_code == 202
    assert session_pages(site) == pages + 1
    status = client.get(f"{API}/{DAY_ID}/status").json()
    assert (status["state"], status["failed"]) == ("imported", [])


def test_refresh_follows_up_what_changed(site, client, practice_on, run_jobs):
    do_import()
    site.change(op="add_session", session_id=sessions_of(site)[0].id)

    assert post(client, f"/{DAY_ID}/refresh").status_code == 202
    run_jobs()

    assert Race.objects.filter(state="imported").count() == len(sessions_of(site))
    assert client.get(f"{API}/{DAY_ID}/status").json()["has_drift"] is False


def test_what_is_not_known_is_not_found(client, practice_on):
    for path in (f"/{DAY_ID}", f"/{DAY_ID}/status"):
        assert client.get(f"{API}{path}").status_code == 404
    for path in (f"/{DAY_ID}/refresh", f"/{DAY_ID}/sessions/1/retry"):
        assert post(client, path).status_code == 404
    assert client.get(f"{API}/nonsense/status").status_code == 422


def test_the_cost_is_told_when_the_budget_runs_low(site, client, practice_on, settings):
    settings.LIVERC_PER_DAY = 10

    asked = [
        post(client, f"/{DAY_ID}/import", {"ask_first": True}),
        post(client, "/import", {"source_event_ids": [DAY_ID], "ask_first": True}),
    ]
    assert [answer.json()["error"]["code"] for answer in asked] == ["budget_warning"] * 2
    assert not Job.objects.exists()
    assert "requests" in post(client, f"/{DAY_ID}/import").json()["warning"]


def test_a_refresh_asks_first_as_an_import_does(site, client, practice_on, settings):
    do_import()
    settings.LIVERC_PER_DAY = 10
    path = f"/{DAY_ID}/refresh"

    asked = post(client, path, {"ask_first": True})

    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "budget_warning")
    assert not Job.objects.filter(func__endswith="run_import_practice_day").exists()
    assert "requests" in post(client, path).json()["warning"]
    assert Job.objects.get(func__endswith="run_import_practice_day").args == [DAY_ID, True]


def test_archived_days_are_found_only_by_asking(site, client, practice_on):
    do_import()
    archive.archive_day(event_id=Event.objects.get().pk)

    assert client.get(f"{API}/search").json()["items"] == []
    [day] = client.get(f"{API}/search", {"include_archived": True}).json()["items"]
    assert day["archived_at"]
    assert client.get(f"{API}/{DAY_ID}").status_code == 200


def test_days_are_found_by_who_drove(site, client, practice_on):
    do_import()
    name = PracticeSession.objects.exclude(driver_name="Unknown Driver").first().driver_name

    assert len(client.get(f"{API}/search", {"q": name}).json()["items"]) == 1
    assert client.get(f"{API}/search", {"q": "nobody-of-that-name"}).json()["items"] == []


# -- the contract of events


EVENT_KEYS = {
    "id", "source_event_id", "kind", "name", "track", "starts_on", "ends_on", "timezone", "state",
    "race_count", "imported_count", "last_ingested_at", "missing_since",
}  # fmt: skip


@pytest.mark.parametrize("is_on", [False, True])
def test_the_events_api_knows_nothing_of_practice_days(site, client, run_jobs, is_on):
    Flag.objects.create(name=flags.ENABLE_PRACTICE_DAYS, everyone=is_on)
    do_import()
    practice = Event.objects.get()
    days = {"track": DEMO, "from": str(DAY), "to": str(DAY + timedelta(days=1))}
    events = "/api/v1/events"

    assert client.get(f"{events}/search", {"track": DEMO}).json()["items"] == []
    discovered = client.get(f"{events}/discover", days).json()
    assert {one["source_event_id"] for one in discovered["events"]} == {str(DEMO_EVENT_ID)}
    assert set(discovered) == {"track", "events", "failures"}
    [found] = client.get(f"{events}/search", days).json()["items"]
    assert set(found) == set(discovered["events"][0]) == EVENT_KEYS
    assert found["kind"] == "race"
    assert client.get(f"{events}/{practice.pk}").status_code == 404
    refused = client.post(f"{events}/{DAY_ID}/import", {}, content_type="application/json")
    assert refused.status_code == 422
    detail = client.get(f"{events}/{found['id']}").json()
    assert set(detail) == EVENT_KEYS | {"laps", "drivers", "classes", "races"}


def test_practice_stays_out_of_the_race_numbers_of_a_driver(site, client, practice_on):
    do_import()
    driver = RaceResult.objects.exclude(driver__is_unknown=True).first().driver

    answer = client.get(f"/api/v1/drivers/{driver.pk}").json()

    assert (answer["races"], answer["bests"], answer["trend"]) == (0, [], [])


def test_a_session_is_no_race_while_practice_days_are_off(site, client, staff):
    do_import()
    race = Race.objects.first()

    for who in (None, staff):
        if who:
            client.force_login(who)
        assert client.get(f"/api/v1/races/{race.pk}").status_code == 404
        assert client.get(f"/api/v1/races/{race.pk}/laps").status_code == 404


def test_with_practice_days_on_a_session_has_its_laps(site, client, practice_on):
    do_import()
    race = Race.objects.first()

    assert client.get(f"/api/v1/races/{race.pk}/laps").json()["drivers"][0]["laps"]


@pytest.mark.parametrize("is_on", [True, False])
def test_imports_of_practice_are_shown_to_whom_it_is_on(site, user, client, run_jobs, is_on):
    Flag.objects.create(name=flags.ENABLE_PRACTICE_DAYS, everyone=is_on)
    done = request_import(source_event_id=DAY_ID, by=user)
    run_jobs()
    bulk = request_bulk(source_event_ids=[DAY_ID], by=user)
    page = client.get("/timing/imports/").text

    for job, words in ((done, f"{len(sessions_of(site))} sessions"), (bulk, bulk.title)):
        assert (words in page) == is_on
        code = client.get(f"/api/v1/imports/{job.pk}").status_code
        assert code == (200 if is_on else 404)


@pytest.mark.django_db(transaction=True)
def test_a_job_tells_what_it_waits_for(site, client, practice_on, settings, run_jobs):
    settings.LIVERC_PER_MINUTE = 5
    post(client, f"/{DAY_ID}/import")
    run_jobs()
    job = client.get(f"{API}/{DAY_ID}/status").json()["job"]
    assert job["state"] == "paused"
    assert "spent" in job["message"]

    settings.LIVERC_PER_MINUTE = 1000
    a_minute_goes_by()
    jobs.run_now(Job.objects.get())
    assert client.get(f"{API}/{DAY_ID}/status").json()["state"] == "imported"
