"""What others may ask of run plans."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from runplans.models import RunPlan

# The documents leave the database as text: decoding them only to encode them again would cost
# more than the rest of the request, and would not give the same bytes twice.
READ = "SELECT id, inputs::text, result::text, owner_id FROM run_plans WHERE id = %s"


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as its bytes: the answer to creating it and to reading it are the same."""

    id: UUID
    inputs: str
    result: str
    owner_id: int | None = None

    @property
    def body(self) -> bytes:
        text = f'{{"id": "{self.id}", "inputs": {self.inputs}, "result": {self.result}}}'
        return text.encode()


def stored_plan(plan_id: UUID) -> StoredPlan | None:
    """The stored plan, or None; who may see it is for the caller to ask of `access`."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [plan_id])
        row = cursor.fetchone()
    return StoredPlan(*row) if row else None


def plan_id_of(text: str) -> UUID | None:
    """The id somebody typed, or None where it is none: only the form we hand out counts."""
    try:
        plan_id = UUID(text)
    except ValueError:
        return None
    return plan_id if str(plan_id) == text.lower() else None


def plans_of(
    user: Any, *, objective: str = "", driver: str = "", track: str = ""
) -> QuerySet[RunPlan]:
    """Somebody's own plans, newest first; driver and track by the name in the inputs, exactly."""
    plans = RunPlan.objects.filter(owner=user).order_by("-created_at", "-pk")
    if objective:
        plans = plans.filter(objective=objective)
    if driver:
        plans = plans.filter(inputs__contains={"driver": {"name": driver}})
    if track:
        plans = plans.filter(inputs__contains={"track": {"name": track}})
    return plans


def choices_of(user: Any) -> dict[str, list[str]]:
    """What a person's plans can be filtered by: the objectives, drivers and tracks they named."""
    plans = RunPlan.objects.filter(owner=user)

    def named(path: str) -> list[str]:
        values = plans.order_by().values_list(path, flat=True).distinct()[:200]
        return sorted({v for v in values if isinstance(v, str) and v}, key=str.lower)

    return {
        "objective": named("objective"),
        "driver": named("inputs__driver__name"),
        "track": named("inputs__track__name"),
    }


def shared_plan(token: UUID) -> RunPlan | None:
    """The plan this share link opens, if it is still shared."""
    return RunPlan.objects.filter(share_token=token).first()
