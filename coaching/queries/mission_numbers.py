"""Counts over everybody's missions, for operators: no names, no health values."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from coaching.models import LlmExchange, Mission, MissionNotification, MissionRun


def totals() -> dict[str, Any]:
    """Runs by kind and status, requests by outcome, running missions."""
    runs = MissionRun.objects.values_list("kind", "status").annotate(n=Count("pk")).order_by()
    calls = LlmExchange.objects.values_list("outcome").annotate(n=Count("pk")).order_by()
    return {
        "runs": {(kind, status): n for kind, status, n in runs},
        "calls": dict(calls),
        "running": Mission.objects.filter(state__in=["TRAINING", "EVENT_ACTIVE"]).count(),
    }


def troubles(*, now: datetime) -> list[str]:
    """What went wrong in 24 hours, a line each: ids and reasons, nothing about health."""
    since = now - timedelta(days=1)
    failed = (
        MissionRun.objects.filter(
            finished_at__gte=since, status__in=["failed", "missed"], mission__is_demo=False
        )
        .exclude(reason_code__in=["red_flag", "no_data"])
        .order_by("pk")
    )
    lines = [
        f"run {run.pk} of mission {run.mission_id}, {run.local_date}: {run.status} "
        f"({run.reason_code}), {run.attempt} attempts"
        for run in failed[:100]
    ]
    mails = MissionNotification.objects.filter(status="failed", created_at__gte=since)
    lines += [f"mail {mail.pk} of mission {mail.mission_id}: {mail.error}" for mail in mails[:100]]
    late = Mission.objects.filter(
        next_check_at__lt=now - timedelta(hours=2), state__in=["TRAINING", "EVENT_ACTIVE"],
        demo_now__isnull=True,
    )  # fmt: skip
    return lines + [
        f"mission {m.pk} was not looked after since {m.next_check_at}" for m in late[:100]
    ]
