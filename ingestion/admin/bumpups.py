"""Bump-ups in the admin: facts are read only, verdicts go through the service and leave a trace."""

from django.contrib import admin, messages
from django.http import HttpRequest

from ingestion.models import BumpUp, OfficialBumpSlot
from ingestion.services import bumpups as services
from racecontrol.shared.errors import RaceError

Status = BumpUp.Status


@admin.register(BumpUp)
class BumpUpAdmin(admin.ModelAdmin):
    list_display = (
        "driver",
        "event",
        "source_name",
        "target_name",
        "confidence",
        "status",
        "decided_by",
    )
    list_filter = ("status", "confidence", "event__track")
    search_fields = ("driver__name", "event__name", "event__source_event_id", "race_class__name")
    list_select_related = ("driver", "event", "source_race", "target_race", "decided_by")
    list_per_page = 50
    show_full_result_count = False
    actions = ("confirm", "reject", "hand_back")
    fields = (
        "event", "race_class", "driver", "source_race", "target_race", "source_position",
        "source_slot", "target_slot", "target_position", "target_laps", "places", "direct", "beaten",
        "moved_again", "confidence", "doubts", "evidence", "status", "note", "decided_by", "decided_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name not in ("status", "note"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Moves are added on the event's page, where the mains and their drivers are."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BumpUp | None = None) -> bool:
        """A move that is wrong is rejected, so that detection does not bring it back."""
        return False

    def save_model(self, request: HttpRequest, obj: BumpUp, form, change: bool) -> None:
        if not form.changed_data:
            return
        wanted = Status.CONFIRMED if obj.status == Status.MANUAL else obj.status
        try:
            services.decide(bump_up_id=obj.pk, status=wanted, note=obj.note, by=request.user)
        except RaceError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)

    @admin.action(description="Confirm", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset) -> None:
        self._decide(request, queryset, Status.CONFIRMED)

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, queryset) -> None:
        self._decide(request, queryset, Status.REJECTED)

    @admin.action(description="Hand back to detection", permissions=["change"])
    def hand_back(self, request: HttpRequest, queryset) -> None:
        self._decide(request, queryset, Status.DETECTED)

    def _decide(self, request: HttpRequest, queryset, status: str) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        for pk in ids:
            services.decide(bump_up_id=pk, status=status, by=request.user, note="In the admin")
        self.message_user(request, f"{len(ids)} bump-ups: {Status(status).label}.")


@admin.register(OfficialBumpSlot)
class OfficialBumpSlotAdmin(admin.ModelAdmin):
    """What heat sheets said; read only."""

    list_display = ("race", "slot")
    list_select_related = ("race",)
    search_fields = ("race__label", "race__source_race_id")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False
