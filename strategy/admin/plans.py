"""Strategies, their versions and stints: what was planned is looked at, never typed."""

from django.contrib import admin

from strategy.admin.trail import ReadOnlyAdmin, Rows, TrailAdmin
from strategy.models import PlanVersion, RaceStrategy, StintPlan


class StintRows(Rows):
    model = StintPlan
    fk_name = "plan"
    fields = [
        "number",
        "driver",
        "start_lap",
        "laps",
        "tyres",
        "is_driver_pinned",
        "pinned_lap",
        "backup_seat",
        "status",
    ]


@admin.register(RaceStrategy)
class RaceStrategyAdmin(TrailAdmin):
    may_change = ("is_locked",)
    list_display = ["name", "team", "event", "status", "is_locked", "version"]
    list_filter = ["status", "is_locked"]
    search_fields = ["name", "team__name", "event__name"]
    list_select_related = ["team", "event"]


@admin.register(PlanVersion)
class PlanVersionAdmin(ReadOnlyAdmin):
    list_display = ["strategy", "number", "origin", "reason", "z1_ms", "is_proven", "broken_rules"]
    list_filter = ["origin", "is_proven"]
    search_fields = ["strategy__name", "reason"]
    list_select_related = ["strategy"]
    inlines = [StintRows]


@admin.register(StintPlan)
class StintPlanAdmin(ReadOnlyAdmin):
    list_display = ["strategy", "plan", "number", "driver", "laps", "status"]
    list_filter = ["status"]
    search_fields = ["strategy__name", "driver__username"]
    list_select_related = ["strategy", "plan", "driver"]
