"""Run plans for tests."""

import json

from runplans import services
from runplans.models import RunPlan

INPUTS = {
    "title": "Baseline",
    "objective": "baseline",
    "required_laps": 25,
    "target_pace_s": 90.6,
    "fuel_burn_l_per_lap": 2.7,
    "car": {"tank_capacity_l": 60.0},
    "track": {"name": "Oval Park", "pit_lane_loss_s": 45},
    "driver": {"name": "Rae Ducker"},
}


def make_plan(owner=None, **changes) -> RunPlan:
    stored = services.create_plan(body=json.dumps(INPUTS | changes), by=owner)
    return RunPlan.objects.get(pk=stored.id)
