"""Drivers: found by name or number, and one with races, bests, pace and practice."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET

from ingestion import export, queries
from ingestion.models import Driver
from ingestion.presentation import consistency_chart, trend_chart
from ingestion.queries.bumpups import bump_ups_of_driver
from ingestion.queries.drivers import field_of, own_drivers, trend_of_driver
from ingestion.queries.practice import archived_practice_of, practice_of_driver
from ingestion.queries.practice_race import events_practised_for
from racecontrol.shared import flags
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, WordsFilter

NEWEST_RACES = ("-day", "-run_order", "-pk")
PRACTICE_ON_DRIVER_PAGE = 25


@require_GET
def driver_list(request: HttpRequest) -> HttpResponse:
    """Find a driver by name, other name, transponder or LiveRC number."""
    form = WordsFilter(request.GET)
    found = Listing(
        request,
        queries.drivers_search(request.GET.get("q", "")[:100]),
        name="drivers",
        columns={"driver": "name", "liverc_number": "source_driver_id", "id": "pk"},
        order=("name", "pk"),
        filters=form,
        api="/api/v1/drivers",
    )
    if found.wants_csv:
        return found.as_csv()
    return answer(
        request,
        page="ingestion/drivers.html",
        parts={"drivers-found": "ingestion/_drivers_found.html"},
        context={"found": found},
        ok=found.is_ok,
    )


@require_GET
def driver(request: HttpRequest, driver_id: int) -> HttpResponse:
    """A driver: races, personal bests per track and class, pace and consistency over time."""
    row = get_object_or_404(Driver.objects.select_related("merged_into"), pk=driver_id)
    if row.merged_into is not None:
        return redirect("ingestion:driver", row.merged_into_id)
    races = Listing(
        request,
        queries.races_of_driver(row.pk, words=request.GET.get("q", "")[:100]),
        name="races",
        columns=export.RACE_COLUMNS,
        order=NEWEST_RACES,
        filters=WordsFilter(request.GET),
        api=f"/api/v1/drivers/{row.pk}",
    )
    if races.wants_csv:
        return races.as_csv()
    context = {
        "driver": row,
        "is_me": row.pk in own_drivers(request.user.pk),
        "totals": field_of(row.pk),
        "races": races,
        "aliases": list(row.aliases.all()[:20]),
        "moves": list(bump_ups_of_driver(row.pk)),
        "transponders": list(row.transponders.all()[:20]),
    }
    return answer(
        request,
        page="ingestion/driver.html",
        parts={"driver-trend": "ingestion/_driver_trend.html"},
        context=context | _pace(request, row) | _practice(request, row),
    )


def _pace(request: HttpRequest, row: Driver) -> dict[str, Any]:
    """Personal bests, and the trend at the track and class asked for, else where most was raced."""
    bests = queries.best_laps(row.pk)
    chosen = request.GET.get("best", "")
    trend_of = next(
        (one for one in bests if f"{one.track_id}-{one.class_key}" == chosen),
        max(bests, key=lambda one: one.races, default=None),
    )
    trend = trend_of_driver(row.pk, trend_of) if trend_of is not None else []
    return {
        "bests": bests,
        "trend_of": trend_of,
        "trend_chart": trend_chart(trend, title="Laps from race to race", slug="trend"),
        "consistency_chart": consistency_chart(trend, slug="consistency"),
    }


def _practice(request: HttpRequest, row: Driver) -> dict[str, Any]:
    """The latest practice sessions, for whom practice days are on; archived ones when asked for."""
    practice, archived, with_archived = [], 0, request.GET.get("archived") == "1"
    if flags.is_on(request, flags.ENABLE_PRACTICE_DAYS):
        found = practice_of_driver(row.pk, include_archived=with_archived)
        practice = list(found[:PRACTICE_ON_DRIVER_PAGE])
        archived = archived_practice_of(row.pk)
    return {
        "practice": practice,
        "events_with_practice": events_practised_for(row.pk) if practice or archived else set(),
        "archived": archived,
        "with_archived": with_archived,
    }
