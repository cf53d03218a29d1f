"""Connections to other services: connect, test, fetch, disconnect; and the hook Strava calls."""

import hmac
import json
import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coaching.connections.providers import INTERVALS, LABELS
from coaching.forms.connections import KeyForm
from coaching.queries import connections as queries
from coaching.services import athlete, syncing
from coaching.services import connections as services
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, RaceError
from racecontrol.shared.htmx import answer

STATE = "connection_state"
MOST_HINT_BYTES = 10_000


def _page(request: HttpRequest, form: KeyForm) -> HttpResponse:
    doors = queries.doors_of(request.user)
    asked = [door for door in doors if door.provider.name == request.htmx.target]
    context = {
        "doors": doors,
        "door": asked[0] if asked else None,
        "form": form,
        "has_consent": athlete.has_health_consent(request.user),
        "is_strava_open": settings.STRAVA_DATA_IN_COACHING,
        "policy_days": syncing.POLICY_DAYS,
    }
    return answer(
        request,
        page="coaching/athlete/connections.html",
        part="coaching/athlete/_connection.html" if asked else "coaching/athlete/_connections.html",
        context=context,
        ok=not form.errors,
    )


@never_cache
@require_safe
def connections(request: HttpRequest) -> HttpResponse:
    """Every service: what it gives, how it stands, what went wrong last."""
    return _page(request, KeyForm())


@never_cache
@require_safe
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """Send the person to the provider. A link, as our policy lets no form lead to another site."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") == "cross-site":
        raise NotAllowed("Open the connections page here and choose Connect there.")
    state = secrets.token_urlsafe(32)
    url = services.begin(
        by=request.user, provider=provider, redirect_uri=_back(request, provider), state=state
    )
    request.session[STATE] = {"state": state, "provider": provider}
    return redirect(url)


def _back(request: HttpRequest, provider: str) -> str:
    return request.build_absolute_uri(reverse("coaching:connection_back", args=[provider]))


@never_cache
@require_safe
def connection_back(request: HttpRequest, provider: str) -> HttpResponse:
    """Where the provider sends the person back. The state is good once and for this session only."""
    if provider not in LABELS:
        raise NotFound("There is no such service here.")
    kept = request.session.pop(STATE, None) or {}
    shown = request.GET.get("state", "")
    is_ours = kept.get("provider") == provider and hmac.compare_digest(
        kept.get("state", "").encode(), shown.encode()
    )
    if not is_ours or not shown:
        raise InvalidInput("This answer was not asked for here, or is old: connect again.")
    label = LABELS[provider]
    if request.GET.get("error"):
        messages.warning(request, f"{label} was not connected: you did not allow it there.")
        return redirect("coaching:connections")
    try:
        services.finish(
            by=request.user, provider=provider, code=request.GET.get("code", "")[:500],
            redirect_uri=_back(request, provider), granted=request.GET.get("scope", "")[:500],
        )  # fmt: skip
    except RaceError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{label} is connected; what it has is being fetched.")
    return redirect("coaching:connections")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def connect_key(request: HttpRequest) -> HttpResponse:
    """Connect intervals.icu with the person's own key."""
    if request.method != "POST":
        return redirect("coaching:connections")
    form = KeyForm(request.POST)
    if form.is_valid():
        try:
            services.connect_with_key(by=request.user, api_key=form.cleaned_data["api_key"])
        except RaceError as refusal:
            form.add_error("api_key", str(refusal))
        else:
            messages.success(request, f"{LABELS[INTERVALS]} is connected.")
            return redirect("coaching:connections")
    return _page(request, form)


@require_POST
def connection_test(request: HttpRequest, provider: str) -> HttpResponse:
    """Ask the provider the lightest question, in the background."""
    services.request_test(by=request.user, provider=provider)
    return redirect("coaching:connections")


@require_POST
def connection_sync(request: HttpRequest, provider: str) -> HttpResponse:
    """Fetch now instead of at the next hour."""
    services.request_sync(by=request.user, provider=provider)
    return redirect("coaching:connections")


@require_POST
def disconnect(request: HttpRequest, provider: str) -> HttpResponse:
    """Forget the permission; with `drop` also what came with it."""
    services.of(request.user, provider)
    drops = request.POST.get("drop") == "on" or provider == "strava"
    lost = f"The permission is forgotten here. What came from {LABELS[provider]} "
    lost += "is deleted, too." if drops else "stays."
    undo = "It can be connected again, and fetches anew." if drops else "It can be connected again."
    if asked := ask_first(
        request, f"Disconnect {LABELS[provider]}?", lost=lost, yes="Disconnect", undo=undo
    ):
        return asked
    services.disconnect(
        by=request.user, provider=provider, is_data_dropped=request.POST.get("drop") == "on"
    )
    messages.success(request, f"{LABELS[provider]} is disconnected.")
    return redirect("coaching:connections")


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def strava_hook(request: HttpRequest, secret: str) -> HttpResponse:
    """Strava's news. Its address is secret, and what it says is only a reason to look ourselves.

    Always answers at once; anything that is no hint for a connection of ours is left alone.
    """
    known = settings.STRAVA_WEBHOOK_SECRET
    if not known or not hmac.compare_digest(known.encode(), secret.encode()):
        raise Http404
    if request.method == "GET":
        shown = request.GET.get("hub.verify_token", "")
        if not hmac.compare_digest(known.encode(), shown.encode()):
            raise Http404
        return JsonResponse({"hub.challenge": request.GET.get("hub.challenge", "")[:200]})
    if len(request.body) <= MOST_HINT_BYTES:
        _hear(request.body)
    return JsonResponse({})


def _hear(body: bytes) -> None:
    try:
        told: Any = json.loads(body)
    except ValueError:
        return
    if not isinstance(told, dict):
        return
    kind, number = str(told.get("object_type")), str(told.get("object_id"))
    owner = str(told.get("owner_id"))
    if kind not in ("activity", "athlete") or not number.isdigit() or len(number) > 20:
        return
    if not owner.isdigit() or len(owner) > 20:
        return
    syncing.hear_strava(account_id=owner, kind=kind, object_id=number)
