"""Whole journeys need the stand-ins of the timing site and of the providers."""

from coaching.tests.connected import no_pauses, providers  # noqa: F401 - pytest finds fixtures here
from ingestion.tests.conftest import practice_on, site  # noqa: F401
