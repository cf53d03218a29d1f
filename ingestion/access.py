"""Who may do what with timing data. Reading and importing are for every signed-in person."""

from typing import Any

from racecontrol.shared.errors import NotAllowed


def may_import(user: Any) -> bool:
    """Requests go out in the house's name, within limits that hold for all: anybody signed in may."""
    return bool(user.is_authenticated)


def may_correct(user: Any) -> bool:
    """Corrections of an event are for staff and for event editors (permission "change bump up")."""
    return bool(
        user.is_authenticated and (user.is_staff or user.has_perm("ingestion.change_bumpup"))
    )


def need_correct(user: Any) -> None:
    if not may_correct(user):
        raise NotAllowed("Only staff and event editors may correct bump-ups.")


def may_administer(user: Any) -> bool:
    """Time zones, session types, who is who: these change what everybody sees."""
    return bool(user.is_authenticated and user.is_staff)


def need_administer(user: Any) -> None:
    if not may_administer(user):
        raise NotAllowed("Only staff correct timing data; ask one of them.")
