"""Look and mend: people, jobs, tokens, the audit trail."""

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from racecontrol.models import ApiToken, AuditEvent, Job, User
from racecontrol.shared import jobs, tokens
from racecontrol.shared.errors import RaceError


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ["username", "email", "display_name", "time_zone", "is_staff", "is_active"]
    filter_horizontal = ()  # its two boxes come with inline styles, which our policy refuses
    fieldsets = (*UserAdmin.fieldsets, ("Race Control", {"fields": ["display_name", "time_zone"]}))

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        """People delete their account themselves, which purges every room; a row alone would not."""
        return False


class ReadOnlyAdmin(admin.ModelAdmin):
    """For rows only the code writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ["title", "state", "attempts", "owner", "message", "created_at", "finished_at"]
    list_filter = ["state", "queue", "func"]
    search_fields = ["title", "key", "message", "error"]
    date_hierarchy = "created_at"
    list_select_related = ["owner"]
    actions = ["retry", "kill"]

    @admin.action(description="Retry", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, jobs.retry, "queued again")

    @admin.action(description="Cancel", permissions=["view"])
    def kill(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, jobs.cancel, "asked to stop")

    def _each(self, request: HttpRequest, queryset: QuerySet[Job], act, word: str) -> None:
        done = 0
        for job in queryset:
            try:
                act(job.pk, by=request.user)
                done += 1
            except RaceError as refusal:
                self.message_user(request, str(refusal), messages.WARNING)
        self.message_user(request, f"{done} {word}.")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "prefix",
        "user",
        "scope",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]
    list_filter = ["scope", "revoked_at"]
    search_fields = ["name", "prefix", "user__username"]
    exclude = ["sha256"]
    actions = ["revoke"]

    @admin.action(description="Revoke", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        alive = list(queryset.filter(revoked_at__isnull=True))
        for token in alive:
            tokens.revoke(by=request.user, token_id=token.pk)
        self.message_user(request, f"{len(alive)} revoked.")


@admin.register(AuditEvent)
class AuditAdmin(ReadOnlyAdmin):
    list_display = ["at", "by", "verb", "object_type", "object_name", "reason"]
    list_filter = ["verb", "object_type"]
    search_fields = ["object_id", "object_name", "by__username", "reason", "request_id"]
    date_hierarchy = "at"
    list_select_related = ["by"]
