"""What timing shows on the dashboard: running imports, and the events that came in last."""

from datetime import timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils.timezone import localdate, now

from ingestion import queries
from ingestion.models import Event
from ingestion.queries.events import coming_at_favourites
from ingestion.queries.imports import imports
from racecontrol.shared import flags
from racecontrol.shared.cards import NEWS, UNDER_WAY, Card
from racecontrol.shared.jobs import Job

EVENTS_SHOWN = 5
IMPORTS_SHOWN = 5
COMING_SHOWN = 3
FAILURES_SHOWN_FOR = timedelta(days=1)


def imports_under_way(request: HttpRequest) -> Card | None:
    """The person's open imports, and those that failed within a day; each follows its own job."""
    mine = imports(has_practice=_has_practice(request)).filter(owner=request.user)
    failed = Q(
        state__in=[Job.State.FAILED, Job.State.DEAD],
        finished_at__gte=now() - FAILURES_SHOWN_FOR,
    )
    jobs = list(mine.filter(Q(state__in=Job.OPEN) | failed).order_by("-created_at")[:IMPORTS_SHOWN])
    return Card("ingestion/_imports_card.html", {"jobs": jobs}, order=UNDER_WAY) if jobs else None


def latest_events(request: HttpRequest) -> Card | None:
    """What comes at the person's favourite tracks and the newest events; None before any came in."""
    known = queries.events().exclude(last_ingested_at=None)
    if not _has_practice(request):
        known = known.filter(kind=Event.Kind.RACE)
    events = list(known[:EVENTS_SHOWN])
    coming = list(coming_at_favourites(request.user, localdate())[:COMING_SHOWN])
    if not events and not coming:
        return None
    context = {"events": events, "coming": coming}
    return Card("ingestion/_card.html", context, order=NEWS, is_own=False)


def _has_practice(request: HttpRequest) -> bool:
    return flags.is_open(request, flags.ENABLE_PRACTICE_DAYS)
