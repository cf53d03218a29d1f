"""Look and mend: racers, cars, sessions, laps, changes, audits, scores, claims."""

from django.contrib import admin, messages
from django.db.models import Count

from coaching.models import (
    Heat,
    LapFile,
    OrpScore,
    ProfileClaim,
    RacerProfile,
    RunLog,
    Session,
    SetupChange,
    Vehicle,
    XFactorAudit,
)
from coaching.services import claims, scores
from racecontrol.shared.errors import RaceError


class VehicleInline(admin.TabularInline):
    model = Vehicle
    extra = 0
    fields = ["brand", "model", "nickname", "class_name", "transponder"]


@admin.register(RacerProfile)
class RacerProfileAdmin(admin.ModelAdmin):
    list_display = ["name", "user", "experience_level", "transponder", "driver", "is_default"]
    list_filter = ["experience_level", "is_default", ("driver", admin.EmptyFieldListFilter)]
    search_fields = ["name", "transponder", "user__username", "user__email", "driver__name"]
    list_select_related = ["user", "driver"]
    autocomplete_fields = ["user"]
    readonly_fields = ["driver", "created_at"]
    inlines = [VehicleInline]


@admin.register(Vehicle)
class VehicleAdmin(admin.ModelAdmin):
    list_display = ["__str__", "profile", "brand", "model", "class_name", "transponder"]
    list_filter = ["brand", "class_name"]
    search_fields = ["brand", "model", "nickname", "transponder", "profile__name"]
    list_select_related = ["profile"]
    autocomplete_fields = ["profile"]


@admin.register(ProfileClaim)
class ProfileClaimAdmin(admin.ModelAdmin):
    """Claims are settled by the two actions, which write the racer and the trail as well."""

    list_display = ["profile", "driver", "state", "evidence", "requested_at", "decided_by"]
    list_filter = ["state", "requested_at"]
    search_fields = ["profile__name", "driver__name", "profile__user__username"]
    list_select_related = ["profile", "driver", "decided_by"]
    actions = ["approve", "reject"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return obj is None and super().has_change_permission(request)

    @admin.action(description="Approve the chosen claims")
    def approve(self, request, queryset):
        self._settle(request, queryset, approve=True)

    @admin.action(description="Reject the chosen claims")
    def reject(self, request, queryset):
        self._settle(request, queryset, approve=False)

    def _settle(self, request, queryset, *, approve: bool) -> None:
        for claim in queryset:
            try:
                claims.decide_claim(claim_id=claim.pk, by=request.user, approve=approve)
            except RaceError as refusal:
                self.message_user(request, f"{claim}: {refusal}", messages.ERROR)
            else:
                self.message_user(request, f"{claim}: {'approved' if approve else 'rejected'}.")


class HeatInline(admin.TabularInline):
    model = Heat
    extra = 0
    fields = ["order", "name", "kind", "stats_basis", "published_consistency", "source_ref"]
    readonly_fields = ["source_ref"]


class ChangeInline(admin.TabularInline):
    model = SetupChange
    extra = 0
    fields = ["parameter", "old_value", "new_value", "status", "is_forced", "result"]
    readonly_fields = ["is_forced"]


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    list_display = ["name", "profile", "start_date", "session_type", "track_name", "status", "laps"]
    list_filter = ["status", "session_type", "traction", "surface_type", "start_date"]
    search_fields = ["name", "track_name", "profile__name", "profile__user__username"]
    date_hierarchy = "start_date"
    list_select_related = ["profile"]
    autocomplete_fields = ["profile", "vehicle"]
    readonly_fields = ["track", "race_class", "created_at", "updated_at", "closed_at", "synced_at"]
    inlines = [HeatInline, ChangeInline]
    actions = ["score_again"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(lap_count=Count("heats__laps"))

    @admin.display(ordering="lap_count")
    def laps(self, session) -> int:
        return session.lap_count

    @admin.action(description="Score the heats of the chosen sessions again")
    def score_again(self, request, queryset):
        heats = Heat.objects.filter(session__in=queryset).select_related("session__profile")
        for heat in heats:
            scores.score_heat(heat)
        self.message_user(request, f"{len(heats)} heats scored.")


@admin.register(Heat)
class HeatAdmin(admin.ModelAdmin):
    list_display = ["name", "session", "kind", "stats_basis", "published_consistency", "source_ref"]
    list_filter = ["kind", "stats_basis", ("source_ref", admin.EmptyFieldListFilter)]
    search_fields = ["name", "session__name", "source_ref"]
    list_select_related = ["session"]
    autocomplete_fields = ["session"]


@admin.register(RunLog)
class RunLogAdmin(admin.ModelAdmin):
    """Mending a lap scores its heat again."""

    list_display = ["heat", "lap_number", "lap_ms", "confidence", "flag", "source", "created_at"]
    list_filter = ["source", "flag", "confidence", "created_at"]
    search_fields = ["heat__name", "heat__session__name", "source_ref"]
    list_select_related = ["heat"]
    autocomplete_fields = ["heat"]
    readonly_fields = ["created_at"]
    show_full_result_count = False

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        scores.score_heat(obj.heat)

    def delete_model(self, request, obj):
        heat = obj.heat
        super().delete_model(request, obj)
        scores.score_heat(heat)


@admin.register(OrpScore)
class OrpScoreAdmin(admin.ModelAdmin):
    """Scores are computed, not typed."""

    list_display = ["session", "heat", "formula", "status", "score", "low", "high", "computed_at"]
    list_filter = ["formula", "status", "computed_at"]
    search_fields = ["session__name", "heat__name", "inputs_hash"]
    list_select_related = ["session", "heat"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(SetupChange)
class SetupChangeAdmin(admin.ModelAdmin):
    list_display = [
        "session",
        "parameter",
        "old_value",
        "new_value",
        "status",
        "is_forced",
        "result",
    ]
    list_filter = ["status", "is_forced", "result", "parameter"]
    search_fields = ["session__name", "parameter", "new_value"]
    list_select_related = ["session"]
    autocomplete_fields = ["session"]
    readonly_fields = ["is_forced", "warnings", "created_at", "decided_at"]


@admin.register(XFactorAudit)
class XFactorAuditAdmin(admin.ModelAdmin):
    list_display = ["session", "change", "state", "rating", "symptom", "gain", "completed_at"]
    list_filter = ["state", "rating", "symptom", "gain"]
    search_fields = ["session__name", "observation"]
    list_select_related = ["session", "change"]
    autocomplete_fields = ["session", "change"]


@admin.register(LapFile)
class LapFileAdmin(admin.ModelAdmin):
    list_display = ["name", "owner", "session", "skip_bad", "created_at", "read_at"]
    list_filter = ["skip_bad", "created_at", ("read_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "owner__username", "session__name"]
    list_select_related = ["owner", "session"]
    exclude = ["content"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
