"""The demonstration: the whole story with scripted replies and a clock that can be stepped.

Only for the demo login, only where DEBUG is on, and never beside anything real of that login.
"""

import math
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from coaching.domain.missions import schedule
from coaching.models import AthleteUpload, CheckIn, LlmAccount, Mission
from coaching.services import mission_runs
from racecontrol.shared.errors import NotAllowed, NotReady

LOGIN: Final = "demo"
STEPS: Final = ("morning", "event", "end")


def is_for(user: Any) -> bool:
    """Does this person get scripted replies? The demo login, while it has nothing of its own."""
    return bool(
        settings.COACHING_SCRIPTED_DEMO
        and user.username == LOGIN
        and not settings.LLM_BASE_URL
        and not LlmAccount.objects.filter(owner=user).exists()
        and not Mission.objects.filter(owner=user, is_demo=False).exists()
        and not AthleteUpload.objects.filter(owner=user).exists()
    )


def step_clock(*, mission_id: int, by: Any, to: str = "morning") -> Mission:
    """Move a demonstration's clock: to the next morning, the event's first, or the day after it.

    The synthetic athlete checks in at each morning stepped to; mornings jumped over are missed.
    """
    if to not in STEPS:
        raise NotReady(f"The clock steps to: {', '.join(STEPS)}.")
    with transaction.atomic():
        mission = Mission.objects.select_for_update(of=("self",)).get(pk=mission_id)
        if not settings.COACHING_SCRIPTED_DEMO or not mission.is_demo or mission.owner_id != by.pk:
            raise NotAllowed("Only a demonstration has a clock that can be stepped.")
        if mission.demo_now is None:
            raise NotReady("This mission lives by the real clock.")
        mission.demo_now = _next_moment(mission, mission.demo_now, to)
        mission.save(update_fields=["demo_now"])
        _synthetic_check_in(mission, mission.demo_now)
    mission_runs.look_after(mission_id=mission.pk, now=mission.demo_now)
    return Mission.objects.get(pk=mission.pk)


def _next_moment(mission: Mission, moment: datetime, to: str) -> datetime:
    today = schedule.local_date(moment, mission.tz)
    on = today + timedelta(days=1)
    if to == "event":
        on = max(on, mission.event_start)
    if to == "end":
        on = max(on, mission.event_end + timedelta(days=1))
    return schedule.run_moment(on, tz=mission.tz, run_at=mission.run_at)


def _synthetic_check_in(mission: Mission, moment: datetime) -> None:
    on = schedule.local_date(moment, mission.tz)
    if on > mission.event_end:
        return
    wave = math.sin(on.toordinal() * 0.9) + 0.5 * math.sin(on.toordinal() * 0.37)
    CheckIn.objects.get_or_create(
        owner_id=mission.owner_id,
        local_date=on,
        defaults={
            "values": {
                "readiness": round(68 + 16 * wave),
                "sleep_h": round(7.2 + 0.6 * wave, 1),
                "soreness": 2 if wave > 0 else 3,
                "energy": 4 if wave > 0 else 3,
                "resting_hr": round(52 - 3 * wave),
            },
            "at": moment,
        },
    )
