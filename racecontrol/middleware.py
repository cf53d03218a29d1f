"""What happens around every request: ids, who may enter, and how a refusal is shown."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django_htmx.http import reswap, retarget

from racecontrol.shared import live
from racecontrol.shared.api import error_body
from racecontrol.shared.errors import RaceError

GetResponse = Callable[[HttpRequest], HttpResponse]


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/v")


class CompressText(GZipMiddleware):
    """Pages, parts, JSON and (where they are not compressed on disk) styles and scripts, as gzip.

    A random length in each answer's header keeps what is secret in a page from being guessed by its size.
    """

    TEXT = ("text/", "application/json", "application/javascript", "image/svg+xml")

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_piece = response.status_code == HTTPStatus.PARTIAL_CONTENT  # its bytes are counted
        if is_piece or not response.get("Content-Type", "").startswith(self.TEXT):
            return response
        response = super().process_response(request, response)
        if "Content-Encoding" in response and "Last-Modified" in response:
            # a file's date says it all; whitenoise would not know its mark again, once weakened
            del response["ETag"]
        return response


class RequestIds:
    """Every answer names its request, so that a report from the track finds its log lines."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class LivePosition:
    """Note how new the news was before the page reads its data, for `<meta name="live">`.

    None where this process hears no news (no stream server, or the database was away).
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.live_position = live.position()  # type: ignore[attr-defined]
        return self.get_response(request)


class RefuseUnstorableText:
    """NUL in an address or a form: PostgreSQL cannot hold it, so it is a bad request, not a bug."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            message = "The address contains a NUL character."
            if is_api(request):
                return JsonResponse(error_body("bad_request", message), status=400)
            return HttpResponse(message, status=400, content_type="text/plain")
        return self.get_response(request)


class KeepFromCaches:
    """Health data is kept by no browser and no proxy: coaching's pages and all answers of the API."""

    PRIVATE = ("/coaching/", "/api/v")

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(self.PRIVATE) and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private"
        return response


class LoginForPages(LoginRequiredMiddleware):
    """Pages send strangers to the login; the API answers 401 by itself."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponse | None:
        if is_api(request):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)


class ShowRefusals:
    """A refusal no view caught becomes a notice on the page, or a page of its own.

    Ninja refuses a wrong method in plain words; on the API that gets the shape of all refusals.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or not is_api(request):
            return response
        allowed = response.get("Allow", "")
        message = f"This address takes {allowed}." if allowed else "Not with this method."
        body = error_body("method_not_allowed", message)
        return JsonResponse(body, status=405, headers={"Allow": allowed})

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, RequestDataTooBig):
            return HttpResponse("That is too large.", status=413, content_type="text/plain")
        if not isinstance(error, RaceError):
            return None
        if not request.htmx:  # type: ignore[attr-defined]
            return render(request, "refused.html", {"error": error}, status=error.status)
        notice = render(request, "components/_notice.html", {"error": error}, status=error.status)
        return reswap(retarget(notice, "#notices"), "innerHTML")
