"""Addresses that end on each page people see when something went wrong, beside the whole site."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.csrf import csrf_failure

from racecontrol.shared.errors import TooMany
from racecontrol.urls import handler400, handler403, handler404, handler500  # noqa: F401

WRONGS: dict[int, Exception] = {
    400: SuspiciousOperation("Too many fields."),
    403: PermissionDenied("Only the owner may open this."),
    404: Http404("There is no such race."),
    429: TooMany("The track was asked often enough; try again at 14:05."),
    500: RuntimeError("oh"),
}


def ending_in(wrong: Exception) -> Callable[[HttpRequest], HttpResponse]:
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        raise wrong

    return view


urlpatterns = [
    *(path(f"wrong/{status}/", ending_in(wrong)) for status, wrong in WRONGS.items()),
    path("wrong/token/", csrf_failure),
    path("", include("racecontrol.urls")),
]
