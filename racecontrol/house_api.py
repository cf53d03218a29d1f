"""The house's own part of the API: who am I, what is where, jobs, tokens."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from racecontrol.models import Job
from racecontrol.shared import jobs, search, tokens
from racecontrol.shared.errors import NotFound
from racecontrol.shared.paging import Paged, page_of

router = Router(tags=["house"])


class MeOut(Schema):
    id: int
    username: str
    display_name: str
    time_zone: str
    is_staff: bool


class HitOut(Schema):
    """Something found. `id` is of its `kind` (a class gives its event's, a page its address); `url`
    is its page here."""

    kind: str
    id: int | str
    name: str
    detail: str
    url: str


class JobOut(Schema):
    id: UUID
    title: str
    state: str
    attempts: int
    done: int
    total: int
    message: str
    result: dict | list | None = None
    created_at: datetime
    run_at: datetime
    finished_at: datetime | None = None


class TokenIn(Schema):
    name: str
    scope: Literal["read", "write", "feed"] = "read"
    expires_at: datetime | None = None


class TokenOut(Schema):
    id: int
    name: str
    prefix: str
    scope: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


class TokenMade(TokenOut):
    """The only answer that ever holds the secret."""

    secret: str


@router.get("/me", response=MeOut)
def me(request: HttpRequest):
    return request.user


@router.get("/search", response=list[HitOut])
def search_everything(
    request: HttpRequest,
    q: Annotated[str, Field(max_length=200)] = "",
    kind: Annotated[str, Field(max_length=20)] = "",
    limit: Annotated[int, Field(ge=1, le=search.MOST_SHOWN)] = search.SHOWN,
) -> Any:
    """One search over everything you may see: timing, run plans, strategy, coaching, pages.

    Every word must begin a word of what is found; up to `limit` of each kind, the kind with the
    nearest name first. `kind` narrows to one: track, event, practice_day, practice_session, driver,
    race, class, run_plan, strategy, race_event, team, mission, session, car, racer, page.
    """
    question = search.Question.of(q, kind=kind, most=limit)
    return search.search(request, question).hits if question.terms else []


@router.get("/jobs", response=Paged[JobOut])
def my_jobs(request: HttpRequest, limit: int = 50, cursor: str | None = None):
    """Your own background jobs, newest first."""
    return page_of(Job.objects.filter(owner=request.user), limit=limit, cursor=cursor)


def job_for(request: HttpRequest, job_id: UUID) -> Job:
    job = Job.objects.filter(pk=job_id).first()
    if job is None or not jobs.may_act(request.user, job):
        raise NotFound("There is no such job.")
    return job


@router.get("/jobs/{uuid:job_id}", response=JobOut)
def job(request: HttpRequest, job_id: UUID):
    return job_for(request, job_id)


@router.post("/jobs/{uuid:job_id}/cancel", response=JobOut)
def cancel_job(request: HttpRequest, job_id: UUID):
    return jobs.cancel(job_for(request, job_id).pk, by=request.user)


@router.post("/jobs/{uuid:job_id}/retry", response=JobOut)
def retry_job(request: HttpRequest, job_id: UUID):
    return jobs.retry(job_for(request, job_id).pk, by=request.user)


@router.get("/tokens", response=list[TokenOut])
def my_tokens(request: HttpRequest):
    """Your API tokens in use; the secrets are not kept."""
    return tokens.usable().filter(user=request.user)


@router.post("/tokens", response={201: TokenMade})
def make_token(request: HttpRequest, body: TokenIn):
    token, secret = tokens.make(
        by=request.user, name=body.name, scope=body.scope, expires_at=body.expires_at
    )
    token.secret = secret  # type: ignore[attr-defined]
    return Status(201, token)


@router.delete("/tokens/{int:token_id}", response={204: None})
def revoke_token(request: HttpRequest, token_id: int):
    tokens.revoke(by=request.user, token_id=token_id)
    return Status(204, None)
