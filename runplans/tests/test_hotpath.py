"""The short way answers exactly as the long way does, and knows when to step aside."""

import http.client
import json
import uuid
from urllib.parse import urlsplit

import pytest
from django.db import connection

from racecontrol.models import ApiToken, RateWindow
from racecontrol.shared import tokens
from racecontrol.testing.people import bearer
from racecontrol.testing.shared_cases import shared_json
from runplans import hotpath, metrics
from runplans.models import RunPlan
from runplans.tests.builders import INPUTS, make_plan

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/run-plans"
# Somebody with a cookie is not a plain stranger: Django answers.
LONG_WAY = {"Cookie": "theme=dark"}
CASES = (shared_json("cases/runplans.json") or {"cases": []})["cases"]
BODIES = [
    json.dumps(INPUTS),
    "nonsense",
    "",
    '{"required_laps":10,"fuel_burn_l_per_lap":NaN}',
    '{"title":"\\u0000","x":1}',
    '{"weather":{"x":1e999}}',
    json.dumps(INPUTS | {"weather": {"text": "x" * 66_000}}),
    *(case["body"] for case in CASES),
]


@pytest.fixture
def ask(live_asgi, feature, settings):
    """ask(method, path, body, headers) -> (status, headers, body) over a real connection."""
    settings.API_ANONYMOUS_WRITES_PER_MINUTE = 1000
    where = urlsplit(live_asgi)

    def send(method, path, body=None, headers=None, *, chunked=False):
        client = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
        data = body.encode() if isinstance(body, str) else body
        told = {"Content-Type": "application/json"} | (headers or {})
        if chunked:
            data = iter([data[i : i + 40] for i in range(0, len(data), 40)])
        client.request(method, path, data, told, encode_chunked=chunked)
        answer = client.getresponse()
        content = answer.read()
        client.close()
        return answer.status, answer.headers, content

    return send


@pytest.fixture
def long_ways(monkeypatch):
    """How often a request that could have been plain went the long way."""
    from racecontrol import asgi

    seen, pages = [], asgi.pages

    async def watched(scope, receive, send):
        seen.append(scope["path"])
        await pages(scope, receive, send)

    monkeypatch.setattr(asgi, "pages", watched)
    return seen


def without_id(body):
    answer = json.loads(body)
    answer.pop("id", None)
    return answer


def test_both_ways_say_the_same(ask, long_ways):
    for body in BODIES:
        short = ask("POST", URL, body)
        assert long_ways == []
        long = ask("POST", URL, body, LONG_WAY)
        assert long_ways.pop() == URL

        assert short[0] == long[0], body[:80]
        assert without_id(short[2]) == without_id(long[2])
        assert short[1]["Content-Type"].partition(";")[0] == "application/json"
        assert uuid.UUID(short[1]["X-Request-ID"])
        assert short[1]["X-Content-Type-Options"] == long[1]["X-Content-Type-Options"]
        assert short[1]["X-Frame-Options"] == long[1]["X-Frame-Options"]


def test_what_was_stored_is_read_as_the_same_bytes_either_way(ask, long_ways):
    made = ask("POST", URL, json.dumps(INPUTS))
    url = f"{URL}/{json.loads(made[2])['id']}"

    short = ask("GET", url)
    assert long_ways == []
    long = ask("GET", url, headers=LONG_WAY)

    assert made[2] == short[2] == long[2]
    assert short[1]["ETag"] == long[1]["ETag"]
    assert ask("GET", url, headers={"If-None-Match": short[1]["ETag"]})[0] == 304


def test_a_body_in_pieces_is_put_together(ask):
    status, _, content = ask("POST", URL, json.dumps(INPUTS), chunked=True)

    assert status == 201
    assert json.loads(content)["inputs"] == INPUTS


def test_an_endless_body_is_not_read_to_its_end(ask):
    assert ask("POST", URL, "x" * 300_000, chunked=True)[0] == 413


def test_while_the_flag_is_not_on_for_everyone_django_decides(ask, feature, long_ways):
    plan = make_plan()
    for state in (False, None):
        feature.everyone = state
        feature.save()
        assert ask("POST", URL, json.dumps(INPUTS))[0] == 404
        assert ask("GET", f"{URL}/{plan.pk}")[0] == 404
    assert len(long_ways) == 4
    assert RunPlan.objects.count() == 1


def test_strangers_unwelcome(ask, settings):
    settings.RUN_PLANS_ANONYMOUS = False

    assert ask("POST", URL, json.dumps(INPUTS))[0] == 401
    assert RunPlan.objects.count() == 0


def test_an_owned_plan_stays_its_owners(ask, user):
    plan = make_plan(user)

    assert ask("GET", f"{URL}/{plan.pk}")[0] == 404
    token = bearer(user)
    assert ask("GET", f"{URL}/{plan.pk}", headers=token)[0] == 200
    made = ask("POST", URL, json.dumps(INPUTS), token)
    assert RunPlan.objects.get(pk=json.loads(made[2])["id"]).owner == user


def test_a_token_seen_lately_takes_the_short_way(ask, user, staff, other, settings, long_ways):
    settings.RUN_PLANS_ANONYMOUS = False
    mine = bearer(user)
    first = ask("POST", URL, json.dumps(INPUTS), mine)
    assert long_ways == [URL]
    second = ask("POST", URL, json.dumps(INPUTS), mine)
    url = f"{URL}/{json.loads(second[2])['id']}"
    read = ask("GET", url, headers=mine)
    assert long_ways == [URL]

    assert (first[0], second[0], read[0]) == (201, 201, 200)
    assert read[2] == second[2]
    assert without_id(first[2]) == without_id(second[2])
    assert set(RunPlan.objects.values_list("owner", flat=True)) == {user.pk}
    for person, status in ((staff, 200), (other, 404)):
        theirs = bearer(person, "read")
        assert [ask("GET", url, headers=theirs)[0] for _ in range(2)] == [status] * 2


def test_a_token_that_ended_or_may_only_read_is_refused_as_ever(ask, user, long_ways):
    header = bearer(user)
    token = ApiToken.objects.get(user=user)
    reading = bearer(user, "read")
    usual = [ask("POST", URL, json.dumps(INPUTS), header)[0] for _ in range(2)]
    assert usual == [201, 201]

    ApiToken.objects.filter(pk=token.pk).update(expires_at="2020-01-01T00:00Z")
    assert ask("POST", URL, json.dumps(INPUTS), header)[0] == 401
    ApiToken.objects.filter(pk=token.pk).update(expires_at=None)
    assert ask("POST", URL, json.dumps(INPUTS), header)[0] == 201
    tokens.revoke(by=user, token_id=token.pk)
    assert ask("POST", URL, json.dumps(INPUTS), header)[0] == 401
    assert [ask("POST", URL, json.dumps(INPUTS), reading)[0] for _ in range(2)] == [403, 403]
    user.is_active = False
    user.save()
    assert ask("POST", URL, json.dumps(INPUTS), reading)[0] == 401
    assert RunPlan.objects.count() == 3


def test_a_tokens_writes_are_counted_on_both_ways(ask, user, settings):
    settings.API_WRITES_PER_MINUTE = 3
    header = bearer(user)

    answers = [ask("POST", URL, "{}", header)[0] for _ in range(5)]

    # a minute may end in between: then the count began anew
    assert answers == [422, 422, 422, 429, 429] or RateWindow.objects.count() > 1


@pytest.mark.parametrize(
    "plan_id", ["42", "7f9c24e8-3b1a-4d52-9e0f-5a6b7c8d9e0f", "x" * 400, "%00", ""]
)
def test_an_unknown_id_is_not_found(ask, plan_id):
    assert ask("GET", f"{URL}/{plan_id}")[0] in (404, 400)


def test_a_foreign_host_is_refused(ask, settings):
    settings.ALLOWED_HOSTS = ["race.example.org"]

    assert ask("POST", URL, json.dumps(INPUTS))[0] == 400
    assert ask("POST", URL, json.dumps(INPUTS), {"Host": "race.example.org"})[0] == 201


def test_where_tls_is_demanded_plain_http_is_for_django_to_redirect(ask, settings, long_ways):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 60

    ask("POST", URL, json.dumps(INPUTS))
    assert long_ways == [URL]
    status, headers, _ = ask("POST", URL, json.dumps(INPUTS), {"X-Forwarded-Proto": "https"})
    assert status == 201
    assert long_ways == [URL]
    assert headers["Strict-Transport-Security"].startswith("max-age=60")


def test_writes_are_counted_together_with_the_long_way(ask, settings):
    settings.API_ANONYMOUS_WRITES_PER_MINUTE = 3

    answers = [ask("POST", URL, "{}", LONG_WAY if i % 2 else None)[0] for i in range(5)]

    # a minute may end in between: then the count began anew
    assert answers == [422, 422, 422, 429, 429] or RateWindow.objects.count() > 1


def test_it_counts_and_measures(ask):
    made, refused = metrics.CREATED._value.get(), metrics.REFUSED._value.get()

    ask("POST", URL, json.dumps(INPUTS))
    ask("POST", URL, "{}")

    assert metrics.CREATED._value.get() == made + 1
    assert metrics.REFUSED._value.get() == refused + 1


def test_lost_connections_are_replaced(ask):
    assert ask("POST", URL, json.dumps(INPUTS))[0] == 201
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'run plans'"
        )

    answers = [ask("POST", URL, json.dumps(INPUTS))[0] for _ in range(3)]

    assert answers == [201, 201, 201]


@pytest.mark.parametrize(
    ("method", "path", "query", "header"),
    [
        ("PUT", URL, b"", None),
        ("GET", URL, b"", None),
        ("POST", f"{URL}/x", b"", None),
        ("GET", f"{URL}/x", b"a=1", None),
        ("POST", URL, b"", (b"cookie", b"a=b")),
        ("POST", URL, b"", (b"authorization", b"Basic cmM6eA==")),
        ("POST", URL, b"", (b"authorization", b"Bearer x")),
        ("POST", URL, b"", (b"host", b"evil.example")),
    ],
)
def test_what_is_not_plain(method, path, query, header):
    scope = {"method": method, "path": path, "query_string": query, "scheme": "http"}
    usual = [(b"host", b"localhost")]
    scope["headers"] = (
        [header] if header and header[0] == b"host" else [*usual, *filter(None, [header])]
    )

    assert not hotpath.is_plain(scope)
