"""A database for one measuring, on the server of this working copy."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scratch_database(name: str) -> Iterator[None]:
    """A database of its own with our tables, dropped at the end."""
    from django.db import connection

    connection.settings_dict["TEST"]["NAME"] = name
    real = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(real, verbosity=0)
