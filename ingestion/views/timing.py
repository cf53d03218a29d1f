"""Pages of the timing room: find and import events, then look at events, races, drivers, tracks."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ingestion import access, export, queries
from ingestion.forms.timing import EventSearchForm, SessionTypeForm, TimezoneForm
from ingestion.models import Driver, Event, Race, Track
from ingestion.models.events import SessionType
from ingestion.presentation import RaceSheet, consistency_chart, trend_chart
from ingestion.queries import imports as import_queries
from ingestion.queries.bumpups import bump_ups_of_driver, bumped_into
from ingestion.queries.drivers import (
    field_of,
    own_drivers,
    records_of_track,
    trend_of_driver,
)
from ingestion.queries.events import event_facts
from ingestion.queries.practice import archived_practice_of, practice_of_driver
from ingestion.queries.practice_race import events_practised_for, own_driver_who_practised
from ingestion.queries.races import neighbours_of
from ingestion.queries.tracks import calendar_of, find_track, track_choices, tracks_search
from ingestion.services import discovery, imports, tracks
from ingestion.services.fetching import budget_of
from racecontrol.shared import flags
from racecontrol.shared.errors import InvalidInput, RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, WordsFilter

NEWEST_RACES = ("-day", "-run_order", "-pk")
PRACTICE_ON_DRIVER_PAGE = 25


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
    values = form.cleaned_data if form.is_bound and form.is_valid() else {}
    track = find_track(values.get("track", ""))
    choices = []
    if values.get("track") and track is None:
        choices = list(tracks_search(values["track"], user=request.user)[:8])
    found = queries.search_events(
        track=track.slug if track else "",
        first_day=values.get("first"),
        last_day=values.get("last"),
        words=values.get("q", "") if track or not choices else values["track"],
    )
    if choices and not track:
        found = found.filter(track__in=choices)
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
        "choices": choices,
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
        except InvalidInput as refusal:
            names = {"from": "first", "to": "last", "track": "track"}
            for name in refusal.fields or {"": []}:
                form.add_error(names.get(name), str(refusal))
        except RaceError as refusal:
            form.add_error(None, str(refusal))
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
    warnings = imports.import_warnings(events.values())
    if warnings and not request.POST.get("confirmed"):
        return answer(
            request,
            page="ingestion/confirm_import.html",
            context={
                "events": list(events.values()),
                "warnings": warnings,
                "back": _next(request),
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


def _next(request: HttpRequest) -> str:
    """Where the form wants to go back to, if that is a page of this room."""
    home_url = reverse("ingestion:home")
    wanted = request.POST.get("next", "")
    return wanted if wanted.startswith(home_url) and "\\" not in wanted else home_url


def _back(request: HttpRequest) -> HttpResponse:
    return redirect(_next(request))


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


def _event_for(request: HttpRequest, event_id: int) -> Event:
    """The event; a practice day only for whom practice days are on."""
    row = get_object_or_404(queries.events(), pk=event_id)
    if row.kind == Event.Kind.PRACTICE_DAY:
        flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    return row


def _race_for(request: HttpRequest, race_id: int) -> Race:
    """The race; a practice session only for whom practice days are on."""
    row = get_object_or_404(queries.races(), pk=race_id)
    if row.source == Race.Source.PRACTICE:
        flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    return row


@require_GET
def event(request: HttpRequest, event_id: int) -> HttpResponse:
    """An event: its classes with winners and bests, and its races by round."""
    row = _event_for(request, event_id)
    if row.kind == Event.Kind.PRACTICE_DAY:
        return redirect("ingestion:practice-day", row.pk)
    class_id = request.GET.get("class", "")
    session_type = request.GET.get("session", "")
    facts = event_facts(
        row,
        class_id=int(class_id) if class_id.isdecimal() and len(class_id) < 18 else None,
        session_type=session_type if session_type in SessionType.values else "",
    )
    context = {
        "event": row,
        "facts": facts,
        "chosen_class": class_id,
        "chosen_session": session_type,
        "session_types": SessionType.choices,
        "job": import_queries.open_imports_of([row.source_event_id]).get(row.source_event_id),
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
    cost = imports.import_cost(track_slug=row.track.slug, event=row, refresh=is_all)
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
def race(request: HttpRequest, race_id: int) -> HttpResponse:
    """A race: every published figure, and the laps of chosen drivers drawn and listed."""
    row = _race_for(request, race_id)
    if row.source == Race.Source.PRACTICE:
        return redirect("ingestion:practice-session", row.pk)
    chosen = [
        int(one) for one in request.GET.getlist("driver") if one.isdecimal() and len(one) < 18
    ]
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
            chosen,
            bumped_into(row.pk),
            request.GET.get("came", ""),
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
    return export.results_csv([_race_for(request, race_id)])


@require_GET
def laps_csv(request: HttpRequest, race_id: int) -> HttpResponse:
    return export.laps_csv(_race_for(request, race_id))


@require_GET
def event_csv(request: HttpRequest, event_id: int) -> HttpResponse:
    row = _event_for(request, event_id)
    return export.results_csv(list(queries.races().filter(event=row, missing_since=None)))


@require_GET
def driver_list(request: HttpRequest) -> HttpResponse:
    """Find a driver by name, other name, transponder or LiveRC number."""
    form = WordsFilter(request.GET)
    found = Listing(
        request,
        queries.drivers_search(request.GET.get("q", "")[:100]),
        name="drivers",
        columns={"driver": "name", "liverc_number": "source_driver_id", "id": "pk"},
        order=("name", "pk"),
        filters=form,
        api="/api/v1/drivers",
    )
    if found.wants_csv:
        return found.as_csv()
    return answer(
        request,
        page="ingestion/drivers.html",
        parts={"drivers-found": "ingestion/_drivers_found.html"},
        context={"found": found},
        ok=found.is_ok,
    )


@require_GET
def driver(request: HttpRequest, driver_id: int) -> HttpResponse:
    """A driver: races, personal bests per track and class, pace and consistency over time."""
    row = get_object_or_404(Driver.objects.select_related("merged_into"), pk=driver_id)
    if row.merged_into is not None:
        return redirect("ingestion:driver", row.merged_into_id)
    bests = queries.best_laps(row.pk)
    chosen = request.GET.get("best", "")
    races = Listing(
        request,
        queries.races_of_driver(row.pk, words=request.GET.get("q", "")[:100]),
        name="races",
        columns=export.RACE_COLUMNS,
        order=NEWEST_RACES,
        filters=WordsFilter(request.GET),
        api=f"/api/v1/drivers/{row.pk}",
    )
    if races.wants_csv:
        return races.as_csv()
    practice, archived, with_archived = [], 0, request.GET.get("archived") == "1"
    if flags.is_on(request, flags.ENABLE_PRACTICE_DAYS):
        found = practice_of_driver(row.pk, include_archived=with_archived)
        practice = list(found[:PRACTICE_ON_DRIVER_PAGE])
        archived = archived_practice_of(row.pk)
    events_with_practice = events_practised_for(row.pk) if practice or archived else set()
    trend_of = next(
        (one for one in bests if f"{one.track_id}-{one.class_key}" == chosen),
        max(bests, key=lambda one: one.races, default=None),
    )
    trend = trend_of_driver(row.pk, trend_of) if trend_of is not None else []
    context = {
        "driver": row,
        "is_me": row.pk in own_drivers(request.user.pk),
        "totals": field_of(row.pk),
        "bests": bests,
        "trend_of": trend_of,
        "trend_chart": trend_chart(trend, title="Laps from race to race", slug="trend"),
        "consistency_chart": consistency_chart(trend, slug="consistency"),
        "races": races,
        "practice": practice,
        "events_with_practice": events_with_practice,
        "archived": archived,
        "with_archived": with_archived,
        "aliases": list(row.aliases.all()[:20]),
        "moves": list(bump_ups_of_driver(row.pk)),
        "transponders": list(row.transponders.all()[:20]),
    }
    return answer(
        request,
        page="ingestion/driver.html",
        parts={"driver-trend": "ingestion/_driver_trend.html"},
        context=context,
    )


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


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """The search of timing became the search over everything; old links still lead there."""
    return redirect(f"{reverse('search')}?{request.GET.urlencode()}")
