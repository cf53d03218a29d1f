"""Runs that gave old races their session type, with the first lines of their trail."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from ingestion.admin._shared import ReadOnlyAdmin
from ingestion.models import SessionTypeBackfill

LINES_SHOWN = 100


@admin.register(SessionTypeBackfill)
class SessionTypeBackfillAdmin(ReadOnlyAdmin):
    """Looked at here; started and rolled back by `manage.py backfill_session_types`."""

    list_display = (
        "pk", "state", "min_confidence", "seen", "total", "conflicts", "below", "is_consistent",
        "started_at", "finished_at", "rolled_back_at",
    )  # fmt: skip
    list_filter = ("state", "is_consistent")
    fields = (
        *list_display[1:], "overtaken", "counts_before", "counts_after", "started_by", "trail",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=f"trail (first {LINES_SHOWN} lines)")
    def trail(self, run: SessionTypeBackfill) -> SafeString:
        return format_html_join(
            "", "<div>{}</div>", ((line,) for line in run.changes.all()[:LINES_SHOWN])
        )
