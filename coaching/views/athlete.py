"""The athlete's own data: form and trends, activities, uploads, consent."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coaching.forms.athlete import NumbersForm, UploadForm
from coaching.models import DailyMetric
from coaching.queries import athlete as queries
from coaching.services import athlete as services
from coaching.services import upload_care
from racecontrol.shared.asking import ask_first
from racecontrol.shared.charts import Chart, Series, line_chart
from racecontrol.shared.errors import RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, Value, WordsFilter

SPANS = {"6w": 42, "3m": 91, "1y": 365}
TRENDS = {
    "sleep": ("Sleep", lambda value: f"{value / 60:.1f} h"),
    "hrv_sdnn": ("HRV (SDNN)", lambda value: f"{value:.0f} ms"),
    "hrv_rmssd": ("HRV (rMSSD)", lambda value: f"{value:.0f} ms"),
    "resting_hr": ("Resting heart rate", lambda value: f"{value:.0f} bpm"),
    "readiness": ("Readiness", lambda value: f"{value:.0f}"),
}

UPLOAD_COLUMNS: dict[str, Value] = {
    "file": "file_name",
    "kind": "get_kind_display",
    "bytes": "size",
    "state": "get_state_display",
    "says": "message",
    "remarks": lambda upload: len(upload.problems),
    "brought_at": "created_at",
    "read_at": "read_at",
}


@never_cache
@require_safe
def athlete(request: HttpRequest) -> HttpResponse:
    """Fitness, fatigue and form, trends, and the latest activities of this person."""
    today = now().astimezone(ZoneInfo(request.user.time_zone)).date()
    span = request.GET.get("span", "3m")
    days_back = SPANS.get(span, SPANS["3m"])
    since = today - timedelta(days=days_back - 1)
    numbers = queries.numbers_of(request.user)
    values = queries.daily_values(request.user, since=since, until=today, numbers=numbers)
    activities = queries.activities_of(request.user, numbers=numbers)
    form = queries.form_from(activities, until=today)
    context = {
        "form": form,
        "last": form.last,
        "today": today,
        "spans": [(key, key == span) for key in SPANS],
        "fitness_chart": _fitness_chart(form, since) if form.days else None,
        "trends": [
            _trend(title, values[metric], since, days_back, how, metric)
            for metric, (title, how) in TRENDS.items()
            if len(values.get(metric, {})) > 1
        ],
        "latest": _latest(values),
        "activities": activities[:-21:-1],
        "activity_count": len(activities),
        "has_consent": services.has_health_consent(request.user),
        "numbers": numbers,
    }
    return answer(request, page="coaching/athlete/athlete.html", context=context)


def _fitness_chart(form: queries.Form, since: Any) -> Chart:
    shown = [day for day in form.days if day.on >= since] or form.days[-1:]
    first = shown[0].on
    lines = [
        Series("Fitness (CTL)", [((d.on - first).days, d.ctl) for d in shown], is_strong=True),
        Series("Fatigue (ATL)", [((d.on - first).days, d.atl) for d in shown]),
        Series("Form (TSB)", [((d.on - first).days, d.tsb) for d in shown]),
    ]
    return line_chart(
        lines,
        title="Fitness, fatigue and form",
        x_label="Day",
        y_format=lambda value: f"{value:.0f}",
        x_format=lambda x: f"{first + timedelta(days=int(x)):%d %b}",
        clip=False,
        slug="fitness",
    )


def _trend(title: str, rows: dict, since: Any, days: int, how: Any, slug: str) -> Chart:
    points = []
    for offset in range(days):
        row = rows.get(since + timedelta(days=offset))
        points.append((offset, row.value if row else None))
    return line_chart(
        [Series(title, points)],
        title=title,
        x_label="Day",
        y_format=how,
        x_format=lambda x: f"{since + timedelta(days=int(x)):%d %b}",
        clip=False,
        slug=slug.replace("_", "-"),
    )


def _latest(values: dict) -> list[dict[str, Any]]:
    """The newest value of each metric with its age and source, in the order people ask for them."""
    out = []
    for metric, label in DailyMetric.Metric.choices:
        if rows := values.get(metric):
            row = rows[max(rows)]
            shown = f"{row.value / 60:.1f} h" if metric == "sleep" else f"{row.value:g} {row.unit}"
            out.append({"label": label, "value": shown, "on": row.on, "source": row.source})
    return out


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def uploads(request: HttpRequest) -> HttpResponseBase:
    """Bring a file, watch it being read, see what came of the ones before."""
    form = UploadForm()
    upload_care.look_after(owner=request.user)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                if form.cleaned_data["consent"]:
                    services.set_health_consent(by=request.user, is_given=True)
                file = form.cleaned_data["file"]
                services.request_upload(by=request.user, file=file, name=file.name)
            except RaceError as refusal:
                form.add_error("file" if "file" in refusal.fields else None, str(refusal))
            else:
                if not request.htmx:
                    return redirect("coaching:uploads")
                form = UploadForm()
    found = Listing(
        request,
        queries.uploads_of(request.user, words=request.GET.get("q", "")[:100]),
        name="uploads",
        columns=UPLOAD_COLUMNS,
        filters=WordsFilter(request.GET),
        path=reverse("coaching:uploads"),
    )
    if found.wants_csv:
        return found.as_csv()
    context = {
        "form": form,
        "found": found,
        "uploads": found.rows,
        "is_reading": any(upload.state == "waiting" for upload in found.rows),
        "has_consent": services.has_health_consent(request.user),
    }
    return answer(
        request,
        page="coaching/athlete/uploads.html",
        parts={
            "uploads": "coaching/athlete/_uploads.html",
            "upload-history": "coaching/athlete/_upload_history.html",
        },
        context=context,
        ok=found.is_ok and not form.errors,
    )


@require_POST
def retry_upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Read a file again whose reading broke off."""
    upload_care.retry(by=request.user, upload_id=upload_id)
    return redirect("coaching:uploads")


@require_POST
def cancel_upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    row = services.open_upload(by=request.user, upload_id=upload_id)
    lost = f"{row.file_name} is not read any further, and nothing of it is kept."
    undo = "The file can be brought again."
    if asked := ask_first(
        request, "Cancel this upload?", lost=lost, yes="Cancel the upload", undo=undo
    ):
        return asked
    services.cancel_upload(by=request.user, upload_id=upload_id)
    messages.success(request, "Cancelled; nothing of the file was kept.")
    return redirect("coaching:uploads")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def athlete_numbers(request: HttpRequest) -> HttpResponse:
    """The numbers that turn activities into load, and the order of sources."""
    numbers = queries.numbers_of(request.user)
    form = NumbersForm(request.POST or None, instance=numbers)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_numbers(by=request.user, values=form.cleaned_data)
        except RaceError as refusal:
            for field, faults in refusal.fields.items():
                form.add_error(field, faults)
        else:
            messages.success(request, "Saved; every load was worked out anew.")
            return redirect("coaching:athlete")
    return answer(
        request, page="coaching/athlete/numbers.html", context={"form": form}, ok=not form.errors
    )


@require_POST
def rate_effort(request: HttpRequest, activity_id: int) -> HttpResponse:
    """How hard it felt; gives a load where neither power nor heart rate does."""
    field = forms.IntegerField(required=False, min_value=1, max_value=10)
    try:
        effort = field.clean(request.POST.get("effort", ""))
    except forms.ValidationError:
        effort = 0  # refused by the service, in its words
    services.rate_effort(by=request.user, activity_id=activity_id, effort=effort)
    if request.POST.get("next") == "activity":
        return redirect("coaching:activity", activity_id)
    return redirect("coaching:athlete")


@require_POST
def health_consent(request: HttpRequest) -> HttpResponse:
    """Give or take back the agreement that health data is stored here."""
    is_given = request.POST.get("give") == "yes"
    lost = "Nothing more is read or fetched, and mornings that wait are cancelled. What is stored stays."
    undo = "You can agree again at any time."
    if not is_given and (
        asked := ask_first(
            request, "Take back your consent?", lost=lost, yes="Take it back", undo=undo
        )
    ):
        return asked
    services.set_health_consent(by=request.user, is_given=is_given)
    told = "Thank you." if is_given else "Taken back: nothing more is read or fetched."
    messages.success(request, told)
    is_connecting = request.POST.get("next") == "connections"
    return redirect("coaching:connections" if is_connecting else "coaching:uploads")
