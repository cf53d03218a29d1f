"""A page with live parts, for the browser tests of static/js/live.js."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from racecontrol.models import LiveEvent
from racecontrol.urls import handler400, handler403, handler404, handler500  # noqa: F401
from racecontrol.urls import urlpatterns as house

PART = """
<section id="board" data-live="test:open" data-live-get="/board/">
  <p id="count">{{ count }} events</p><input id="note" name="note">
</section>
"""
PAGE = (
    """
{% extends "base.html" %}
{% block main %}
"""
    + PART
    + """
<div id="ext" hx-ext="sse" sse-connect="/live/?topic=test:open:ext">
  <p id="said" hx-get="/board/" hx-trigger="sse:test:open:ext" hx-select="#count">nothing yet</p>
</div>
{% endblock %}
"""
)


@login_not_required
def board(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string(PART if request.htmx else PAGE)
    return HttpResponse(template.render({"count": LiveEvent.objects.count()}, request))


urlpatterns = [path("board/", board), *house]
