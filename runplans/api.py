"""Run plans as JSON. Making and reading one are the hot paths: bytes in, bytes out."""

from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from ninja import Router

from racecontrol.shared import flags
from racecontrol.shared.api import BearerToken, SignedIn, optional_user, with_etag
from racecontrol.shared.errors import NotFound
from racecontrol.shared.paging import Paged, page_of
from runplans import access, queries, services
from runplans.schemas import RUN_PLAN_IN, ErrorOut, RunPlanListed, RunPlanOut

log = structlog.get_logger(__name__)
router = Router(tags=["run plans"])


def planner(request: HttpRequest) -> Any:
    """Whoever may use run plans: the person, or a stranger where strangers may. None is a 401."""
    try:
        user = optional_user(request)
    finally:  # while the flag is off there is nothing here, whatever was sent
        flags.require(request, flags.RUN_PLANS_V1)
    return user if user is not None and access.may_create(user) else None


@router.post(
    "/run-plans",
    auth=planner,
    response={201: RunPlanOut, 401: ErrorOut, 404: ErrorOut, 413: ErrorOut, 422: ErrorOut}
    | {429: ErrorOut},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": RUN_PLAN_IN}},
        }
    },
)
def create_run_plan(request: HttpRequest):
    """Compute a plan and keep it. The answer is what reading it will give, byte for byte."""
    plan = services.create_plan(body=request.body, by=request.auth)
    return HttpResponse(plan.body, content_type="application/json", status=201)


@router.get("/run-plans/{plan_id}", auth=planner, response={200: RunPlanOut, 404: ErrorOut})
def read_run_plan(request: HttpRequest, plan_id: str):
    """A stored plan; somebody else's is as unknown as one that never was."""
    key = queries.plan_id_of(plan_id)
    plan = queries.stored_plan(key) if key else None
    if plan is None or not access.may_read(request.auth, plan.owner_id):
        log.info("run_plan_not_found", plan_id=plan_id[:40])
        raise NotFound("There is no such run plan.")
    log.info("run_plan_read", plan_id=plan_id, user_id=request.auth.pk)
    return with_etag(
        request, plan_id, lambda: HttpResponse(plan.body, content_type="application/json")
    )


def nothing_while_off(request: HttpRequest) -> None:
    """Asked last, of strangers: before they are told to sign in, there must be something here."""
    flags.require(request, flags.RUN_PLANS_V1)


@router.get(
    "/run-plans",
    auth=[BearerToken(), SignedIn(), nothing_while_off],
    response=Paged[RunPlanListed],
)
def list_run_plans(
    request: HttpRequest,
    limit: int = 50,
    cursor: str | None = None,
    objective: str = "",
    driver: str = "",
    track: str = "",
):
    """Your own plans, newest first; `driver` and `track` are the names in the inputs."""
    flags.require(request, flags.RUN_PLANS_V1)
    plans = queries.plans_of(request.user, objective=objective, driver=driver, track=track)
    return page_of(plans, limit=limit, cursor=cursor)
