"""My garage: racers, cars and sessions."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coaching.forms.garage import ProfileForm, SessionForm, VehicleForm
from coaching.queries import garage as queries
from coaching.queries import history
from coaching.queries.claims import jobs_of_claims
from coaching.services import garage
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, Value, WordsFilter

FORM_PAGE = ["GET", "HEAD", "POST"]
SESSION_COLUMNS: dict[str, Value] = {
    "session": "name",
    "day": "start_date",
    "track": "track_name",
    "racer": "profile",
    "car": "vehicle",
    "laps": "lap_count",
    "state": "get_status_display",
    "id": "pk",
}
SCORE_COLUMNS: dict[str, Value] = {
    "session": "session.name",
    "day": "session.start_date",
    "track": "session.track_name",
    "car": "session.vehicle",
    "laps": "laps",
    "orp": "score",
    "low": "low",
    "high": "high",
    "formula": "formula",
}


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Racers, cars and the latest sessions with their scores; they fill while a claim's laps come in."""
    sessions = Listing(
        request,
        queries.sessions_of(request.user, words=request.GET.get("q", "")[:100]),
        name="sessions",
        columns=SESSION_COLUMNS,
        order=("-start_date", "-pk"),
        filters=WordsFilter(request.GET),
        api="/api/v1/sessions",
    )
    if sessions.wants_csv:
        return sessions.as_csv()
    return answer(
        request,
        page="coaching/garage/home.html",
        parts={"garage-sessions": "coaching/garage/_home_sessions.html"},
        context={
            "profiles": queries.profiles_of(request.user),
            "found": sessions,
            "sessions": sessions.rows,
            "jobs": jobs_of_claims(request.user),
        },
    )


@require_http_methods(FORM_PAGE)
def profile(request: HttpRequest, profile_id: int | None = None) -> HttpResponse:
    there = queries.profile_for(request.user, profile_id) if profile_id else None
    form = ProfileForm(request.POST or None, instance=there)
    if request.method == "POST" and form.is_valid():
        try:
            saved = garage.save_profile(by=request.user, profile_id=profile_id, **form.values())
        except InvalidInput as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, f"{saved} is saved.")
            return redirect("coaching:home")
    return _form_page(request, form, profile=there, title="Racer", what="racer")


@require_POST
def profile_default(request: HttpRequest, profile_id: int) -> HttpResponse:
    profile = garage.make_default(profile_id=profile_id, by=request.user)
    messages.success(request, f"{profile} is your default racer.")
    return redirect("coaching:home")


@require_POST
def profile_delete(request: HttpRequest, profile_id: int) -> HttpResponse:
    row = queries.profile_for(request.user, profile_id)
    lost = "The racer and the cars go. A racer with sessions stays until those are deleted."
    if asked := ask_first(request, f"Delete {row}?", lost=lost):
        return asked
    garage.delete_profile(profile_id=profile_id, by=request.user)
    messages.success(request, f"{row} is deleted.")
    return redirect("coaching:home")


@require_http_methods(FORM_PAGE)
def vehicle(request: HttpRequest, vehicle_id: int | None = None) -> HttpResponse:
    there = queries.vehicle_for(request.user, vehicle_id) if vehicle_id else None
    form = VehicleForm(request.POST or None, instance=there)
    if request.method == "POST" and form.is_valid():
        told = request.GET.get("profile", "")
        profile_id = int(told) if told.isdigit() and len(told) < 18 else None
        try:
            saved = garage.save_vehicle(
                by=request.user, vehicle_id=vehicle_id, profile_id=profile_id, **form.values()
            )
        except InvalidInput as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, f"{saved} is saved.")
            return redirect("coaching:home")
    return _form_page(request, form, vehicle=there, title="Car", what="car")


@require_POST
def vehicle_delete(request: HttpRequest, vehicle_id: int) -> HttpResponse:
    row = queries.vehicle_for(request.user, vehicle_id)
    lost = "The car and its setup go. A car with sessions stays until those are deleted."
    if asked := ask_first(request, f"Delete {row}?", lost=lost):
        return asked
    garage.delete_vehicle(vehicle_id=vehicle_id, by=request.user)
    messages.success(request, f"{row} is deleted.")
    return redirect("coaching:home")


@require_http_methods(FORM_PAGE)
def session_form(request: HttpRequest, session_id: int | None = None) -> HttpResponse:
    """Make a session, or change what is said about one."""
    there = queries.session_for(request.user, session_id) if session_id else None
    form = SessionForm(request.POST or None, instance=there, user=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        profile = values.pop("profile", None)
        try:
            if there:
                saved = garage.change_session(session_id=there.pk, by=request.user, **values)
            else:
                saved = garage.create_session(
                    by=request.user, profile_id=profile.pk if profile else None, **values
                )
        except InvalidInput as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("coaching:session", saved.pk)
    return _form_page(request, form, session=there, title="Session", what="session")


@require_POST
def session_delete(request: HttpRequest, session_id: int) -> HttpResponse:
    row = queries.session_for(request.user, session_id)
    lost = "Its laps, changes, audits and scores go with it. What timing published stays."
    if asked := ask_first(request, f"Delete {row}?", lost=lost, yes="Delete with all laps"):
        return asked
    garage.delete_session(session_id=session_id, by=request.user)
    messages.success(request, "The session is deleted.")
    return redirect("coaching:home")


@require_safe
def score_history(request: HttpRequest) -> HttpResponseBase:
    """Scores by session with their uncertainty, for a track or a car."""
    chosen = {name: request.GET.get(name, "") for name in ("profile", "track", "vehicle")}
    found = Listing(
        request,
        history.scores_like(request.user, **chosen),
        name="orp-history",
        columns=SCORE_COLUMNS,
        order=("-start_date", "-session_id"),
    )
    if found.wants_csv:
        return found.as_csv()
    told = history.history_of(request.user, **chosen)
    return _page(request, "coaching/garage/history.html", history=told, chosen=chosen, found=found)


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Two sessions side by side."""
    sessions = list(queries.sessions_of(request.user)[:200])
    picked = [
        next((row for row in sessions if str(row.pk) == request.GET.get(name)), None)
        for name in ("a", "b")
    ]
    told = history.comparison_of(*picked) if all(picked) else None
    return _page(
        request,
        "coaching/garage/compare.html",
        sessions=sessions,
        picked=picked,
        told=told,
        sides=(told.a, told.b) if told else (),
    )


def _form_page(request: HttpRequest, form, **context) -> HttpResponse:
    context = {"profile": None, "vehicle": None, "session": None} | context
    return _page(request, "coaching/garage/form.html", ok=not form.errors, form=form, **context)


def _page(request: HttpRequest, page: str, *, ok: bool = True, **context) -> HttpResponse:
    return answer(request, page=page, context=context, ok=ok)
