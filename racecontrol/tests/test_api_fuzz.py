"""Nothing a caller can send breaks the API: every operation, fuzzed from its own OpenAPI document.

A new operation joins by itself. Only faults of ours count: a 5xx, an answer that is not what the
document says, or of another content type.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from racecontrol.testing.fuzzing import AS_SENT, CHECKS
from racecontrol.testing.matrix import api_operations
from racecontrol.testing.people import bearer
from racecontrol.wsgi import application

EXAMPLES = 12

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("one_connection"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def document(db):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@pytest.fixture
def headers(staff, settings, everything_on):
    """A token that may do everything, for limits must not hide a fault behind a 429."""
    settings.API_WRITES_PER_MINUTE = 1_000_000
    return bearer(staff) | AS_SENT


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
