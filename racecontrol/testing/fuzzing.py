"""What counts as a fault when an operation is fuzzed from its own OpenAPI document."""

from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

# Streams and downloads answer other types on purpose; what they say is tested in their rooms.
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
# The fuzzer reads answers as they are sent, so they must not be packed.
AS_SENT = {"Accept-Encoding": "identity"}
