"""Clubs, teams with their people, cars, invitations, webhooks."""

from django.contrib import admin

from strategy.admin.trail import ReadOnlyAdmin, Rows, TrailAdmin
from strategy.models import Car, Club, Invitation, Membership, Team, Webhook


class MembershipRows(Rows):
    model = Membership
    fields = ["user", "role", "created_at"]


@admin.register(Club)
class ClubAdmin(TrailAdmin):
    may_change = ("name",)
    list_display = ["name", "created_by", "created_at"]
    search_fields = ["name"]
    list_select_related = ["created_by"]


@admin.register(Team)
class TeamAdmin(TrailAdmin):
    may_change = ("name", "club")
    list_display = ["name", "club", "created_at"]
    search_fields = ["name", "club__name", "members__username"]
    list_select_related = ["club"]
    inlines = [MembershipRows]


@admin.register(Membership)
class MembershipAdmin(TrailAdmin):
    may_change = ("role",)
    list_display = ["user", "team", "role", "created_at"]
    list_filter = ["role"]
    search_fields = ["user__username", "team__name"]
    list_select_related = ["user", "team"]


@admin.register(Car)
class CarAdmin(ReadOnlyAdmin):
    list_display = ["name", "team", "tank_ml", "burn_ml", "tyre_life_laps"]
    search_fields = ["name", "team__name"]
    list_select_related = ["team"]


@admin.register(Invitation)
class InvitationAdmin(TrailAdmin):
    """A link that lies in wrong hands is withdrawn here; the link itself is nobody's to read."""

    may_change = ("revoked_at",)
    exclude = ("token",)
    list_display = ["team", "email", "role", "expires_at", "accepted_by", "revoked_at"]
    list_filter = ["role"]
    search_fields = ["team__name", "email"]
    list_select_related = ["team", "accepted_by"]


@admin.register(Webhook)
class WebhookAdmin(TrailAdmin):
    may_change = ("is_active",)
    exclude = ("secret",)
    list_display = ["url", "team", "is_active", "last_status"]
    list_filter = ["is_active"]
    search_fields = ["url", "team__name"]
    list_select_related = ["team"]
