"""Two plans to look at and compare on the first day."""

import json
from typing import Any

from runplans import queries, services

PLANS = (
    {
        "title": "A-main, nitro buggy",
        "objective": "baseline",
        "run_duration_min": 30,
        "target_pace_s": 36.4,
        "fuel_burn_l_per_lap": 0.0082,
        "finish_rule": "finish_lap",
        "reserve_laps": 1,
        "options": ["saving"],
        "car": {"name": "1:8 nitro buggy", "tank_capacity_l": 0.125},
        "track": {"name": "Demo Raceway", "pit_lane_loss_s": 6},
        "weather": {"conditions": "dry, dusty", "air_temp_c": 24},
    },
    {
        "title": "A-main, one stop less",
        "objective": "baseline",
        "run_duration_min": 30,
        "target_pace_s": 36.9,
        "fuel_burn_l_per_lap": 0.0068,
        "finish_rule": "finish_lap",
        "reserve_laps": 1,
        "options": ["saving"],
        "car": {"name": "1:8 nitro buggy", "tank_capacity_l": 0.125},
        "track": {"name": "Demo Raceway", "pit_lane_loss_s": 6},
        "weather": {"conditions": "dry, dusty", "air_temp_c": 24},
    },
)


def load_demo(*, by: Any) -> None:
    """Give the demo person two plans, once."""
    if queries.plans_of(by).exists():
        return
    for plan in PLANS:
        services.create_plan(body=json.dumps(plan), by=by)
