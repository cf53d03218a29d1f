"""What is looked at when the site starts: do the seals open, is the file store the site's own?"""

import sys
from typing import Any

import structlog
from django.core.checks import Error, Tags, register
from django.db import DatabaseError

from racecontrol.shared import secrets, store

log = structlog.get_logger(__name__)


def register_all() -> None:
    register(Tags.database)(sealed_values_open)
    register(Tags.database)(store_is_ours)


def sealed_values_open(
    app_configs: Any = None, databases: Any = None, **kwargs: Any
) -> list[Error]:
    """For `check --database default` and `migrate`."""
    if not databases:
        return []
    try:
        return [Error(fault, id="racecontrol.E001") for fault in secrets.faults()]
    except DatabaseError:  # the tables are not there yet: `migrate` is about to make them
        return []


def store_is_ours(app_configs: Any = None, databases: Any = None, **kwargs: Any) -> list[Error]:
    """For `check --database default`. Not for `migrate`, which hands over a database as well: after a
    restore the files may come later."""
    if not databases or sys.argv[1:2] == ["migrate"]:
        return []
    try:
        return [Error(fault, id="racecontrol.E002") for fault in store.faults()]
    except DatabaseError:
        return []


def tell_at_start() -> int:
    """For web and workers: say loudly what is wrong, and go on. A lost key or store must not stop the
    timing of a race; what needs it fails where it is used. Returns how many were told."""
    try:
        sealed, stored = secrets.faults(), store.faults()
    except DatabaseError:
        return 0
    for fault in sealed:
        log.critical("sealed_values_do_not_open", fault=fault)
    for fault in stored:
        log.critical("file_store_is_not_the_sites", fault=fault)
    return len(sealed) + len(stored)
