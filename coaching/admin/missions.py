"""Missions for operators: state, timings and costs openly; health values and prompts behind a
permission, and every look at them on record."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.timezone import now

from coaching.domain.missions.states import Actor
from coaching.models import (
    Consent,
    EndpointHealth,
    LlmAccount,
    LlmExchange,
    Mission,
    MissionNotification,
    MissionRun,
    ModelPrice,
)
from coaching.services import mission_runs, missions
from racecontrol.shared import audit
from racecontrol.shared.errors import RaceError

LOOK = "coaching.see_health"


class ReadOnly(admin.ModelAdmin):
    """For rows only the code writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Mission)
class MissionAdmin(ReadOnly):
    """States and dates; no goals, limits, notes or injuries."""

    list_display = ["id", "owner", "mission_type", "state", "tz", "event_start", "next_check_at"]
    list_filter = ["state", "mission_type", "is_demo"]
    search_fields = ["owner__username"]
    list_select_related = ["owner"]
    fields = [
        "owner", "mission_type", "state", "version", "tz", "run_at", "prep_start", "event_start",
        "event_end", "started_at", "completed_on", "next_check_at", "is_demo", "created_at",
    ]  # fmt: skip
    actions = ["back_to_prep", "reopen", "finish"]

    def _each(self, request: HttpRequest, queryset: QuerySet[Mission], name: str) -> None:
        done = 0
        for mission in queryset:
            try:
                missions.change_state(
                    mission_id=mission.pk, name=name, by=request.user, now=now(),
                    why="by an administrator", actor=Actor.ADMIN,
                )  # fmt: skip
                done += 1
            except RaceError as refusal:
                self.message_user(request, f"{mission.pk}: {refusal}", messages.WARNING)
        self.message_user(request, f"{done} moved.")

    @admin.action(description="Back to preparation", permissions=["view"])
    def back_to_prep(self, request: HttpRequest, queryset: QuerySet[Mission]) -> None:
        self._each(request, queryset, "back_to_prep")

    @admin.action(description="Open again after archiving", permissions=["view"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Mission]) -> None:
        self._each(request, queryset, "reopen")

    @admin.action(description="Finish", permissions=["view"])
    def finish(self, request: HttpRequest, queryset: QuerySet[Mission]) -> None:
        self._each(request, queryset, "finish")


class LookForm(forms.Form):
    reason = forms.CharField(max_length=200, min_length=5, label="Why do you need to look?")


@admin.register(MissionRun)
class MissionRunAdmin(ReadOnly):
    """How runs went. What stands in them is opened with a permission and a reason, and logged."""

    list_display = [
        "id", "mission_id", "local_date", "kind", "status", "reason_code", "attempt", "model",
        "finished_at",
    ]  # fmt: skip
    list_filter = ["status", "kind", "reason_code", "provider"]
    date_hierarchy = "local_date"
    fields = [
        "mission_id", "local_date", "kind", "status", "tz", "run_at", "due_at", "closes_at",
        "next_attempt_at", "lease_until", "attempt", "attempt_no", "failures", "reason_code",
        "prompt_version", "prompt_hash", "provider", "model", "finished_at", "look",
    ]  # fmt: skip
    readonly_fields = ["look"]
    actions = ["run_again"]

    @admin.display(description="Health values and prompts")
    def look(self, run: MissionRun) -> str:
        return format_html(
            '<a href="{}">Open with a reason (this is logged)</a>',
            reverse("admin:coaching_missionrun_look", args=[run.pk]),
        )

    def get_urls(self) -> list:
        mine = path(
            "<int:run_id>/look/",
            self.admin_site.admin_view(self.look_view),
            name="coaching_missionrun_look",
        )
        return [mine, *super().get_urls()]

    def look_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Break the glass: facts, words and prompts of one run, after a reason was written down."""
        if not request.user.has_perm(LOOK):
            self.message_user(request, "You may not open health values.", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:coaching_missionrun_changelist"))
        run = MissionRun.objects.select_related("mission").get(pk=run_id)
        form = LookForm(request.POST or None)
        is_open = request.method == "POST" and form.is_valid()
        if is_open:
            audit.record(
                by=request.user, verb="mission_run.looked_into", obj=run,
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
        context = {
            **self.admin_site.each_context(request),
            "title": f"{run}",
            "form": form,
            "run": run if is_open else None,
            "exchanges": run.exchanges.order_by("pk") if is_open else (),
        }
        response = TemplateResponse(request, "admin/coaching/look.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description="Write today's again", permissions=["view"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[MissionRun]) -> None:
        for run in queryset.select_related("mission"):
            try:
                mission_runs.run_now(mission_id=run.mission_id, by=request.user, now=now())
                self.message_user(request, f"{run.pk}: queued.")
            except RaceError as refusal:
                self.message_user(request, f"{run.pk}: {refusal}", messages.WARNING)


@admin.register(LlmExchange)
class LlmExchangeAdmin(ReadOnly):
    list_display = [
        "id", "owner_id", "purpose", "provider", "host", "model", "outcome", "http_status",
        "prompt_tokens", "completion_tokens", "cost_micro_usd", "ms", "created_at",
    ]  # fmt: skip
    list_filter = ["outcome", "purpose", "provider", "model"]
    date_hierarchy = "created_at"
    exclude = ["sent", "answer", "problems"]


@admin.register(MissionNotification)
class MissionNotificationAdmin(ReadOnly):
    list_display = ["id", "mission_id", "channel", "kind", "status", "attempts", "error", "sent_at"]
    list_filter = ["status", "channel", "kind"]


@admin.register(LlmAccount)
class LlmAccountAdmin(ReadOnly):
    list_display = ["owner", "base_url", "model", "key_last4", "mode", "status", "tested_at"]
    list_filter = ["status", "mode"]
    exclude = ["api_key"]


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    list_display = ["owner", "purpose", "wording", "given_at", "withdrawn_at"]
    list_filter = ["purpose"]


@admin.register(ModelPrice)
class ModelPriceAdmin(admin.ModelAdmin):
    """What models cost, in millionths of a US dollar per million tokens."""

    list_display = ["model", "prompt_micro_usd", "completion_micro_usd"]


@admin.register(EndpointHealth)
class EndpointHealthAdmin(ReadOnly):
    list_display = ["origin", "failures_in_a_row", "paused_until"]
