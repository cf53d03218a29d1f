"""Practice days: find and discover them, import them, and look at a day."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from ingestion import access, export
from ingestion.forms.practice import DayFilterForm, DriverForm, PracticeSearchForm
from ingestion.models import Event, PracticeSession
from ingestion.presentation_practice import laps_by_class
from ingestion.queries.practice import (
    figures_of,
    last_discovery,
    open_import_of,
    open_practice_imports,
    practice_days,
    search_practice_days,
)
from ingestion.queries.practice_board import STATES, day_board
from ingestion.queries.tracks import find_track, track_choices, track_or_likely
from ingestion.services.fetching import budget_of
from ingestion.services.practice import discovery, matching, ranges, requests
from ingestion.views._asked import way_back
from racecontrol.shared import flags
from racecontrol.shared.errors import RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing

PER_PAGE = 50
FIGURE_WORDS = {
    "sessions": "Sessions",
    "total_laps": "Laps",
    "track_time_ms": "Track time",
    "unique_drivers": "Drivers",
    "unique_classes": "Classes",
    "first_started_at": "First session",
    "last_started_at": "Last session",
    "last_ended_at": "Last one ended",
}


@require_GET
def practice_list(request: HttpRequest) -> HttpResponse:
    """Practice days that are known here, by track, days and words; and what LiveRC was asked."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    form = PracticeSearchForm(request.GET or None)
    return _list(request, form)


def _list(request: HttpRequest, form: PracticeSearchForm) -> HttpResponseBase:
    context = _found(request, form) | {"form": form}
    if context["days"].wants_csv:
        return context["days"].as_csv()
    return answer(
        request,
        page="ingestion/practice.html",
        parts={"practice-found": "ingestion/_practice_found.html"},
        context=context,
        ok=not form.errors,
    )


def _found(request: HttpRequest, form: PracticeSearchForm) -> dict[str, Any]:
    values = form.told
    track, likely = track_or_likely(values.get("track", ""), user=request.user)
    first, last = values.get("first"), values.get("last")
    found = search_practice_days(
        track=track.slug if track else "",
        first_day=first,
        last_day=last,
        words=values.get("q", ""),
        include_archived=bool(values.get("archived")),
    )
    if values.get("track") and track is None:
        found = found.filter(track__in=likely)
    days = Listing(
        request,
        found,
        name="practice-days",
        columns=export.PRACTICE_COLUMNS,
        order=("-starts_on", "-pk"),
        filters=form,
        api="/api/v1/practice-days/search",
        per_page=PER_PAGE,
        path=reverse("ingestion:practice"),
        params=request.POST if request.method == "POST" else None,
    )
    run = last_discovery(track_id=track.pk, first_day=first, last_day=last) if track and first and last else None  # fmt: skip
    in_work = open_practice_imports([day.source_event_id for day in days.rows])
    return {
        "days": days,
        "track": track,
        "choices": likely,
        "known_tracks": track_choices(request.user),
        "run": run,
        "in_work": in_work,
        "open_jobs": list({job.pk: job for job in in_work.values()}.values()),
        "budget": budget_of(track.slug) if track else None,
        "has_range": bool(track and first and last),
        "here": request.get_full_path() if request.method == "GET" else "",
    }


@require_POST
def discover(request: HttpRequest) -> HttpResponse:
    """Ask LiveRC for the practice days of a track, in the worker; then show how far it is."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    form = PracticeSearchForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        known = find_track(values["track"])
        try:
            asked = discovery.request_discovery(
                track_slug=known.slug if known else values["track"].strip(),
                first_day=values["first"],
                last_day=values["last"],
                by=request.user,
                again=bool(request.POST.get("again")),
            )
        except RaceError as refusal:
            form.take_refusal(refusal)
        else:
            return redirect(_list_url(asked.run.track.slug, values["first"], values["last"]))
    return _list(request, form)


def _list_url(slug: str, first: Any, last: Any) -> str:
    words = urlencode({"track": slug, "first": first, "last": last})
    return f"{reverse('ingestion:practice')}?{words}"


@require_POST
def import_days(request: HttpRequest) -> HttpResponse:
    """Queue the ticked days, one day, or every day of the range as one job; past 80 % of a day's
    budget it asks before it does."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    try:
        wanted, chosen = _range(request), _chosen(request)
        if wanted is not None:
            chosen, warnings = wanted.known, wanted.warnings()
        else:
            warnings = [cost.warning for cost in requests.cost_of(chosen).values() if cost.warning]
        if warnings and not request.POST.get("confirmed"):
            return answer(
                request,
                page="ingestion/confirm_practice_import.html",
                context={
                    "action": request.path,
                    "days": list(
                        practice_days(include_archived=True).filter(source_event_id__in=chosen)
                    ),
                    "chosen": chosen,
                    "range": request.POST.get("range", ""),
                    "wanted": wanted,
                    "warnings": warnings,
                    "back": way_back(request, reverse("ingestion:practice")),
                },
            )
        if wanted is not None:
            ranges.request_range(wanted, by=request.user)
        elif len(chosen) == 1:
            requests.request_import(source_event_id=chosen[0], by=request.user)
        else:
            requests.request_bulk(source_event_ids=chosen, by=request.user)
    except RaceError as refusal:
        messages.error(request, str(refusal))
    return redirect(way_back(request, reverse("ingestion:practice")))


def _chosen(request: HttpRequest) -> list[str]:
    """Ids of one pressed day, or of the ticked days."""
    if one := request.POST.get("only"):
        return [one]
    return list(dict.fromkeys(request.POST.getlist("day")))


def _range(request: HttpRequest) -> ranges.Range | None:
    """The range whose every day is wanted, if that is what was pressed."""
    if not request.POST.get("range") or request.POST.get("only"):
        return None
    form = PracticeSearchForm(QueryDict(request.POST["range"]))
    form.is_valid()
    track = find_track(form.cleaned_data.get("track", ""))
    return ranges.range_of(
        track_slug=track.slug if track else "",
        first_day=form.cleaned_data.get("first"),
        last_day=form.cleaned_data.get("last"),
    )


@require_GET
def practice_day(request: HttpRequest, event_id: int) -> HttpResponse:
    """A day: its figures beside LiveRC's, leaderboard, classes, and every session."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    event = day_for(event_id)
    filters = DayFilterForm(request.GET)
    filters.is_valid()
    values = filters.cleaned_data
    class_key = values.get("class_key") or ""
    board = day_board(
        event,
        class_key=class_key,
        driver_id=values.get("driver"),
        state=values.get("state") or "",
    )
    figures = [(FIGURE_WORDS[one.name], one) for one in figures_of(event.practice_day)]
    context = {
        "event": event,
        "day": event.practice_day,
        "board": board,
        "figures": figures,
        "has_differences": any(figure.differs for _, figure in figures),
        "chosen_class": class_key,
        "chosen_driver": values.get("driver"),
        "chosen_state": values.get("state") or "",
        "states": STATES,
        "chart": laps_by_class(board),
        "job": open_import_of(event.source_event_id),
        "drift": event.practice_drifts.filter(settled_at=None).first(),
        "may_correct": access.may_administer(request.user),
        "to_match": [row for row in board.rows if row.session.match_confidence == "low"],
    }
    return answer(
        request,
        page="ingestion/practice_day.html",
        parts={
            "practice-sessions": "ingestion/_practice_sessions.html",
            "practice-leaders": "ingestion/_practice_leaders.html",
            "practice-state": "ingestion/_practice_state.html",
        },
        context=context,
    )


def day_for(event_id: int) -> Event:
    return get_object_or_404(practice_days(include_archived=True), pk=event_id)


@require_POST
def refresh_day(request: HttpRequest, event_id: int) -> HttpResponse:
    """Import the day, or ask LiveRC again and bring in what is new; past 80 % of a day's budget it
    asks before it does."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    event = day_for(event_id)
    is_again = bool(event.last_ingested_at)
    costs = requests.cost_of([event.source_event_id], refresh=is_again).values()
    warnings = [cost.warning for cost in costs if cost.warning]
    if warnings and not request.POST.get("confirmed"):
        return answer(
            request,
            page="ingestion/confirm_practice_import.html",
            context={
                "action": request.path,
                "days": [event],
                "chosen": [event.source_event_id],
                "warnings": warnings,
                "back": reverse("ingestion:practice-day", args=[event.pk]),
            },
        )
    try:
        requests.request_import(
            source_event_id=event.source_event_id, by=request.user, refresh=is_again
        )
    except RaceError as refusal:
        messages.error(request, str(refusal))
    return redirect("ingestion:practice-day", event.pk)


@require_POST
def retry_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Fetch one session again, alone."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    session = get_object_or_404(PracticeSession, pk=session_id)
    try:
        requests.request_retry(session_id=session.pk, by=request.user)
        messages.success(request, f"The session of {session.driver_name} is being fetched again.")
    except RaceError as refusal:
        messages.error(request, str(refusal))
    return redirect("ingestion:practice-day", session.event_id)


@require_POST
def set_driver(request: HttpRequest, session_id: int) -> HttpResponse:
    """Say who drove a session, or all of a day under its name and transponder; imports keep it."""
    flags.require(request, flags.ENABLE_PRACTICE_DAYS)
    access.need_administer(request.user)
    session = get_object_or_404(PracticeSession, pk=session_id)
    form = DriverForm(request.POST)
    if form.is_valid():
        try:
            done = matching.correct_match(
                session_id=session.pk,
                driver_id=form.cleaned_data["driver"],
                by=request.user,
                whole_day=form.cleaned_data["whole_day"],
            )
            messages.success(request, f"{done} session{'s' if done != 1 else ''} set.")
        except RaceError as refusal:
            messages.error(request, str(refusal))
    else:
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
    if session.race_id:
        return redirect("ingestion:practice-session", session.race_id)
    return redirect("ingestion:practice-day", session.event_id)
