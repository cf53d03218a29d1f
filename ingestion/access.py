"""Who may do what with timing data. Reading is for every signed-in person."""

from typing import Any


def may_correct(user: Any) -> bool:
    """Corrections of an event are for staff and for event editors (permission "change bump up")."""
    return bool(
        user.is_authenticated and (user.is_staff or user.has_perm("ingestion.change_bumpup"))
    )
