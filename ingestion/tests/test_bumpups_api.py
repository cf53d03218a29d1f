"""Bump-ups as JSON: read, search, correct."""

import pytest

from ingestion.models import BumpUp, Driver
from ingestion.services import bumpups as services
from ingestion.tests.bumpup_builders import make_event, make_night

pytestmark = pytest.mark.django_db

LIST = "/api/v1/bump-ups"


def send(client, method, path, body):
    return getattr(client, method)(path, body, content_type="application/json")


def test_an_event_lists_its_moves(client, event):
    answer = client.get(f"/api/v1/events/{event.pk}/bump-ups").json()

    assert answer["next_cursor"] is None
    assert len(answer["items"]) == 4
    row = next(
        r
        for r in answer["items"]
        if r["target"]["label"] == "Buggy A-Main" and r["source"]["position"] == 1
    )
    assert row["driver_name"] == "Driver n"
    assert row["source"]["label"] == "Buggy B-Main"
    assert row["target"]["grid_slot"] == 5
    assert row["target"]["position"] == 2
    assert (row["confidence"], row["status"], row["track"]) == ("high", "detected", "redgum")


def test_pages_follow_one_another(client, event):
    url = f"/api/v1/events/{event.pk}/bump-ups?limit=3"
    first = client.get(url).json()
    second = client.get(f"{url}&cursor={first['next_cursor']}").json()

    ids = [row["id"] for row in first["items"] + second["items"]]
    assert (len(first["items"]), len(ids), len(set(ids))) == (3, 4, 4)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("track=redgum", 4),
        ("track=elsewhere", 0),
        ("class=BUGGY", 4),
        ("class=truggy", 0),
        ("from=2026-05-02&to=2026-05-02", 4),
        ("from=2026-05-03", 0),
        ("to=2026-05-01", 0),
        ("status=detected", 4),
        ("status=rejected,flagged", 0),
    ],
)
def test_search_narrows(client, event, query, count):
    assert len(client.get(f"{LIST}?{query}").json()["items"]) == count


def test_search_by_driver(client, event):
    driver = Driver.objects.get(source_driver_id="n")

    rows = client.get(f"{LIST}?driver={driver.pk}").json()["items"]

    assert sorted(row["target"]["label"] for row in rows) == ["Buggy A-Main", "Buggy B-Main"]
    assert {row["driver_id"] for row in rows} == {driver.pk}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=perhaps", "status"),
        ("from=yesterday", "from"),
        ("driver=0", "driver"),
        ("limit=0", "limit"),
    ],
)
def test_a_bad_filter_names_its_field(client, event, query, field):
    answer = client.get(f"{LIST}?{query}")

    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]


def test_staff_correct_and_others_may_not(client, staff, event):
    row = BumpUp.objects.first()
    path = f"{LIST}/{row.pk}"

    refused = send(client, "patch", path, {"status": "rejected"})
    client.force_login(staff)
    done = send(client, "patch", path, {"status": "rejected", "note": "Not the same car"})

    assert refused.status_code == 403
    assert done.status_code == 200
    assert (done.json()["status"], done.json()["note"]) == ("rejected", "Not the same car")
    row.refresh_from_db()
    assert row.decided_by == staff


def test_an_event_editor_may_correct(client, user, event):
    from django.contrib.auth.models import Permission

    user.user_permissions.add(Permission.objects.get(codename="change_bumpup"))

    answer = send(client, "patch", f"{LIST}/{BumpUp.objects.first().pk}", {"status": "confirmed"})

    assert answer.status_code == 200


def test_a_bad_correction_changes_nothing(boss, event):
    row = BumpUp.objects.first()

    bad = send(boss, "patch", f"{LIST}/{row.pk}", {"status": "perhaps"})
    gone = send(boss, "patch", f"{LIST}/999999", {"status": "rejected"})

    assert (bad.status_code, gone.status_code) == (422, 404)
    assert "status" in bad.json()["error"]["fields"]
    row.refresh_from_db()
    assert row.status == "detected"


def test_a_move_added_by_hand(boss, event):
    other = make_event(source_event_id="901")
    a, b = event.races.get(main="A"), event.races.get(main="B")
    driver = Driver.objects.get(source_driver_id="d")
    body = {"source_race_id": b.pk, "target_race_id": a.pk, "driver_id": driver.pk}

    done = send(boss, "post", f"/api/v1/events/{event.pk}/bump-ups", body)
    wrong = send(boss, "post", f"/api/v1/events/{other.pk}/bump-ups", body)

    assert done.status_code == 201
    assert (done.json()["status"], done.json()["confidence"]) == ("manual", "person")
    assert wrong.status_code == 422
    assert set(wrong.json()["error"]["fields"]) == {"source_race_id", "target_race_id"}


def test_statistics(client, event):
    answer = client.get("/api/v1/bump-ups/statistics?track=redgum").json()

    assert answer["overall"][0]["moves"] == 4
    assert answer["formats"] == [
        {"name": "C → B → A", "steps": 2, "moved": 2, "times": 2, "events": 1}
    ]
    assert answer["frequent"][0]["driver_name"] == "Driver n"


def test_a_list_costs_a_fixed_number_of_queries(client, event, django_assert_max_num_queries):
    for n in range(3):
        more = make_night(make_event(source_event_id=f"more-{n}"))
        services.detect_for_event(more.pk)

    with django_assert_max_num_queries(6):
        client.get(LIST)


def test_race_results_say_who_came_from_below_when_asked(client, event):
    race = event.races.get(main="A")

    plain = client.get(f"/api/v1/races/{race.pk}").json()["results"]
    asked = client.get(f"/api/v1/races/{race.pk}?include_bump_ups=true").json()["results"]

    assert not any(row.get("bumped_from") for row in plain)
    told = {row["driver_name"]: row["bumped_from"] for row in asked if row["bumped_from"]}
    assert set(told) == {"DRIVER N", "DRIVER G"}
    assert told["DRIVER N"]["label"] == "Buggy B-Main"
    assert told["DRIVER N"]["position"] == 1
    without = [{k: v for k, v in row.items() if k != "bumped_from"} for row in asked]
    assert without == [{k: v for k, v in row.items() if k != "bumped_from"} for row in plain]
