"""What is looked at when the site starts: can the sealed secrets be opened?"""

from typing import Any

import structlog
from django.core.checks import Error, Tags, register
from django.db import DatabaseError

from racecontrol.shared import secrets

log = structlog.get_logger(__name__)


def register_all() -> None:
    register(Tags.database)(sealed_values_open)


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


def tell_at_start() -> int:
    """For web and workers: say loudly what does not open, and go on. A lost key must not stop the
    timing of a race; what was sealed with it fails where it is used. Returns how many were told."""
    try:
        faults = secrets.faults()
    except DatabaseError:
        return 0
    for fault in faults:
        log.critical("sealed_values_do_not_open", fault=fault)
    return len(faults)
