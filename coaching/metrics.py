"""Numbers of the coach for Prometheus, read from the database when scraped."""

from collections.abc import Iterator

import structlog
from django.db import DatabaseError
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)


class MissionCollector(Collector):
    """Runs by status, requests to models by outcome, running missions."""

    def describe(self) -> list[Metric]:
        return []  # nothing is read from the database when the process starts

    def collect(self) -> Iterator[Metric]:
        from coaching.queries import mission_numbers

        try:
            numbers = mission_numbers.totals()
        except DatabaseError:
            log.warning("metrics_without_database")
            return
        runs = CounterMetricFamily("mission_runs", "Runs by status", labels=["kind", "status"])
        for (kind, status), count in numbers["runs"].items():
            runs.add_metric([kind, status], count)
        yield runs
        calls = CounterMetricFamily("mission_llm_calls", "Requests to models", labels=["outcome"])
        for outcome, count in numbers["calls"].items():
            calls.add_metric([outcome], count)
        yield calls
        yield GaugeMetricFamily("missions_running", "Running missions", value=numbers["running"])


def register() -> None:
    """Once per process."""
    if not any(isinstance(c, MissionCollector) for c in list(REGISTRY._collector_to_names)):
        REGISTRY.register(MissionCollector())
