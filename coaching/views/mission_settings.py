"""Coaching settings: the person's own model and key, consent, and what the model used."""

from django.conf import settings as site
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from coaching.forms.missions import ModelForm
from coaching.models import Consent
from coaching.queries import missions as read
from coaching.services import llm_accounts, mission_days, mission_demo
from racecontrol.shared import jobs
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.htmx import answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """A POST saves the person's own endpoint."""
    account = read.llm_account_of(request.user)
    initial = (
        {
            "base_url": account.base_url,
            "model": account.model,
            "tokens_per_day": account.tokens_per_day,
        }
        if account
        else {}
    )
    form = ModelForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            llm_accounts.save_account(by=request.user, **form.cleaned_data)
        except InvalidInput as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, "Saved. Test the connection before you rely on it.")
            return redirect("coaching:settings")
    return answer(
        request,
        page="coaching/missions/settings.html",
        context={
            "form": form,
            "account": account,
            "consents": read.standing_consents(request.user),
            "used": llm_accounts.usage_today(request.user),
            "calls_per_day": site.LLM_CALLS_PER_DAY,
            "tokens_per_day": site.LLM_TOKENS_PER_DAY,
            "kept_days": site.LLM_PROMPTS_KEPT_DAYS,
            "has_operator_model": bool(site.LLM_BASE_URL and site.LLM_MODEL),
            "operator_model": site.LLM_MODEL,
            "hosts": site.LLM_USER_HOSTS,
            "test_job": read.latest_job(request.user, "coaching.tasks.test_llm_account"),
            "is_scripted": mission_demo.is_for(request.user),
        },
        ok=not form.errors,
    )


@require_POST
def settings_test(request: HttpRequest) -> HttpResponse:
    """Test the connection, in the background: a slow model must not hold the page."""
    jobs.enqueue(
        "coaching.tasks.test_llm_account", request.user.pk, key=f"llm-test:{request.user.pk}",
        owner=request.user, title="Test of your language model", max_attempts=1,
    )  # fmt: skip
    return redirect("coaching:settings")


@require_POST
def settings_forget(request: HttpRequest) -> HttpResponse:
    lost = (
        "The address and the key are deleted here; missions write no words until there is a model."
    )
    undo = "Both can be typed in again; we keep no copy of the key."
    if asked := ask_first(
        request, "Forget your model and key?", lost=lost, yes="Forget them", undo=undo
    ):
        return asked
    llm_accounts.delete_account(by=request.user)
    messages.success(request, "Your model and key are gone from here.")
    return redirect("coaching:settings")


@require_POST
def settings_consent(request: HttpRequest) -> HttpResponse:
    """Give or take back one consent."""
    purpose = request.POST.get("purpose", "")
    if purpose not in Consent.Purpose.values:
        raise InvalidInput("No such purpose.", fields={"purpose": ["Unknown."]})
    if request.POST.get("give") == "1":
        host = llm_accounts.host_of(request.user)
        mission_days.give_consent(by=request.user, purposes=[purpose], now=now(), host=host)
        messages.success(request, "Agreed.")
    else:
        lost = "What waits is cancelled at once and nothing is sent any more. What is stored stays."
        undo = "You can agree again at any time."
        if asked := ask_first(
            request, "Take back your consent?", lost=lost, yes="Take it back", undo=undo
        ):
            return asked
        mission_days.withdraw_consent(by=request.user, purpose=purpose, now=now())
        messages.success(request, "Taken back. Nothing waits any more.")
    return redirect("coaching:settings")
