"""Pages for the browser tests of the shell: charts of a real main, and buttons that are refused."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path

from racecontrol.shared.asking import Question, ask_first
from racecontrol.shared.charts import Mark, Series, line_chart, position_chart
from racecontrol.shared.errors import TooMany

PAGE = """{% extends "base.html" %}
{% block title %}Shell{% endblock %}
{% block main %}
  <header class="head"><h1>Shell</h1></header>
  {% for chart in charts %}
    <section class="card"><div class="body">{% include "components/_chart.html" %}</div></section>
  {% endfor %}
  <button class="btn" hx-post="/refusing/" hx-target="#nowhere" hx-swap="outerHTML">Refused</button>
  <button class="btn" hx-get="/deleting/" hx-target="#nowhere">Part</button>
  <button class="btn" hx-post="/breaking/" hx-swap="none">Broken</button>
  <form method="post" action="/deleting/" data-asks>
    {% csrf_token %}<button class="btn danger" name="what" value="all">Delete</button>
  </form>
  <form method="post" action="/told/" data-asks>
    {% csrf_token %}<input type="hidden" name="key" value="1"><button class="btn">Here</button>
    {% include "components/_ask_here.html" %}
  </form>
  <form method="post" action="/told/" data-asks>{% csrf_token %}<button class="btn">Bare</button></form>
  <form hx-post="/deleting/" hx-target="#nowhere">
    {% csrf_token %}<button class="btn danger">Take it out</button>
  </form>
  <div id="nowhere"></div>
{% endblock %}"""


def charts_page(request: HttpRequest) -> HttpResponse:
    """Twelve drivers over 47 laps, and a button for everything that can go wrong."""
    drivers = [f"Driver {n} Long-Surname" for n in range(12)]
    laps = [
        Series(
            name,
            [(lap, 24_000 + n * 130 + lap * 37 % 190) for lap in range(1, 48)],
            marks=[Mark(7, "best")],
        )
        for n, name in enumerate(drivers)
    ]
    places = [Series(name, [(lap, n + 1) for lap in range(48)]) for n, name in enumerate(drivers)]
    charts = [line_chart(laps, title="Lap times"), position_chart(places, title="Places")]
    template = engines["django"].from_string(PAGE)
    question = Question("Do it here?", "Nothing is asked of the server.", "Do it")
    return HttpResponse(template.render({"charts": charts, "question": question}, request))


def refusing(request: HttpRequest) -> HttpResponse:
    raise TooMany("The track was asked often enough; try again at 14:05.")


def breaking(request: HttpRequest) -> HttpResponse:
    return HttpResponse("broken", status=500)


def deleting(request: HttpRequest) -> HttpResponse:
    if request.method == "POST" and (
        asked := ask_first(request, "Delete it?", lost="All of it goes.")
    ):
        return asked
    return HttpResponse("<title>Deleted</title>deleted")


TOLD: list[dict] = []


def told(request: HttpRequest) -> HttpResponse:
    """Acts without a question of its own, and keeps what it was told."""
    if request.method == "POST":
        TOLD.append(request.POST.dict())
        return redirect("/told/")
    return HttpResponse("<title>Told</title>told")


urlpatterns = [
    path("told/", told),
    path("shell/", charts_page),
    path("refusing/", refusing),
    path("breaking/", breaking),
    path("deleting/", deleting),
    path("", include("racecontrol.urls")),
]
