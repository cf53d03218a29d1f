"""What runs by the clock for the house itself. Called by django-q2 schedules, not as jobs."""

from datetime import timedelta

from django.core.management import call_command
from django.utils.timezone import now

from racecontrol import operations
from racecontrol.models import Job
from racecontrol.personal import export
from racecontrol.shared import jobs, live, ratelimit


def revive_jobs() -> int:
    """Send again what a dead worker left lying."""
    return jobs.revive()


def check_the_day() -> str:
    return operations.daily_check()


def prune() -> dict[str, int]:
    """Forget what nobody reads: live events of a day ago, ended jobs of 90 days, old counts."""
    ended = Job.objects.exclude(state__in=Job.OPEN).filter(
        finished_at__lt=now() - timedelta(days=90)
    )
    old_jobs, _ = ended.delete()
    call_command("clearsessions")
    news = live.prune(before=now() - timedelta(days=1))
    return {"live": news, "jobs": old_jobs, "windows": ratelimit.forget_old_windows()}


def drop_exports() -> int:
    """Packed data that nobody fetched within a day."""
    return export.drop_old()
