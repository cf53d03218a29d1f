"""Who may see what belongs to somebody else: asked by every room, answered by the one that knows teams."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def shares_team(user: Any, owner_id: int | None) -> bool:
    """Do these two share a team? False where no room of the house knows teams."""
    if not settings.TEAM_LOOKUP or owner_id is None or not user.is_authenticated:
        return False
    return bool(import_string(settings.TEAM_LOOKUP)(user, owner_id))


def may_read_of(user: Any, owner_id: int | None) -> bool:
    """The usual rule: the owner, their team and staff read."""
    if not user.is_authenticated:
        return False
    return user.is_staff or user.pk == owner_id or shares_team(user, owner_id)
