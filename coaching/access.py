"""Who may see and change what in coaching. A garage and its logs are their owner's alone."""

from typing import Any

from coaching.models import RacerProfile, Session


def may_use_profile(user: Any, profile: RacerProfile) -> bool:
    return user.is_authenticated and profile.user_id == user.pk


def may_use_session(user: Any, session: Session) -> bool:
    return may_use_profile(user, session.profile)
