"""Several people and bridges at once over real HTTP; a dropped stream; a worker that is killed."""

import json
from uuid import uuid4

import pytest
import requests
from django.db import connection

from racecontrol.shared import jobs, tokens
from racecontrol.testing import workers
from racecontrol.testing.running import until
from racecontrol.testing.workers import at_once
from racecontrol.tests.test_live import Follower, cookie_of
from strategy.models import LapEvent, LiveProposal, LiveRun, Membership, Role
from strategy.queries import live
from strategy.services.live import changes, race
from strategy.services.live.frame import Order
from strategy.tests.live_builders import make_run


@pytest.fixture
def two(live_asgi, user, other):
    """A race six laps old, its address, and two strategists who may command it."""
    run = make_run(user, laps=6, minutes=20)
    Membership.objects.create(team=run.strategy.team, user=other, role=Role.STRATEGIST)
    secrets = [tokens.make(by=who, name="wall", scope="write")[1] for who in (user, other)]
    return run, f"{live_asgi}/api/v1/strategies/{run.strategy_id}/live", secrets


def post(url: str, secret: str, body: dict):
    return requests.post(url, json=body, headers={"Authorization": f"Bearer {secret}"}, timeout=60)


def test_of_two_who_decide_about_one_stint_one_is_told_what_the_other_did(two):
    run, base, secrets = two
    body = {"laps": -2, "base_version": 1}

    answers = at_once(*[
        lambda s=s: post(f"{base}/stints/1/extend", s, body | {"key": str(uuid4())}) for s in secrets
    ])  # fmt: skip

    assert sorted(a.status_code for a in answers) == [200, 409]
    refused = next(a for a in answers if a.status_code == 409).json()["error"]
    assert refused["code"] == "stale_write"
    assert "laps shorter" in refused["fields"]["base_version"][0]
    assert LiveRun.objects.get().version == 2
    assert run.strategy.versions.count() == 2


def test_two_who_press_the_same_button_make_one_stop(two):
    run, base, secrets = two
    body = {"status": "completed", "base_version": 1}

    answers = at_once(*[
        lambda s=s: post(f"{base}/stints/1/progress", s, body | {"key": str(uuid4())})
        for s in secrets
    ])  # fmt: skip

    # whoever was second is told it is done, or that somebody did it: never a second stop
    assert {a.status_code for a in answers} <= {200, 409}
    assert 200 in {a.status_code for a in answers}
    assert LapEvent.objects.filter(kind="pit_in").count() == 1
    assert run.stops.count() == 1
    assert run.commands.count() == 1


def test_a_command_replayed_many_times_at_once_is_done_once(two):
    run, base, secrets = two
    body = {"kind": "stop_go", "amount": 10_000, "key": str(uuid4()), "base_version": 1}

    answers = at_once(*[lambda: post(f"{base}/penalties", secrets[0], body) for _ in range(6)])

    assert {a.status_code for a in answers} == {200}
    assert len({a.text for a in answers}) == 1
    assert run.penalties.count() == 1


def test_bridges_that_overlap_make_each_lap_once(two):
    _, base, secrets = two

    def batch(source: int):
        laps = range(7 + source % 2, 40)
        events = [{"key": f"lap-{n}", "kind": "lap", "lap": n, "at_ms": n * 30_000} for n in laps]
        return post(f"{base}/feed/batch", secrets[0], {"source": "decoder", "events": events})

    answers = at_once(*[lambda n=n: batch(n) for n in range(4)])

    assert {a.status_code for a in answers} == {200}
    assert sum(a.json()["new"] for a in answers) == 33
    assert LapEvent.objects.filter(source="decoder").count() == 33


def test_commands_on_different_things_at_once_all_count(two):
    run, base, secrets = two
    seat = run.strategy.current.stints.get(number=2).seat
    swap = {"driver_id": run.strategy.drivers[1 - seat]["user_id"], "reason": "asked",
            "override": True, "base_version": 1}  # fmt: skip

    answers = at_once(*[
        lambda: post(f"{base}/flags", secrets[0], {"flag": "sc", "base_version": 1}),
        lambda: post(f"{base}/fuel", secrets[1], {"fuel_ml": 70_000, "base_version": 1}),
        lambda: post(f"{base}/penalties", secrets[0], {"kind": "time", "base_version": 1}),
        lambda: post(f"{base}/stints/2/swap", secrets[1], swap),
    ])  # fmt: skip

    assert {a.status_code for a in answers} == {200}
    commands = live.run_with_all(run.strategy_id).commands.all()
    assert [c.version for c in commands] == [2, 3, 4, 5]


def test_a_page_that_lost_its_stream_hears_what_it_missed_once(live_asgi, two, user, other):
    run, _, _ = two
    topic = f"strategy:{run.strategy_id}"

    def wave(flag: str) -> None:
        race.set_flag(Order(run.strategy_id, user), flag=flag)

    with Follower(live_asgi, topic, cookie=cookie_of(other)) as page:
        assert page.read()["event"] == "hello"
        wave("sc")
        last = page.read()
    wave("red")
    wave("green")

    with Follower(live_asgi, topic, cookie=cookie_of(other), after=last["id"]) as page:
        heard = [json.loads(page.read()["data"])["live"] for _ in range(2)]
        assert page.read()["event"] == "hello"
        wave("fcy")
        heard.append(json.loads(page.read()["data"])["live"])

    assert json.loads(last["data"])["live"] == 2
    assert heard == [3, 4, 5]


def test_a_page_hears_on_after_the_database_dropped_the_listener(live_asgi, two, user):
    run, _, _ = two
    with Follower(live_asgi, f"strategy:{run.strategy_id}", cookie=cookie_of(user)) as page:
        assert page.read()["event"] == "hello"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'live hub' AND datname = current_database()"
            )
        race.set_flag(Order(run.strategy_id, user), flag="sc")

        assert json.loads(page.read()["data"])["live"] == 2


SLOW_WORKER = """
import sys, time
from racecontrol.shared import jobs
from strategy.services.live import changes
changes.ways_on = lambda *a, **k: time.sleep(120)
jobs.run(sys.argv[1])
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_looks_for_ways_on_loses_nothing(user):
    run = make_run(user, laps=6)
    job = changes.request_ways(strategy_id=run.strategy_id, by=user).job
    worker = workers.start(SLOW_WORKER, job.pk)
    try:
        begun = jobs.Job.objects.filter(pk=job.pk, attempts=1)
        until(lambda: begun.exists() or worker.poll() is not None, "the worker has begun")
        assert worker.poll() is None, "the worker ended before it began"
    finally:
        workers.end(worker)

    job.refresh_from_db()
    assert (job.state, job.attempts) == ("running", 1)
    until(
        lambda: jobs.run_now(job).state == "done", "the lock goes with the dead worker's connection"
    )

    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 2)
    assert LiveProposal.objects.get().options
    assert LiveRun.objects.get().version == 1
