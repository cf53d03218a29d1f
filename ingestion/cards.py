"""What timing shows on the dashboard: running imports, and the events that came in last."""

from django.http import HttpRequest

from ingestion import queries
from ingestion.models import Event
from ingestion.queries.imports import open_imports
from racecontrol.shared import flags
from racecontrol.shared.cards import Card

EVENTS_SHOWN = 5


def latest_events(request: HttpRequest) -> Card | None:
    """The person's open imports and the newest events; None before anything came in."""
    has_practice = flags.is_on(request, flags.ENABLE_PRACTICE_DAYS)
    imports = list(open_imports(has_practice=has_practice).filter(owner=request.user)[:3])
    known = queries.events().exclude(last_ingested_at=None)
    if not has_practice:
        known = known.filter(kind=Event.Kind.RACE)
    events = list(known[:EVENTS_SHOWN])
    if not imports and not events:
        return None
    return Card(
        "ingestion/_card.html", {"imports": imports, "events": events}, order=30, is_own=False
    )
