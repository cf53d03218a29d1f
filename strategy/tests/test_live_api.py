"""The live API as a bridge, a strategist and a driver use it."""

from uuid import uuid4

import pytest

from racecontrol.shared import tokens
from strategy.models import LapEvent, Membership, Role
from strategy.tests.builders import make_person, make_strategy
from strategy.tests.live_builders import make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client):
    """`call("post", path, body)` as the signed-in owner, or with a token's secret."""

    def send(method: str, path: str, body: dict | None = None, *, by=None, token: str = ""):
        if by is not None:
            client.force_login(by)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(client, method)(f"/api/v1/strategies/{path}", headers=headers, **more)

    return send


def test_the_wall_is_told_in_one_answer(user, call):
    run = make_run(user, laps=5)

    wall = call("get", f"{run.strategy_id}/live").json()

    assert (wall["version"], wall["state"], wall["your_role"]) == (1, "racing", "owner")
    assert wall["in_car"]["laps"] == 5
    assert wall["fuel"]["low_ml"] < wall["fuel"]["left_ml"] < wall["fuel"]["high_ml"]
    assert wall["window"]["opens_lap"] <= wall["window"]["closes_lap"]
    assert {bar["name"] for bar in wall["bars"]} == {d["name"] for d in wall["drivers"]}


def test_a_race_is_opened_started_and_flagged(user, call):
    strategy = make_strategy(user)
    base = f"{strategy.pk}/live"

    assert call("get", base).status_code == 409
    assert call("post", base, {"is_training": True}).json()["state"] == "scheduled"
    assert call("post", f"{base}/state", {"state": "racing"}).json()["version"] == 2
    answer = call("post", f"{base}/flags", {"flag": "sc", "base_version": 2}).json()

    assert answer["version"] == 3
    assert answer["command"]["words"] == "Safety car out."
    assert call("get", base).json()["clock"]["flag"] == "sc"


def test_a_stale_command_answers_409_with_what_changed(user, call):
    run = make_run(user, laps=3)
    call("post", f"{run.strategy_id}/live/flags", {"flag": "sc", "base_version": 1})

    refused = call("post", f"{run.strategy_id}/live/flags", {"flag": "red", "base_version": 1})

    assert refused.status_code == 409
    error = refused.json()["error"]
    assert error["code"] == "stale_write"
    assert "Safety car out." in error["fields"]["base_version"][0]


def test_a_command_replayed_after_a_lost_answer_is_the_same_command(user, call):
    run = make_run(user, laps=3)
    body = {"fuel_ml": 80_000, "key": str(uuid4()), "base_version": 1}

    first = call("post", f"{run.strategy_id}/live/fuel", body).json()
    second = call("post", f"{run.strategy_id}/live/fuel", body).json()

    assert first == second
    assert run.readings.count() == 1


def test_a_bridge_sends_laps_with_a_token_that_may_write(user, call, client):
    run = make_run(user, minutes=60)
    client.logout()
    _, reads = tokens.make(by=user, name="reads", scope="read")
    _, writes = tokens.make(by=user, name="bridge", scope="write")
    one = {"source": "decoder", "key": "1", "kind": "lap", "lap": 1, "at_ms": 154_000}
    many = {"source": "decoder", "events": [
        {"key": str(n), "kind": "lap", "lap": n, "at_ms": n * 154_000} for n in (1, 2, 3)]}  # fmt: skip

    assert call("post", f"{run.strategy_id}/live/feed", one, token=reads).status_code == 403
    assert call("post", f"{run.strategy_id}/live/feed", one).status_code == 401
    assert call("post", f"{run.strategy_id}/live/feed", one, token=writes).json()["new"] == 1
    heard = call("post", f"{run.strategy_id}/live/feed/batch", many, token=writes).json()

    assert (heard["new"], heard["known"], heard["laps"]) == (2, 1, 3)
    assert LapEvent.objects.count() == 3


def test_a_token_for_timing_sends_timing_and_nothing_else(user, call, client):
    run = make_run(user, minutes=60)
    client.logout()
    _, secret = tokens.make(by=user, name="bridge", scope="feed")
    base = f"{run.strategy_id}/live"
    event = {"key": "1", "kind": "lap", "lap": 1, "at_ms": 154_000}

    one = call("post", f"{base}/feed", event | {"source": "decoder"}, token=secret)
    many = call("post", f"{base}/feed/batch", {"source": "d2", "events": [event]}, token=secret)

    assert (one.status_code, many.status_code) == (200, 200)
    assert call("get", base, token=secret).status_code == 403
    assert call("post", f"{base}/flags", {"flag": "sc"}, token=secret).status_code == 403
    assert (
        client.get("/api/v1/teams", headers={"Authorization": f"Bearer {secret}"}).status_code
        == 403
    )


def test_drivers_read_strategists_command_and_strangers_find_nothing(user, other, call):
    run = make_run(user, laps=3)
    driver, planner = make_person("driver"), make_person("planner")
    for person, role in ((driver, Role.DRIVER), (planner, Role.STRATEGIST)):
        Membership.objects.create(team=run.strategy.team, user=person, role=role)
    path, flag = f"{run.strategy_id}/live", {"flag": "fcy"}

    assert call("get", path, by=driver).status_code == 200
    assert call("post", f"{path}/flags", flag, by=driver).status_code == 403
    assert call("post", f"{path}/flags", flag, by=planner).status_code == 200
    assert call("get", path, by=other).status_code == 404
    assert call("post", f"{path}/flags", flag, by=other).status_code == 404


def test_a_wrong_event_is_put_right_and_the_trail_shows_it(user, call):
    run = make_run(user, laps=3)
    event = run.laps.last()

    call("patch", f"{run.strategy_id}/live/events/{event.pk}", {"is_void": True, "reason": "ghost"})

    log = call("get", f"{run.strategy_id}/live/log").json()["items"]
    assert (log[0]["name"], log[0]["reason"], log[0]["by"]) == ("correct", "ghost", "sam")
    assert call("get", f"{run.strategy_id}/live").json()["finish"]["laps_done"] == 2
    events = call("get", f"{run.strategy_id}/live/events").json()["items"]
    assert [e["is_void"] for e in events] == [False, False, True]


def test_what_was_done_already_answers_with_the_version_to_go_on_from(user, call):
    run = make_run(user, laps=3)
    call("post", f"{run.strategy_id}/live/flags", {"flag": "sc"})

    answer = call("post", f"{run.strategy_id}/live/flags", {"flag": "sc"}).json()

    assert answer == {"version": 2, "command": None}


def test_a_swap_is_previewed_and_confirmed_over_the_api(user, call):
    run = make_run(user, laps=6, event={"drivers": 3, "hours": 4})
    seat = run.strategy.current.stints.get(number=1).seat
    driver = next(d["user_id"] for n, d in enumerate(run.strategy.drivers) if n != seat)
    path = f"{run.strategy_id}/live/stints/1/swap"
    body = {"driver_id": driver, "reason": "ill", "override": True}

    seen = call("post", path, body | {"is_preview": True}).json()
    made = call("post", path, body).json()

    assert (seen["command"], seen["version"], made["version"]) == (None, 1, 2)
    shapes = [[(s["number"], s["driver"], s["laps"]) for s in a["stints"]] for a in (seen, made)]
    assert shapes[0] == shapes[1]
    assert seen["gain_ms"] < 0
    assert made["command"]["words"].endswith("takes over stint 1.")


def test_ways_on_are_asked_for_read_and_accepted_over_the_api(user, call, run_jobs):
    run = make_run(user, laps=6)
    base = f"{run.strategy_id}/live"

    asked = call("post", f"{base}/replan")
    assert asked.status_code == 202
    run_jobs()
    ways = call("get", f"{base}/proposals/{asked.json()['id']}").json()
    answer = call("post", f"{base}/proposals/{ways['id']}/accept", {"option": 0})

    assert ways["is_ready"]
    assert answer.json()["version"] == 2
    assert call("get", base).json()["proposal_id"] == ways["id"]


@pytest.mark.parametrize(
    "told",
    [{"at": "2026-06-13T14:00:00"}, {"at": "0001-01-01T00:00:00Z"}, {"at": "9999-12-31T23:00:00Z"},
     {"at_ms": -1}, {"at_ms": 10**12}, {"base_version": 77}],
)  # fmt: skip
def test_an_impossible_moment_or_version_is_named_and_changes_nothing(user, call, told):
    run = make_run(user, laps=3)

    refused = call("post", f"{run.strategy_id}/live/flags", {"flag": "sc"} | told)

    assert refused.status_code == 422
    assert refused.json()["error"]["fields"]
    assert not run.flags.exists()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:00:00Z"])
def test_a_race_does_not_begin_at_an_impossible_moment(user, call, at):
    strategy = make_strategy(user)
    base = f"{strategy.pk}/live"
    call("post", base, {})

    assert call("post", f"{base}/state", {"state": "racing", "at": at}).status_code == 422
    assert call("get", base).json()["state"] == "scheduled"
