"""Connections of our own to the database Django uses: for the live hub and the run plans' short way."""

from typing import Any

from django.db import connection


def connection_parameters() -> dict[str, Any]:
    """How Django reaches the database, without what only Django's own connections use."""
    told = connection.get_connection_params()
    unused = ("cursor_factory", "context", "server_side_binding", "prepare_threshold", "pool")
    return {key: value for key, value in told.items() if key not in unused}
