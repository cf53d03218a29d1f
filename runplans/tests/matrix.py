"""Who may open the addresses of run plans. The feature is on, or there would be nothing to enter."""

from racecontrol.shared import flags
from racecontrol.testing.people import switch_on
from runplans import services
from runplans.tests.builders import make_plan

PUBLIC = {"api:post /api/v1/run-plans", "runplans:shared"}


def samples(owner):
    switch_on(flags.RUN_PLANS_V1)
    plan = make_plan(owner)
    token = services.share_plan(plan_id=plan.pk, by=owner)
    of_plan = {"plan_id": plan.pk}
    pages = ("plan", "print", "share", "unshare", "json", "csv")
    return {
        "api:get /api/v1/run-plans/{plan_id}": of_plan,
        **{f"runplans:{page}": of_plan for page in pages},
        "runplans:shared": {"token": token},
    }
