"""Background work of the timing room. Each may be started twice: everything it does is repeatable."""

from ingestion.tasks.imports import (
    prune_pages,
    run_import_event,
    run_import_race,
    run_sync_tracks,
)
from ingestion.tasks.practice import (
    check_practice_drift,
    prune_practice_runs,
    run_check_practice_day,
    run_discover_practice,
    run_import_practice_day,
    run_import_practice_days,
    run_match_practice,
    run_retry_practice_session,
    watch_practice,
)

__all__ = [
    "check_practice_drift",
    "prune_pages",
    "prune_practice_runs",
    "run_check_practice_day",
    "run_discover_practice",
    "run_import_event",
    "run_import_practice_day",
    "run_import_practice_days",
    "run_import_race",
    "run_match_practice",
    "run_retry_practice_session",
    "run_sync_tracks",
    "watch_practice",
]
