"""What LiveRC has of practice at a track: months, then days. Started by a person, never by the clock."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from ingestion.domain.practice import months_of
from ingestion.liverc import addresses as kinds
from ingestion.liverc.client import Source
from ingestion.models import Event, PracticeDay, PracticeRun, Track
from ingestion.queries.practice import last_discovery
from ingestion.services.discovery import check_range
from ingestion.services.fetching import Budget, budget_of, get_source
from ingestion.services.practice.listing import (
    event_of_day,
    month_key,
    pages_of,
    read_listing,
    take_listing,
)
from ingestion.services.practice.runs import LIMITS, Tally, finish, running
from ingestion.services.tracks import know_track
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, RaceError, SourceUnavailable
from racecontrol.shared.progress import OnProgress, Progress, silent

TASK = "ingestion.tasks.run_discover_practice"
GOOD_FOR = timedelta(hours=1)  # as long as a day's overview is fresh
Outcome = PracticeRun.Outcome


@dataclass(frozen=True, slots=True)
class Discovery:
    """A discovery under way or ended, and what is left of the track's requests."""

    run: PracticeRun
    job: jobs.Job | None
    budget: Budget

    @property
    def is_open(self) -> bool:
        return self.run.outcome == Outcome.RUNNING and bool(self.job and self.job.is_open)

    @property
    def warning(self) -> str:
        """What people are told while the day's requests run out."""
        if not self.budget.passes_warning(1):
            return ""
        return (
            f"{self.budget.used_today} of {self.budget.per_day} requests for {self.budget.name} "
            "are spent today; what is missing then comes tomorrow."
        )


def request_discovery(
    *,
    track_slug: str,
    first_day: date | None,
    last_day: date | None,
    by: Any,
    again: bool = False,
) -> Discovery:
    """Look for practice days of a track in at most three months, in the worker.

    The same question that is under way, or was answered within the hour, is not asked twice
    unless `again`. Raises InvalidInput by field, NotFound for a track LiveRC does not know.
    """
    first_day, last_day = check_range(first_day, last_day)
    if not track_slug.strip():
        raise InvalidInput("Name the track.", fields={"track": ["Say which track."]})
    track = know_track(track_slug.strip())
    known = last_discovery(track_id=track.pk, first_day=first_day, last_day=last_day)
    if known is not None and _is_good(known, again=again):
        return Discovery(known, known.job, budget_of(track.slug))
    run, job = _queue(track, first_day, last_day, by, again)
    return Discovery(run, job, budget_of(track.slug))


def _is_good(run: PracticeRun, *, again: bool) -> bool:
    if run.outcome == Outcome.RUNNING:
        return bool(run.job and run.job.is_open)
    return not again and run.finished_at is not None and now() - run.finished_at < GOOD_FOR


@transaction.atomic
def _queue(
    track: Track, first_day: date, last_day: date, by: Any, again: bool
) -> tuple[PracticeRun, jobs.Job]:
    run = PracticeRun.objects.create(
        kind=PracticeRun.Kind.DISCOVERY,
        track=track,
        first_day=first_day,
        last_day=last_day,
        requested_by=by if getattr(by, "pk", None) else None,
        started_at=now(),
    )
    job = jobs.enqueue(
        TASK,
        run.pk,
        again,
        key=f"import:practice-discovery:{track.slug}:{first_day}:{last_day}",
        owner=by,
        title=f"Look for practice at {track.name}",
    )
    if job.args[0] != run.pk:  # somebody asked the same in this very moment
        run.delete()
        return PracticeRun.objects.get(pk=job.args[0]), job
    run.job = job
    run.save(update_fields=["job"])
    return run, job


def discover_days(
    *,
    run_id: int,
    source: Source | None = None,
    again: bool = False,
    on_progress: OnProgress = silent,
) -> PracticeRun:
    """Month pages, then the overview of each day they name. Repeatable, and goes on after a pause.

    A page that cannot be read is named with the reason and the rest goes on. Raises BudgetExhausted,
    HostRests or BotCheck when nothing goes on for now; SourceUnavailable when no page could be read.
    """
    run = PracticeRun.objects.select_related("track").get(pk=run_id)
    if run.outcome != Outcome.RUNNING:
        return run
    source = source or get_source()
    failures: list[dict[str, str]] = []
    with running(run) as tally:
        counts = _months(run, tally, source, again, failures, on_progress)
        sessions = _days(run, counts, tally, source, again, failures, on_progress)
        if failures and not tally.seen:
            raise SourceUnavailable(failures[0]["reason"])
    outcome = Outcome.PARTIAL if failures else Outcome.DONE
    return finish(run, outcome, failures=failures, days=len(counts), sessions=sessions)


def _months(
    run: PracticeRun,
    tally: Tally,
    source: Source,
    again: bool,
    failures: list[dict[str, str]],
    on_progress: OnProgress,
) -> dict[date, int]:
    """Day -> sessions the calendar counts, for the days in range."""
    found: dict[date, int] = {}
    months = months_of(run.first_day, run.last_day)
    for place, month in enumerate(months):
        on_progress(Progress(place, 0, f"calendar of {month}"))
        try:
            pages = pages_of(
                run.track,
                kinds.practice_month_path(month),
                kind=kinds.PRACTICE_MONTH,
                cache_key=month_key(run.track.slug, month),
                tally=tally,
                source=source,
                force=again,
            )
        except LIMITS:
            raise
        except RaceError as refusal:
            failures.append({"page": f"calendar of {month}", "reason": str(refusal)})
            continue
        listed = {one.date: one.sessions for page in pages for one in page.contents.days}
        found |= {
            day: count for day, count in listed.items() if run.first_day <= day <= run.last_day
        }
        _note_days(run, month, listed)
    return found


@transaction.atomic
def _note_days(run: PracticeRun, month: str, listed: dict[date, int]) -> None:
    """Days the calendar names are known from here on; one it no longer names is marked."""
    for day, count in listed.items():
        if run.first_day <= day <= run.last_day:
            event = event_of_day(run.track, day)
            PracticeDay.objects.filter(event=event, source_sessions=None).update(
                source_sessions=count
            )
    gone = Event.objects.filter(
        track=run.track,
        kind=Event.Kind.PRACTICE_DAY,
        missing_since=None,
        starts_on__range=(run.first_day, run.last_day),
        starts_on__year=int(month[:4]),
        starts_on__month=int(month[5:]),
    ).exclude(starts_on__in=list(listed))
    # A day known only from a session past midnight stands on the next day's overview.
    gone.exclude(practice_sessions__listed_on__gt=F("starts_on")).update(missing_since=now())
    Event.objects.filter(
        track=run.track, kind=Event.Kind.PRACTICE_DAY, starts_on__in=list(listed)
    ).exclude(missing_since=None).update(missing_since=None)


def _days(
    run: PracticeRun,
    counts: dict[date, int],
    tally: Tally,
    source: Source,
    again: bool,
    failures: list[dict[str, str]],
    on_progress: OnProgress,
) -> int:
    """Every day's overview into the tables; how many sessions they list."""
    sessions = 0
    days = sorted(counts, reverse=True)
    for place, day in enumerate(days):
        on_progress(Progress(place, len(days), f"{day:%d %b %Y}"))
        try:
            listing = read_listing(run.track, day, tally=tally, source=source, force=again)
        except LIMITS:
            raise
        except RaceError as refusal:
            failures.append({"page": day.isoformat(), "reason": str(refusal)})
            continue
        take_listing(listing, run.track)
        sessions += len(listing.rows)
    on_progress(Progress(len(days), len(days), f"{len(days)} days"))
    return sessions
