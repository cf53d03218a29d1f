"""Sessions read before and looked at again: LiveRC can change laps without a word in the overview.

A session whose overview row stands says nothing of its own page, so some pages are asked for again:
the ones asked for least often first, then the ones read longest ago, and none whose stored page is
still fresh. Every look goes on where the last one stopped.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from ingestion.liverc import addresses as kinds
from ingestion.models import Event, PracticeSession, Race, Track
from ingestion.services.fetching import FRESH_FOR, Budget, budget_of
from ingestion.services.practice.listing import Difference, note_drift
from ingestion.services.practice.saving import ReadSession, changed_inside

SHARE_FOR_LOOKS = 0.5  # of a track's requests of the day; the other half is for people


def sessions_to_reread(source_event_id: str, *, most: int, since: datetime) -> list[str]:
    """LiveRC's ids of at most so many sessions; those read after `since` count towards the number."""
    read = PracticeSession.objects.filter(
        event__source_event_id=source_event_id,
        missing_since=None,
        failure="",
        race__state=Race.State.IMPORTED,
        race__fetched_at__isnull=False,
    )
    most -= read.filter(race__fetched_at__gte=since).count()
    stale = min(since, now() - FRESH_FOR[kinds.PRACTICE_SESSION])
    due = read.filter(race__fetched_at__lt=stale).order_by(
        "attempts", "race__fetched_at", "started_at", "pk"
    )
    return list(due.values_list("source_session_id", flat=True)[: max(0, most)])


def may_look(track: Track) -> bool:
    """What runs by the clock leaves half of a track's day, and the rest of its minute, to people."""
    budget: Budget = budget_of(track.slug)
    return (
        budget.used_today < SHARE_FOR_LOOKS * budget.per_day
        and budget.used_this_minute < budget.per_minute
    )


def sessions_per_look() -> int:
    return int(settings.PRACTICE_DRIFT_SESSIONS)


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
