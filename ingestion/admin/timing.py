"""Tracks, events and races in the admin: facts are read only, corrections go through services."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin._shared import FactsAdmin
from ingestion.models import Event, Race, Track
from ingestion.services import imports, races, tracks
from racecontrol.shared.errors import RaceError


@admin.register(Track)
class TrackAdmin(FactsAdmin):
    list_display = (
        "name",
        "slug",
        "city",
        "country",
        "timezone",
        "timezone_origin",
        "missing_since",
    )
    list_filter = ("timezone_origin", "country")
    search_fields = ("name", "slug", "city")
    fields = (
        "slug", "name", "address", "city", "state", "postcode", "country", "timezone",
        "timezone_origin", "website", "activity", "status", "seen_at", "missing_since", "updated_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "timezone")

    def save_model(self, request: HttpRequest, obj: Track, form: Any, change: bool) -> None:
        """Another zone moves every stored moment of the track: the service does that."""
        if "timezone" not in form.changed_data:
            return
        try:
            tracks.set_timezone(track_id=obj.pk, timezone=obj.timezone, by=request.user)
        except RaceError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)


@admin.register(Event)
class EventAdmin(FactsAdmin):
    list_display = ("name", "track", "starts_on", "kind", "state", "last_ingested_at", "drifted_at")
    list_filter = ("state", "kind", "missing_since")
    search_fields = ("name", "source_event_id", "track__name", "track__slug")
    list_select_related = ("track",)
    date_hierarchy = "starts_on"
    actions = ("import_now",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Import", permissions=["view"])
    def import_now(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        self.each(
            request,
            list(queryset.values_list("source_event_id", flat=True)),
            lambda one: imports.request_import(source_event_id=one, by=request.user),
            "queued",
        )


class InReview(admin.SimpleListFilter):
    """Sessions whose type was inferred with low confidence, and nobody has said yet."""

    title, parameter_name = "session type", "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("queue", "to be looked at"), ("said", "said by a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Race]) -> QuerySet[Race]:
        if self.value() == "queue":
            return queryset.filter(session_type_confidence="low", session_type_override="")
        if self.value() == "said":
            return queryset.exclude(session_type_override="")
        return queryset


@admin.register(Race)
class RaceAdmin(FactsAdmin):
    list_display = (
        "label", "event", "round_label", "run_order", "completed_at", "session_type",
        "session_type_confidence", "session_type_override", "state",
    )  # fmt: skip
    list_filter = (InReview, "state", "session_type", "source")
    search_fields = ("label", "source_race_id", "event__name", "event__source_event_id")
    list_select_related = ("event",)
    actions = ("fetch_again",)
    fields = (
        "event", "race_class", "source", "source_race_id", "round_label", "race_number", "label",
        "main", "leg", "heat", "heats", "run_order", "completed_at", "started_at", "length_ms",
        "session_type", "session_type_confidence", "session_type_signals", "session_type_override",
        "stats_basis", "state", "failure", "parsed_hash", "fetched_at", "missing_since", "updated_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "session_type_override")

    def save_model(self, request: HttpRequest, obj: Race, form: Any, change: bool) -> None:
        """The one thing a person may say of a race; it survives every import and leaves a trail."""
        if "session_type_override" not in form.changed_data:
            return
        try:
            races.override_session_type(
                race_id=obj.pk, session_type=obj.session_type_override, by=request.user
            )
        except RaceError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)

    @admin.action(description="Fetch again", permissions=["view"])
    def fetch_again(self, request: HttpRequest, queryset: QuerySet[Race]) -> None:
        self.each(
            request,
            list(queryset.values_list("pk", flat=True)),
            lambda one: imports.request_race_retry(race_id=one, by=request.user),
            "queued",
        )
