"""Ask before something is lost: one question for every such act, with JavaScript or without.

A view asks once it knows that the person may do it:

    if asked := ask_first(request, "Delete Truck B?", lost="The car goes from the garage."):
        return asked

The answer is a page of its own. Where the form says `data-asks`, or HTMX sent it, the same question
opens as a dialog over the page. "Yes" sends what was sent before, and `sure`. A form that must ask
while there is no network holds its question: `{% include "components/_ask_here.html" %}` inside it.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import reswap, retarget

FOR_GOOD = "This cannot be undone."
NOT_REPEATED = {"csrfmiddlewaretoken", "sure"}


@dataclass(frozen=True, slots=True)
class Question:
    """What goes, what stays, what the act is called on its button, and the way back."""

    ask: str
    lost: str
    yes: str = "Delete"
    undo: str = FOR_GOOD


def ask_first(
    request: HttpRequest, ask: str, *, lost: str, yes: str = "Delete", undo: str = FOR_GOOD
) -> HttpResponse | None:
    """The question, or None once the person is sure.

    `lost` says what goes and what stays, `yes` names the act on its button, `undo` the way back.
    """
    if request.POST.get("sure") == "yes":
        return None
    context = {
        "question": Question(ask, lost, yes, undo),
        "told": [
            (name, value)
            for name, values in request.POST.lists()
            if name not in NOT_REPEATED
            for value in values
        ],
        "back": _page_before(request),
    }
    if request.headers.get("X-Asks") == "dialog":
        return _marked(render(request, "components/_ask.html", context))
    if request.htmx:  # type: ignore[attr-defined]
        part = render(request, "components/_ask.html", context)
        return _marked(reswap(retarget(part, "#asked"), "innerHTML"))
    return _marked(render(request, "ask.html", context))


def _marked(response: HttpResponse) -> HttpResponse:
    """So that a script, or a test, knows that nothing was done yet."""
    response["X-Asks"] = "first"
    return response


def _page_before(request: HttpRequest) -> str:
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        before, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return before if is_ours else "/"
