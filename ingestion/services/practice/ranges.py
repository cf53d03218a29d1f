"""A range of days at once: LiveRC is asked which there are, unless that is known, then all are imported."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from ingestion.domain.practice import months_of
from ingestion.models import PracticeRun, Track
from ingestion.queries.practice import BULK_TASK, search_practice_days
from ingestion.services.costs import Cost
from ingestion.services.discovery import check_range
from ingestion.services.fetching import budget_of
from ingestion.services.practice.discovery import GOOD_FOR
from ingestion.services.practice.requests import cost_of, request_bulk
from ingestion.services.practice.runs import open_run
from ingestion.services.tracks import know_track
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotFound

Outcome = PracticeRun.Outcome


@dataclass(frozen=True, slots=True)
class Range:
    """Days of a track that somebody wants, and those of them that are known here (ids, oldest first)."""

    track: Track
    first_day: date
    last_day: date
    known: list[str]
    is_discovered: bool

    def warnings(self, *, refresh: bool = False) -> list[str]:
        """One sentence where the requests would take the track past 80 % of its day."""
        found = cost_of(self.known, refresh=refresh)
        if not self.is_discovered:
            known = found.get(self.track.slug)
            asked = len(months_of(self.first_day, self.last_day))
            needed = asked + (known.requests if known else 0)
            found[self.track.slug] = Cost(needed, budget_of(self.track.slug))
        return [cost.warning for cost in found.values() if cost.warning]


def range_of(*, track_slug: str, first_day: date | None, last_day: date | None) -> Range:
    """What is known of a range. Raises InvalidInput by field, NotFound for a track LiveRC has not."""
    first_day, last_day = check_range(first_day, last_day)
    if not track_slug.strip():
        raise InvalidInput("Name the track.", fields={"track": ["Say which track."]})
    track = know_track(track_slug.strip())
    found = search_practice_days(track=track.slug, first_day=first_day, last_day=last_day)
    known = found.filter(missing_since=None).order_by("starts_on", "pk")
    return Range(
        track,
        first_day,
        last_day,
        [event.source_event_id for event in known],
        _is_discovered(track, first_day, last_day),
    )


def _is_discovered(track: Track, first_day: date, last_day: date) -> bool:
    """Was LiveRC asked for all of these days, with a whole answer, within the hour or after the last?"""
    over = datetime.combine(last_day + timedelta(days=1), time.max, track.zone)
    return PracticeRun.objects.filter(
        kind=PracticeRun.Kind.DISCOVERY,
        track=track,
        first_day__lte=first_day,
        last_day__gte=last_day,
        outcome=Outcome.DONE,
        finished_at__gte=min(over, now() - GOOD_FOR),
    ).exists()


@transaction.atomic
def request_range(wanted: Range, *, by: Any, refresh: bool = False) -> jobs.Job:
    """Queue the import of every day of a range as one job, which first looks which days there are.

    The same range that is under way is returned instead. Raises NotFound where LiveRC was asked
    and names no day.
    """
    if wanted.is_discovered and not wanted.known:
        raise NotFound(f"LiveRC names no day of practice at {wanted.track.name} in these days.")
    if wanted.is_discovered:
        return request_bulk(source_event_ids=wanted.known, by=by, refresh=refresh)
    track, first_day, last_day = wanted.track, wanted.first_day, wanted.last_day
    job = jobs.enqueue(
        BULK_TASK,
        wanted.known,
        refresh,
        [track.slug, first_day.isoformat(), last_day.isoformat()],
        key=f"import:practice-range:{track.slug}:{first_day}:{last_day}",
        owner=by,
        title=f"Import practice at {track.name}, {first_day:%d %b} to {last_day:%d %b %Y}",
    )
    if not PracticeRun.objects.filter(job=job).exists():
        discovery_of(track, first_day, last_day, by=by, job_id=job.pk)
    return job


def discovery_of(
    track: Track, first_day: date, last_day: date, *, by: Any, job_id: Any
) -> PracticeRun:
    """The discovery of this job that is under way, else a new one."""
    return open_run(
        kind=PracticeRun.Kind.DISCOVERY,
        track=track,
        first_day=first_day,
        last_day=last_day,
        by=by,
        job_id=job_id,
    )


def days_found(run: PracticeRun) -> list[str]:
    """Ids of the days of a discovery's range, oldest first."""
    found = search_practice_days(
        track=run.track.slug, first_day=run.first_day, last_day=run.last_day
    )
    days = found.filter(missing_since=None).order_by("starts_on", "pk")
    return [event.source_event_id for event in days]


def name_days(job_id: Any, days: list[str]) -> None:
    """Whoever asks for the import of one of these days gets this job from here on."""
    job = jobs.Job.objects.get(pk=job_id)
    jobs.Job.objects.filter(pk=job_id).update(args=[days, *job.args[1:]])
