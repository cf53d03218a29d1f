"""The demo login's mission: prepared, on scripted replies, waiting to be started."""

from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from coaching.models import Mission
from coaching.services import mission_demo, missions


def load_demo(*, by: Any) -> None:
    """One demonstration mission in PREP; nothing where the login has a model or missions already."""
    if not mission_demo.is_for(by) or Mission.objects.filter(owner=by).exists():
        return
    today = now().date()
    first = today + timedelta(days=5)
    kinds = ("flat", "hilly", "itt", "mountain", "flat")
    missions.create_mission(
        by=by,
        now=now(),
        is_demo=True,
        data={
            "name": "Demonstration: Lantern Tour",
            "event_name": "Lantern Tour",
            "mission_type": "road_stage_race",
            "prep_start": today,
            "event_start": first,
            "event_end": first + timedelta(days=5),
            "timezone": by.time_zone,
            "llm_goal_statement": "Ride every stage and still smile at the last one.",
            "availability": {"monday": 60, "saturday": 75},
            "constraints": {"force_rest_readiness": 45, "min_readiness": 55},
            "rider_profile": {"ftp": 205},
            "stage_plan": {
                "stages": [
                    {
                        "number": n,
                        "on": (first + timedelta(days=n - 1 + (n > 3))).isoformat(),
                        "type": kind,
                        "name": "",
                    }
                    for n, kind in enumerate(kinds, start=1)
                ],
                "rest_days": [(first + timedelta(days=3)).isoformat()],
            },
        },
    )
