"""What staff correct: the zone of a track's clock, and what a session was."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from ingestion import access, export
from ingestion.forms.timing import SessionTypeForm, TimezoneForm
from ingestion.models import Race, Track
from ingestion.models.events import SessionType
from ingestion.queries.races import races_to_review
from ingestion.services import races, tracks
from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, WordsFilter


@require_POST
def timezone(request: HttpRequest, track_id: int) -> HttpResponse:
    """Set the zone in which the track's clock is read; stored moments move with it."""
    access.need_administer(request.user)
    row = get_object_or_404(Track, pk=track_id)
    form = TimezoneForm(request.POST)
    if form.is_valid():
        try:
            tracks.set_timezone(
                track_id=row.pk, timezone=form.cleaned_data["timezone"], by=request.user
            )
            messages.success(request, f"{row.name} now runs on {form.cleaned_data['timezone']}.")
        except InvalidInput as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, "Write the time zone like Australia/Sydney.")
    return redirect("ingestion:track", row.pk)


@require_POST
def session_type(request: HttpRequest, race_id: int) -> HttpResponse:
    """Say what a session was; it survives every import."""
    access.need_administer(request.user)
    row = get_object_or_404(Race, pk=race_id)
    form = SessionTypeForm(request.POST)
    if form.is_valid():
        races.override_session_type(
            race_id=row.pk, session_type=form.cleaned_data["session_type"], by=request.user
        )
        messages.success(request, "Noted.")
    else:
        messages.error(request, "That is not a session type.")
    if request.POST.get("next") == "review":
        return redirect("ingestion:review")
    return redirect("ingestion:race", row.pk)


@require_GET
def review(request: HttpRequest) -> HttpResponse:
    """Sessions whose type could only be guessed, with the signals that were read."""
    access.need_administer(request.user)
    found = Listing(
        request,
        races_to_review(request.GET.get("q", "")[:100]),
        name="to-review",
        columns=export.REVIEW_COLUMNS,
        order=("-pk",),
        filters=WordsFilter(request.GET),
    )
    if found.wants_csv:
        return found.as_csv()
    context = {"found": found, "types": SessionType.choices}
    return answer(request, page="ingestion/review.html", context=context, ok=found.is_ok)
