"""Numbers for Prometheus that live in the database rather than in one process."""

from collections.abc import Iterator

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)


class HouseCollector(Collector):
    """Queue depth, oldest waiting job, failures of a day, fetch budgets: read when scraped."""

    def describe(self) -> list[Metric]:
        return []  # nothing is read from the database when the process starts

    def collect(self) -> Iterator[Metric]:
        from racecontrol import operations

        try:
            numbers, budgets = operations.queue_numbers(), operations.budgets()
        except DatabaseError:
            log.warning("metrics_without_database")
            return
        jobs = GaugeMetricFamily("racecontrol_jobs", "Jobs by state", labels=["state"])
        for state, count in numbers["states"].items():
            jobs.add_metric([state], count)
        yield jobs
        for name, help_, value in [
            ("queue_messages", "Messages on the queue", numbers["messages"]),
            (
                "oldest_job_wait_seconds",
                "How long the oldest due job waits",
                numbers["oldest_wait_s"],
            ),
            ("jobs_failed_day", "Jobs that failed in 24 hours", numbers["failed_today"]),
        ]:
            yield GaugeMetricFamily(f"racecontrol_{name}", help_, value=value)
        left = GaugeMetricFamily(
            "racecontrol_fetch_budget_left", "Requests left today", labels=["source"]
        )
        lowest: dict[str, int] = {}  # a source that is spent and rests is still one series
        for budget in budgets:
            source, remaining = budget["source"], budget["left_today"]
            lowest[source] = min(remaining, lowest.get(source, remaining))
        for source, remaining in lowest.items():
            left.add_metric([source], remaining)
        yield left
        for name in settings.ROOM_METRICS:
            try:
                numbers_of_room = list(import_string(name)())
            except DatabaseError:
                log.warning("metrics_without_database", room=name)
                continue
            yield from numbers_of_room


def register() -> None:
    """Once per process."""
    if not any(isinstance(c, HouseCollector) for c in list(REGISTRY._collector_to_names)):
        REGISTRY.register(HouseCollector())
