"""Drivers in the admin: who is one person with whom. Merging and splitting leave a trail."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin._shared import ReadOnlyAdmin
from ingestion.models import Driver, DriverAlias, DriverTransponder
from ingestion.services import drivers as services


class MergeForm(ActionForm):
    into = forms.IntegerField(required=False, min_value=1, label="into driver no.")


class Aliases(admin.TabularInline):
    model, fk_name, extra, can_delete = DriverAlias, "driver", 0, False
    fields = ("name", "source_driver_id", "merged_by", "created_at")
    readonly_fields = fields
    verbose_name_plural = "other ids and names"


class Transponders(admin.TabularInline):
    model, extra, can_delete = DriverTransponder, 0, False
    fields = ("number", "first_seen_on", "last_seen_on")
    readonly_fields = fields


@admin.register(Driver)
class DriverAdmin(ReadOnlyAdmin):
    list_display = ("name", "id", "source_driver_id", "merged_into", "updated_at")
    list_filter = (("merged_into", admin.EmptyFieldListFilter),)
    list_select_related = ("merged_into",)
    search_fields = ("name", "name_key", "=source_driver_id", "=transponders__number")
    fields = ("name", "source_driver_id", "merged_into", "created_at", "updated_at")
    inlines = (Aliases, Transponders)
    action_form = MergeForm
    actions = ("merge", "split")

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ingestion.change_driver")

    @admin.action(description="Merge into the driver numbered", permissions=["merge"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Driver]) -> None:
        into = request.POST.get("into", "").strip()
        if not into.isdecimal() or len(into) > 12:
            self.message_user(
                request, "Say into which driver: the number in the list.", messages.ERROR
            )
            return
        self.each(
            request,
            list(queryset.exclude(pk=int(into)).values_list("pk", flat=True)),
            lambda one: services.merge_drivers(driver_id=one, into_id=int(into), by=request.user),
            "merged",
        )

    @admin.action(description="Split (undo a merge)", permissions=["merge"])
    def split(self, request: HttpRequest, queryset: QuerySet[Driver]) -> None:
        self.each(
            request,
            list(queryset.values_list("pk", flat=True)),
            lambda one: services.split_driver(driver_id=one, by=request.user),
            "split",
        )
