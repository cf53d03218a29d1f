"""Pages of bump-ups: an event's ladders with corrections, and the numbers over all of history."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ingestion import access
from ingestion.domain.bumpup_stats import Rate
from ingestion.forms.bumpups import ByHandForm, DecisionForm, StatisticsForm
from ingestion.models import BumpUp, Event
from ingestion.queries import bumpup_stats
from ingestion.queries.bumpup_ladders import ClassLadder, ladders_of
from ingestion.queries.bumpup_stats import Fare
from ingestion.queries.bumpups import bump_ups, bump_ups_like, corrections_of_event
from ingestion.services import bumpups as services
from racecontrol.shared.charts import Chart, Rung, Tier, ladder
from racecontrol.shared.errors import RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.names import format_name

SHOW = {"": "Everybody", "moved": "Only who moved", "review": "To be looked at"}


@require_http_methods(["GET", "HEAD", "POST"])
def event_bump_ups(request: HttpRequest, event_id: int) -> HttpResponse:
    """The ladder of each class and its moves; a POST adds a move by hand (staff, event editors)."""
    event = get_object_or_404(
        Event.objects.select_related("track"), pk=event_id, kind=Event.Kind.RACE
    )
    form = None
    if request.method == "POST":
        access.need_correct(request.user)
        form = by_hand_form(event, ladders_of(event.pk), request.POST)
        if form.is_valid():
            try:
                services.add_by_hand(
                    event_id=event.pk, by=request.user, note=form.cleaned_data["note"], **form.ids
                )
            except RaceError as refusal:
                for name, faults in refusal.fields.items():
                    form.add_error(name, faults)
                if not refusal.fields:
                    form.add_error(None, str(refusal))
            else:
                if not request.htmx:
                    messages.success(request, "The bump-up was added.")
                    return redirect(request.path)
                form = None
    return show_event(request, event, form=form)


@require_POST
def decide_bump_up(request: HttpRequest, bump_up_id: int) -> HttpResponse:
    """Confirm, reject or hand back one move; staff and event editors only."""
    access.need_correct(request.user)
    row = get_object_or_404(bump_ups(), pk=bump_up_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise RaceError("Choose confirm, reject, or hand back.")
    services.decide(bump_up_id=row.pk, by=request.user, **form.cleaned_data)
    if request.htmx:
        return show_event(request, row.event)
    url = reverse("ingestion:event-bump-ups", kwargs={"event_id": row.event_id})
    return redirect(f"{url}?{request.GET.urlencode()}")


@require_safe
def bump_up_statistics(request: HttpRequest) -> HttpResponse:
    """How many move up, how they fare, who bumps often; by track, class and season."""
    form = StatisticsForm(request.GET, **bumpup_stats.choices())
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = bump_ups_like(
        track=chosen.get("track", ""),
        class_name=chosen.get("class_name", ""),
        season=chosen.get("season"),
    )
    overall = bumpup_stats.fares(rows)
    return answer(
        request,
        page="ingestion/bump_ups.html",
        part="ingestion/_bump_up_statistics.html",
        context={
            "form": form,
            "kpis": kpis_of(overall[0]) if overall else [],
            "groups": [
                (name, [line_of(fare) for fare in bumpup_stats.fares(rows, name.lower())])
                for name in ("Class", "Track", "Season")
            ],
            "formats": bumpup_stats.formats(rows),
            "frequent": bumpup_stats.frequent(rows),
            "review": bump_ups().to_review().order_by("-pk")[:10],
        },
    )


def kpis_of(fare: Fare) -> list[dict[str, str]]:
    line = line_of(fare)
    return [
        {"label": "Bump-ups", "value": f"{fare.moves}", "note": f"in {fare.events} events",
         "icon": "trending-up"},
        {"label": "Median finish", "value": line["bumped"], "note": f"direct {line['direct']}",
         "icon": "flag"},
        {"label": "Places gained", "value": line["gained"], "note": "mean, grid to finish",
         "icon": "arrow-up-right"},
        {"label": "Beat a direct qualifier", "value": line["share"],
         "note": line["interval"],
         "icon": "swords"},
    ]  # fmt: skip


def line_of(fare: Fare) -> dict[str, str]:
    """The figures of a group as they are written; a dash where there is none."""
    return {
        "name": fare.name,
        "moves": f"{fare.moves}",
        "events": f"{fare.events}",
        "bumped": whole_or_half(fare.median_bumped),
        "direct": whole_or_half(fare.median_direct),
        "gained": "–" if fare.gained is None else f"{fare.gained:+.1f}".replace("-", "−"),
        "share": f"{fare.rate.share:.0%}" if fare.rate else "–",
        "interval": interval_of(fare.rate),
    }


def interval_of(rate: Rate | None) -> str:
    """'28–68 %', or nothing where there are too few mains for one."""
    if rate is None or rate.low is None or rate.high is None:
        return ""
    return f"{rate.low * 100:.0f}–{rate.high * 100:.0f} %"


def whole_or_half(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def by_hand_form(event: Event, found: list[ClassLadder], data=None) -> ByHandForm:
    return ByHandForm(event, [main.race_id for one in found for main in one.mains], data)


def show_event(request: HttpRequest, event: Event, form: ByHandForm | None = None) -> HttpResponse:
    show = request.GET.get("show", "")
    show = show if show in SHOW else ""
    found = ladders_of(event.pk)
    wanted = request.GET.get("class", "")
    shown = [one for one in found if one.key == wanted] or found
    may_correct = access.may_correct(request.user)
    if may_correct and form is None:
        form = by_hand_form(event, found)
    return answer(
        request,
        page="ingestion/event_bump_ups.html",
        part="ingestion/_event_bump_ups.html",
        context={
            "event": event,
            "classes": [
                {
                    "ladder": one,
                    "chart": chart_of(one, only_moved=show == "moved"),
                    "moves": moves_of(one, show),
                }
                for one in shown
            ],
            "all_classes": found,
            "chosen": wanted if any(one.key == wanted for one in found) else "",
            "show": show,
            "shows": SHOW.items(),
            "may_correct": may_correct,
            "corrections": corrections_of_event(event.pk),
            "form": form,
        },
        ok=form is None or not form.errors,
    )


def moves_of(one: ClassLadder, show: str) -> list[BumpUp]:
    if show == "review":
        return [move for move in one.moves if move.status == BumpUp.Status.FLAGGED]
    if show == "moved":
        return [move for move in one.moves if move.is_standing]
    return list(one.moves)


def chart_of(one: ClassLadder, *, only_moved: bool) -> Chart:
    """The ladder as a picture; with `only_moved` just the paths of those who did."""
    tiers = [
        Tier(
            main.name,
            [
                Rung(
                    key=str(place.driver.pk),
                    label=format_name(place.driver.name),
                    place="DNS" if place.is_dns else str(place.position or ""),
                    note=f"from {place.came_by.source_race.label}" if place.came_by else "",
                    has_moved_up=place.moved_up is not None,
                )
                for place in main.places
                if not only_moved or place.moved_up or place.came_by
            ],
        )
        for main in one.mains
    ]
    return ladder(
        tiers, title=f"{one.name}: the way up", slug=f"ladder-{one.key.replace(' ', '-')}"
    )
