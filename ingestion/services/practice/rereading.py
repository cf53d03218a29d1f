"""Sessions read before and looked at again: LiveRC can change laps without a word in the overview.

A session whose overview row stands says nothing of its own page, so some pages are asked for again:
the ones asked for least often first, then the ones read longest ago, and none whose stored page is
still fresh. Every look goes on where the last one stopped.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.timezone import now

from ingestion.liverc import addresses as kinds
from ingestion.models import Event, PracticeSession, Race, Track
from ingestion.queries.practice import practice_days
from ingestion.services.fetching import FRESH_FOR, Budget, budget_of
from ingestion.services.practice.listing import Difference, note_drift
from ingestion.services.practice.saving import ReadSession, changed_inside

SHARE_FOR_LOOKS = 0.5  # of a track's requests of the day; the other half is for people


def sessions_to_reread(source_event_id: str, *, most: int, since: datetime) -> list[str]:
    """LiveRC's ids of at most so many sessions; those read after `since` count towards the number."""
    read = _read_sessions(source_event_id)
    most -= read.filter(race__fetched_at__gte=since).count()
    stale = min(since, now() - FRESH_FOR[kinds.PRACTICE_SESSION])
    due = read.filter(race__fetched_at__lt=stale).order_by(
        "attempts", "race__fetched_at", "started_at", "pk"
    )
    return list(due.values_list("source_session_id", flat=True)[: max(0, most)])


def _read_sessions(source_event_id: str) -> QuerySet[PracticeSession]:
    return PracticeSession.objects.filter(
        event__source_event_id=source_event_id,
        missing_since=None,
        failure="",
        race__state=Race.State.IMPORTED,
        race__fetched_at__isnull=False,
    )


def young_days() -> QuerySet[Event]:
    """Imported days recent enough to still change, not archived."""
    recent = (now() - timedelta(days=settings.PRACTICE_DRIFT_DAYS)).date()
    return practice_days().filter(starts_on__gte=recent, last_ingested_at__isnull=False)


def may_look(track: Track) -> bool:
    """What runs by the clock leaves half of a track's day, and the rest of its minute, to people."""
    budget: Budget = budget_of(track.slug)
    return (
        budget.used_today < SHARE_FOR_LOOKS * budget.per_day
        and budget.used_this_minute < budget.per_minute
    )


def sessions_per_look(event: Event) -> int:
    """How many session pages a look at a day takes.

    Clubs correct a day soon after it: until each page was asked for a second time, a look takes as
    many as the looks' share of the track's day has room for. From then on PRACTICE_DRIFT_SESSIONS.
    """
    usual = int(settings.PRACTICE_DRIFT_SESSIONS)
    asked_once = _read_sessions(event.source_event_id).filter(attempts__lt=2).count()
    return max(usual, min(asked_once, _room_for_a_look(event.track))) if usual else 0


def _room_for_a_look(track: Track) -> int:
    """Session pages beside the overview, if all young days of the track are looked at as often."""
    looks = max(1, 24 // max(1, settings.PRACTICE_DRIFT_EVERY_HOURS))
    days = max(1, young_days().filter(track=track).count())
    return int(SHARE_FOR_LOOKS * settings.LIVERC_PER_DAY) // (looks * days) - 1


def count_ask(*session_ids: str) -> None:
    """Their pages were asked for, whatever came of it: others are next."""
    asked = PracticeSession.objects.filter(source_session_id__in=session_ids)
    asked.update(attempts=F("attempts") + 1)


@transaction.atomic
def note_looks(
    event: Event, asked: Iterable[str], pages: dict[str, ReadSession], moment: datetime
) -> Difference:
    """Write down which pages were asked for, and the drift of those that say something else.

    Changed ones count as not read, so that the import that follows brings them in.
    """
    difference = Difference(changed=changed_inside(pages))
    count_ask(*asked)
    races = Race.objects.filter(source=Race.Source.PRACTICE, event=event)
    races.filter(source_race_id__in=list(pages)).update(fetched_at=moment)
    races.filter(source_race_id__in=difference.changed).update(fetched_at=None)
    if difference and event.last_ingested_at is not None:
        note_drift(event, difference, moment)
    return difference
