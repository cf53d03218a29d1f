"""The house's own pages: dashboard, account, jobs, operations, health."""

import hmac
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseForbidden,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST, require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from racecontrol import api_docs, operations
from racecontrol.forms import AccountForm, TokenForm
from racecontrol.middleware import is_api
from racecontrol.models import Job
from racecontrol.shared import jobs, tokens
from racecontrol.shared import search as searching
from racecontrol.shared.api import error_body
from racecontrol.shared.asking import ask_first
from racecontrol.shared.cards import cards_of, one_card
from racecontrol.shared.errors import RaceError
from racecontrol.shared.first_steps import journeys_of
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, Value, WordsFilter

# the secret is not kept, so no file can hold it
TOKEN_COLUMNS: dict[str, Value] = {
    "name": "name",
    "begins_with": "prefix",
    "may": "get_scope_display",
    "made_at": "created_at",
    "last_used_at": "last_used_at",
    "ends_at": "expires_at",
}


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Strangers see what this is; a signed-in person sees what matters now."""
    if not request.user.is_authenticated:
        return render(request, "landing.html")
    if request.htmx and (request.htmx.target or "").startswith("card-"):
        return _one_card(request, request.htmx.target)
    cards = cards_of(request)
    journeys = journeys_of(request)
    begun = [journey for journey in journeys if journey.is_begun]
    context = {
        "cards": cards,
        "is_newcomer": not begun and not any(card.is_own for card in cards),
        "begun": begun,
        "journeys": [journey for journey in journeys if not journey.is_begun],
    }
    return answer(request, page="home.html", context=context)


def _one_card(request: HttpRequest, element_id: str) -> HttpResponse:
    """A live card as it is now; empty once it has nothing to show, so that it goes."""
    card = one_card(request, element_id)
    if card is None:
        return HttpResponse()
    return answer(request, page=card.template, context=card.context)


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for the icon of what has no head: downloads, plain answers, pictures."""
    return redirect(static("img/icon.svg"))


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """One search over everything this person may see; `?in=` narrows it to one kind.

    The page works as a plain form; the palette in the shell asks for its own part of it.
    """
    kind = request.GET.get("in", "")[:20]
    most = searching.MOST_SHOWN if kind else searching.SHOWN
    skip = request.GET.get("from", "") if kind else ""
    question = searching.Question.of(request.GET.get("q", ""), kind=kind, most=most, skip=skip)
    is_palette = bool(request.htmx) and request.htmx.target == "palette-found"
    found = searching.search(request, question, forgives=not is_palette)
    return answer(
        request,
        page="search.html",
        parts={"search-found": "_search_found.html", "palette-found": "_palette_found.html"},
        context={"found": found, "kind": kind},
    )


@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """How a background job is going; the part asks again until it has ended."""
    row = job_of(request, job_id)
    context = {"job": row, "may_cancel": True, "may_retry": True}
    response = answer(request, page="job.html", part="components/_job.html", context=context)
    if not row.is_open:
        response["HX-Trigger"] = "jobended"  # what lies around the part may look again
    return response


def job_of(request: HttpRequest, job_id: UUID) -> Job:
    row = get_object_or_404(Job, pk=job_id)
    if not jobs.may_act(request.user, row):
        raise Http404
    return row


@require_POST
def cancel_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_of(request, job_id)
    if row.is_open and (asked := _asked_before_cancelling(request, row)):
        return asked
    jobs.cancel(row.pk, by=request.user)
    return redirect("job", job_id)


def _asked_before_cancelling(request: HttpRequest, row: Job) -> HttpResponse | None:
    lost = (
        "It stops at its next step. What it has kept so far stays, what it is at now is given up."
    )
    if row.state == Job.State.QUEUED:
        lost = "It waits for a worker. What an earlier try has kept stays."
    return ask_first(
        request,
        f"Cancel “{row.title}”?",
        lost=lost,
        yes="Cancel it",
        undo="It can be started again.",
    )


@require_POST
def retry_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    jobs.retry(job_of(request, job_id).pk, by=request.user)
    return redirect("job", job_id)


def account(request: HttpRequest) -> HttpResponse:
    """Your name and the zone you read clocks in."""
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("account")
    if form.errors:
        # A refused form has written to request.user in memory; the shell must not show it.
        request.user.refresh_from_db()
    return answer(request, page="account.html", context={"form": form}, ok=not form.errors)


@never_cache
def api_tokens(request: HttpRequest) -> HttpResponseBase:
    """Make, see and revoke the keys other programs use in your name. A secret is shown once."""
    form, secret = TokenForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            _, secret = tokens.make(by=request.user, **form.cleaned_data)
            form = TokenForm()
        except RaceError as refusal:
            form.add_error(None, str(refusal))
            for field, faults in refusal.fields.items():
                form.add_error(field, faults)
    found = Listing(
        request,
        tokens.usable().filter(user=request.user, name__icontains=request.GET.get("q", "")[:100]),
        name="tokens",
        columns=TOKEN_COLUMNS,
        filters=WordsFilter(request.GET),
        api="/api/v1/tokens",
    )
    if found.wants_csv:
        return found.as_csv()
    context = {"form": form, "found": found, "secret": secret}
    is_ok = found.is_ok and not form.errors
    return answer(request, page="tokens.html", context=context, ok=is_ok)


@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    row = tokens.own(by=request.user, token_id=token_id)
    lost = "Programs that use it are turned away from the next request on."
    if asked := ask_first(request, f"Revoke {row.name}?", lost=lost, yes="Revoke"):
        return asked
    tokens.revoke(by=request.user, token_id=token_id)
    messages.success(request, "The token no longer works.")
    return redirect("tokens")


@require_safe
def api_documentation(request: HttpRequest) -> HttpResponse:
    """What the API can do, from its own OpenAPI document."""
    from racecontrol.api import api  # the routers import the rooms; views are imported by the urls

    chapters = api_docs.sections(api.get_openapi_schema())
    return render(request, "api_docs.html", {"chapters": chapters})


@staff_member_required
@require_safe
def ops(request: HttpRequest) -> HttpResponse:
    """Queue, jobs, schedules, flags, budgets and recent errors on one page."""
    return answer(request, page="ops.html", part="_ops.html", context=operations.overview())


@login_not_required
@require_GET
@never_cache
def health_live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_GET
@never_cache
def health_ready(request: HttpRequest) -> HttpResponse:
    """The process can work: the database answers and has every migration."""
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    if missing:
        return JsonResponse({"status": f"{missing} migrations missing"}, status=503)
    return JsonResponse({"status": "ok"})


@login_not_required
@require_GET
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for staff or a scraper that shows METRICS_TOKEN."""
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    is_scraper = bool(settings.METRICS_TOKEN) and hmac.compare_digest(
        shown.encode(), settings.METRICS_TOKEN.encode()
    )
    if not is_scraper and not request.user.is_staff:
        return HttpResponseForbidden("Staff or the scrape token only.", content_type="text/plain")
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if is_api(request):
        return JsonResponse(error_body(code, message), status=status)
    return render(request, f"{status}.html", {"message": message}, status=status)


@csrf_exempt
@login_not_required
def unknown_operation(request: HttpRequest, rest: str) -> HttpResponse:
    return JsonResponse(error_body("not_found", "The API has no such address."), status=404)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _error(request, 400, "bad_request", "That request cannot be understood.")


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _error(request, 403, "not_allowed", "This is not yours to open.")


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _error(request, 404, "not_found", "There is nothing here, or it is not for you.")


def server_error(request: HttpRequest) -> HttpResponse:
    """The page is drawn without the request: what broke may be what the shell needs."""
    message = "Something broke here; it was written down."
    if is_api(request):
        return JsonResponse(error_body("internal_error", message), status=500)
    return HttpResponse(render_to_string("500.html"), status=500)
