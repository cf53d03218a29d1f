"""Everything that makes or changes a run plan."""

import json
import uuid
from time import perf_counter
from typing import Any

import structlog
from django.db import connection, transaction

from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, RaceError
from runplans import access, metrics
from runplans.domain.answer import calculate
from runplans.domain.document import LARGEST_BODY, write_document
from runplans.models import RunPlan
from runplans.queries import StoredPlan

log = structlog.get_logger(__name__)

# One statement stores the plan and gives back what a later read will say.
STORE = """
    INSERT INTO run_plans (title, objective, inputs, result, owner_id)
    VALUES (%s, %s, %s::jsonb, %s::jsonb, %s)
    RETURNING id, inputs::text, result::text, owner_id
"""


class TooLarge(RaceError):
    """The body is larger than any run plan."""

    code = "too_large"
    status = 413

    def __init__(self) -> None:
        message = f"A run plan has at most {LARGEST_BODY // 1024} KB."
        super().__init__(message, fields={"body": [message]})


def create_plan(*, body: bytes | str, by: Any) -> StoredPlan:
    """Compute and store the run plan described by the JSON in `body`, owned by `by` if signed in.

    Raises TooLarge over 64 KB and InvalidInput naming every wrong field; then nothing is stored.
    """
    began = perf_counter()
    owner_id = by.pk if by is not None and by.is_authenticated else None
    inputs, result = checked(body=body, owner_id=owner_id)
    values = values_of(inputs, result, owner_id)
    with connection.cursor() as cursor:
        cursor.execute(STORE, values)
        plan = StoredPlan(*cursor.fetchone())
    note_created(plan, result, took_ms=(perf_counter() - began) * 1000)
    return plan


def computed(body: bytes | str) -> dict[str, Any]:
    """The result for `body` without keeping anything; raises as `create_plan`."""
    if len(body) > LARGEST_BODY:
        raise TooLarge
    return calculate(body)[1]


def checked(*, body: bytes | str, owner_id: int | None) -> tuple[dict, dict]:
    """Inputs and result for `body`; a refusal is counted and logged with the fields it names."""
    if len(body) > LARGEST_BODY:
        raise TooLarge
    try:
        return calculate(body)
    except InvalidInput as refusal:
        metrics.REFUSED.inc()
        log.info("run_plan_refused", fields=sorted(refusal.fields)[:20], user_id=owner_id)
        raise


def values_of(inputs: dict, result: dict, owner_id: int | None) -> list[Any]:
    """The parameters of STORE."""
    return [
        inputs.get("title"),
        inputs.get("objective"),
        write_document(inputs),
        json.dumps(result),
        owner_id,
    ]


def note_created(plan: StoredPlan, result: dict, *, took_ms: float) -> None:
    """Count a stored plan and log its totals."""
    metrics.CREATED.inc()
    metrics.CREATE_MS.observe(took_ms)
    log.info(
        "run_plan_created",
        plan_id=str(plan.id),
        user_id=plan.owner_id,
        laps=result["estimated_laps"],
        fuel_l=result["total_fuel_required_l"],
        stops=result["pit_stops_required"],
        ms=round(took_ms, 1),
    )


@transaction.atomic
def share_plan(*, plan_id: uuid.UUID, by: Any) -> uuid.UUID:
    """Open the plan to whoever holds its link; the link stays the same while it is shared."""
    plan = _own_plan(plan_id, by)
    if plan.share_token is None:
        plan.share_token = uuid.uuid4()
        plan.save(update_fields=["share_token"])
        audit.record(by=by, verb="run_plan.shared", obj=plan)
    return plan.share_token


@transaction.atomic
def unshare_plan(*, plan_id: uuid.UUID, by: Any) -> None:
    """End the link for good: sharing again makes another one."""
    plan = _own_plan(plan_id, by)
    if plan.share_token is not None:
        plan.share_token = None
        plan.save(update_fields=["share_token"])
        audit.record(by=by, verb="run_plan.unshared", obj=plan)


def _own_plan(plan_id: uuid.UUID, by: Any) -> RunPlan:
    """The plan, locked; NotFound for whoever may not share it."""
    plan = RunPlan.objects.select_for_update(of=["self"]).filter(pk=plan_id).first()
    if plan is None or not access.may_share(by, plan.owner_id):
        raise NotFound("There is no such run plan, or it is not yours to share.")
    return plan
