"""One way to answer a page request, whole or in part."""

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers


def answer(
    request: HttpRequest,
    *,
    page: str,
    context: dict,
    part: str | None = None,
    parts: dict[str, str] | None = None,
    ok: bool = True,
) -> TemplateResponse:
    """HTMX gets the part, a browser the whole page; a refused form answers 422.

    A page with one part names it as `part`. A page with several gives `parts`, id of the
    element -> template, and HX-Target chooses. Boosted and history requests get the whole page.
    """
    htmx = request.htmx
    template = page
    if htmx and not htmx.boosted and not htmx.history_restore_request:
        template = (parts or {}).get(htmx.target or "", part or page)
    response = TemplateResponse(request, template, context, status=200 if ok else 422)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
