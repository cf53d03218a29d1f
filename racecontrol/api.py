"""The JSON API: one instance, one router per app, one way to say no."""

import importlib.util
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from racecontrol.shared.api import BearerToken, SignedIn, StrictParser, error_body
from racecontrol.shared.errors import RaceError
from racecontrol.shared.ratelimit import WriteThrottle

log = structlog.get_logger(__name__)

api = NinjaAPI(
    title="Race Control",
    version="1",
    description="Timing, run plans, strategy and coaching. Sign in or send `Authorization: Bearer`.",
    auth=[BearerToken(), SignedIn()],
    parser=StrictParser(),
    throttle=[WriteThrottle()],
    urls_namespace="api",
    docs_url=None,  # ours is a page without scripts: racecontrol/api_docs.py
)
api.add_router("", "racecontrol.house_api.router")
api.add_router("", "racecontrol.personal.api.router")
for app in ("ingestion", "runplans", "strategy", "coaching"):
    if importlib.util.find_spec(f"{app}.api"):
        api.add_router("", f"{app}.api.router")

CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "too_many",
}


def say(
    request: HttpRequest, status: int, message: str, *, code: str = "", fields: Any = None
) -> HttpResponse:
    body = error_body(code or CODES.get(status, "error"), message, fields)
    return api.create_response(request, body, status=status)


@api.exception_handler(RaceError)
def refuse(request: HttpRequest, error: RaceError) -> HttpResponse:
    return say(request, error.status, str(error), code=error.code, fields=error.fields)


@api.exception_handler(ValidationError)
def refuse_input(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Ninja's list of faults, by dotted field: where, then what."""
    fields: dict[str, list[str]] = {}
    for fault in error.errors:
        # ("body", "payload", "car", "tank") -> "car.tank": the first two name ninja's own wrapping
        where = [str(part) for part in fault["loc"][1:]]
        if fault["loc"][0] == "body" and len(where) > 1:
            where = where[1:]
        fields.setdefault(".".join(where) or "body", []).append(fault["msg"])
    return say(request, 422, "Some values cannot be used.", code="validation_error", fields=fields)


@api.exception_handler(AuthenticationError)
def refuse_stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return say(request, 401, "Sign in, or send a valid API token.")


@api.exception_handler(Throttled)
def refuse_haste(request: HttpRequest, error: Throttled) -> HttpResponse:
    response = say(request, 429, f"Too many writes; try again in {int(error.wait or 60)} s.")
    response["Retry-After"] = str(int(error.wait or 60))
    return response


@api.exception_handler(HttpError)
def refuse_http(request: HttpRequest, error: HttpError) -> HttpResponse:
    # Ninja wraps whatever the parser raised into a 400 of its own; our words are the cause.
    if isinstance(error.__cause__, RaceError):
        return refuse(request, error.__cause__)
    if isinstance(error.__cause__, RequestDataTooBig):
        return too_large(request, error.__cause__)
    return say(request, error.status_code, str(error))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return say(request, 404, "There is nothing here, or it is not for you.")


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return say(request, 413, "The body is too large.")


@api.exception_handler(DataError)
def out_of_range(request: HttpRequest, error: DataError) -> HttpResponse:
    """A number or text the database cannot hold slipped through: the caller's, not ours."""
    log.warning("api_data_error", error=str(error)[:200])
    return say(request, 422, "A value is out of range.", code="validation_error")


@api.exception_handler(Exception)
def broke(request: HttpRequest, error: Exception) -> HttpResponse:
    log.exception("api_broke", path=request.path)
    return say(request, 500, "Something broke here; it was written down.", code="internal_error")
