"""What the dashboard shows of run plans."""

from django.http import HttpRequest

from racecontrol.shared import flags
from racecontrol.shared.cards import PLANS, Card
from runplans import queries
from runplans.presentation import Shown


def latest_plans(request: HttpRequest) -> Card | None:
    """The newest plans of this person; nothing while the feature is off or nothing was planned."""
    if not flags.is_open(request, flags.RUN_PLANS_V1):
        return None
    plans = [(plan, Shown(plan.inputs, plan.result)) for plan in queries.plans_of(request.user)[:3]]
    return Card("runplans/_card.html", {"plans": plans}, order=PLANS) if plans else None
