"""Nothing a caller can send breaks the API: every operation, fuzzed from its own OpenAPI document.

A new operation joins by itself. Only faults of ours count: a 5xx, an answer that is not what the
document says, or of another content type.
"""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from racecontrol.shared import tokens
from racecontrol.testing.matrix import api_operations
from racecontrol.wsgi import application

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
# Streams and downloads answer other types on purpose; what they say is tested in their rooms.
EXAMPLES = 12

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def document(db):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@pytest.fixture(autouse=True)
def one_connection(db):
    """The test's transaction must survive the end of a request, as with Django's test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def headers(staff, settings):
    """A token that may do everything, for limits must not hide a fault behind a 429."""
    settings.API_WRITES_PER_MINUTE = 1_000_000
    _, secret = tokens.make(by=staff, name="fuzz", scope="write")
    from waffle.models import Flag

    from racecontrol.shared import flags

    for name in flags.ALL:
        Flag.objects.update_or_create(name=name, defaults={"everyone": True})
    # The fuzzer reads answers as they are sent, so they must not be packed.
    return {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}


@pytest.mark.parametrize(("method", "path"), sorted(api_operations()))
def test_no_input_breaks_an_operation(document, headers, method, path):
    operation = document[path][method.upper()]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def fuzz(case):
        case.call_and_validate(headers=headers, checks=CHECKS)

    fuzz()
