"""The wall's part, drawn once for all who look at the same: hundreds of pages ask at every news.

What is drawn is kept in this process for two seconds at most, under the number of the newest news,
so nobody is shown what was before a change he heard of. How old it is when it is sent stands in the
part, and the page's clocks count from there. Forms in it carry no token: the script sends its own.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

from racecontrol.shared import live

SECONDS = 2
AGE = "@AGE@"
_drawing = Lock()


def is_part(request: HttpRequest) -> bool:
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def drawn(
    template: str, strategy_id: int, looks: tuple, context: Callable[[], dict[str, Any]]
) -> HttpResponse:
    """The part as drawn for `looks` (role, zone, screen, seat); `context` is called only to draw."""
    store, newest = caches["local"], live.newest(f"strategy:{strategy_id}")
    key = ":".join(str(word) for word in ("wall", template, strategy_id, newest, *looks))
    found = store.get(key)
    if found is None:
        with _drawing:  # those who ask meanwhile wait for this one
            found = store.get(key)
            if found is None:
                at = monotonic()
                told = context() | {"is_shared": True, "age": AGE}
                found = (at, render_to_string(template, told))
                store.set(key, found, SECONDS)
    at, html = found
    response = HttpResponse(html.replace(AGE, str(round((monotonic() - at) * 1000))))
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
