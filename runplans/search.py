"""What the search over everything finds in run plans: the person's own."""

from collections.abc import Iterator

from django.db.models import CharField, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse

from racecontrol.shared import flags
from racecontrol.shared.search import Group, Hit, Question, among, group_of
from runplans import queries
from runplans.models import RunPlan

# A plan without a title is called by the beginning of its id.
WORDS = (
    "title",
    "objective",
    Cast("pk", CharField()),
    Cast(KeyTextTransform("name", KeyTextTransform("driver", "inputs")), TextField()),
    Cast(KeyTextTransform("name", KeyTextTransform("track", "inputs")), TextField()),
)


def plans(request: HttpRequest, question: Question) -> Iterator[Group]:
    """By title, objective, driver, track or the beginning of the id; newest first."""
    if not question.terms or not flags.is_open(request, flags.RUN_PLANS_V1):
        return
    rows = among(queries.plans_of(request.user), question.terms, *WORDS)
    rows = rows.order_by(question.nearest_first("title"), "-created_at", "-pk")
    yield from group_of(question, "run_plan", "Run plans", "fuel", rows, _hit)


def _hit(plan: RunPlan) -> Hit:
    named = [(plan.inputs.get(one) or {}).get("name") for one in ("driver", "track")]
    detail = ", ".join(filter(None, [plan.objective, *named]))
    return Hit(
        "run_plan", str(plan.pk), str(plan), detail, reverse("runplans:plan", args=[plan.pk])
    )
