"""Live events: numbered at commit, only for who may follow, without gaps and without repeats."""

import json
import threading
from datetime import timedelta

import pytest
import requests
from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from racecontrol import livestream
from racecontrol.models import LiveEvent
from racecontrol.shared import live
from racecontrol.testing.people import signed_in


def may_follow_test(user, topic):
    """Topics of these tests: `test:open:…` is for anybody, `test:<name>` for that person."""
    name = topic.split(":")[1]
    return name == "open" or getattr(user, "username", None) == name


@pytest.fixture(autouse=True)
def topics(settings):
    settings.LIVE_TOPICS = {"test": f"{__name__}.may_follow_test"}


def cookie_of(person) -> str:
    client = signed_in(person)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class Follower:
    """A client of the stream that reads one event at a time."""

    def __init__(self, address: str, *topics: str, cookie: str = "", after=None):
        self.response = requests.get(
            f"{address}/live/",
            params={"topic": topics} | ({} if after is None else {"after": after}),
            headers={"Cookie": cookie} if cookie else {},
            stream=True,
            timeout=60,
        )
        self.status = self.response.status_code
        self.lines = self.response.iter_lines(decode_unicode=True)

    def read(self) -> dict:
        event: dict = {}
        for line in self.lines:
            if line.startswith(("id: ", "event: ", "data: ")):
                name, _, event[name] = line.partition(": ")
                event[line.partition(": ")[0]] = line.partition(": ")[2]
            elif not line and "event" in event:
                return event
        raise AssertionError("the stream ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()


@pytest.mark.django_db
@pytest.mark.parametrize("topic", ["nobody:1", "hello", "Test:1", "test:a b", "test:\n", "x" * 121])
def test_a_topic_nobody_could_follow_is_a_bug_of_the_sender(topic):
    with pytest.raises(ValueError, match="no live topic"):
        live.publish(topic, {})

    assert not LiveEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_numbers_follow_the_order_of_commits():
    """The first to insert commits last; a reader that has seen the other must still find it."""
    inserted, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            live.publish("test:open", {"who": "slow"})
            inserted.set()
            may_commit.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    inserted.wait(10)
    live.publish("test:open", {"who": "quick"})
    seen = LiveEvent.objects.latest("id").pk
    may_commit.set()
    thread.join(10)

    later = LiveEvent.objects.filter(pk__gt=seen)

    assert [json.loads(event.body) for event in later] == [{"who": "slow"}]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_event_was_never_sent(live_asgi):
    with Follower(live_asgi, "test:open") as follower:
        follower.read()
        with transaction.atomic():
            live.publish("test:open", {"lap": 1})
            transaction.set_rollback(True)
        live.publish("test:open", {"lap": 2})

        event = follower.read()

    assert json.loads(event["data"]) == {"lap": 2}


def test_news_reaches_only_who_may_follow(live_asgi, user, other):
    with Follower(live_asgi, "test:sam") as refused:
        assert refused.status == 403
    with Follower(live_asgi, "test:sam", cookie=cookie_of(other)) as refused:
        assert refused.status == 403
    with Follower(live_asgi, "test:sam", cookie="sessionid=nonsense") as refused:
        assert refused.status == 403
    with Follower(live_asgi, "test:sam", "test:olga", cookie=cookie_of(user)) as follower:
        assert follower.read() == {"event": "denied", "data": '{"topic": "test:olga"}'}
        assert follower.read()["event"] == "hello"
        live.publish("test:olga", {"for": "olga"})
        live.publish("test:sam", {"for": "sam"})

        assert json.loads(follower.read()["data"]) == {"for": "sam"}


def test_a_session_that_ended_follows_nothing(live_asgi, user):
    cookie = cookie_of(user)
    user.set_password("another-pass-2")
    user.save()

    with Follower(live_asgi, "test:sam", cookie=cookie) as refused:
        assert refused.status == 403


def test_who_loses_the_right_is_cut_off(live_asgi, user, monkeypatch):
    monkeypatch.setattr(livestream, "RECHECK_SECONDS", 0.2)
    monkeypatch.setattr(livestream, "PING_SECONDS", 0.1)
    with Follower(live_asgi, "test:sam", cookie=cookie_of(user)) as follower:
        assert follower.read()["event"] == "hello"

        user.is_active = False
        user.save()

        assert follower.read()["event"] == "denied"
        with pytest.raises(AssertionError, match="ended"):
            follower.read()


def test_who_comes_back_gets_what_was_missed_once(live_asgi):
    with Follower(live_asgi, "test:open") as follower:
        follower.read()
        live.publish("test:open", {"lap": 1})
        last = follower.read()["id"]
    live.publish("test:open", {"lap": 2})
    live.publish("test:open:b", {"lap": 99})
    live.publish("test:open", {"lap": 3})

    with Follower(live_asgi, "test:open", after=last) as follower:
        laps = [json.loads(follower.read()["data"])["lap"] for _ in range(2)]
        assert follower.read()["event"] == "hello"
        live.publish("test:open", {"lap": 4})
        laps.append(json.loads(follower.read()["data"])["lap"])

    assert laps == [2, 3, 4]


def test_many_topics_share_a_stream_in_order(live_asgi):
    with Follower(live_asgi, "test:open:a", "test:open:b") as follower:
        follower.read()
        for number in range(20):
            live.publish(f"test:open:{'ab'[number % 2]}", {"n": number})

        seen = [follower.read() for _ in range(20)]

    assert [json.loads(event["data"])["n"] for event in seen] == list(range(20))
    assert [event["event"][-1] for event in seen[:2]] == ["a", "b"]
    assert [int(event["id"]) for event in seen] == sorted(int(event["id"]) for event in seen)


@pytest.mark.parametrize("after", [0, 10**9])
def test_what_cannot_be_told_any_more_is_fetched_afresh(live_asgi, after):
    """Pruned since, or the number of another database."""
    for lap in range(3):
        live.publish("test:open", {"lap": lap})
    live.prune(before=now() + timedelta(hours=1))

    with Follower(live_asgi, "test:open", after=after) as follower:
        assert follower.read()["event"] == "resync"
    assert LiveEvent.objects.count() == 1


def test_too_much_to_replay_is_fetched_afresh(live_asgi, monkeypatch):
    live.publish("test:open", {"lap": 0})
    first = LiveEvent.objects.get().pk
    monkeypatch.setattr(livestream, "MOST_REPLAYED", 3)
    with transaction.atomic():
        for lap in range(5):
            live.publish("test:open", {"lap": lap})

    with Follower(live_asgi, "test:open", after=first) as follower:
        assert follower.read()["event"] == "resync"


def test_a_body_too_long_for_a_notice_arrives_whole(live_asgi):
    with Follower(live_asgi, "test:open") as follower:
        follower.read()
        live.publish("test:open", {"note": "ü" * 6000})

        assert json.loads(follower.read()["data"]) == {"note": "ü" * 6000}


def test_a_lost_listening_connection_loses_no_news(live_asgi):
    with Follower(live_asgi, "test:open") as follower:
        follower.read()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'live hub' AND datname = current_database()"
            )
            assert cursor.fetchall() == [(True,)]
        for lap in range(3):
            live.publish("test:open", {"lap": lap})

        assert [json.loads(follower.read()["data"])["lap"] for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("topic=", 400),
        ("topic=TEST", 400),
        ("topic=hello", 400),
        ("topic=test:open&after=x", 400),
        ("topic=test:open&after=-1", 400),
        ("topic=test:open&after=99999999999999999999", 400),
        ("&".join(f"topic=test:open:{n}" for n in range(51)), 400),
        ("topic=nobody:1", 403),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(live_asgi, query, status):
    assert requests.get(f"{live_asgi}/live/?{query}", timeout=60).status_code == status


def test_only_get_is_answered(live_asgi):
    assert requests.post(f"{live_asgi}/live/?topic=test:open", timeout=60).status_code == 405


def test_a_slow_follower_is_told_to_fetch_afresh():
    follower = livestream.Follower(frozenset({"test:open"}))
    for number in range(1, livestream.QUEUE_LENGTH + 2):
        follower.offer(livestream.event_line(number, "test:open", "{}"))

    assert follower.queue.qsize() == 1
    assert follower.queue.get_nowait().line.startswith(b"id: 65\nevent: resync\n")


def test_the_position_is_known_while_the_process_listens(live_asgi):
    with Follower(live_asgi, "test:open") as follower:
        follower.read()
        live.publish("test:open", {})
        number = int(follower.read()["id"])

        assert live.position() == number
