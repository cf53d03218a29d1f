"""Webhooks: signed, tried again, and never to an address inside the house."""

import hashlib
import hmac
import io
import json
import socket
from types import SimpleNamespace

import pytest
import requests
from django.utils.timezone import now

from racecontrol.shared import jobs
from racecontrol.shared.errors import SourceUnavailable
from racecontrol.shared.outbound import NotPublic, is_public
from strategy.services import news
from strategy.tests.builders import make_team
from strategy.webhooks import deliver


def send():
    return deliver(url="https://hooks.example.org/x", secret="s", text="hello", timestamp="17")


class Answers:
    """A name that answers with another address each time it is asked."""

    def __init__(self, *addresses: str):
        self.left, self.asked = list(addresses), 0

    def __call__(self, host, port, **_):
        self.asked += 1
        address = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.fixture
def sockets(monkeypatch):
    """Connections asked for; none is made."""
    tried = []

    class Socket:
        def __init__(self, *_):
            pass

        def settimeout(self, _):
            pass

        def connect(self, where):
            tried.append(where)
            raise ConnectionRefusedError

        def close(self):
            pass

    monkeypatch.setattr("racecontrol.shared.outbound.socket.socket", Socket)
    return tried


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch, sockets):
    names = Answers("93.184.216.34", "127.0.0.1")
    monkeypatch.setattr("racecontrol.shared.outbound.socket.getaddrinfo", names)

    with pytest.raises(requests.ConnectionError):
        send()

    assert names.asked == 1
    assert sockets == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "100.64.0.1", "224.0.0.1", "0.0.0.0"]
)
def test_addresses_of_the_house_are_never_connected_to(monkeypatch, sockets, address):
    monkeypatch.setattr("racecontrol.shared.outbound.socket.getaddrinfo", Answers(address))

    with pytest.raises(NotPublic):
        send()

    assert sockets == []


@pytest.mark.parametrize(
    "address", ["::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0"]
)
def test_wrapped_addresses_are_unwrapped(address):
    assert not is_public(address)


@pytest.fixture
def answered(monkeypatch):
    """What the other side says, and what it was sent."""
    seen = SimpleNamespace(status=204, calls=[])

    def send(self, request, **_):
        seen.calls.append(request)
        answer = requests.Response()
        answer.raw = io.BytesIO()
        answer.status_code, answer.request, answer.url = seen.status, request, request.url
        return answer

    monkeypatch.setattr("racecontrol.shared.outbound.Dialler.send", send)
    return seen


def test_the_body_is_signed_over_moment_and_text(answered):
    assert send() == 204

    request = answered.calls[0]
    wanted = hmac.new(b"s", b"17." + request.body, hashlib.sha256).hexdigest()
    assert json.loads(request.body) == {"content": "hello"}
    assert request.headers["X-Race-Control-Signature"] == f"sha256={wanted}"


@pytest.mark.parametrize(
    ("status", "fault"), [(503, ConnectionError), (429, ConnectionError), (404, SourceUnavailable), (302, SourceUnavailable)]
)  # fmt: skip
def test_busy_is_tried_again_and_no_is_no(answered, status, fault):
    answered.status = status
    with pytest.raises(fault):
        send()


@pytest.mark.django_db
def test_a_busy_hook_is_told_on_the_second_try(user, answered, run_jobs):
    team = make_team(user)
    hook, _ = news.add_webhook(team_id=team.pk, url="https://hooks.example.org/x", by=user)
    answered.status = 503
    news.tell_hooks(team, "The plan changed.")
    run_jobs()
    hook.refresh_from_db()
    assert "answered 503" in hook.last_status

    answered.status = 204
    jobs.Job.objects.filter(func="strategy.tasks.deliver_hook").update(run_at=now())
    run_jobs()

    hook.refresh_from_db()
    assert (hook.last_status, len(answered.calls)) == ("told, 204", 2)
