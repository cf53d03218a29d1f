"""An event: its classes and races, asked for again, and as a file."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from ingestion import export, queries
from ingestion.models import Event
from ingestion.models.events import SessionType
from ingestion.queries.events import event_facts
from ingestion.queries.imports import open_imports_of
from ingestion.services import costs, imports
from ingestion.views._asked import number
from racecontrol.shared import flags
from racecontrol.shared.htmx import answer


def event_for(request: HttpRequest, event_id: int) -> Event:
    """The event; a practice day only for whom practice days are on."""
    row = get_object_or_404(queries.events(), pk=event_id)
    if row.kind == Event.Kind.PRACTICE_DAY:
        flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    return row


@require_GET
def event(request: HttpRequest, event_id: int) -> HttpResponse:
    """An event: its classes with winners and bests, and its races by round."""
    row = event_for(request, event_id)
    if row.kind == Event.Kind.PRACTICE_DAY:
        return redirect("ingestion:practice-day", row.pk)
    class_id = request.GET.get("class", "")
    session_type = request.GET.get("session", "")
    facts = event_facts(
        row,
        class_id=number(class_id),
        session_type=session_type if session_type in SessionType.values else "",
    )
    context = {
        "event": row,
        "facts": facts,
        "chosen_class": class_id,
        "chosen_session": session_type,
        "session_types": SessionType.choices,
        "job": open_imports_of([row.source_event_id]).get(row.source_event_id),
    }
    return answer(
        request,
        page="ingestion/event.html",
        parts={"event-races": "ingestion/_event_races.html"},
        context=context,
    )


@require_POST
def refresh_event(request: HttpRequest, event_id: int) -> HttpResponse:
    """Ask LiveRC again: everything new, and with `all` what is long settled, too.

    Past 80 % of a day's budget it asks the person before it does.
    """
    row = get_object_or_404(queries.events(), pk=event_id, kind=Event.Kind.RACE)
    is_all = bool(request.POST.get("all"))
    cost = costs.import_cost(track_slug=row.track.slug, event=row, refresh=is_all)
    if cost.warning and not request.POST.get("confirmed"):
        return answer(
            request,
            page="ingestion/confirm_import.html",
            context={
                "events": [row],
                "warnings": [cost.warning],
                "back": reverse("ingestion:event", args=[row.pk]),
                "action": request.path,
                "is_all": is_all,
            },
        )
    imports.request_import(source_event_id=row.source_event_id, by=request.user, refresh=is_all)
    return redirect("ingestion:event", row.pk)


@require_GET
def event_csv(request: HttpRequest, event_id: int) -> HttpResponse:
    row = event_for(request, event_id)
    return export.results_csv(list(queries.races().filter(event=row, missing_since=None)))
