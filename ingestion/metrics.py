"""Practice days in numbers for Prometheus, read from the tables when scraped."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Case, CharField, Count, ExpressionWrapper, F, Sum, Value, When
from django.db.models.fields import DurationField
from django.utils.timezone import now
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from ingestion.models import FetchLog, PracticeAlert, PracticeDay, PracticeDrift, PracticeRun

_RUNS = "racecontrol_practice_runs"


def practice_metrics() -> Iterator[Metric]:
    """Runs by kind and outcome, how long they took, pages by where they came from, requests, drift."""
    runs = CounterMetricFamily(
        _RUNS,
        "Discoveries, imports and looks for drift by how they ended",
        labels=["kind", "outcome"],
    )
    for kind, outcome, count in PracticeRun.objects.values_list("kind", "outcome").annotate(
        n=Count("pk")
    ):
        runs.add_metric([kind, outcome], count)
    yield runs
    yield _durations()
    yield from _pages()
    yield _requests()
    yield from _drift()


def _durations() -> Metric:
    took = SummaryMetricFamily(
        "racecontrol_practice_run_seconds", "From start to end, pauses included", labels=["kind"]
    )
    span = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    ended = PracticeRun.objects.exclude(finished_at=None).values("kind")
    for row in ended.annotate(n=Count("pk"), took=Sum(span)):
        took.add_metric([row["kind"]], count_value=row["n"], sum_value=row["took"].total_seconds())
    return took


def _pages() -> Iterator[Metric]:
    pages = CounterMetricFamily(
        "racecontrol_practice_pages", "Pages read, by where they came from", labels=["kind", "from"]
    )
    limits = CounterMetricFamily(
        "racecontrol_practice_limits",
        "Pauses for a spent budget or a resting host",
        labels=["kind"],
    )
    rows = PracticeRun.objects.values("kind").annotate(
        store=Sum("pages_from_store"), liverc=Sum("pages_fetched"), met=Sum("limits_met")
    )
    for row in rows:
        pages.add_metric([row["kind"], "store"], row["store"])
        pages.add_metric([row["kind"], "liverc"], row["liverc"])
        limits.add_metric([row["kind"]], row["met"])
    yield pages
    yield limits


def _requests() -> Metric:
    """Each that was not `ok` was tried again, up to twice."""
    requests = GaugeMetricFamily(
        "racecontrol_practice_requests_day",
        "Requests for practice pages in 24 hours: ok, rate_limited, failed",
        labels=["result"],
    )
    result = Case(
        When(status__in=[200, 304], then=Value("ok")),
        When(status=429, then=Value("rate_limited")),
        default=Value("failed"),
        output_field=CharField(),
    )
    day = FetchLog.objects.filter(at__gte=now() - timedelta(days=1), url__contains="/practice/?")
    counts = dict(day.values_list(result).annotate(n=Count("pk")).order_by())
    for name in ("ok", "rate_limited", "failed"):
        requests.add_metric([name], counts.get(name, 0))
    return requests


def _drift() -> Iterator[Metric]:
    yield CounterMetricFamily(
        "racecontrol_practice_drift",
        "Times a day was seen to differ",
        value=PracticeDrift.objects.count(),
    )
    yield GaugeMetricFamily(
        "racecontrol_practice_days_drifted",
        "Days that differ now",
        value=PracticeDay.objects.filter(has_drift=True).count(),
    )
    firing = GaugeMetricFamily(
        "racecontrol_practice_alert", "1 while the alert rule fires", labels=["rule"]
    )
    for rule, is_firing in PracticeAlert.objects.values_list("rule", "is_firing"):
        firing.add_metric([rule], int(is_firing))
    yield firing
