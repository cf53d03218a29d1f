"""A timed driver's race pace, from imported laps: open to everyone who is signed in, as the timing pages are."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from coaching.queries import timing
from coaching.queries.claims import drivers_of
from coaching.views.run_panel import run_panel
from racecontrol.shared.htmx import answer

MOST_RUNS = 60


@require_safe
def driver_orp(request: HttpRequest, driver_id: int) -> HttpResponse:
    """The score of one run of a driver; `?race=` chooses which, else the latest with laps enough."""
    driver = timing.driver_for(driver_id)
    results = list(timing.results_of(driver)[:MOST_RUNS])
    wanted = request.GET.get("race", "")
    chosen = next((row for row in results if str(row.race_id) == wanted), None)
    if chosen is None and wanted.isdigit() and len(wanted) < 18:
        chosen = timing.results_of(driver).filter(race_id=int(wanted)).first()
    if chosen is None:
        chosen = next((row for row in results if row.laps >= 5), results[0] if results else None)

    panel, run = None, None
    if chosen is not None:
        run = timing.with_laps([chosen])[0]
        places = enumerate(run.laps, start=1)
        panel = run_panel(
            [(lap.number, lap.ms, run.flags.get(place, "")) for place, lap in places],
            title=run.name,
            kind=run.kind,
            basis=run.basis,
            published_consistency=chosen.consistency_pct,
            field_paces_s=timing.field_paces_s(run.race) if run.kind == "race" else (),
        )
    return answer(
        request,
        page="coaching/garage/driver_orp.html",
        part="coaching/garage/_driver_orp.html",
        context={
            "driver": driver,
            "results": results,
            "run": run,
            "panel": panel,
            "is_me": driver.pk in drivers_of(request.user.pk),
        },
    )
