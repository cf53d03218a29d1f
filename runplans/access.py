"""Who may make and see run plans; asked by page, API and command alike."""

from typing import Any

from django.conf import settings

from racecontrol.shared.access import may_read_of


def may_create(user: Any) -> bool:
    """Signed-in people always, strangers where RUN_PLANS_ANONYMOUS says so."""
    return user.is_authenticated or settings.RUN_PLANS_ANONYMOUS


def may_read(user: Any, owner_id: int | None) -> bool:
    """Owner, team and staff; a plan without an owner is for whoever holds its id."""
    if owner_id is None:
        return user.is_authenticated or settings.RUN_PLANS_ANONYMOUS
    return may_read_of(user, owner_id)


def may_share(user: Any, owner_id: int | None) -> bool:
    """Only the owner decides who else may look; staff can take a link back."""
    return user.is_authenticated and (user.is_staff or user.pk == owner_id)
