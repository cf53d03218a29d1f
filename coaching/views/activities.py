"""Activities: the list over the whole history, and one with its curves."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from coaching.domain.curves import thin
from coaching.models import Activity, ActivityDetail
from coaching.queries import athlete as queries
from racecontrol.shared.charts import Chart, Series, line_chart
from racecontrol.shared.errors import NotFound
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, Value, WordsFilter

PAGE = 50
DRAWN = 150  # points of a curve on the page, and rows of the table that says the same
CURVES: dict[str, tuple[str, float, Callable[[float], str]]] = {
    "watts": ("Power", 1.0, lambda value: f"{value:.0f} W"),
    "bpm": ("Heart rate", 1.0, lambda value: f"{value:.0f} bpm"),
    "speed_ms": ("Speed", 3.6, lambda value: f"{value:.1f} km/h"),
    "rpm": ("Cadence", 1.0, lambda value: f"{value:.0f} rpm"),
    "altitude_m": ("Height", 1.0, lambda value: f"{value:.0f} m"),
}
COLUMNS: dict[str, Value] = {
    "day": "activity.on",
    "starts_at": "activity.starts_at",
    "kind": "activity.kind",
    "moving_s": "activity.moving_s",
    "distance_m": "activity.distance_m",
    "load": "load.points",
    "load_by": "load.method",
    "counted_once": lambda one: bool(one.double_of),
    "source": "activity.source",
    "effort": "activity.effort",
}


def _words_of(row: Activity) -> str:
    return f"{row.kind} {row.source} {row.on:%j %B %Y %Y-%m-%d}".lower()


@never_cache
@require_safe
def activities(request: HttpRequest) -> HttpResponseBase:
    """Every recording, newest first, fifty a page."""
    every = queries.activities_of(request.user)[::-1]
    words = request.GET.get("q", "").lower().split()
    found = Listing(
        request,
        [one for one in every if all(word in _words_of(one.activity) for word in words)],
        name="activities",
        columns=COLUMNS,
        filters=WordsFilter(request.GET),
        per_page=PAGE,
    )
    if found.wants_csv:
        return found.as_csv()
    context = {"found": found, "activities": found.rows, "count": len(every)}
    return answer(request, page="coaching/athlete/activities.html", context=context)


@never_cache
@require_safe
def activity(request: HttpRequest, activity_id: int) -> HttpResponse:
    """One recording: its numbers, its load with the formula, its curves."""
    one = queries.activity_of(request.user, activity_id)
    if one is None:
        raise NotFound("There is no such activity.")
    row = one.activity
    detail = ActivityDetail.objects.filter(activity=row).first()
    context: dict[str, Any] = {
        "one": one,
        "activity": row,
        "detail": detail,
        "minutes": row.moving_s // 60,
        "km": f"{row.distance_m / 1000:.1f}" if row.distance_m else "",
        "is_kept_out": queries.is_kept_out(row),
        "charts": _charts(detail.curves or {}) if detail else [],
    }
    return answer(request, page="coaching/athlete/activity.html", context=context)


def _charts(kept: dict[str, list[float | None]]) -> list[Chart]:
    """One chart per curve over minutes; without times the samples are counted."""
    curves = thin(kept, most=DRAWN)
    charts = []
    for name, (title, factor, words) in CURVES.items():
        values = curves.get(name)
        if not values or all(value is None for value in values):
            continue
        times = curves.get("time_s") or list(range(len(values)))
        points = [
            ((at or 0) / 60, None if value is None else value * factor)
            for at, value in zip(times, values, strict=True)
        ]
        charts.append(
            line_chart(
                [Series(title, points)], title=title, x_label="Minute", y_format=words,
                x_format=lambda x: f"{x:.0f}", clip=False, slug=name.replace("_", "-"),
            )
        )  # fmt: skip
    return charts
