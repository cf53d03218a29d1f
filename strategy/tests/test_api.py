"""The API of strategy: every operation by every role, and what each one does."""

import json
import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils.timezone import now

from racecontrol.testing.people import signed_in
from strategy.api.base import router
from strategy.models import FormationDraft, Membership, RaceStrategy, Role
from strategy.services import news, plans, teams
from strategy.tests.builders import START, make_person, make_strategy, sign_up

pytestmark = pytest.mark.django_db
BASE = {"base_version": 1}
ALL = {"owner", "strategist", "driver", "viewer"}
PLAN, OWN = {"owner", "strategist"}, {"owner"}
CAR = {"name": "Red 3"}
FORMATION = {"smallest": 1, "largest": 2, "seconds": 0.1}
# method, path, body, who may, what they get
OPERATIONS = [
    ("get", "teams/{team}", None, ALL, 200),
    ("patch", "teams/{team}", {"name": "Day Owls"}, OWN, 200),
    ("get", "teams/{team}/invitations", None, OWN, 200),
    ("post", "teams/{team}/invitations", {"role": "driver"}, OWN, 201),
    ("delete", "teams/{team}/invitations/{invitation}", None, OWN, 204),
    ("patch", "teams/{team}/members/{mate}", {"role": "viewer"}, OWN, 200),
    ("post", "teams/{team}/cars", CAR, PLAN, 201),
    ("put", "teams/{team}/cars/{car}", CAR, PLAN, 200),
    ("delete", "teams/{team}/cars/{spare}", None, PLAN, 204),
    ("get", "teams/{team}/webhooks", None, OWN, 200),
    ("post", "teams/{team}/webhooks", {"url": "https://hooks.example.org/2"}, OWN, 201),
    ("delete", "teams/{team}/webhooks/{hook}", None, OWN, 204),
    ("get", "strategy-events/{event}", None, ALL, 200),
    ("patch", "strategy-events/{event}", {"is_signup_open": False}, PLAN, 200),
    ("put", "strategy-events/{event}/rules", {"regulations": {"rest_s": 60}}, PLAN, 200),
    ("post", "strategy-events/{event}/starts", {"starts_at": "2026-06-20T14:00Z"}, PLAN, 201),
    ("delete", "strategy-events/{event}/starts/{instance}", None, PLAN, 409),  # is the last one
    ("delete", "strategy-events/{event}", None, OWN, 409),  # has a strategy
    ("get", "strategy-events/{event}/link", None, PLAN, 200),
    ("post", "strategy-events/{event}/link", None, PLAN, 200),
    ("delete", "strategy-events/{event}/link", None, PLAN, 204),
    ("get", "strategy-events/{event}/participations", None, ALL, 200),
    ("put", "strategy-events/{event}/participations/mine", {"lap_ms": 151_000}, ALL, 200),
    ("get", "strategy-events/{event}/pairs", None, PLAN, 200),
    ("get", "strategy-events/{event}/formations", None, PLAN, 200),
    ("post", "strategy-events/{event}/formations", FORMATION, PLAN, 202),
    ("get", "formations/{draft}", None, PLAN, 200),
    ("post", "formations/{draft}/move", BASE | {"signup_id": "{signup}", "to_team": 0}, PLAN, 200),
    ("post", "formations/{draft}/confirm", BASE, PLAN, 200),
    ("post", "formations/{draft}/undo", BASE, PLAN, 409),  # is not confirmed
    ("get", "participations/{signup}", None, ALL, 200),
    ("post", "participations/{signup}/status", {"status": "waitlist"}, PLAN, 200),
    ("put", "participations/{signup}/team", {"team_id": "{team}"}, PLAN, 200),
    ("get", "strategies/{row}", None, ALL, 200),
    ("patch", "strategies/{row}", BASE | {"status": "active"}, PLAN, 200),
    ("delete", "strategies/{row}", None, PLAN, 204),
    ("get", "strategies/{row}/check", None, ALL, 200),
    ("get", "strategies/{row}/standing", None, ALL, 200),
    ("get", "strategies/{row}/history", None, ALL, 200),
    ("get", "strategies/{row}/plan", None, ALL, 200),
    ("get", "strategies/{row}/versions/1", None, ALL, 200),
    ("post", "strategies/{row}/optimise", {"seconds": 1}, PLAN, 202),
    ("post", "strategies/{row}/use", BASE | {"number": 1}, PLAN, 200),
    ("post", "strategies/{row}/undo", BASE, PLAN, 409),  # nothing was changed by hand
    ("post", "strategies/{row}/refresh", BASE, PLAN, 200),
    ("post", "strategies/{row}/simulate", {"races": 10}, ALL, 200),
    ("get", "strategies/{row}/stints", None, ALL, 200),
    ("post", "strategies/{row}/stints", BASE | {"change": "move", "stint": 1, "value": -1}, PLAN, 200),
    ("get", "strategies/{row}/stints/1", None, ALL, 200),
    ("patch", "strategies/{row}/stints/1", BASE | {"move_end": -1}, PLAN, 200),
    ("delete", "strategies/{row}/stints/2?base_version=1", None, PLAN, 200),
    ("put", "strategies/{row}/plan", BASE | {"plan": "{plan}"}, PLAN, 200),
]  # fmt: skip
FREE = {  # lists and things of one's own, and what whoever holds the link may
    ("get", "/api/v1/teams"), ("post", "/api/v1/teams"), ("get", "/api/v1/strategy-events"),
    ("post", "/api/v1/strategy-events"), ("get", "/api/v1/strategies"),
    ("post", "/api/v1/strategies"), ("get", "/api/v1/participations"), ("get", "/api/v1/stints"),
    ("post", "/api/v1/invitations/{token}/accept"), ("get", "/api/v1/sign-up-links/{token}"),
    ("put", "/api/v1/sign-up-links/{token}/participation"),
}  # fmt: skip


@pytest.fixture
def world(user):
    """A strategy with everything an operation names; the owner is `user`."""
    row = make_strategy(user)
    team = row.team
    spare = teams.save_car(team_id=team.pk, name="Spare", by=user)
    hook, _ = news.add_webhook(team_id=team.pk, url="https://hooks.example.org/1", by=user)
    signups = list(row.event.signups.order_by("pk"))
    draft = FormationDraft.objects.create(
        event=row.event, teams=[[s.pk for s in signups]], options={"smallest": 1, "largest": 2},
        seen={str(s.pk): s.version for s in signups},
    )  # fmt: skip
    plan = [{"driver": s.driver, "laps": s.laps} for s in plans.plan_of(row.current)]
    return {
        "row": row.pk, "team": team.pk, "event": row.event_id, "instance": row.instance_id,
        "car": row.car_id, "spare": spare.pk, "hook": hook.pk, "draft": draft.pk, "plan": plan,
        "signup": signups[1].pk, "mate": signups[1].user_id,
        "invitation": teams.invite(team_id=team.pk, by=user).pk,
    }  # fmt: skip


@pytest.fixture
def people(world, user):
    """One signed-in client a role, and a stranger's."""
    found = {"owner": user, "stranger": make_person("stranger")}
    for role in (Role.STRATEGIST, Role.DRIVER, Role.VIEWER):
        person = found[str(role)] = make_person(str(role))
        Membership.objects.create(team_id=world["team"], user=person, role=role)
    clients = {}
    for role, person in found.items():
        clients[role] = signed_in(person)
    return clients


def ask(client: Client, method: str, path: str, body: dict | None, world: dict | None = None):
    """One call; "{name}" in path and body stands for what the world has."""
    filled = {
        key: (world or {})[value[1:-1]] if isinstance(value, str) and value[:1] == "{" else value
        for key, value in (body or {}).items()
    }
    address = f"/api/v1/{path.format(**(world or {}))}"
    data = {"data": json.dumps(filled), "content_type": "application/json"} if body else {}
    return getattr(client, method)(address, **data)


def test_each_role_may_what_it_may(world, people):
    faults = []
    for method, path, body, may, status in OPERATIONS:
        for role, client in people.items():
            with transaction.atomic():  # every call meets the same state
                answer = ask(client, method, path, body, world)
                transaction.set_rollback(True)
            wanted = 404 if role == "stranger" else status if role in may else 403
            if answer.status_code != wanted:
                faults.append(f"{role}: {method} {path}: {answer.status_code}, not {wanted}")
            elif wanted >= 400 and not answer.json()["error"]["message"]:
                faults.append(f"{role}: {method} {path}: no reason told")
    assert faults == []


def test_no_operation_is_left_out():
    """What has a name above stands for its address in the document."""
    words = {"team": "team_id", "invitation": "invitation_id", "mate": "user_id", "car": "car_id",
             "spare": "car_id", "hook": "webhook_id", "event": "event_id", "draft": "draft_id",
             "instance": "instance_id", "signup": "signup_id", "row": "strategy_id"}  # fmt: skip
    tested = set(FREE)
    for method, path, *_ in OPERATIONS:
        named = path.partition("?")[0].format(**{k: f"{{{v}}}" for k, v in words.items()})
        named = named.replace("/stints/1", "/stints/{number}").replace(
            "/stints/2", "/stints/{number}"
        )
        tested.add((method, f"/api/v1/{named.replace('/versions/1', '/versions/{number}')}"))
    ours = {"strategy.api", "strategy.api.boards", "strategy.api.hosting"}
    known = {
        (method.lower(), f"/api/v1{re.sub('{[a-z]+:', '{', path)}")
        for path, view in router.path_operations.items()
        for operation in view.operations
        if operation.view_func.__module__ in ours
        for method in operation.methods
    }
    assert len(known) > 50
    assert known - tested == set()


def test_a_race_from_nothing_by_api_alone(client, user, other, run_jobs):
    """Team, car, event, two signups, strategy, optimised, used, changed, exported, read back in."""
    team = ask(client, "post", "teams", {"name": "Night Owls"}).json()["id"]
    token = ask(client, "post", f"teams/{team}/invitations", {"role": "driver"}).json()["token"]
    theirs = signed_in(other)
    joined = ask(theirs, "post", f"invitations/{token}/accept", None)
    assert joined.json()["team_id"] == team
    car = ask(client, "post", f"teams/{team}/cars", CAR | {"burn_ml": 4_000}).json()["id"]
    event = ask(client, "post", "strategy-events", {
        "team_id": team, "name": "Three hours", "hours": 3, "lap_ms": 150_000,
        "starts_at": [START.isoformat()],
    }).json()  # fmt: skip
    windows = [
        {"starts_at": START.isoformat(), "ends_at": (START + timedelta(hours=3)).isoformat()}
    ]
    for one in (client, theirs):
        mine = ask(one, "put", f"strategy-events/{event['id']}/participations/mine",
                   {"windows": windows, "lap_ms": 150_500, "category": "Bronze"})  # fmt: skip
        assert mine.json()["pace"]["source"] == "typed in at sign-up"
        assert mine.json()["next_statuses"]

    made = ask(client, "post", "strategies", {
        "team_id": team, "event_id": event["id"], "instance_id": event["instances"][0]["id"],
        "car_id": car, "name": "Plan A", "driver_ids": [user.pk, other.pk],
    })  # fmt: skip
    row = made.json()["id"]
    assert made.json()["drivers"][0]["source"] == "typed in at sign-up"
    job = ask(client, "post", f"strategies/{row}/optimise", {"seconds": 2})
    run_jobs()
    assert job.status_code == 202
    found = ask(client, "get", f"strategies/{row}", None).json()
    assert [v["number"] for v in found["versions"]] == [2, 1]
    assert found["current"]["number"] == 1
    used = ask(client, "post", f"strategies/{row}/use", BASE | {"number": 2}).json()
    assert used["current"]["is_proven"]

    file = ask(client, "get", f"strategies/{row}/plan", None).json()
    assert file["schema"] == "stintopt-plan/1"
    ask(client, "patch", f"strategies/{row}/stints/1", {"base_version": 2, "move_end": -2})
    cost = ask(client, "get", f"strategies/{row}/standing", None).json()
    assert cost["cost_ms"] > 0
    assert cost["best_is_proven"]
    back = ask(client, "put", f"strategies/{row}/plan", {"base_version": 3, "plan": file}).json()
    assert back["current"]["z1_ms"] == file["z1_ms"]
    assert back["current"]["origin"] == "imported"
    told = [line["verb"] for line in ask(client, "get", f"strategies/{row}/history", None).json()]
    assert told[:3] == ["plan.imported", "plan.move", "plan.version_chosen"]


def test_stints_are_held_given_and_taken_away(world, people):
    client, path = people["strategist"], f"strategies/{world['row']}/stints"
    before = ask(client, "get", path, None).json()

    held = ask(client, "patch", f"{path}/2", BASE | {"is_held": True}).json()
    refused = ask(client, "delete", f"{path}/2?base_version=2", None)
    ask(client, "patch", f"{path}/2", {"base_version": 2, "is_held": False})
    gone = ask(client, "delete", f"{path}/1?base_version=3", None).json()

    assert held["stints"][1]["is_locked"]
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "strategy_locked")
    assert len(gone["stints"]) == len(before) - 1
    assert gone["stints"][0]["driver"] == before[1]["driver"]
    assert gone["stints"][0]["laps"] == before[0]["laps"] + before[1]["laps"]


@pytest.mark.parametrize(
    "body", [{}, {"is_held": True, "move_end": 1}, {"seat": 0, "tyres": "dry"}]
)
def test_a_stint_is_changed_in_one_thing_at_a_time(world, people, body):
    answer = ask(people["owner"], "patch", f"strategies/{world['row']}/stints/1", BASE | body)

    assert answer.status_code == 422
    assert RaceStrategy.objects.get().version == 1


def test_a_file_of_another_crew_finds_its_drivers_by_name(world, people, user):
    client, row = people["owner"], world["row"]
    file = ask(client, "get", f"strategies/{row}/plan", None).json()
    seats = [who["id"] for who in file["instance"]["drivers"]]
    turned = dict(file, instance=dict(file["instance"], drivers=file["instance"]["drivers"][::-1]))
    turned["plan"] = [dict(s, driver=1 - s["driver"]) for s in file["plan"]]
    stranger = json.loads(json.dumps(turned).replace(seats[1], "nobody here"))

    same = ask(client, "put", f"strategies/{row}/plan", BASE | {"plan": turned}).json()
    refused = ask(client, "put", f"strategies/{row}/plan", {"base_version": 2, "plan": stranger})

    assert same["current"]["z1_ms"] == file["z1_ms"]
    assert refused.status_code == 422
    assert "nobody here does not drive" in refused.json()["error"]["message"]


def test_signups_move_and_are_assigned_and_the_person_sees_it(world, people):
    owner, signup = people["owner"], world["signup"]
    late = ask(owner, "post", f"participations/{signup}/status", {"status": "participated"})
    body = {"team_id": world["team"], "car_id": world["spare"], "instance_id": world["instance"]}

    put = ask(owner, "put", f"participations/{signup}/team", body).json()
    entered = ask(owner, "post", f"participations/{signup}/status", {"status": "entered"}).json()
    mate = signed_in(Membership.objects.get(user_id=world["mate"]).user)
    mine = ask(mate, "get", "participations", None).json()["items"]
    confirmed = ask(mate, "post", f"participations/{signup}/status", {"status": "confirmed"})

    assert late.status_code == 409
    assert (put["status"], put["assigned_car_id"]) == ("team_assigned", world["spare"])
    assert entered["next_statuses"] == ["confirmed", "signed_up", "withdrawn"]
    assert [(m["status"], m["assigned_team_id"]) for m in mine] == [("entered", world["team"])]
    assert confirmed.json()["status"] == "confirmed"


def test_what_is_in_use_is_not_deleted(world, people):
    owner = people["owner"]
    ask(owner, "patch", f"strategies/{world['row']}", BASE | {"status": "active"})

    refused = [
        ask(owner, "delete", f"strategies/{world['row']}", None),
        ask(owner, "delete", f"strategy-events/{world['event']}", None),
        ask(owner, "delete", f"teams/{world['team']}/cars/{world['car']}", None),
    ]

    assert [answer.status_code for answer in refused] == [409, 409, 409]
    ask(owner, "patch", f"strategies/{world['row']}", {"base_version": 2, "status": "archived"})
    for path in (f"strategies/{world['row']}", f"strategy-events/{world['event']}",
                 f"teams/{world['team']}/cars/{world['car']}"):  # fmt: skip
        assert ask(owner, "delete", path, None).status_code == 204


def test_my_stints_over_the_api_are_those_of_active_strategies(user):
    start = (now() + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    row = make_strategy(user, starts_at=[start])
    client = signed_in(user)
    assert ask(client, "get", "stints", None).json() == []

    plans.set_state(strategy_id=row.pk, base_version=1, status="active", by=user)

    found = ask(client, "get", "stints", None).json()
    assert [s["number"] for s in found] == [
        s.number for s in row.current.stints.filter(driver=user)
    ]
    assert found[0]["event"] == "Three hours"


def test_lists_hold_ones_own_and_can_be_narrowed(world, people):
    owner, stranger = people["owner"], people["stranger"]

    for path in ("teams", "strategy-events", "strategies", "participations"):
        assert ask(stranger, "get", path, None).json()["items"] == [], path
        assert ask(owner, "get", path, None).json()["items"], path
    assert ask(owner, "get", "strategies?status=active", None).json()["items"] == []
    narrowed = ask(owner, "get", f"strategies?event_id={world['event']}&status=draft", None)
    assert len(narrowed.json()["items"]) == 1


def test_rain_in_a_simulation_slows_the_race(world, people):
    client, path = people["viewer"], f"strategies/{world['row']}/simulate"

    dry = ask(client, "post", path, {"races": 50}).json()[0]
    wet = ask(client, "post", path, {"races": 50, "wet_from_lap": 10, "wet_to_lap": 30}).json()[0]

    assert wet["p50_ms"] > dry["p50_ms"]


def test_somebody_signed_up_reads_the_event_but_not_who_else_is_in(world, user):
    guest = make_person("guest")
    event = RaceStrategy.objects.get().event
    sign_up(event, guest)
    Membership.objects.filter(user=guest).delete()
    client = signed_in(guest)

    assert ask(client, "get", f"strategy-events/{event.pk}", None).status_code == 200
    refused = ask(client, "get", f"strategy-events/{event.pk}/participations", None)
    assert refused.status_code == 404
