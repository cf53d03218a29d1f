"""A driver's practice beside their runs of a race event."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from ingestion.models import Driver, Event
from ingestion.presentation_practice import practice_race_chart
from ingestion.queries.practice_race import practice_beside
from ingestion.views._asked import number
from racecontrol.shared import flags
from racecontrol.shared.htmx import answer


@require_GET
def event_practice(request: HttpRequest, event_id: int, driver_id: int) -> HttpResponse:
    """Sessions of a practice day (`day`) beside the runs of an event, in one class (`class`)."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    event = get_object_or_404(
        Event.objects.select_related("track"), pk=event_id, kind=Event.Kind.RACE
    )
    driver = get_object_or_404(Driver, pk=driver_id)
    found = practice_beside(
        driver.pk,
        event,
        class_key=request.GET.get("class", "")[:200],
        day_id=number(request.GET.get("day", "")),
    )
    if found is None:
        raise Http404
    rows = [
        (found.results[row.run.key], found.moves.get(row.run.key), row) for row in found.beside.runs
    ]
    context = {
        "event": event,
        "driver": driver,
        "found": found,
        "rows": rows,
        "chart": practice_race_chart(found, event) if found.day else None,
    }
    return answer(request, page="ingestion/event_practice.html", context=context)
