"""Nothing that can be sent breaks making or reading a run plan, by the short way or the long."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from racecontrol.testing.fuzzing import AS_SENT, CHECKS
from racecontrol.wsgi import application
from runplans import hotpath
from runplans.domain.inputs import KNOWN
from runplans.models import RunPlan

QUIET = list(HealthCheck)

any_text = st.text(max_size=20)
any_number = st.integers() | st.floats() | st.sampled_from([10**400, -(10**4000), 1e-320])
any_value = st.recursive(
    st.none() | st.booleans() | any_number | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
plausible = st.one_of(
    st.integers(0, 50), st.decimals(0, 90, places=2).map(float), st.sampled_from(["full", "even"])
)
documents = st.dictionaries(
    st.sampled_from(sorted(KNOWN)) | any_text, plausible | any_value, max_size=14
)
good = {"required_laps": 10, "fuel_burn_l_per_lap": 2.5}
documents = documents | documents.map(lambda free: free | good)
bodies = st.binary(max_size=80) | documents.map(lambda d: json.dumps(d).encode("utf-8", "replace"))


@pytest.fixture
def feature(feature, settings):
    settings.API_ANONYMOUS_WRITES_PER_MINUTE = 10**9
    return feature


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/run-plans"), ("GET", "/api/v1/run-plans/{plan_id}")]
)
def test_what_the_document_allows_and_what_it_does_not(feature, one_connection, method, path):
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    operation = document[path][method]

    @given(case=operation.as_strategy())
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=QUIET)
    def fuzz(case):
        case.call_and_validate(headers=AS_SENT, checks=CHECKS)

    fuzz()


@pytest.mark.django_db(transaction=True)
def test_the_short_way_bears_any_body_and_any_id(feature):
    usual = {"type": "http", "scheme": "http", "query_string": b"", "client": ("127.0.0.1", 1)}
    usual["headers"] = [(b"host", b"localhost")]

    async def ask(method, path, body):
        said = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            said.append(message)

        async def long_way(*_):
            said.append({"status": 404})

        scope = usual | {"method": method, "path": path}
        assert hotpath.is_plain(scope)
        await hotpath.answer(scope, receive, send, long_way=long_way)
        return said[0]["status"], said[-1].get("body", b"")

    # In a thread of its own: a browser test before this one leaves a running loop in ours.
    with ThreadPoolExecutor(1) as thread:
        runner = asyncio.Runner()

        def run(work):
            return thread.submit(runner.run, work).result()

        @given(body=bodies)
        @settings(max_examples=250, deadline=None, database=None, suppress_health_check=QUIET)
        def fuzz_create(body):
            before = RunPlan.objects.count()
            status, answer = run(ask("POST", hotpath.PATH, body))
            assert status in (201, 413, 422)
            assert RunPlan.objects.count() == before + (status == 201)
            told = json.loads(answer)
            if status == 201:
                read, again = run(ask("GET", f"{hotpath.PATH}/{told['id']}", b""))
                assert (read, again) == (200, answer)
            else:
                assert told["error"]["fields"] or status == 413

        @given(plan_id=st.text(max_size=50) | st.uuids().map(str))
        @settings(max_examples=60, deadline=None, database=None, suppress_health_check=QUIET)
        def fuzz_read(plan_id):
            assert run(ask("GET", f"{hotpath.PATH}/{plan_id}", b""))[0] == 404

        try:
            fuzz_create()
            fuzz_read()
        finally:
            run(hotpath.close())
            thread.submit(runner.close).result()
