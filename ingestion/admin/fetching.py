"""What was fetched, what is left of the budget, which hosts rest, and the imports."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingestion.admin._shared import ReadOnlyAdmin
from ingestion.models import FetchLog, HostBlock, ImportJob, StoredPage
from ingestion.queries.imports import KEY
from ingestion.services import fetching
from racecontrol.shared import jobs


@admin.register(StoredPage)
class StoredPageAdmin(ReadOnlyAdmin):
    list_display = (
        "url",
        "kind",
        "track_slug",
        "status",
        "size",
        "short_hash",
        "fetched_at",
        "checked_at",
    )
    list_filter = ("kind", "status")
    search_fields = ("url", "cache_key", "track_slug")
    fields = (
        "link", "kind", "track_slug", "cache_key", "status", "size", "body_sha256", "parsed_hash",
        "etag", "last_modified", "fetched_at", "checked_at", "fresh_until",
    )  # fmt: skip
    readonly_fields = ("link",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredPage]:
        return super().get_queryset(request).defer("body")

    @admin.display(description="hash")
    def short_hash(self, page: StoredPage) -> str:
        return page.body_sha256[:12]

    @admin.display(description="address")
    def link(self, page: StoredPage) -> SafeString:
        return format_html('<a href="{0}" rel="noreferrer noopener">{0}</a>', page.url)


@admin.register(FetchLog)
class FetchLogAdmin(ReadOnlyAdmin):
    """One line per request; above them what today's budgets have left."""

    list_display = ("at", "budget", "status", "url", "note")
    list_filter = ("status",)
    search_fields = ("=budget", "url")
    change_list_template = "admin/ingestion/fetchlog/change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(
            request, {"budgets": fetching.budget_report(), **(extra_context or {})}
        )


@admin.register(HostBlock)
class HostBlockAdmin(ReadOnlyAdmin):
    list_display = ("host", "reason", "until", "note", "created_at")
    list_filter = ("reason",)
    search_fields = ("host",)
    actions = ("lift",)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ingestion.change_hostblock")

    @admin.action(description="Ask this host again from now on", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[HostBlock]) -> None:
        self.each(
            request,
            list(queryset.values_list("pk", flat=True)),
            lambda one: fetching.lift_block(block_id=one, by=request.user),
            "lifted",
        )


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    list_display = ("title", "state", "done", "total", "attempts", "owner", "message", "created_at")
    list_filter = ("state", "func")
    search_fields = ("title", "key", "message", "error")
    list_select_related = ("owner",)
    actions = ("retry", "go_on", "stop")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportJob]:
        return super().get_queryset(request).filter(key__startswith=KEY)

    @admin.action(description="Retry", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self.each(request, ids, lambda one: jobs.retry(one, by=request.user), "queued again")

    @admin.action(description="Go on now (paused ones)", permissions=["view"])
    def go_on(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self.each(request, ids, lambda one: jobs.go_on(one, by=request.user), "going on")

    @admin.action(description="Cancel", permissions=["view"])
    def stop(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self.each(request, ids, lambda one: jobs.cancel(one, by=request.user), "asked to stop")
