"""Practice days in numbers for Prometheus, read from the tables when scraped."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import (
    Case,
    CharField,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Extract
from django.utils.timezone import now
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from ingestion.models import (
    FetchLog,
    PracticeAlert,
    PracticeDay,
    PracticeDrift,
    PracticeRun,
    PracticeRunTotal,
)
from ingestion.services.practice.runs import CANCELLED

_RUNS = "racecontrol_practice_runs"


def practice_metrics() -> Iterator[Metric]:
    """Runs by kind and outcome, how long they took, pages by where they came from, requests, drift.

    Counters hold the runs that are kept no longer, too, and so never go back.
    """
    sums = _sums()
    runs = CounterMetricFamily(
        _RUNS,
        "Discoveries, imports and looks for drift by how they ended",
        labels=["kind", "outcome"],
    )
    for (kind, outcome), one in sums.items():
        if outcome != PracticeRun.Outcome.RUNNING:
            runs.add_metric([kind, outcome], one["runs"])
    yield runs
    under_way = GaugeMetricFamily(
        "racecontrol_practice_runs_open", "Runs under way or paused", labels=["kind"]
    )
    for kind in PracticeRun.Kind.values:
        here = sums.get((kind, PracticeRun.Outcome.RUNNING), {})
        under_way.add_metric([kind], here.get("runs", 0))
    yield under_way
    yield _durations(sums)
    yield from _pages(sums)
    yield _requests()
    yield from _drift()


_SUMMED = ("runs", "seconds", "pages_from_store", "pages_fetched", "limits_met")


def _sums() -> dict[tuple[str, str], dict[str, float]]:
    """(kind, outcome) -> what its runs came to, kept or not, as one question at one moment."""
    span = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    kept = (
        PracticeRun.objects.order_by()
        .values("kind", "outcome")
        .annotate(
            n=Cast(Count("pk"), FloatField()),
            s=Coalesce(Cast(Extract(Sum(span), "epoch"), FloatField()), 0.0),
            store=Cast(Sum("pages_from_store"), FloatField()),
            fetched=Cast(Sum("pages_fetched"), FloatField()),
            met=Cast(Sum("limits_met"), FloatField()),
        )
    )
    gone = PracticeRunTotal.objects.order_by().values_list(
        "kind", "outcome", *(Cast(name, FloatField()) for name in _SUMMED)
    )
    rows = kept.values_list("kind", "outcome", "n", "s", "store", "fetched", "met").union(
        gone, all=True
    )
    found: dict[tuple[str, str], dict[str, float]] = {}
    for kind, outcome, *values in rows:
        sums = found.setdefault((kind, outcome), dict.fromkeys(_SUMMED, 0))
        for name, value in zip(_SUMMED, values, strict=True):
            sums[name] += value
    return found


def _by_kind(
    sums: dict[tuple[str, str], dict[str, float]], *, ended: bool = False
) -> dict[str, dict[str, float]]:
    """Kind -> sums over its outcomes; of those with an end if `ended`."""
    found: dict[str, dict[str, float]] = {}
    for (kind, outcome), one in sorted(sums.items()):
        if ended and outcome in (PracticeRun.Outcome.RUNNING, CANCELLED):
            continue
        into = found.setdefault(kind, dict.fromkeys(_SUMMED, 0))
        for name, value in one.items():
            into[name] += value
    return found


def _durations(sums: dict[tuple[str, str], dict[str, float]]) -> Metric:
    took = SummaryMetricFamily(
        "racecontrol_practice_run_seconds", "From start to end, pauses included", labels=["kind"]
    )
    for kind, one in _by_kind(sums, ended=True).items():
        took.add_metric([kind], count_value=int(one["runs"]), sum_value=one["seconds"])
    return took


def _pages(sums: dict[tuple[str, str], dict[str, float]]) -> Iterator[Metric]:
    pages = CounterMetricFamily(
        "racecontrol_practice_pages", "Pages read, by where they came from", labels=["kind", "from"]
    )
    limits = CounterMetricFamily(
        "racecontrol_practice_limits",
        "Pauses for a spent budget or a resting host",
        labels=["kind"],
    )
    for kind, one in _by_kind(sums).items():
        pages.add_metric([kind, "store"], one["pages_from_store"])
        pages.add_metric([kind, "liverc"], one["pages_fetched"])
        limits.add_metric([kind], one["limits_met"])
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
