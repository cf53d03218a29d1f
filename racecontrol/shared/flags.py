"""Every feature flag: its name, what it opens, and the one way to gate with it."""

from typing import Any, Final

import structlog
from django.http import Http404, HttpRequest
from waffle import flag_is_active, get_waffle_flag_model

RUN_PLANS_V1: Final = "RUN_PLANS_V1"
ENABLE_PRACTICE_DAYS: Final = "ENABLE_PRACTICE_DAYS"
ENABLE_SESSION_TYPE_INFERENCE: Final = "ENABLE_SESSION_TYPE_INFERENCE"

# Name -> what it opens. All start switched off; a person switches them in the admin.
ALL: Final = {
    RUN_PLANS_V1: "Plan a run: pages and API for fuel, time and stints.",
    ENABLE_PRACTICE_DAYS: "Practice days: discover, import and compare days of open running.",
    ENABLE_SESSION_TYPE_INFERENCE: "Imports infer what kind of session a race was, with confidence.",
}

log = structlog.get_logger(__name__)


def is_open(request: HttpRequest, flag: str) -> bool:
    """Is the feature on for whoever asks? For links and lists that lead to it: looking is no use of
    the feature, so nothing is logged. Waffle is asked once a request."""
    known = request.__dict__.setdefault("_flags", {})
    if flag not in known:
        known[flag] = bool(flag_is_active(request, flag))
    return known[flag]


def is_on(request: HttpRequest, flag: str) -> bool:
    """Is the feature on for whoever asks? Use by a signed-in person is logged."""
    active = is_open(request, flag)
    user = getattr(request, "user", None)
    if active and user is not None and user.is_authenticated:
        log.info("flag_used", flag=flag, user_id=user.pk)
    return active


def require(request: HttpRequest, flag: str) -> None:
    """Answer 404 to anyone for whom the feature is off."""
    if not is_on(request, flag):
        raise Http404


def is_on_for(user: Any, flag: str) -> bool:
    """Is the feature on for this person, where there is no request (jobs and commands)?"""
    found = get_waffle_flag_model().get(flag)
    if found.pk is None or found.everyone is not None:  # waffle makes up a flag it does not find
        return bool(found.everyone)
    return bool(user is not None and user.is_authenticated and found.is_active_for_user(user))


def is_on_for_anybody(flag: str) -> bool:
    """Is there anybody at all for whom the feature may be on? What runs by the clock asks."""
    found = get_waffle_flag_model().get(flag)
    if found.pk is None or found.everyone is not None:
        return bool(found.everyone)
    is_shared = found.superusers or found.staff or found.authenticated or found.percent
    return bool(is_shared or found.languages or found.users.exists() or found.groups.exists())
