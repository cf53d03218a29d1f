"""Whose model writes: the person's own endpoint, the operator's, or the demonstration's script."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import pglock
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, F, Sum
from django.utils import timezone

from coaching.llm import guard
from coaching.llm.client import MODES, Call, Client, Endpoint, Limits, probe
from coaching.llm.errors import BudgetSpent, Crowded, ModelDown, ModelError, ModelRefused
from coaching.llm.prices import Price, cost_micro_usd
from coaching.llm.scripted import ScriptedClient
from coaching.models import (
    EndpointHealth,
    LlmAccount,
    LlmExchange,
    Mission,
    MissionRun,
    ModelPrice,
)
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotReady

FAILURES_TO_PAUSE: Final = 5
PAUSE: Final = timedelta(minutes=10)
SCRIPTED: Final = "scripted"
ENDPOINT: Final = "endpoint"


@dataclass(frozen=True, slots=True)
class Source:
    """Where answers come from; `endpoint` is None for the demonstration's script."""

    provider: str
    endpoint: Endpoint | None
    account: LlmAccount | None = None

    @property
    def model(self) -> str:
        return self.endpoint.model if self.endpoint else SCRIPTED

    @property
    def host(self) -> str:
        return self.endpoint.target.host if self.endpoint else ""


def rules() -> guard.Rules:
    """The operator's word on who may be called."""
    trusted = set(settings.LLM_TRUSTED_ORIGINS)
    if settings.LLM_BASE_URL:
        parts = urlsplit(settings.LLM_BASE_URL)
        trusted.add(f"{parts.scheme}://{parts.netloc}")
    return guard.Rules(
        trusted_origins=frozenset(trusted),
        hosts=frozenset(host.lower() for host in settings.LLM_USER_HOSTS),
        is_any_public_host=settings.LLM_CUSTOM_URLS,
    )


def source_of(user: Any, *, is_demo: bool = False) -> Source:
    """Who writes for this person. Raises NotReady when nobody does."""
    if is_demo:
        if not settings.COACHING_SCRIPTED_DEMO:
            raise NotReady("The scripted demonstration is switched off on this site.")
        return Source(SCRIPTED, None)
    account = LlmAccount.objects.filter(owner=user).first()
    if account is not None:
        target = guard.check_url(account.base_url, rules())
        mode: Any = account.mode if account.mode in MODES else None
        return Source(
            ENDPOINT, Endpoint(target, account.model, key=account.api_key, mode=mode), account
        )
    if settings.LLM_BASE_URL and settings.LLM_MODEL:
        target = guard.check_url(settings.LLM_BASE_URL, rules())
        mode = settings.LLM_MODE if settings.LLM_MODE in MODES else None
        return Source(
            ENDPOINT, Endpoint(target, settings.LLM_MODEL, key=settings.LLM_API_KEY, mode=mode)
        )
    raise NotReady("No language model is set up: add one in the coaching settings.")


def host_of(user: Any) -> str:
    """Where this person's facts would go; empty while no model is set up."""
    try:
        return source_of(user).host
    except (NotReady, InvalidInput):
        return ""


def has_model(mission: Mission) -> bool:
    try:
        source = source_of(mission.owner, is_demo=mission.is_demo)
    except (NotReady, InvalidInput):
        return False
    return source.account is None or source.account.status != LlmAccount.Status.BAD


# -- asking ----------------------------------------------------------------------------------


def client_for(
    source: Source,
    *,
    user: Any,
    purpose: str,
    mission: Mission | None = None,
    run: MissionRun | None = None,
    limits: Limits | None = None,
    on_text: Callable[[int], None] | None = None,
) -> Client | ScriptedClient:
    """A client whose every request is counted, budgeted and kept for its owner to read."""

    def on_call(call: Call) -> None:
        record(source, call, user=user, purpose=purpose, mission=mission, run=run)

    def before_call() -> None:
        check_pause(source)
        check_budget(user, source)

    if source.endpoint is None:
        return ScriptedClient(on_call=on_call)
    return Client(
        source.endpoint,
        limits=limits or Limits(),
        on_call=on_call,
        before_call=before_call,
        place=partial(place_at, source.endpoint.target.origin),
        is_streaming=on_text is not None,
        on_text=on_text,
    )


@contextmanager
def place_at(origin: str, wait_s: float) -> Iterator[None]:
    """Hold one of LLM_CALLS_AT_ONCE places at an endpoint, over all workers and hosts.

    A place is an advisory lock of this process's connection, so a worker that dies frees its own.
    Raises Crowded when none comes free within `wait_s` seconds.
    """
    until = time.monotonic() + wait_s
    names = [f"llm:{origin}:{number}" for number in range(max(settings.LLM_CALLS_AT_ONCE, 1))]
    while True:
        for name in random.sample(names, len(names)):
            with pglock.advisory(name, timeout=0, side_effect=pglock.Return) as is_mine:
                if is_mine:
                    yield
                    return
        if time.monotonic() >= until:
            raise Crowded
        time.sleep(random.uniform(0.1, 0.3))


def record(
    source: Source,
    call: Call,
    *,
    user: Any,
    purpose: str,
    mission: Mission | None = None,
    run: MissionRun | None = None,
) -> LlmExchange:
    """One row per request, failed ones included: what was sent, what came, what it cost."""
    outcome, _, problems = call.outcome.partition(": ")
    price = ModelPrice.objects.filter(model=source.model).first()
    cost = cost_micro_usd(
        Price(price.prompt_micro_usd, price.completion_micro_usd) if price else None,
        prompt_tokens=call.prompt_tokens,
        completion_tokens=call.completion_tokens,
    )
    row = LlmExchange.objects.create(
        owner=user,
        mission=mission,
        run=run,
        purpose=purpose,
        attempt_no=run.attempt_no if run else 1,
        provider=source.provider,
        host=source.host,
        model=source.model,
        outcome=("repair_" if call.purpose == "repair" and outcome != "ok" else "") + outcome[:30],
        problems=problems,
        http_status=call.http_status,
        sent=list(call.messages),
        answer=call.answer,
        prompt_tokens=call.prompt_tokens,
        completion_tokens=call.completion_tokens,
        cost_micro_usd=cost if source.endpoint else None,
        ms=call.ms,
    )
    if source.endpoint is not None:
        _note_health(source, is_up=call.http_status is not None and call.http_status < 500)
    return row


def check_budget(user: Any, source: Source) -> None:
    """Raises BudgetSpent when the last 24 hours used up the calls or tokens of a day."""
    used = usage_today(user)
    tokens = settings.LLM_TOKENS_PER_DAY
    if source.account is not None and source.account.tokens_per_day is not None:
        tokens = source.account.tokens_per_day
    if used["calls"] >= settings.LLM_CALLS_PER_DAY or used["tokens"] >= tokens:
        raise BudgetSpent(
            "Your language model budget of 24 hours is used up; it refills by itself."
        )


def usage_today(user: Any) -> dict[str, int]:
    """Calls, tokens and cost of the last 24 hours; unknown counts add nothing."""
    rows = LlmExchange.objects.filter(
        owner=user, provider=ENDPOINT, created_at__gte=timezone.now() - timedelta(hours=24)
    )
    sums = rows.aggregate(
        calls=Count("pk"), sent=Sum("prompt_tokens"), got=Sum("completion_tokens"),
        cost=Sum("cost_micro_usd"),
    )  # fmt: skip
    return {
        "calls": sums["calls"],
        "tokens": (sums["sent"] or 0) + (sums["got"] or 0),
        "cost_micro_usd": sums["cost"] or 0,
    }


def check_pause(source: Source) -> None:
    """Raises ModelDown while an endpoint that failed five times in a row is left alone."""
    assert source.endpoint is not None
    health = EndpointHealth.objects.filter(origin=source.endpoint.target.origin).first()
    if health and health.paused_until and health.paused_until > timezone.now():
        raise ModelDown(
            "The model's server keeps failing; it is left alone for a while.", reason="paused"
        )


def _note_health(source: Source, *, is_up: bool) -> None:
    assert source.endpoint is not None
    origin = source.endpoint.target.origin
    if is_up:
        EndpointHealth.objects.filter(origin=origin, failures_in_a_row__gt=0).update(
            failures_in_a_row=0, paused_until=None
        )
        return
    EndpointHealth.objects.get_or_create(origin=origin)
    rows = EndpointHealth.objects.filter(origin=origin)
    rows.update(failures_in_a_row=F("failures_in_a_row") + 1)
    rows.filter(failures_in_a_row__gte=FAILURES_TO_PAUSE).update(
        paused_until=timezone.now() + PAUSE, failures_in_a_row=0
    )


def mark_bad(source: Source, reason: str) -> None:
    """The endpoint refuses us: say so on the person's account, so that the page shows it."""
    if source.account is not None:
        LlmAccount.objects.filter(pk=source.account.pk).update(
            status=LlmAccount.Status.BAD, status_reason=reason[:300], tested_at=timezone.now()
        )


# -- a person's own key ----------------------------------------------------------------------


@transaction.atomic
def save_account(
    *, by: Any, base_url: str, model: str, api_key: str = "", tokens_per_day: int | None = None
) -> LlmAccount:
    """Keep a person's endpoint. An empty key keeps the stored one if the address is the same."""
    problems: dict[str, list[str]] = {}
    base_url, model, api_key = base_url.strip(), model.strip(), api_key.strip()
    try:
        target = guard.check_url(base_url, rules())
    except InvalidInput as wrong:
        problems |= wrong.fields
        target = None
    if not model or len(model) > 120 or any(ord(c) < 32 for c in model):
        problems["model"] = ["Name the model, such as gpt-4o-mini."]
    if len(api_key) > 400 or any(not 32 < ord(c) < 127 for c in api_key):
        problems["api_key"] = ["A key has no spaces and at most 400 characters."]
    if tokens_per_day is not None and not 0 <= tokens_per_day <= 10_000_000:
        problems["tokens_per_day"] = ["From 0 to 10,000,000."]
    if problems or target is None:
        raise InvalidInput("The model cannot be used.", fields=problems)
    account = LlmAccount.objects.select_for_update().filter(owner=by).first()
    before = account.base_url if account else ""
    account = account or LlmAccount(owner=by)
    if api_key:
        account.api_key, account.key_last4 = api_key, api_key[-4:] if len(api_key) >= 12 else ""
    elif before and _origin(before) != target.origin:
        # A stored key goes only where it was meant to go.
        account.api_key, account.key_last4 = "", ""
    account.base_url, account.model, account.mode = base_url, model, ""
    account.tokens_per_day = tokens_per_day
    account.status, account.status_reason = LlmAccount.Status.UNTESTED, ""
    account.save()
    audit.record(by=by, verb="llm_account.saved", obj=account, after={"host": target.host})
    return account


def _origin(url: str) -> str:
    try:
        return guard.check_url(url, rules()).origin
    except InvalidInput:
        return ""


@transaction.atomic
def delete_account(*, by: Any) -> None:
    account = LlmAccount.objects.filter(owner=by).first()
    if account is not None:
        audit.record(by=by, verb="llm_account.deleted", obj=account)
        account.delete()


def test_account(*, user: Any, now: datetime) -> LlmAccount:
    """Ask the endpoint in each way of structured output; keep the strictest that works.

    Raises ModelError when none does; the account then says why. Raises Crowded, and says nothing,
    when no place came free.
    """
    source = source_of(user)
    if source.account is None or source.endpoint is None:
        raise NotReady("Save an endpoint of your own first.")

    def on_call(call: Call) -> None:
        record(source, call, user=user, purpose="probe")

    rows = LlmAccount.objects.filter(pk=source.account.pk)
    endpoint = Endpoint(source.endpoint.target, source.endpoint.model, key=source.endpoint.key)
    try:
        mode = probe(
            endpoint,
            on_call=on_call,
            before_call=lambda: check_budget(user, source),
            place=partial(place_at, endpoint.target.origin),
        )
    except Crowded:
        raise
    except ModelError as failed:
        status = (
            LlmAccount.Status.BAD
            if isinstance(failed, ModelRefused)
            else LlmAccount.Status.UNTESTED
        )
        rows.update(status=status, status_reason=str(failed)[:300], tested_at=now)
        raise
    rows.update(mode=mode, status=LlmAccount.Status.GOOD, status_reason="", tested_at=now)
    return rows.get()


test_account.__test__ = False  # type: ignore[attr-defined]  # pytest: not one of yours


def person(user_id: int) -> Any:
    """The person of that id, for tasks that carry ids."""
    return get_user_model().objects.get(pk=user_id)
