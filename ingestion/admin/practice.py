"""Practice days in the admin: archive and restore, failed sessions, who drove, how runs went."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ingestion.admin._shared import FactsAdmin, ReadOnlyAdmin
from ingestion.models import (
    PracticeAlert,
    PracticeDay,
    PracticeDrift,
    PracticeRun,
    PracticeSession,
    RaceResult,
)
from ingestion.services.practice import archive, matching, requests
from racecontrol.shared.errors import RaceError


class Archived(admin.SimpleListFilter):
    """Archived days are out of the list until they are asked for."""

    title, parameter_name = "archive", "archive"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("archived", "archived"), ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            is_default = choice["query_string"] == changelist.get_query_string(
                remove=[self.parameter_name]
            )
            yield choice | ({"display": "in the lists"} if is_default else {})

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "archived")


@admin.register(PracticeDay)
class PracticeDayAdmin(ReadOnlyAdmin):
    list_display = (
        "event", "sessions", "total_laps", "unique_drivers", "has_drift", "checked_at", "archived_at",
    )  # fmt: skip
    list_filter = (Archived, "has_drift")
    search_fields = ("event__name", "event__source_event_id", "event__track__slug")
    list_select_related = ("event",)
    actions = ("import_now", "refresh", "put_away", "bring_back")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ingestion.change_practiceday")

    @admin.action(description="Import what is missing", permissions=["view"])
    def import_now(self, request: HttpRequest, queryset: QuerySet[PracticeDay]) -> None:
        self._request(request, queryset, refresh=False)

    @admin.action(description="Refresh from LiveRC", permissions=["view"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[PracticeDay]) -> None:
        self._request(request, queryset, refresh=True)

    def _request(
        self, request: HttpRequest, queryset: QuerySet[PracticeDay], *, refresh: bool
    ) -> None:
        self.each(
            request,
            list(queryset.values_list("event__source_event_id", flat=True)),
            lambda one: requests.request_import(
                source_event_id=one, by=request.user, refresh=refresh
            ),
            "queued",
        )

    @admin.action(description="Archive", permissions=["archive"])
    def put_away(self, request: HttpRequest, queryset: QuerySet[PracticeDay]) -> None:
        self.each(
            request,
            list(queryset.values_list("pk", flat=True)),
            lambda one: archive.archive_day(event_id=one, by=request.user),
            "archived",
        )

    @admin.action(description="Restore from the archive", permissions=["archive"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[PracticeDay]) -> None:
        self.each(
            request,
            list(queryset.values_list("pk", flat=True)),
            lambda one: archive.restore_day(event_id=one, by=request.user),
            "restored",
        )


class ToLookAt(admin.SimpleListFilter):
    title, parameter_name = "to look at", "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "failed"), ("who", "who drove?"), ("removed", "removed at LiveRC")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        wanted = {
            "failed": ~Q(failure="") & Q(missing_since=None),
            "who": Q(match_confidence="low"),
            "removed": Q(missing_since__isnull=False),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))


class WhoDroveForm(forms.ModelForm):
    """A person's word on who drove a session."""

    driver_number = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31,
        label="driver no.",
        help_text="The number in the list of drivers; empty: nobody known.",
    )
    whole_day = forms.BooleanField(
        required=False,
        label="every session of the day under this name and transponder",
    )

    class Meta:
        model = PracticeSession
        fields: list[str] = []

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.fields["driver_number"].initial = self.driver_now()

    def driver_now(self) -> int | None:
        result = RaceResult.objects.filter(race=self.instance.race_id).select_related("driver")
        row = result.first() if self.instance.race_id else None
        return row.driver_id if row and not row.driver.is_unknown else None


@admin.register(PracticeSession)
class PracticeSessionAdmin(FactsAdmin):
    list_display = (
        "driver_name", "class_name", "transponder", "event", "started_at", "laps", "match_method",
        "match_confidence", "short_failure",
    )  # fmt: skip
    list_filter = (ToLookAt, "match_method")
    search_fields = ("driver_name", "=transponder", "=source_session_id", "event__source_event_id")
    list_select_related = ("event",)
    form = WhoDroveForm
    actions = ("fetch_again",)
    readonly_fields = (
        "event", "race", "source_session_id", "listed_on", "driver_name", "class_name",
        "transponder", "started_at", "ended_at", "laps", "length_ms", "fast_lap_ms", "avg_lap_ms",
        "valid_from_ms", "valid_to_ms", "match_method", "match_confidence", "match_evidence",
        "matched_by", "matched_at", "failure", "failed_at", "attempts", "missing_since",
    )  # fmt: skip
    fields = ("driver_number", "whole_day", *readonly_fields)

    @admin.display(description="failure")
    def short_failure(self, session: PracticeSession) -> str:
        return session.failure[:60]

    def save_model(
        self, request: HttpRequest, obj: PracticeSession, form: Any, change: bool
    ) -> None:
        wanted = form.cleaned_data["driver_number"]
        if wanted == form.driver_now() and not form.cleaned_data["whole_day"]:
            return
        try:
            count = matching.correct_match(
                session_id=obj.pk,
                driver_id=wanted,
                by=request.user,
                whole_day=form.cleaned_data["whole_day"],
            )
        except RaceError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"{count} sessions corrected.")

    @admin.action(description="Fetch again", permissions=["view"])
    def fetch_again(self, request: HttpRequest, queryset: QuerySet[PracticeSession]) -> None:
        self.each(
            request,
            list(queryset.values_list("pk", flat=True)),
            lambda one: requests.request_retry(session_id=one, by=request.user),
            "queued",
        )


@admin.register(PracticeRun)
class PracticeRunAdmin(ReadOnlyAdmin):
    list_display = (
        "kind", "track", "first_day", "last_day", "outcome", "days", "sessions", "pages_from_store",
        "pages_fetched", "limits_met", "started_at", "finished_at",
    )  # fmt: skip
    list_filter = ("kind", "outcome")
    search_fields = ("track__slug", "source_event_id")
    list_select_related = ("track",)


@admin.register(PracticeDrift)
class PracticeDriftAdmin(ReadOnlyAdmin):
    list_display = ("event", "found_at", "ingested_at", "new", "removed", "changed", "settled_at")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    search_fields = ("event__name", "event__source_event_id")
    list_select_related = ("event",)


@admin.register(PracticeAlert)
class PracticeAlertAdmin(ReadOnlyAdmin):
    list_display = ("rule", "is_firing", "since", "says", "mailed_at", "checked_at")
