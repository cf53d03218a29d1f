"""What every admin page of strategy shows: who changed the row, when and why."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from racecontrol.shared import audit

LINES = 30


class TrailAdmin(admin.ModelAdmin):
    """Fields named in `may_change` can be mended, which leaves a line in the trail; the rest is shown."""

    may_change: tuple[str, ...] = ()
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        hidden = set(self.exclude or ())
        names = [f.name for f in self.model._meta.concrete_fields if f.name not in hidden]
        return [*names, "trail"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [n for n in self.get_fields(request, obj) if n not in self.may_change]

    @admin.display(description=f"history, the newest {LINES}")
    def trail(self, row: Model) -> SafeString | str:
        lines = [
            (line.at.strftime("%Y-%m-%d %H:%M"), line.by or "", line.verb, line.after or "", line.reason)
            for line in audit.trail_of(row)[:LINES]
        ]  # fmt: skip
        return format_html_join("", "<div>{} {} {} {} {}</div>", lines) or "none"

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        before = {name: str(form.initial.get(name, "")) for name in form.changed_data}
        after = {name: str(form.cleaned_data[name]) for name in form.changed_data}
        audit.record(by=request.user, verb="admin.mended", obj=obj, before=before, after=after)


class ReadOnlyAdmin(TrailAdmin):
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Rows(admin.TabularInline):
    """What belongs to a row, to look at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
