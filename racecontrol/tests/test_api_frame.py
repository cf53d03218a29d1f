"""What every caller of the API may rely on: who gets in, how a refusal reads, pages of a list."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.module_loading import import_string
from django.utils.timezone import now
from ninja.openapi.schema import OpenAPISchema

from racecontrol.models import ApiToken, AuditEvent, Job, RateWindow
from racecontrol.shared import jobs, tokens
from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.paging import page_of

pytestmark = pytest.mark.django_db


def bearer(secret: str) -> dict:
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


@pytest.fixture
def token(user):
    return tokens.make(by=user, name="timing bridge", scope="write")


def test_a_token_acts_for_its_owner_and_only_its_hash_is_kept(stranger, user, token):
    row, secret = token

    answer = stranger.get("/api/v1/me", **bearer(secret))

    assert answer.json()["username"] == user.username
    assert secret not in json.dumps(list(ApiToken.objects.values()), default=str)
    row.refresh_from_db()
    assert row.last_used_at is not None


@pytest.mark.parametrize("how", ["revoked", "expired", "owner left", "wrong"])
def test_a_dead_token_is_a_stranger(stranger, user, token, how):
    row, secret = token
    if how == "revoked":
        tokens.revoke(by=user, token_id=row.pk)
    elif how == "expired":
        ApiToken.objects.update(expires_at=now() - timedelta(seconds=1))
    elif how == "owner left":
        type(user).objects.update(is_active=False)
    else:
        secret = secret[:-1] + ("a" if secret[-1] != "a" else "b")

    answer = stranger.get("/api/v1/me", **bearer(secret))

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


def test_a_read_token_may_not_write(stranger, user):
    _, secret = tokens.make(by=user, name="wall", scope="read")

    answer = stranger.post(
        "/api/v1/tokens", {"name": "x"}, content_type="application/json", **bearer(secret)
    )

    assert answer.status_code == 403
    assert ApiToken.objects.count() == 1


def test_making_and_revoking_tokens_over_the_api(client, user):
    made = client.post(
        "/api/v1/tokens", {"name": "x", "scope": "write"}, content_type="application/json"
    )

    assert made.status_code == 201
    assert Client().get("/api/v1/me", **bearer(made.json()["secret"])).status_code == 200
    assert "secret" not in client.get("/api/v1/tokens").json()[0]

    assert client.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 204
    assert client.get("/api/v1/tokens").json() == []
    assert list(AuditEvent.objects.values_list("verb", flat=True)) == [
        "token.revoked",
        "token.made",
    ]


def test_a_revocation_that_leaves_no_trail_is_none(user, token, monkeypatch):
    row, _ = token
    monkeypatch.setattr(tokens.audit, "record", lambda **_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        tokens.revoke(by=user, token_id=row.pk)

    row.refresh_from_db()
    assert row.revoked_at is None


def test_a_session_that_writes_needs_the_csrf_token(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    answer = client.post("/api/v1/tokens", {"name": "x"}, content_type="application/json")

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "not_allowed"
    assert ApiToken.objects.count() == 0


def test_wrong_fields_are_named(client):
    answer = client.post(
        "/api/v1/tokens", {"name": 5, "scope": "admin"}, content_type="application/json"
    )

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "validation_error")
    assert set(error["fields"]) == {"name", "scope"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b'{"name": NaN}', id="NaN"),
        pytest.param(b'{"name": "x", "n": 1e999}', id="infinite"),
        pytest.param(b'{"name": "a\\u0000b"}', id="NUL"),
        pytest.param(b'{"name": "a\\ud800b"}', id="half a surrogate pair"),
        pytest.param(b'{"a":' * 40 + b"1" + b"}" * 40, id="deep"),
        pytest.param(b"[" * 100_000, id="very deep"),
        pytest.param(b'{"name": ' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
    ],
)
def test_a_body_that_cannot_be_stored_is_refused_and_changes_nothing(client, body):
    answer = client.post("/api/v1/tokens", body, content_type="application/json")

    assert answer.status_code == 422, answer.content
    assert answer.json()["error"]["fields"]
    assert ApiToken.objects.count() == 0


def test_a_huge_body_is_refused(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"name": "x" * 2000})

    answer = client.post("/api/v1/tokens", body, content_type="application/json")

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/jobs?cursor=%00",
        "/api/v1/jobs?limit=0",
        "/api/v1/jobs?limit=9999",
        "/api/v1/jobs?cursor=x",
        "/api/v1/jobs?cursor=WzFd",
        f"/api/v1/jobs?limit={10**30}",
    ],
)
def test_a_wrong_query_is_refused_with_its_field(client, path):
    answer = client.get(path)

    assert answer.status_code in (400, 422)
    assert "error" in answer.json()


@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_address_is_a_404_in_the_same_shape(client, settings, debug):
    settings.DEBUG = debug
    answer = client.get("/api/v1/nothing-here")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/run-plans"])
def test_a_wrong_method_is_refused_in_the_same_shape(client, path):
    answer = client.delete(path)

    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert "GET" in answer["Allow"]


def test_every_answer_names_its_request(client):
    first, second = client.get("/api/v1/me"), client.get("/api/v1/me")

    assert first["X-Request-ID"]
    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_writes_are_limited_by_token_and_reads_are_not(stranger, user, token, settings):
    settings.API_WRITES_PER_MINUTE = 2
    _, secret = token

    def write():
        return stranger.post(
            "/api/v1/tokens", {"name": "x"}, content_type="application/json", **bearer(secret)
        )

    # a minute may turn between two writes, so count what the window let through
    answers = [write().status_code for _ in range(6)]

    assert answers.count(201) <= 4
    assert 429 in answers
    refused = write()
    if refused.status_code == 429:
        assert 1 <= int(refused["Retry-After"]) <= 60
    assert stranger.get("/api/v1/me", **bearer(secret)).status_code == 200
    assert RateWindow.objects.filter(key__startswith="token:").exists()


def test_a_list_is_read_to_its_end_even_while_rows_arrive(user):
    for number in range(5):
        jobs.enqueue("racecontrol.tests.work.count", number, owner=user)
    seen, cursor = [], None
    while True:
        page = page_of(Job.objects.filter(owner=user), limit=2, cursor=cursor)
        seen += [job.args[0] for job in page["items"]]
        cursor = page["next_cursor"]
        jobs.enqueue("racecontrol.tests.work.count", 99, owner=user)
        if cursor is None:
            break

    assert seen == [4, 3, 2, 1, 0]


def test_a_cursor_somebody_made_up_is_refused(user):
    with pytest.raises(InvalidInput, match="not one of ours"):
        page_of(Job.objects.all(), cursor="bm9uc2Vuc2U")


def test_the_owner_steers_a_job_over_the_api(client, user, other):
    job = jobs.enqueue("racecontrol.tests.work.count", 1, owner=user)

    assert client.get("/api/v1/jobs").json()["items"][0]["id"] == str(job.pk)
    assert client.post(f"/api/v1/jobs/{job.pk}/cancel").json()["state"] == "cancelled"
    again = client.post(f"/api/v1/jobs/{job.pk}/cancel")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_ready")
    assert client.post(f"/api/v1/jobs/{job.pk}/retry").json()["state"] == "queued"


def test_the_document_of_the_api_is_served_without_leaving_the_house(client):
    assert client.get("/api/v1/openapi.json").json()["info"]["title"] == "Race Control"


def test_no_two_shapes_of_the_api_share_a_name(monkeypatch):
    """Ninja keeps the last of a name: the document would tell one room's shape for another's."""
    shared = set()

    def add(document, definitions):
        shared.update(
            name
            for name in definitions
            if document.schemas.get(name, definitions[name]) != definitions[name]
        )
        document.schemas.update(definitions)

    monkeypatch.setattr(OpenAPISchema, "add_schema_definitions", add)
    document = import_string("racecontrol.api.api").get_openapi_schema()

    assert document["components"]["schemas"]
    assert not shared


def test_the_documentation_names_every_operation_and_needs_no_script(client):
    from racecontrol.testing.matrix import api_operations

    page = client.get("/api/").text

    for method, path in api_operations():
        assert f"<strong>{method.upper()}</strong> <code>{path}</code>" in page
    assert "jsdelivr" not in page


def test_the_documentation_shows_shapes_types_and_what_may_be_left_out(client):
    page = client.get("/api/").text

    assert "one of read, write" in page
    assert "&quot;expires_at?&quot;: &quot;date-time or null&quot;" in page
