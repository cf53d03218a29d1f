"""Laps from timing into a session, and the claim to be a driver."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from coaching.forms.garage import ClaimForm
from coaching.models import ProfileClaim
from coaching.queries import garage as queries
from coaching.queries import timing
from coaching.queries.claims import claim_of
from coaching.services import claims, timing_sync
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput, NotReady, RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.jobs import Job


@require_http_methods(["GET", "HEAD", "POST"])
def sync(request: HttpRequest, session_id: int) -> HttpResponse:
    """Choose a driver and an event or practice day, or take all since the last time."""
    session = queries.session_for(request.user, session_id)
    words = request.GET.get("q", "").strip()[:100]
    told = request.POST.get("driver") or request.GET.get("driver") or session.profile.driver_id
    driver, fault = None, ""
    if told:
        try:
            driver = timing.driver_for(_id(told))
        except RaceError as refusal:
            fault = str(refusal)
    if request.method == "POST" and not fault:
        try:
            timing_sync.request_sync(
                session_id=session.pk,
                by=request.user,
                driver_id=driver.pk if driver else None,
                race_class_id=_id(request.POST["race_class"])
                if request.POST.get("race_class")
                else None,
            )
        except RaceError as refusal:
            fault = str(refusal)
        else:
            return redirect("coaching:session_sync", session.pk)
    context = {
        "session": session,
        "driver": driver,
        "words": words,
        "found": list(timing.drivers_named(words)) if words else [],
        "classes": timing.classes_of(driver) if driver else [],
        "job": Job.objects.filter(key=f"sync:{session.pk}").order_by("-created_at").first(),
        "fault": fault,
    }
    return render(request, "coaching/garage/sync.html", context, status=422 if fault else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, driver_id: int) -> HttpResponse:
    """ "This is me": claim a driver for one of the person's racers, who is made if there is none."""
    driver = timing.driver_for(driver_id)
    form = ClaimForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        racer = form.cleaned_data.get("profile")
        try:
            made = claims.claim_driver(
                profile_id=racer.pk if racer else None,
                driver_id=driver.pk,
                by=request.user,
                transponder=form.cleaned_data.get("transponder", ""),
            )
        except (claims.AlreadyClaimed, InvalidInput, NotReady) as refusal:
            form.add_refusal(refusal)
        else:
            return _claimed(request, made)
    context = {
        "driver": driver,
        "form": form,
        "held": claim_of(request.user, driver.pk),
        "events": list(dict.fromkeys(row.race.event for row in timing.results_of(driver)[:30]))[:3],
    }
    return answer(request, page="coaching/garage/claim.html", context=context, ok=not form.errors)


def _claimed(request: HttpRequest, made: ProfileClaim) -> HttpResponse:
    """Settled: to the garage, where the laps come in. Waiting: stay, and say so."""
    if made.state == ProfileClaim.State.APPROVED:
        messages.success(
            request, f"{made}: the {made.evidence} says so. Your laps are being logged."
        )
        return redirect("coaching:home")
    messages.info(request, f"{made}: the operators will look at it.")
    return redirect("coaching:claim", made.driver_id)


@require_POST
def withdraw_claim(request: HttpRequest, profile_id: int) -> HttpResponse:
    row = queries.profile_for(request.user, profile_id)
    ask, lost = (
        f"Is {row} not this driver?",
        "New sessions no longer come by themselves; logged laps stay.",
    )
    undo = "The driver can be claimed again; the club may have to approve it again."
    if asked := ask_first(request, ask, lost=lost, yes="Withdraw the claim", undo=undo):
        return asked
    claims.withdraw_claim(profile_id=profile_id, by=request.user)
    messages.success(request, "The claim is withdrawn; the laps in your log stay.")
    return redirect("coaching:profile", profile_id)


def _id(told: object) -> int:
    text = str(told)
    if not text.isascii() or not text.isdigit() or len(text) > 17:
        raise InvalidInput("This is no choice of ours; reload the page.")
    return int(text)
