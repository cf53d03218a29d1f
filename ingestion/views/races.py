"""A race: its result and laps, drawn, listed and as files; and fetched again, alone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from ingestion import access, export, queries
from ingestion.forms.timing import SessionTypeForm
from ingestion.models import Race
from ingestion.presentation import RaceSheet
from ingestion.queries.bumpups import bumped_into
from ingestion.queries.practice_race import own_driver_who_practised
from ingestion.queries.races import neighbours_of
from ingestion.services import imports
from ingestion.views._asked import numbers
from racecontrol.shared import flags
from racecontrol.shared.charts import looks_of
from racecontrol.shared.htmx import answer


def race_for(request: HttpRequest, race_id: int) -> Race:
    """The race; a practice session only for whom practice days are on."""
    row = get_object_or_404(queries.races(), pk=race_id)
    if row.source == Race.Source.PRACTICE:
        flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    return row


@require_GET
def race(request: HttpRequest, race_id: int) -> HttpResponse:
    """A race: every published figure, and the laps of chosen drivers drawn and listed."""
    row = race_for(request, race_id)
    if row.source == Race.Source.PRACTICE:
        return redirect("ingestion:practice-session", row.pk)
    before, after = neighbours_of(row)
    practised = None
    if flags.is_on(request, flags.ENABLE_PRACTICE_DAYS):
        practised = own_driver_who_practised(request.user.pk, row)
    context = {
        "race": row,
        "sheet": RaceSheet(
            row,
            queries.results_of_race(row.pk),
            queries.laps_of_race(row.pk),
            numbers(request.GET.getlist("driver")),
            bumped_into(row.pk),
            request.GET.get("came", ""),
            looks_of(queries.drivers_of_class(row)),
        ),
        "before": before,
        "after": after,
        "practised": practised,
        "may_correct": access.may_administer(request.user),
        "type_form": SessionTypeForm(initial={"session_type": row.session_type_override}),
    }
    return answer(
        request,
        page="ingestion/race.html",
        parts={"race-laps": "ingestion/_race_laps.html"},
        context=context,
    )


@require_POST
def retry_race(request: HttpRequest, race_id: int) -> HttpResponse:
    """Fetch one race again, alone."""
    row = get_object_or_404(Race, pk=race_id, source=Race.Source.RACE)
    imports.request_race_retry(race_id=row.pk, by=request.user)
    return redirect("ingestion:race", row.pk)


@require_GET
def race_csv(request: HttpRequest, race_id: int) -> HttpResponse:
    return export.results_csv([race_for(request, race_id)])


@require_GET
def laps_csv(request: HttpRequest, race_id: int) -> HttpResponse:
    return export.laps_csv(race_for(request, race_id))
