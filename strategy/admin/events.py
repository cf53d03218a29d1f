"""Endurance events with their starts, who signed up, and teams as proposed."""

from django.contrib import admin

from strategy.admin.trail import ReadOnlyAdmin, Rows, TrailAdmin
from strategy.models import (
    AvailabilityWindow,
    EventInstance,
    EventParticipation,
    FormationDraft,
    StrategyEvent,
)


class InstanceRows(Rows):
    model = EventInstance
    fields = ["name", "starts_at"]


class WindowRows(Rows):
    model = AvailabilityWindow
    fields = ["starts_at", "ends_at"]


@admin.register(StrategyEvent)
class StrategyEventAdmin(TrailAdmin):
    may_change = ("name", "track", "is_signup_open")
    list_display = ["name", "host", "track", "is_signup_open", "created_at"]
    list_filter = ["is_signup_open"]
    search_fields = ["name", "track", "host__name"]
    list_select_related = ["host"]
    inlines = [InstanceRows]


@admin.register(EventParticipation)
class EventParticipationAdmin(TrailAdmin):
    """States move through the site, along the allowed ways."""

    may_change = ("notes", "category")
    list_display = ["user", "event", "status", "assigned_team", "timing_driver", "version"]
    list_filter = ["status", "kind"]
    search_fields = ["user__username", "event__name"]
    list_select_related = ["user", "event", "assigned_team", "timing_driver"]
    inlines = [WindowRows]


@admin.register(FormationDraft)
class FormationDraftAdmin(ReadOnlyAdmin):
    list_display = ["event", "created_by", "created_at", "confirmed_at", "undone_at", "is_proven"]
    search_fields = ["event__name"]
    list_select_related = ["event", "created_by"]
