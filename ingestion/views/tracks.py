"""Tracks: the catalogue, and one with its meetings, records and clock."""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ingestion import access, export
from ingestion.forms.timing import TimezoneForm
from ingestion.models import Track
from ingestion.queries.drivers import records_of_track
from ingestion.queries.tracks import calendar_of, tracks_search
from ingestion.services import tracks
from ingestion.services.fetching import budget_of
from racecontrol.shared import flags
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, WordsFilter


@require_GET
def track_list(request: HttpRequest) -> HttpResponse:
    """Tracks of the catalogue, favourites first."""
    found = Listing(
        request,
        tracks_search(request.GET.get("q", "")[:100], user=request.user),
        name="tracks",
        columns=export.TRACK_COLUMNS,
        order=("-is_favourite", "name", "pk"),
        filters=WordsFilter(request.GET),
        api="/api/v1/tracks",
    )
    if found.wants_csv:
        return found.as_csv()
    return answer(
        request,
        page="ingestion/tracks.html",
        parts={"tracks-found": "ingestion/_tracks_found.html"},
        context={"found": found, "total": Track.objects.count()},
        ok=found.is_ok,
    )


@require_POST
def sync_tracks(request: HttpRequest) -> HttpResponse:
    """Bring the catalogue of tracks up to date: one request."""
    tracks.request_sync(by=request.user)
    messages.success(request, "The catalogue is being fetched.")
    return redirect("ingestion:tracks")


@require_http_methods(["GET", "HEAD"])
def track(request: HttpRequest, track_id: int) -> HttpResponse:
    """A track: what is known of its meetings, its records, its clock."""
    row = get_object_or_404(tracks_search(user=request.user), pk=track_id)
    calendar = Listing(
        request,
        calendar_of(
            row,
            has_practice=flags.is_on(request, flags.ENABLE_PRACTICE_DAYS),
            words=request.GET.get("q", "")[:100],
        ),
        name="calendar",
        columns=export.EVENT_COLUMNS,
        order=("-starts_on", "-pk"),
        filters=WordsFilter(request.GET),
        api=f"/api/v1/events/search?track={row.slug}",
    )
    if calendar.wants_csv:
        return calendar.as_csv()
    context = {
        "track": row,
        "calendar": calendar,
        "records": records_of_track(row.pk),
        "budget": budget_of(row.slug),
        "may_correct": access.may_administer(request.user),
        "zone_form": TimezoneForm(initial={"timezone": row.timezone}),
        "today": date.today(),
    }
    return answer(request, page="ingestion/track.html", context=context)


@require_POST
def favourite(request: HttpRequest, track_id: int) -> HttpResponse:
    """Put a track on top of one's lists, or take it off."""
    row = get_object_or_404(Track, pk=track_id)
    tracks.set_favourite(
        track_id=row.pk, user=request.user, is_favourite=request.POST.get("on") == "1"
    )
    return redirect("ingestion:track", row.pk)
