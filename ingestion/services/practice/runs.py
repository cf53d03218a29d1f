"""The book of discoveries, imports and looks for drift: what metrics and alerts are counted from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.timezone import now

from ingestion.liverc.errors import BotCheck
from ingestion.models import PracticeRun, PracticeRunTotal, Track
from ingestion.services.fetching import BudgetExhausted, HostRests, Page
from racecontrol.shared.jobs import Cancelled, Job, Later

log = structlog.get_logger(__name__)

ABANDONED = timedelta(days=1)
AT_ONCE = 500
CANCELLED = "cancelled"
LIMITS = (BudgetExhausted, HostRests, BotCheck)


@dataclass(slots=True)
class Tally:
    """Pages a run read, from the store and from LiveRC. `since` is when the run began."""

    since: datetime
    from_store: int = 0
    fetched: int = 0
    seen: set[str] = field(default_factory=set)

    def note(self, page: Page) -> Page:
        """Count a page once a turn."""
        if page.stored.url not in self.seen:
            self.seen.add(page.stored.url)
            if page.came_from_store:
                self.from_store += 1
            else:
                self.fetched += 1
        return page


def open_run(
    *,
    kind: Any,
    track: Track,
    first_day: date,
    last_day: date,
    source_event_id: str = "",
    by: Any = None,
    job_id: Any = None,
) -> PracticeRun:
    """The run of this job that paused or lost its worker, else a new one."""
    if job_id is not None:
        known = PracticeRun.objects.filter(
            job_id=job_id,
            kind=kind,
            source_event_id=source_event_id,
            outcome=PracticeRun.Outcome.RUNNING,
        ).first()
        if known is not None:
            return known
    return PracticeRun.objects.create(
        kind=kind,
        track=track,
        source_event_id=source_event_id,
        first_day=first_day,
        last_day=last_day,
        requested_by=by if getattr(by, "pk", None) else None,
        job_id=job_id,
        started_at=now(),
    )


@contextmanager
def running(run: PracticeRun) -> Iterator[Tally]:
    """Count pages and write how it ends; a limit only pauses the run, whatever else breaks it ends it."""
    tally = Tally(since=run.started_at)
    try:
        yield tally
    except LIMITS as limit:
        _count(run, tally, limits=1)
        log.info("practice_run_paused", run=run.pk, kind=run.kind, reason=str(limit))
        raise
    except Later:
        _count(run, tally)
        raise
    except Cancelled:  # a person's wish says nothing about LiveRC
        _count(run, tally)
        _put_away(PracticeRun.objects.filter(pk=run.pk), outcome=CANCELLED)
        raise
    except Exception as broken:
        _count(run, tally)
        finish(run, PracticeRun.Outcome.FAILED, failures=[{"page": "", "reason": str(broken)}])
        raise
    except BaseException:  # ended from outside: the job is delivered again and goes on
        _count(run, tally)
        raise
    _count(run, tally)


def _count(run: PracticeRun, tally: Tally, *, limits: int = 0) -> None:
    PracticeRun.objects.filter(pk=run.pk).update(
        pages_from_store=F("pages_from_store") + tally.from_store,
        pages_fetched=F("pages_fetched") + tally.fetched,
        limits_met=F("limits_met") + limits,
    )


def finish(
    run: PracticeRun, outcome: Any, *, failures: list | None = None, **numbers: int
) -> PracticeRun:
    """Write the end; a run that has ended already keeps its end."""
    values: dict[str, Any] = {"outcome": outcome, "finished_at": now(), **numbers}
    if failures is not None:
        values["failures"] = failures
    PracticeRun.objects.filter(pk=run.pk, outcome=PracticeRun.Outcome.RUNNING).update(**values)
    run.refresh_from_db()
    log.info(
        "practice_run_ended",
        run=run.pk,
        kind=run.kind,
        track=run.track_id,
        source_event_id=run.source_event_id,
        first_day=run.first_day.isoformat(),
        last_day=run.last_day.isoformat(),
        outcome=run.outcome,
        days=run.days,
        sessions=run.sessions,
        seconds=round((now() - run.started_at).total_seconds(), 1),
        pages_from_store=run.pages_from_store,
        pages_fetched=run.pages_fetched,
        failures=len(run.failures),
    )
    return run


def close_lost_runs() -> int:
    """Runs that ended without a word: given up ones have failed, cancelled ones never were.

    A run from the command line has no job: a day later nobody is at it any more.
    """
    lost = PracticeRun.objects.filter(outcome=PracticeRun.Outcome.RUNNING)
    lost = lost.filter(job__isnull=False) | lost.filter(started_at__lt=now() - ABANDONED)
    lost = lost.exclude(job__state__in=Job.OPEN)
    count = _put_away(lost.filter(job__state=Job.State.CANCELLED), outcome=CANCELLED)
    for run in lost.select_related("job"):
        reason = run.job.message if run.job else "It ended without a word."
        finish(run, PracticeRun.Outcome.FAILED, failures=[{"page": "", "reason": reason}])
        count += 1
    return count


def prune_runs(*, older_than: timedelta) -> int:
    """Forget runs that ended so long ago; what they came to is kept as totals. How many there were."""
    return _put_away(PracticeRun.objects.filter(finished_at__lt=now() - older_than))


def _put_away(runs: QuerySet[PracticeRun], *, outcome: str = "") -> int:
    """Delete runs and add what they counted to the totals, so many in a transaction."""
    count = 0
    while done := _put_away_some(runs, outcome=outcome):
        count += done
    return count


@transaction.atomic
def _put_away_some(runs: QuerySet[PracticeRun], *, outcome: str) -> int:
    rows = list(runs.order_by("pk").select_for_update(of=("self",))[:AT_ONCE])
    sums: dict[tuple[str, str], PracticeRunTotal] = {}
    for row in rows:
        key = (row.kind, outcome or row.outcome)
        told = sums.setdefault(key, PracticeRunTotal(kind=key[0], outcome=key[1]))
        told.runs += 1
        if row.finished_at is not None:
            told.seconds += (row.finished_at - row.started_at).total_seconds()
        told.pages_from_store += row.pages_from_store
        told.pages_fetched += row.pages_fetched
        told.limits_met += row.limits_met
    for (kind, ended), told in sorted(sums.items()):
        PracticeRunTotal.objects.get_or_create(kind=kind, outcome=ended)
        names = ("runs", "seconds", "pages_from_store", "pages_fetched", "limits_met")
        PracticeRunTotal.objects.filter(kind=kind, outcome=ended).update(
            **{name: F(name) + getattr(told, name) for name in names}
        )
    PracticeRun.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)
