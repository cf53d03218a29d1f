"""Sessions and laps as JSON."""

from urllib.parse import quote

import pytest

from coaching.models import RunLog
from coaching.services import garage
from coaching.tests.builders import STEADY, drive

pytestmark = pytest.mark.django_db

JSON = {"content_type": "application/json"}


def at(session, rest=""):
    return f"/api/v1/sessions/{session.pk}{rest}"


def test_a_day_at_the_track_by_api(client):
    made = client.post(
        "/api/v1/sessions",
        {"name": "Club race", "start_date": "2026-05-02", "practice_rounds": 3},
        **JSON,
    ).json()
    where = f"/api/v1/sessions/{made['id']}"
    assert (made["status"], made["qualifying_rounds"]) == ("draft", 0)

    lap = client.post(f"{where}/laps", {"heat_name": "Q1", "lap_time": "1:02.5"}, **JSON)
    count = client.post(
        f"{where}/laps/batch",
        {"heat_name": "Q1", "lap_times": STEADY, "confidence_rating": 4},
        **JSON,
    )

    assert (lap.status_code, lap.json()["lap_ms"], lap.json()["lap_number"]) == (201, 62_500, 1)
    assert (count.status_code, count.json()) == (201, {"count": 12})
    assert [row["lap_time"] for row in client.get(f"{where}/laps").json()] == [62.5, *STEADY]
    assert len(client.get(f"{where}/heats/Q1").json()["laps"]) == 13
    assert client.get(f"{where}/heats/Q9").status_code == 404
    assert client.get(f"{where}/summary").json()["heats"][0]["best_lap"] == 57.95
    assert client.patch(where, {"status": "closed"}, **JSON).json()["status"] == "closed"
    assert client.delete(f"{where}/laps").status_code == 409


def test_the_short_address_of_a_batch_is_the_same(client, session):
    answer = client.post(at(session, "/batch"), {"heat_name": "Q1", "lap_times": [58.1]}, **JSON)

    assert answer.json() == {"count": 1}


def test_a_wrong_lap_of_a_batch_is_named_and_nothing_stored(client, session):
    body = {"heat_name": "Q1", "laps": [{"lap_time": 58.1}, {"lap_time": -1}, {"lap_time": "x"}]}

    answer = client.post(at(session, "/laps/batch"), body, **JSON)

    assert answer.status_code == 422
    error = answer.json()["error"]
    assert set(error["fields"]) == {"laps.1", "laps.2"}
    assert "above zero" in error["fields"]["laps.1"][0]
    assert not RunLog.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"heat_name": "Q1"},
        {"heat_name": "", "lap_times": [58.1]},
        {"heat_name": "Q1", "lap_times": [58.1], "confidence_rating": 6},
        {"heat_name": "Q1", "lap_times": []},
        {"heat_name": "Q\x00", "lap_times": [58.1]},
    ],
)
def test_a_batch_that_cannot_be_read_is_refused(client, session, body):
    answer = client.post(at(session, "/laps/batch"), body, **JSON)

    assert answer.status_code == 422
    assert "error" in answer.json()


def test_the_score_of_a_heat_by_both_formulas(client, session):
    drive(session, "Q1", STEADY, confidence=4)

    v2 = client.get(at(session, "/orp?heat=Q1")).json()
    v1 = client.get(at(session, "/orp?heat=Q1&formula=v1")).json()

    assert (v2["status"], v2["score"], v2["result"]["race_pace_s"]) == ("valid", 98.4, 58.095)
    assert (v1["status"], v1["score"], v1["result"]["orp_score"]) == ("valid", 99.8, 99.8)
    assert v1["inputs_hash"] != v2["inputs_hash"]
    assert v2["advice"]


def test_another_confidence_can_be_tried_without_being_stored(client, session):
    drive(session, "Q1", STEADY, confidence=4)

    tried = client.get(at(session, "/orp?heat=Q1&formula=v1&confidence=2")).json()

    assert (tried["status"], tried["score"], tried["result"]["orp_score"]) == ("rejected", None, 0)
    assert client.get(at(session, "/orp?heat=Q1&formula=v1")).json()["status"] == "valid"
    assert client.get(at(session, "/orp?confidence=2")).status_code == 422


def test_too_few_laps_are_a_status_and_null(client, session):
    drive(session, "Q1", [58.0, 58.1])

    heat = client.get(at(session, "/orp?heat=Q1")).json()
    whole = client.get(at(session, "/orp")).json()

    assert (heat["status"], heat["score"]) == ("insufficient_data", None)
    assert (whole["status"], whole["score"], len(whole["heats"])) == ("insufficient_data", None, 1)


def test_the_sessions_score_weighs_its_heats(client, session):
    drive(session, "Q1")
    drive(session, "Q2", [57.0, 59.2] * 7)

    whole = client.get(at(session, "/orp")).json()

    q1, q2 = (heat["score"] for heat in whole["heats"])
    assert whole["score"] == round((12 * q1 + 14 * q2) / 26, 1)


def test_a_taken_number_is_a_conflict(client, session):
    drive(session, "Q1", [58.1])

    answer = client.post(
        at(session, "/laps"), {"heat_name": "Q1", "lap_time": 59, "lap_number": 1}, **JSON
    )
    same = client.post(
        at(session, "/laps"), {"heat_name": "Q1", "lap_time": 58.1, "lap_number": 1}, **JSON
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "lap_taken")
    assert (same.status_code, RunLog.objects.count()) == (201, 1)


def test_a_heat_is_rated_and_named_a_race(client, session):
    drive(session, "Saturday 3", [64.4, *STEADY])

    client.patch(at(session, "/heats/Saturday 3"), {"kind": "race", "confidence_rating": 2}, **JSON)

    result = client.get(at(session, "/orp?heat=Saturday 3")).json()["result"]
    assert (result["gate"], result["excluded"]) == ("closed", {"1": "start"})


@pytest.mark.parametrize("name", ["1/8 Buggy A-Main", "Q1", "Übung 2", "a?b#c"])
def test_heats_are_found_by_any_name(client, session, name):
    drive(session, name, [58.0])

    answer = client.get(at(session, f"/heats/{quote(name, safe='')}"))

    assert (answer.status_code, answer.json()["name"]) == (200, name)


def test_a_lap_is_flagged_and_taken_out(client, session, other):
    drive(session, "Practice 1", [75.2, *STEADY])
    first, second = RunLog.objects.order_by("lap_number")[:2]

    flagged = client.patch(at(session, f"/laps/{first.pk}"), {"flag": "out"}, **JSON)
    bad = client.patch(at(session, f"/laps/{first.pk}"), {"flag": "crash"}, **JSON)
    gone = client.delete(at(session, f"/laps/{second.pk}"))

    assert (flagged.json()["flag"], bad.status_code, gone.status_code) == ("out", 422, 204)
    assert RunLog.objects.count() == 12
    assert client.delete(at(session, f"/laps/{second.pk}")).status_code == 404
    client.force_login(other)
    assert client.delete(at(session, f"/laps/{first.pk}")).status_code == 404


def test_racers_and_cars(client, user, other):
    racer = client.post("/api/v1/racers", {"name": "Ann"}, **JSON).json()
    car = client.post(
        "/api/v1/vehicles",
        {"profile_id": racer["id"], "brand": "Tekno", "model": "EB48"},
        **JSON,
    ).json()

    assert (racer["experience_level"], racer["is_default"]) == ("Intermediate", True)
    assert client.get("/api/v1/vehicles").json() == [car]
    body = {"name": "X", "start_date": "2026-05-02", "vehicle_id": car["id"]}
    assert client.post("/api/v1/sessions", body, **JSON).json()["vehicle_id"] == car["id"]
    theirs = garage.save_vehicle(by=other, brand="A", model="B")
    refused = client.post("/api/v1/sessions", body | {"vehicle_id": theirs.pk}, **JSON)
    assert refused.status_code == 404


def test_a_forced_change_by_api(client, session):
    change = client.post(
        at(session, "/changes"), {"parameter": "DF", "new_value": "7000"}, **JSON
    ).json()
    where = at(session, f"/changes/{change['id']}/decision")

    refused = client.post(where, {"status": "accepted"}, **JSON)
    forced = client.post(where, {"status": "accepted", "force": True}, **JSON)

    assert change["warnings"]
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_advised")
    assert forced.json()["is_forced"] is True
