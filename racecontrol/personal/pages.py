"""Your data: fetch all of it, or delete the account with all of it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from allauth.account.views import password_set
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from racecontrol.forms import LeaveForm
from racecontrol.models import PersonExport
from racecontrol.personal import deletion, export, leave_codes
from racecontrol.shared.errors import RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.store import files


@never_cache
@require_safe
def own_data(request: HttpRequest) -> HttpResponse:
    """What was packed lately, and the way out."""
    rows = PersonExport.objects.filter(owner=request.user).select_related("job")[:10]
    return answer(request, page="own_data.html", part="_exports.html", context={"exports": rows})


@require_POST
def ask_export(request: HttpRequest) -> HttpResponse:
    export.request_export(by=request.user)
    return redirect("own-data")


@never_cache
@require_safe
def fetch_export(request: HttpRequest, export_id: UUID) -> Any:
    return export_file(export.open_export(by=request.user, export_id=export_id))


def export_file(row: PersonExport) -> StreamingHttpResponse:
    """The ZIP as a download."""
    answer = StreamingHttpResponse(_pieces(row.stored_as), content_type="application/zip")
    name = f"race-control-{row.created_at:%Y-%m-%d}.zip"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Content-Length"] = str(row.size)
    return answer


def _pieces(stored_as: str) -> Iterator[bytes]:
    """The file, opened when somebody really reads."""
    with files().open(stored_as, "rb") as file:
        while piece := file.read(1024 * 1024):
            yield piece


@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Delete the account: locked at once, purged in the background."""
    form = LeaveForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            proof = {name: form.cleaned_data.get(name, "") for name in ("password", "code")}
            deletion.request_deletion(by=request.user, **proof)
        except RaceError as refusal:
            field = next((name for name in refusal.fields if name in form.fields), None)
            form.add_error(field, str(refusal))
        else:
            logout(request)
            return redirect("left")
    return answer(request, page="leave.html", context={"form": form}, ok=not form.errors)


def set_password(request: HttpRequest) -> HttpResponse:
    """A first password: by a link to the account's address, which an open session alone cannot read."""
    if request.user.has_usable_password() or not request.user.email:
        return password_set(request)
    messages.info(request, "The link to set a password goes to your address: say where to.")
    return redirect("account_reset_password")


@require_POST
def leave_code(request: HttpRequest) -> HttpResponse:
    """Mail the code that stands for the password of an account that has none."""
    try:
        leave_codes.send(by=request.user)
    except RaceError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The code is on its way; it is good for 15 minutes.")
    return redirect("leave")


@login_not_required
@never_cache
@require_safe
def left(request: HttpRequest) -> HttpResponse:
    return render(request, "left.html")
