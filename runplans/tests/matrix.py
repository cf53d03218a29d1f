"""Who may open the addresses of run plans. The feature is on, or there would be nothing to enter."""

from waffle.models import Flag

from racecontrol.shared import flags
from runplans.tests.builders import make_plan

PUBLIC = {"api:post /api/v1/run-plans"}


def samples(owner):
    Flag.objects.update_or_create(name=flags.RUN_PLANS_V1, defaults={"everyone": True})
    of_plan = {"plan_id": make_plan(owner).pk}
    return {"api:get /api/v1/run-plans/{plan_id}": of_plan}
