"""Look at run plans; what was computed is not edited."""

from django.contrib import admin
from django.http import HttpRequest

from runplans.models import RunPlan


@admin.register(RunPlan)
class RunPlanAdmin(admin.ModelAdmin):
    list_display = ["__str__", "objective", "owner", "laps", "fuel_l", "stops", "created_at"]
    list_filter = ["objective", "status", ("share_token", admin.EmptyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["id", "title", "objective"]
    date_hierarchy = "created_at"
    readonly_fields = [
        "id",
        "title",
        "objective",
        "inputs",
        "result",
        "status",
        "created_at",
        "updated_at",
        "owner",
        "share_token",
    ]

    @admin.display(description="laps")
    def laps(self, plan: RunPlan) -> int:
        return plan.result["estimated_laps"]

    @admin.display(description="fuel, L")
    def fuel_l(self, plan: RunPlan) -> float:
        return plan.result["total_fuel_required_l"]

    @admin.display(description="stops")
    def stops(self, plan: RunPlan) -> int:
        return plan.result["pit_stops_required"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: RunPlan | None = None) -> bool:
        return False
