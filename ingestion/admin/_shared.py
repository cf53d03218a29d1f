"""What the timing room's admin pages have in common."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from racecontrol.shared.errors import RaceError


class FactsAdmin(admin.ModelAdmin):
    """Rows that come from the source: looked at, mended through services, never typed or deleted."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def each(
        self, request: HttpRequest, ids: list, act: Callable[[Any], object], word: str
    ) -> None:
        """Do it to each; refusals are shown, the rest goes on."""
        done = 0
        for one in ids:
            try:
                act(one)
                done += 1
            except RaceError as refusal:
                self.message_user(request, str(refusal), messages.WARNING)
        self.message_user(request, f"{done} {word}.")


class ReadOnlyAdmin(FactsAdmin):
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
