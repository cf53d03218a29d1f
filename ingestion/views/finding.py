"""Find events by track, days and words, here and on LiveRC; import them, and watch the imports."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from ingestion import export
from ingestion.forms.timing import EventSearchForm
from ingestion.models import Event
from ingestion.queries import imports as import_queries
from ingestion.queries.events import search_events
from ingestion.queries.tracks import find_track, track_choices, track_or_likely
from ingestion.services import costs, discovery, imports
from ingestion.services.fetching import budget_of
from ingestion.views._asked import way_back
from racecontrol.shared import flags
from racecontrol.shared.errors import RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, WordsFilter


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Find events by track, days and words: what is here, and on request what LiveRC has."""
    form = EventSearchForm(request.GET or None)
    context = _found(request, form) | {"form": form}
    if context["events"].wants_csv:
        return context["events"].as_csv()
    return answer(
        request,
        page="ingestion/home.html",
        parts={"events-found": "ingestion/_events_found.html"},
        context=context,
        ok=not form.errors,
    )


def _found(request: HttpRequest, form: EventSearchForm) -> dict[str, Any]:
    values = form.told
    track, likely = track_or_likely(values.get("track", ""), user=request.user)
    found = search_events(
        track=track.slug if track else "",
        first_day=values.get("first"),
        last_day=values.get("last"),
        words=values.get("q", "") if track or not likely else values["track"],
    )
    if likely:
        found = found.filter(track__in=likely)
    events = Listing(
        request,
        found,
        name="events",
        columns=export.EVENT_COLUMNS,
        order=("-starts_on", "-pk"),
        filters=form,
        api="/api/v1/events/search",
        path=reverse("ingestion:home"),
        params=request.POST if request.method == "POST" else None,
    )
    return {
        "events": events,
        "track": track,
        "choices": likely,
        "known_tracks": track_choices(request.user),
        "open_imports": import_queries.open_imports_of(
            [event.source_event_id for event in events.rows]
        ),
        "discovery": None,
        "jobs": list(import_queries.open_imports(has_practice=False)[:10]),
        "budget": budget_of(track.slug) if track else None,
        "may_ask": bool(track and values.get("first") and values.get("last")),
    }


@require_POST
def discover(request: HttpRequest) -> HttpResponse:
    """Ask LiveRC which events a track has in a range of days; then show what is found, marked."""
    form = EventSearchForm(request.POST)
    context: dict[str, Any] = {}
    if form.is_valid():
        values = form.cleaned_data
        known = find_track(values["track"])
        try:
            found = discovery.discover_events(
                track_slug=known.slug if known else values["track"].strip(),
                first_day=values["first"],
                last_day=values["last"],
            )
        except RaceError as refusal:
            form.take_refusal(refusal)
        else:
            if not request.htmx:
                for failure in found.failures:
                    messages.warning(request, f"{failure['page']}: {failure['reason']}")
                days = f"first={values['first']}&last={values['last']}"
                return redirect(f"{reverse('ingestion:home')}?track={found.track.slug}&{days}")
            context["discovery"] = found
    context = _found(request, form) | context | {"form": form}
    return answer(
        request,
        page="ingestion/home.html",
        parts={"events-found": "ingestion/_events_found.html"},
        context=context,
        ok=not form.errors,
    )


@require_POST
def import_events(request: HttpRequest) -> HttpResponse:
    """Queue the import of the ticked events. Past 80 % of a day's budget it asks before it does."""
    chosen = list(dict.fromkeys(request.POST.getlist("event")))[:50]
    events = {
        event.source_event_id: event
        for event in Event.objects.select_related("track").filter(source_event_id__in=chosen)
    }
    if not chosen:
        messages.error(request, "Tick at least one event.")
        return _back(request)
    warnings = costs.import_warnings(events.values())
    if warnings and not request.POST.get("confirmed"):
        return answer(
            request,
            page="ingestion/confirm_import.html",
            context={
                "events": list(events.values()),
                "warnings": warnings,
                "back": way_back(request, reverse("ingestion:home")),
                "action": reverse("ingestion:import"),
            },
        )
    for event_id in chosen:
        try:
            imports.request_import(
                source_event_id=event_id,
                by=request.user,
                track_slug=request.POST.get("track", ""),
            )
        except RaceError as refusal:
            messages.error(request, str(refusal))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    return redirect(way_back(request, reverse("ingestion:home")))


@require_GET
def imports_part(request: HttpRequest) -> HttpResponse:
    """Imports under way and lately ended, whoever asked for them."""
    has_practice = flags.is_on(request, flags.ENABLE_PRACTICE_DAYS)
    ended = import_queries.ended_imports(
        has_practice=has_practice, words=request.GET.get("q", "")[:100]
    )
    found = Listing(
        request,
        ended,
        name="imports",
        columns=export.IMPORT_COLUMNS,
        order=("-finished_at", "-pk"),
        filters=WordsFilter(request.GET),
    )
    if found.wants_csv:
        return found.as_csv()
    context = {
        "jobs": list(import_queries.open_imports(has_practice=has_practice)[:20]),
        "ended": found,
        "here": request.get_full_path(),
    }
    return answer(
        request,
        page="ingestion/imports.html",
        part="ingestion/_imports.html",
        context=context,
        ok=found.is_ok,
    )


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """The search of timing became the search over everything; old links still lead there."""
    return redirect(f"{reverse('search')}?{request.GET.urlencode()}")
