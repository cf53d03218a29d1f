"""Who may see and change what in coaching. A garage and its logs are their owner's alone."""

from typing import Any

from coaching.models import RacerProfile


def may_use_profile(user: Any, profile: RacerProfile) -> bool:
    return user.is_authenticated and profile.user_id == user.pk
