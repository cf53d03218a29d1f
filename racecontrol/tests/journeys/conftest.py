"""Whole journeys need the stand-in of the timing site."""

from ingestion.tests.conftest import practice_on, site  # noqa: F401 - pytest finds fixtures here
