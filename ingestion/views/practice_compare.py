"""One practice session, and practice compared: a driver's day, a driver's days, a class's day."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from ingestion import access, export
from ingestion.models import Driver, Race, RaceClass, RaceResult, Track
from ingestion.presentation_practice import (
    SessionSheet,
    class_day_chart,
    driver_day_charts,
    driver_days_charts,
)
from ingestion.queries.laps import laps_of_result
from ingestion.queries.practice import archived_practice_of, results_of_day
from ingestion.queries.practice_compare import (
    class_day_of,
    driver_day_of,
    driver_days_at,
    likely_drivers,
)
from ingestion.views._asked import numbers
from ingestion.views.practice import day_for
from racecontrol.shared import flags
from racecontrol.shared.htmx import answer


@require_GET
def practice_session(request: HttpRequest, race_id: int) -> HttpResponse:
    """A session: every lap with its mark and moment, averages, consistency, pictures."""
    result = _session(request, race_id)
    race = result.race
    same_day = list(
        results_of_day(race.event)
        .filter(driver_id=result.driver_id)
        .values_list("race_id", flat=True)
    )
    may_correct = access.may_administer(request.user)
    at = same_day.index(race.pk) if race.pk in same_day else 0
    context = {
        "race": race,
        "event": race.event,
        "result": result,
        "session": race.practice_session,
        "sheet": SessionSheet(race, result, laps_of_result(result.pk)),
        "before": same_day[at - 1] if at > 0 else None,
        "after": same_day[at + 1] if at + 1 < len(same_day) else None,
        "number": at + 1,
        "sessions_of_day": len(same_day),
        "may_correct": may_correct,
        "likely": likely_drivers(result) if may_correct else [],
    }
    return answer(request, page="ingestion/practice_session.html", context=context)


@require_GET
def session_csv(request: HttpRequest, race_id: int) -> HttpResponse:
    """The laps of a session with the moment and the validity of each."""
    return export.practice_laps_csv(_session(request, race_id))


def _session(request: HttpRequest, race_id: int) -> RaceResult:
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    found = RaceResult.objects.filter(missing_since=None, race__source=Race.Source.PRACTICE)
    result = found.select_related(
        "driver", "race__event__track", "race__race_class", "race__practice_session__matched_by"
    ).filter(race__practice_session__isnull=False)
    return get_object_or_404(result, race_id=race_id)


@require_GET
def driver_day(request: HttpRequest, event_id: int, driver_id: int) -> HttpResponse:
    """One driver's sessions of a day side by side; `session` (several) narrows them."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    event = day_for(event_id)
    driver = get_object_or_404(Driver, pk=driver_id)
    only = numbers(request.GET.getlist("session"))
    found = driver_day_of(event, driver.pk, only=only)
    if found is None:
        raise Http404
    trends = [(found.class_names[trend.class_key], trend) for trend in found.day.trends]
    rows = [(found.results[row.session.key], row) for row in found.day.sessions]
    context = {
        "event": event,
        "driver": driver,
        "found": found,
        "rows": rows,
        "trends": trends,
        "chosen": {result.race_id for result, _ in rows},
        "charts": driver_day_charts(found, event),
    }
    return answer(request, page="ingestion/practice_driver_day.html", context=context)


@require_GET
def driver_days(request: HttpRequest, driver_id: int, track_id: int) -> HttpResponse:
    """One driver across the days of a track, in one class."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    driver = get_object_or_404(Driver, pk=driver_id)
    track = get_object_or_404(Track, pk=track_id)
    with_archived = request.GET.get("archived") == "1"
    found = driver_days_at(
        driver,
        track,
        class_key=request.GET.get("class", "")[:200],
        include_archived=with_archived,
    )
    context = {
        "archived": archived_practice_of(driver.pk, track_id=track.pk),
        "with_archived": with_archived,
        "driver": driver,
        "track": track,
        "found": found,
        "rows": [(found.events[day.key], day) for day in reversed(found.days)] if found else [],
        "charts": driver_days_charts(found.days) if found and len(found.days) > 1 else [],
    }
    return answer(request, page="ingestion/practice_driver_days.html", context=context)


@require_GET
def class_day(request: HttpRequest, event_id: int, class_id: int) -> HttpResponse:
    """A class's day: fastest, average, participation, and everybody's laps."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    event = day_for(event_id)
    race_class = get_object_or_404(RaceClass, pk=class_id, event=event)
    found = class_day_of(event, race_class)
    fastest = found.drivers.get(found.day.fastest_by) if found.day.fastest_by else None
    context = {
        "event": event,
        "race_class": race_class,
        "found": found,
        "day": found.day,
        "fastest": fastest,
        "rows": [(found.drivers[one.driver], one) for one in found.day.entrants],
        "participation": 100 * found.day.participation,
        "chart": class_day_chart(found),
    }
    return answer(request, page="ingestion/practice_class_day.html", context=context)
