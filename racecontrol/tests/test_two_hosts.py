"""Two web hosts and two worker hosts on one external PostgreSQL, as docs/deployment.md sets them up.

Separate working directories, production settings, an object store for files, a proxy in front. The
tests build on each other in order; what is killed is started again by the test that killed it.
"""

import contextlib
import io
import json
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import count

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from coaching.tests.activity_bytes import gpx
from ingestion.fake_liverc import FakeLiveRC
from racecontrol.testing.hosts import (
    Console,
    Database,
    Host,
    Person,
    Proxy,
    server_programs,
    shared_settings,
    wait_for_ready,
)
from racecontrol.testing.running import outcomes, until
from racecontrol.testing.workers import at_once
from racecontrol.tests.test_live import Follower

PROGRAMS = server_programs()
pytestmark = [
    pytest.mark.processes,
    pytest.mark.filterwarnings("ignore"),  # of the object store's stand-in
    pytest.mark.skipif(PROGRAMS is None, reason="no PostgreSQL of the system (15 or newer) here"),
]

PAGES_A_DAY = 30
KILLED_EVENT, KILLED_TRACK = 182510, "cobblepeak"
BUDGET_EVENTS, BUDGET_TRACK = (162503, 162475), "kiesgrube"  # 20 races each
PREPARE = """
from django.contrib.auth import get_user_model
from racecontrol.shared import tokens
from coaching.services.athlete import set_health_consent
from coaching.tests.builders import make_session
from coaching.tests.mission_builders import make_mission
from strategy.models import Membership, Role
from strategy.services.live import race
from strategy.services.live.frame import Order
from strategy.tests.builders import make_person, make_strategy
sam, olga = make_person("sam", is_staff=True, is_superuser=True), make_person("olga")
plan, wall = make_strategy(sam), make_strategy(olga, name="Wall", drivers=2)
Membership.objects.create(team=plan.team, user=olga, role=Role.STRATEGIST)
Membership.objects.create(team=wall.team, user=sam, role=Role.STRATEGIST)
race.open_race(strategy_id=wall.pk, by=olga, is_training=True, speed=10_000)
race.set_state(Order(wall.pk, olga), state="racing")
set_health_consent(by=sam, is_given=True)
answer = {
    "plan": plan.pk, "wall": wall.pk, "mission": make_mission(sam).pk, "session": make_session(sam).pk,
    "tokens": {who.username: tokens.make(by=who, name="t", scope="write")[1] for who in (sam, olga)},
}
"""
SPEND = """
from django.conf import settings
from ingestion.services import fetching
usual, settings.LIVERC_PER_MINUTE = settings.LIVERC_PER_MINUTE, 5
answer = []
for _ in range(8):
    try:
        fetching.spend("minute", "http://minute.example/")
        answer.append("asked")
    except fetching.BudgetExhausted as spent:
        answer.append("day" if spent.is_daily else "minute")
settings.LIVERC_PER_MINUTE = usual
"""
RACE_SCHEDULES = """
from django.utils.timezone import now
from django_q.models import Schedule
from django_q.scheduler import scheduler
scheduler()
answer = Schedule.objects.get(name="tick").next_run > now()
"""


@dataclass
class Site:
    """Everything that runs, and who is there."""

    database: Database
    hosts: dict[str, Host]
    proxies: dict[str, Proxy]
    consoles: dict[str, Console]
    source: FakeLiveRC
    known: dict

    def person(self, name: str, host: str) -> Person:
        return Person(self.proxies[host].url, token=self.known["tokens"][name])

    def wake(self, host: str, *names: str) -> None:
        for name in names:
            self.hosts[host].start_web() if name == "web" else self.hosts[host].start_worker(name)
        wait_for_ready(self.hosts[host])


@contextlib.contextmanager
def object_store():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket="race")
        yield {
            "MEDIA_S3_BUCKET": "race",
            "MEDIA_S3_URL": url,
            "MEDIA_S3_KEY": "k",
            "MEDIA_S3_SECRET": "s",
        }
    finally:
        server.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        database = Database(PROGRAMS)
        stack.callback(database.stop)
        database.start()
        source = stack.enter_context(FakeLiveRC(today=date(2026, 11, 21)))
        told = shared_settings(
            LIVERC_URL_TEMPLATE=source.url_template, LIVERC_CATALOGUE_URL=source.catalogue_url,
            LIVERC_PER_MINUTE=1_000, LIVERC_PER_DAY=PAGES_A_DAY, Q_WORKERS=1,
            **stack.enter_context(object_store()),
        )  # fmt: skip
        folder = tmp_path_factory.mktemp("hosts")
        hosts = {name: Host(folder / f"host {name}", name, database, told) for name in "ab"}
        for host in hosts.values():
            stack.callback(host.clean_up)
        with ThreadPoolExecutor(1) as meanwhile:
            made = meanwhile.submit(hosts["b"].manage, "collectstatic", "--noinput")
            hosts["a"].manage("migrate")
            hosts["a"].manage("sync_setup")
            made.result()
        shutil.copytree(hosts["b"].folder / "staticroot", hosts["a"].folder / "staticroot")
        for host in hosts.values():
            host.start_web()
            host.start_worker()
        hosts["b"].start_worker("slow")
        consoles = {name: Console(host) for name, host in hosts.items()}
        for console in consoles.values():
            stack.callback(console.close)
        known = consoles["a"](PREPARE)
        wait_for_ready(*hosts.values())
        proxies = {name: stack.enter_context(Proxy(host)) for name, host in hosts.items()}
        proxies["front"] = stack.enter_context(Proxy(hosts["a"], hosts["b"]))
        yield Site(database, hosts, proxies, consoles, source, known)


def test_a_session_holds_on_every_host_and_ends_on_every_host(site):
    person = Person(site.proxies["a"].url)
    there = person.at(site.proxies["b"].url)
    assert there.get("/api/v1/me").status_code == 401

    assert person.sign_in("olga", "pass-word-1").status_code == 302

    assert there.get("/api/v1/me").json()["username"] == "olga"
    assert there.form("/accounts/logout/", {}).status_code == 302
    assert person.get("/api/v1/me").status_code == 401


def test_wrong_passwords_are_counted_over_both_hosts(site):
    stranger = Person(site.proxies["a"].url)
    turns = [stranger, stranger.at(site.proxies["b"].url)]

    passed = 0
    while "Too many failed" not in turns[passed % 2].sign_in("sam", f"guess-{passed}").text:
        passed += 1
        assert passed <= 5  # each host by itself would let five pass

    for guess in turns:
        assert "Too many failed" in guess.sign_in("sam", "pass-word-1").text
    site.database.ask("DELETE FROM racecontrol_cache")  # the others of this file sign in, too


def test_writes_of_a_token_are_counted_over_both_hosts(site):
    counted = "SELECT coalesce(sum(count), 0) FROM racecontrol_ratewindow WHERE key LIKE 'token:%%'"
    before = site.database.one(counted)
    writers = [site.person("olga", host) for host in "ab"]

    for writer in writers:
        writer.post("/api/v1/strategies/0/stints", json={})

    assert site.database.one(counted) == before + 2
    site.database.ask(
        'INSERT INTO racecontrol_ratewindow (key, "window", count)'
        " SELECT key, date_trunc('minute', now()) + n * interval '1 minute', 600"
        " FROM racecontrol_ratewindow, generate_series(0, 5) n"
        " WHERE key LIKE 'token:%%' GROUP BY key, n"
        ' ON CONFLICT (key, "window") DO UPDATE SET count = 600'
    )
    spent = [writer.post("/api/v1/strategies/0/stints", json={}).status_code for writer in writers]
    site.database.ask("DELETE FROM racecontrol_ratewindow")
    assert spent == [429, 429]


def test_a_job_is_done_once_though_the_workers_of_both_hosts_want_it(site):
    numbers = count(1)
    sent: list[int] = []
    began = [site.hosts[name].began for name in "ab"]

    def send(how_many: int) -> None:
        for number in [next(numbers) for _ in range(how_many)]:
            sent.append(number)
            site.consoles["a"](
                "from racecontrol.shared import jobs\n"
                f"jobs.enqueue('racecontrol.tests.work.sleep_then_note', {number}, 0.3)"
            )

    def all_are_done() -> bool:
        return outcomes(site.database.ask, *sent) == [(n, "done", 1) for n in sorted(sent)]

    send(8)
    until(all_are_done, "all jobs are done")
    while not all(host() for host in began) and len(sent) < 200:  # one of them was asleep so far
        send(4)
        until(all_are_done, "all jobs are done")

    assert all(host() for host in began)
    assert began[0]() + began[1]() == dict.fromkeys(sent, 1)


def imported(site, event_id: int) -> dict[int, tuple]:
    """Races that are here, with their results and the number of their laps."""
    rows = site.database.ask(
        "SELECT r.id, r.updated_at, array_agg(DISTINCT s.id ORDER BY s.id), count(l.*)"
        " FROM ingestion_race r JOIN ingestion_event e ON e.id = r.event_id"
        " JOIN ingestion_raceresult s ON s.race_id = r.id"
        " LEFT JOIN ingestion_lap l ON l.result_id = s.id"
        " WHERE e.source_event_id = %s AND r.state = 'imported' GROUP BY r.id",
        str(event_id),
    )
    return {pk: tuple(rest) for pk, *rest in rows}


def test_an_import_whose_host_died_is_finished_by_the_other_host(site):
    source = site.source
    source.fail("view_race_result", "slow", value=0.5, times=None)
    queued = site.person("sam", "a").post(
        f"/api/v1/events/{KILLED_EVENT}/import", json={"track": KILLED_TRACK}
    )
    job_id = queued.json()["import_id"]
    until(lambda: len(imported(site, KILLED_EVENT)) >= 3, "some races are here")
    at_it = site.database.who_works_on(job_id)
    other = "ab".replace(at_it, "")

    site.hosts[at_it].kill("default")
    before = imported(site, KILLED_EVENT)
    until(lambda: site.database.who_works_on(job_id) == other, "the other host took over")
    source.faults.clear()

    how_it_is = "SELECT state, attempts, result->>'failed' FROM racecontrol_job WHERE id = %s"
    until(lambda: site.database.ask(how_it_is, job_id)[0][0] == "done", "the import is done")
    assert site.database.ask(how_it_is, job_id) == [("done", 2, "[]")]
    after = imported(site, KILLED_EVENT)
    meeting = source.world.meeting(source.world.track(KILLED_TRACK), KILLED_EVENT)
    assert len(after) == len(meeting.races) > len(before)
    assert {pk: after[pk] for pk in before} == before
    results = (
        "SELECT count(*) FROM ingestion_raceresult s JOIN ingestion_race r ON r.id = s.race_id"
    )
    assert site.database.one(results) == sum(len(race.runs) for race in meeting.races)
    twice = [path for path, asked in source.hits.items() if "race_result" in path and asked > 1]
    assert len(twice) <= 1  # at most the page that was under way
    site.wake(at_it, "default")


def test_the_budget_of_a_track_is_kept_by_both_hosts_together(site):
    source = site.source
    source.forget()
    source.fail(".", "slow", value=0.5, times=None)  # so that both are at it together

    ids: list[str] = []
    for host, event in zip("ab", BUDGET_EVENTS, strict=True):
        with site.hosts["ab".replace(host, "")].takes_nothing():  # so that each gets one
            path = f"/api/v1/events/{event}/import"
            queued = site.person("sam", host).post(path, json={"track": BUDGET_TRACK})
            ids.append(queued.json()["import_id"])
            until(lambda h=host: site.database.who_works_on(ids[-1]) == h, f"{host} is at it")
    states = "SELECT state FROM racecontrol_job WHERE id = ANY(%s::uuid[])"

    def is_spent() -> bool:
        """Whoever had the head start may have come to its end."""
        found = {state for (state,) in site.database.ask(states, ids)}
        return "paused" in found and found <= {"paused", "done"}

    until(is_spent, "the day's budget is spent")
    source.faults.clear()

    asked = "SELECT count(*) FROM ingestion_fetchlog WHERE budget = %s"
    assert site.database.one(asked, BUDGET_TRACK) == PAGES_A_DAY
    assert sum(source.hits.values()) == PAGES_A_DAY
    site.database.ask("UPDATE racecontrol_job SET state = 'cancelled' WHERE state = 'paused'")


def test_the_budget_of_a_minute_is_kept_by_both_hosts_together(site):
    told = at_once(*(lambda c=console: c(SPEND) for console in site.consoles.values()))

    assert {word for host in told for word in host} == {"asked", "minute"}
    # Whoever was slow may have come into the next minute: in none of them there were more than five.
    most = (
        "SELECT max(asked) FROM (SELECT count(*) OVER (ORDER BY at RANGE BETWEEN"
        " interval '1 minute' PRECEDING AND CURRENT ROW) AS asked"
        " FROM ingestion_fetchlog WHERE budget = 'minute') AS minutes"
    )
    assert site.database.one(most) == 5


def test_two_people_on_two_hosts_get_one_change_and_one_conflict(site):
    known = site.known
    sam, olga = site.person("sam", "a"), site.person("olga", "b")
    move = {"base_version": 1, "change": "move", "stint": 1, "value": -1}
    stints = f"/api/v1/strategies/{known['plan']}/stints"
    mission, again = f"/api/v1/missions/{known['mission']}", site.person("sam", "b")
    version = sam.get(mission).json()["version"]
    changes = f"/api/v1/sessions/{known['session']}/changes"
    asked = sam.post(changes, json={"parameter": "SP_F", "new_value": "soft"}).json()["id"]

    def decide(person, status):
        body = {"status": status, "force": True, "reason": "seen"}
        return lambda: person.post(f"{changes}/{asked}/decision", json=body)

    plan = at_once(lambda: sam.post(stints, json=move), lambda: olga.post(stints, json=move))
    words = at_once(*(
        lambda p=person, n=name: p.patch(mission, json={"name": n, "version": version})
        for person, name in ((sam, "Bay"), (again, "Hills"))
    ))  # fmt: skip
    setup = at_once(decide(sam, "accepted"), decide(again, "denied"))

    for answers in (plan, words, setup):
        assert sorted(a.status_code for a in answers) == [200, 409], [a.text for a in answers]
    told = next(a for a in plan if a.status_code == 409).json()["error"]
    assert told["code"] == "stale_write"
    versions = "SELECT count(*) FROM strategy_planversion WHERE strategy_id = %s"
    assert site.database.one(versions, known["plan"]) == 2
    won = next(a for a in words if a.status_code == 200).json()["name"]
    assert sam.get(mission).json()["name"] == won


def wave(site, person: Person, flag: str) -> None:
    answer = person.post(f"/api/v1/strategies/{site.known['wall']}/live/flags", json={"flag": flag})
    assert answer.status_code == 200, answer.text


class Stream(Follower):
    """A stream that is given up when four pings in a row (a minute) brought no news."""

    def read(self) -> dict:
        waited = count(1)
        lines = self.lines
        self.lines = (line for line in lines if line != ": ping" or self.has_patience(next(waited)))
        try:
            return super().read()
        finally:
            self.lines = lines

    def has_patience(self, pings: int) -> bool:
        assert pings < 4, "nothing was heard for a minute"
        return True


def follow(site, host: str, cookie: str, after: str | None = None) -> Stream:
    topic = f"strategy:{site.known['wall']}"
    return Stream(site.proxies[host].url, topic, cookie=cookie, after=after)


def next_decision(stream: Stream) -> tuple[str, int]:
    """Number and version of the next thing a person did; workers look for ways on meanwhile."""
    while True:
        event = stream.read()
        told = json.loads(event["data"])
        if "live" in told and "proposal" not in told:
            return event["id"], told["live"]


def read_to_the_end(stream: Follower) -> None:
    """Until the host is gone and the stream with it; what a browser then does is come back."""
    with contextlib.suppress(AssertionError, requests.RequestException):
        while True:
            stream.read()


def test_news_of_one_host_is_heard_on_the_other_and_a_dead_host_costs_none(site):
    """Who followed host A goes on at host B with the last number he saw, and misses nothing."""
    person = Person(site.proxies["b"].url)
    assert person.sign_in("olga", "pass-word-1").status_code == 302
    sam = site.person("sam", "b")

    with follow(site, "front", person.cookie) as stream:  # host A comes first
        assert stream.read()["event"] == "hello"
        wave(site, sam, "sc")
        first = next_decision(stream)
        site.hosts["a"].kill("web")
        read_to_the_end(stream)
    wave(site, sam, "red")
    wave(site, sam, "green")

    with follow(site, "front", person.cookie, after=first[0]) as stream:
        heard = [next_decision(stream)[1] for _ in range(2)]
        site.wake("a", "web")
        wave(site, site.person("sam", "a"), "fcy")
        heard.append(next_decision(stream)[1])

        assert [first[1], *heard] == [3, 4, 5, 6]

        # A host that is taken out for an upgrade ends its streams itself, at once and well.
        assert site.hosts["b"].end("web") == 0
        read_to_the_end(stream)
    site.wake("b", "web")


def test_files_kept_by_one_host_are_read_by_the_other(site):
    person = Person(site.proxies["a"].url)
    assert person.sign_in("sam", "pass-word-1").status_code == 302

    with io.BytesIO(gpx()) as file:
        answer = person.form("/coaching/athlete/uploads/", {}, files={"file": ("ride.gpx", file)})
    assert answer.status_code == 302, answer.text
    state = "SELECT state FROM coaching_athleteupload"
    until(lambda: site.database.one(state) == "done", "the worker of host B read the file")
    assert site.database.one("SELECT count(*) FROM coaching_activity") == 1

    person.form("/account/data/export/", {})
    packed = "SELECT id FROM racecontrol_personexport WHERE stored_as <> ''"
    until(lambda: site.database.ask(packed), "the worker of host B packed the data")
    path = f"/account/data/{site.database.one(packed)}.zip"
    here, there = person.get(path), person.at(site.proxies["b"].url).get(path)
    assert here.content == there.content
    assert "yours/coaching.activity.json" in zipfile.ZipFile(io.BytesIO(here.content)).namelist()


def test_a_host_without_the_store_is_told_so(site):
    answer = site.hosts["b"].manage(
        "check", "--database", "default", check=False, MEDIA_S3_BUCKET=""
    )

    assert answer.returncode == 1
    assert "E002" in answer.stderr
    assert "not the one the site uses" in answer.stderr


def test_schedules_fire_once_though_two_clusters_watch_the_clock(site):
    site.consoles["a"](
        "from django_q.models import Schedule\n"
        "Schedule.objects.create(name='tick', func='racecontrol.tests.work.tick',"
        " schedule_type='I', minutes=1, intended_date_kwarg='at', cluster='default')"
    )
    due = "UPDATE django_q_schedule SET next_run = now() - interval '1 second' WHERE name = 'tick'"
    for _ in range(5):
        site.database.ask(due)
        fired = at_once(*(lambda c=c: c(RACE_SCHEDULES) for c in site.consoles.values()))
        assert fired == [True, True]

    ticks = "SELECT body, count(*) FROM racecontrol_liveevent WHERE topic = 'tick' GROUP BY 1"
    until(lambda: len(site.database.ask(ticks)) >= 5, "the workers ran what was due")
    site.database.ask("DELETE FROM django_q_schedule WHERE name = 'tick'")
    waiting = "SELECT count(*) FROM django_q_ormq WHERE lock <= now()"
    until(lambda: site.database.one(waiting) == 0, "nothing waits")
    assert {often for _, often in site.database.ask(ticks)} == {1}


def test_connections_of_a_host_stay_within_what_the_docs_say(site):
    """13 for each web server, one of them listening; `Q_WORKERS` + 4 for each worker; a console."""
    held = site.database.connections
    until(lambda: held().get("live hub") == 2, "both hosts listen")
    busy = [lambda h=h: site.person("sam", h).get("/api/v1/me") for h in "ab" for _ in range(16)]
    at_once(*busy)

    found = held()
    web, worker, console = 12, 5, 1
    for host, workers in {"a": 1, "b": 2}.items():
        assert found[host] <= web + workers * worker + console, found


def test_workers_end_well_and_keepalives_find_a_host_that_vanished(site):
    for name, host in site.hosts.items():
        assert host.end("default") == 0, host.said()
        assert site.consoles[name](
            "from django.db import connection\n"
            "with connection.cursor() as cursor:\n"
            "    cursor.execute('SHOW tcp_keepalives_idle')\n"
            "    answer = cursor.fetchone()[0]"
        ) in ("30", "30s")  # fmt: skip
    broken = "SELECT func, error FROM racecontrol_job WHERE state IN ('dead', 'failed')"
    assert site.database.ask(broken) == []
