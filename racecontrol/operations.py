"""What operators watch: read by the ops page, the metrics and the daily mail."""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Count, Min
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django_q.models import OrmQ, Schedule
from waffle.models import Flag

from racecontrol.models import AuditEvent, Job
from racecontrol.shared import flags, jobs
from racecontrol.shared.mail import tell_staff

log = structlog.get_logger(__name__)
STALE = timedelta(hours=6)


def queue_numbers() -> dict[str, Any]:
    """Open jobs by state, seconds the oldest due one waits, failures of a day, messages waiting."""
    states = dict(Job.objects.values_list("state").annotate(n=Count("pk")))
    oldest = Job.objects.filter(state=Job.State.QUEUED, run_at__lte=now()).aggregate(
        at=Min("run_at")
    )
    waited = (now() - oldest["at"]).total_seconds() if oldest["at"] else 0.0
    failed = Job.objects.filter(
        state__in=[Job.State.FAILED, Job.State.DEAD], finished_at__gte=now() - timedelta(days=1)
    )
    return {
        "states": {state: states.get(state, 0) for state in Job.State.values},
        "oldest_wait_s": waited,
        "failed_today": failed.count(),
        "messages": OrmQ.objects.count(),
    }


def budgets() -> list[dict[str, Any]]:
    """What is left of each source's request budget, from the room that keeps it."""
    return import_string(settings.BUDGET_REPORT)() if settings.BUDGET_REPORT else []


def overview() -> dict[str, Any]:
    """Everything the ops page shows."""
    known = {flag.name: flag for flag in Flag.objects.annotate(people=Count("users"))}
    open_jobs = list(Job.objects.filter(state__in=Job.OPEN).select_related("owner")[:50])
    return {
        "numbers": queue_numbers(),
        "open_jobs": open_jobs,
        "lost_jobs": jobs.without_worker(open_jobs),
        "failed_jobs": Job.objects.filter(state__in=[Job.State.FAILED, Job.State.DEAD])
        .select_related("owner")
        .order_by("-finished_at")[:25],
        "schedules": Schedule.objects.order_by("name"),
        "flags": [
            {"name": name, "sentence": sentence, "flag": known.get(name)}
            for name, sentence in flags.ALL.items()
        ],
        "budgets": budgets(),
        "audit": AuditEvent.objects.select_related("by")[:20],
        "may_cancel": True,
        "may_retry": True,
    }


def daily_check() -> str:
    """Mail staff about jobs that failed or lie stale; silent when all is well."""
    day = now() - timedelta(days=1)
    failed = Job.objects.filter(
        state__in=[Job.State.FAILED, Job.State.DEAD], finished_at__gte=day
    ).order_by("finished_at")
    stale = Job.objects.filter(
        state__in=[Job.State.QUEUED, Job.State.RUNNING], run_at__lt=now() - STALE
    )
    lines = [f"{job.get_state_display()}: {job.title} – {job.message}" for job in failed[:100]]
    lines += [f"stale since {job.run_at:%Y-%m-%d %H:%M} UTC: {job.title}" for job in stale[:100]]
    if not lines:
        return "all is well"
    subject = f"{failed.count()} failed and {stale.count()} stale jobs"
    text = "\n".join([*lines, "", f"{settings.PUBLIC_URL}/ops/"])
    tell_staff(subject, text, key=f"daily-check:{now():%Y-%m-%d}")
    log.warning("daily_check", failed=failed.count(), stale=stale.count())
    return subject
