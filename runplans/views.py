"""Pages of run plans: plan a run while typing, keep it, find it, share it, compare two."""

from typing import Any
from uuid import UUID

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from racecontrol.shared import flags
from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing
from racecontrol.shared.spreadsheets import csv_answer
from racecontrol.shared.units import format_ms
from runplans import access, queries, services
from runplans.domain.document import read_document, write_document
from runplans.forms import PlanFilter, PlanForm, initial_of
from runplans.models import RunPlan
from runplans.presentation import OBJECTIVES, Shown, fuel_chart

log = structlog.get_logger(__name__)
COLUMNS: dict[str, Any] = {
    "plan": str,
    "objective": "objective",
    "driver": lambda plan: Shown(plan.inputs, plan.result).driver,
    "track": lambda plan: Shown(plan.inputs, plan.result).track,
    "laps": lambda plan: plan.result["estimated_laps"],
    "fuel_l": lambda plan: plan.result["total_fuel_required_l"],
    "stops": lambda plan: plan.result["pit_stops_required"],
    "time_s": lambda plan: plan.result["estimated_total_time_s"],
    "planned_at": "created_at",
    "id": "pk",
}


@require_GET
def plan_list(request: HttpRequest) -> HttpResponse:
    """One's own plans, newest first, by objective, driver and track; tick two to compare."""
    flags.require(request, flags.RUN_PLANS_V1)
    form = PlanFilter(request.GET, choices=queries.choices_of(request.user))
    chosen = {name: request.GET.get(name, "") for name in form.fields}
    found = Listing(
        request,
        queries.plans_of(request.user, **chosen),
        name="run-plans",
        columns=COLUMNS,
        filters=form,
        api="/api/v1/run-plans",
    )
    if found.wants_csv:
        return found.as_csv()
    context = {
        "found": found,
        "rows": [(plan, Shown(plan.inputs, plan.result)) for plan in found.rows],
    }
    return answer(request, page="runplans/list.html", context=context, ok=found.is_ok)


@require_http_methods(["GET", "HEAD", "POST"])
def new_plan(request: HttpRequest) -> HttpResponse:
    """Plan a run. Every change computes without saving; "Save" keeps the plan and opens it."""
    flags.require(request, flags.RUN_PLANS_V1)
    shown, problems = None, []
    if request.method == "POST":
        form = PlanForm(request.POST)
        form.is_valid()  # fills cleaned_data; a wrong choice is the only fault it can find
        base = _inputs_of(request, form.cleaned_data.get("source", ""))
        document = form.document(base, _pace_from(form.cleaned_data.get("pace_laps", ""), base))
        try:
            if form.errors:
                pass
            elif "calculate" in request.POST:
                shown = Shown(document, services.computed(write_document(document)))
            else:
                stored = services.create_plan(body=write_document(document), by=request.user)
                return redirect("runplans:plan", stored.id)
        except InvalidInput as refusal:
            form.take_faults(refusal)
        problems = _problems(form) if document else []  # nothing typed is nothing wrong
    else:
        form = PlanForm(initial=_initial(request))

    calculates = "calculate" in request.POST
    context = {
        "form": form,
        "shown": shown,
        "problems": problems if calculates else [],
        "picker": _picker(request),
        "objectives": sorted({*OBJECTIVES, *queries.choices_of(request.user)["objective"]}),
    }
    return answer(
        request,
        page="runplans/new.html",
        parts={"plan-preview": "runplans/_preview.html"},
        context=context,
        ok=calculates or not form.errors,  # while somebody types, a gap is no refusal
    )


def _problems(form: PlanForm) -> list[tuple[str, str]]:
    """(fields, what is wrong) in words; what two fields share is said once."""
    said: dict[str, list[str]] = {}
    for name, texts in form.errors.items():
        for text in texts:
            said.setdefault(text, []).append("" if name == "__all__" else form[name].label)
    return [(" or ".join(filter(None, labels)), text) for text, labels in said.items()]


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the form begins with: nothing, an earlier plan to change, or a pace really driven."""
    values: dict[str, Any] = {}
    source = request.GET.get("from", "")
    inputs = _inputs_of(request, source)
    if inputs is not None:
        values = initial_of(inputs) | {"source": source}
    driver_id, race_id = whole(request.GET.get("driver")), whole(request.GET.get("race"))
    pace = queries.pace_source(driver_id, race_id) if driver_id and race_id else None
    if pace is not None:
        values |= {
            "target_pace": format_ms(pace.median_ms),
            "driver": pace.driver,
            "track": pace.track,
            "pace_laps": f"{driver_id}:{race_id}",
        }
    return values


def _pace_from(pace_laps: str, base: dict[str, Any] | None) -> dict[str, Any] | None:
    """Where the pace came from, looked up anew: what a browser sends about it is not believed."""
    driver_id, race_id = (whole(part) for part in f"{pace_laps}:".split(":")[:2])
    if driver_id and race_id:
        pace = queries.pace_source(driver_id, race_id)
        return pace.as_input() if pace else None
    kept = ((base or {}).get("driver") or {}).get("pace_from")
    return kept if isinstance(kept, dict) else None


def _picker(request: HttpRequest) -> dict[str, Any]:
    """Choosing whose laps give the pace: a name, then a driver, then a session."""
    words = request.GET.get("q", "")[:100]
    driver_id, race_id = whole(request.GET.get("driver")), whole(request.GET.get("race"))
    sessions = queries.sessions_of(driver_id) if driver_id else []
    chosen = next((one for one in sessions if one.race_id == race_id), None)
    return {
        "words": words,
        "drivers": queries.drivers_named(words) if not driver_id else [],
        "driver_id": driver_id,
        "sessions": sessions,
        "race_id": race_id,
        "pace": queries.pace_source(driver_id, race_id) if driver_id and race_id else None,
        "chosen": chosen,
        "source": request.GET.get("from", ""),
    }


def whole(text: str | None) -> int:
    """A row's number somebody sent; 0 where it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0


def _inputs_of(request: HttpRequest, source: str) -> dict[str, Any] | None:
    """The inputs of a plan this person may read, with every digit; None where there is none."""
    key = queries.plan_id_of(source)
    plan = queries.stored_plan(key) if key else None
    if plan is None or not access.may_read(request.user, plan.owner_id):
        return None
    return read_document(plan.inputs)[0]


def plan_for(request: HttpRequest, plan_id: UUID) -> RunPlan:
    """The plan, for those who may read it; to others there is no such plan."""
    flags.require(request, flags.RUN_PLANS_V1)
    plan = RunPlan.objects.select_related("owner").filter(pk=plan_id).first()
    if plan is None or not access.may_read(request.user, plan.owner_id):
        raise Http404
    log.info("run_plan_read", plan_id=str(plan_id), user_id=request.user.pk)
    return plan


def _plan_context(request: HttpRequest, plan: RunPlan) -> dict[str, Any]:
    link = ""
    if plan.share_token:
        link = request.build_absolute_uri(reverse("runplans:shared", args=[plan.share_token]))
    return {
        "plan": plan,
        "shown": Shown(plan.inputs, plan.result),
        "may_share": access.may_share(request.user, plan.owner_id),
        "share_link": link,
    }


@require_GET
def plan(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """One plan with all it says, and what can be done with it."""
    context = _plan_context(request, plan_for(request, plan_id))
    return answer(request, page="runplans/plan.html", context=context)


@require_GET
def plan_print(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """The plan on one sheet for a clipboard: big figures, stints to tick off, no shell."""
    context = _plan_context(request, plan_for(request, plan_id))
    return render(request, "runplans/print.html", context)


@login_not_required
@require_GET
def shared(request: HttpRequest, token: UUID) -> HttpResponse:
    """A shared plan, for whoever holds the link, while it is shared."""
    flags.require(request, flags.RUN_PLANS_V1)
    plan = queries.shared_plan(token)
    if plan is None:
        raise Http404
    log.info("run_plan_read", plan_id=str(plan.pk), user_id=request.user.pk, is_shared=True)
    response = render(
        request, "runplans/shared.html", {"plan": plan, "shown": Shown(plan.inputs, plan.result)}
    )
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"  # the address is the key
    return response


@require_POST
def share(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Open the plan to whoever holds its link."""
    plan_for(request, plan_id)
    services.share_plan(plan_id=plan_id, by=request.user)
    messages.success(request, "Shared: whoever has the link may look.")
    return redirect("runplans:plan", plan_id)


@require_POST
def unshare(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """End the link."""
    plan_for(request, plan_id)
    lost = "The link is dead for everybody who has it. The plan stays."
    if asked := ask_first(
        request,
        "Stop sharing?",
        lost=lost,
        yes="Stop sharing",
        undo="Sharing again makes another link.",
    ):
        return asked
    services.unshare_plan(plan_id=plan_id, by=request.user)
    messages.success(request, "No longer shared: the link is dead.")
    return redirect("runplans:plan", plan_id)


@require_GET
def plan_json(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """The plan as the API gives it."""
    plan_for(request, plan_id)
    stored = queries.stored_plan(plan_id)
    return _download(plan_id, "json", "application/json", stored.body if stored else b"")


@require_GET
def plan_csv(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """The stints for a spreadsheet: numbers only, in litres."""
    plan = plan_for(request, plan_id)
    rows, done = [], 0
    for stint in plan.result["stints"]:
        laps = stint["laps"]
        fuel = [stint[name] for name in ("fuel_start_l", "refuel_l", "fuel_end_l")]
        rows.append([stint["stint_no"], laps, done + 1, done + laps, *fuel])
        done += laps
    header = ["stint_no", "laps", "first_lap", "last_lap", "fuel_start_l", "refuel_l", "fuel_end_l"]
    return csv_answer(f"run-plan-{plan_id}", header, rows)


def _download(plan_id: UUID, kind: str, content_type: str, content: bytes = b"") -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="run-plan-{plan_id}.{kind}"'
    return response


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Two plans side by side: figures, stints, and both lines of fuel in one picture."""
    flags.require(request, flags.RUN_PLANS_V1)
    keys = [key for text in request.GET.getlist("plan") if (key := queries.plan_id_of(text))]
    if len(keys) != 2 or keys[0] == keys[1]:
        context: dict[str, Any] = {"plans": []}
    else:
        plans = [plan_for(request, key) for key in keys]
        both = [Shown(plan.inputs, plan.result) for plan in plans]
        labels = ["A", "B"]
        context = {
            "plans": list(zip(labels, plans, both, strict=True)),
            "rows": _differences(*both),
            "chart": fuel_chart(list(zip(labels, both, strict=True))),
        }
    return answer(request, page="runplans/compare.html", context=context)


def _differences(a: Shown, b: Shown) -> list[dict[str, Any]]:
    """The figures of both, and whether they differ."""
    named = [
        ("Asked for", "target"),
        ("Driver", "driver"),
        ("Car", "car"),
        ("Track", "track"),
        ("Pace", "pace"),
        ("Fuel a lap", "burn"),
        ("Tank", "tank"),
        ("Laps", "laps"),
        ("Fuel needed", "total_fuel"),
        ("Laps on the first fill", "laps_possible"),
        ("Stops", "stops"),
        ("Time", "time"),
    ]
    rows = []
    for label, name in named:
        left, right = getattr(a, name), getattr(b, name)
        if left != "" or right != "":
            rows.append({"label": label, "a": left, "b": right, "differs": left != right})
    return rows
