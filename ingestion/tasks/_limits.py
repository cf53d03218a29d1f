"""What every import job has in common: limits become pauses, and paused jobs remember."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.timezone import now

from ingestion.liverc.client import Unreachable
from ingestion.liverc.errors import BotCheck
from ingestion.services import fetching, imports
from racecontrol.shared import jobs
from racecontrol.shared.progress import OnProgress, Progress

YIELD_AFTER_S = 200  # well inside the worker's limit for one job
AFTER_A_MINUTE = timedelta(seconds=1)
# A site that cannot be reached at all is tried again a few times before a person must.
UNREACHABLE_WAITS = tuple(timedelta(seconds=seconds) for seconds in (3, 10, 60, 600))


def within_limits(job: jobs.Running, work: Callable[[OnProgress], dict]) -> dict:
    """Do it; a limit that is met becomes a pause with its reason, told to whoever watches."""
    began = monotonic()

    def note(step: Progress) -> None:
        job.show(step)
        if monotonic() - began > YIELD_AFTER_S:
            raise jobs.Later(now(), "Taking a breath; it goes on at once.")

    try:
        return work(note)
    except (fetching.BudgetExhausted, fetching.HostRests) as limit:
        raise jobs.Later(limit.retry_at + AFTER_A_MINUTE, str(limit)) from limit
    except BotCheck as check:
        raise jobs.Later(now() + fetching.BOT_CHECK_REST, str(check)) from check
    except Unreachable as trouble:
        waits = waits_of(job)
        if waits >= len(UNREACHABLE_WAITS):
            raise
        pause = UNREACHABLE_WAITS[waits]
        raise jobs.Later(
            now() + pause, f"{trouble} Trying again in {pause.seconds} s."
        ) from trouble
    except imports.AlreadyImporting as busy:
        raise jobs.Later(now() + timedelta(seconds=15), str(busy)) from busy


def owner_of(job: jobs.Running) -> Any:
    return get_user_model().objects.filter(pk=job.owner_id).first() if job.owner_id else None


def memory_of(job: jobs.Running) -> dict[str, Any]:
    """What a paused job knows of its earlier turns lies in the result of its open row."""
    return _row(job).values_list("result", flat=True).first() or {}


def remember(job: jobs.Running, **values: Any) -> None:
    _row(job).update(result=memory_of(job) | values)


def waits_of(job: jobs.Running) -> int:
    """How often this job has waited for an unreachable site; counts one more."""
    waits: int = memory_of(job).get("waits", 0)
    remember(job, waits=waits + 1)
    return waits


def forget(job: jobs.Running) -> None:
    _row(job).update(result=None)


def _row(job: jobs.Running) -> QuerySet[jobs.Job]:
    return jobs.Job.objects.filter(pk=job.id)
