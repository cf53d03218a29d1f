"""How a club racer and how an athlete begins: step by step, ticked off as it is done."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from coaching.queries.beginning import athlete_beginning, racer_beginning
from racecontrol.shared import flags
from racecontrol.shared.first_steps import Journey, Step


def racer(request: HttpRequest) -> Journey:
    """From an imported event to a run planned at one's own pace."""
    user = request.user
    begun = racer_beginning(user)
    named = f"?{urlencode({'q': user.display_name})}" if user.display_name else ""
    note = "your claim waits for the operators" if begun.is_claim_pending else ""
    steps = [
        Step("Bring in an event you raced in", reverse("ingestion:home"), begun.has_event),
        Step(
            "Find yourself among the drivers and say “This is me”",
            reverse("ingestion:drivers") + named,
            begun.driver_id is not None,
            note,
        ),
        Step("See your race pace, the ORP", reverse("coaching:home"), begun.has_score),
    ]
    if flags.is_open(request, flags.RUN_PLANS_V1):
        pace = f"?{urlencode({'driver': begun.driver_id})}" if begun.driver_id else ""
        steps.append(
            Step("Plan a run from that pace", reverse("runplans:new") + pace, begun.has_plan)
        )
    return Journey(
        key="racer",
        title="You race at a club",
        icon="flag",
        says="Your results and laps come in by themselves and tell what the next heat needs.",
        steps=tuple(steps),
    )


def athlete(request: HttpRequest) -> Journey:
    """From consent to a mission with a morning's guidance."""
    begun = athlete_beginning(request.user)
    steps = [
        Step("Choose what may be stored and sent", reverse("coaching:settings"), begun.has_consent),
        Step(
            "Connect Strava, Oura or intervals.icu, or bring a file",
            reverse("coaching:connections"),
            begun.has_data,
        ),
    ]
    if not settings.LLM_BASE_URL:
        model = Step("Add the language model", reverse("coaching:settings"), begun.has_model)
        steps.append(model)
    steps.append(
        Step(
            "Begin a mission: a goal and a date", reverse("coaching:mission_new"), begun.has_mission
        )
    )
    return Journey(
        key="athlete",
        title="You train for something",
        icon="heart-pulse",
        says="A mission turns your body's signals into one thing to do each morning.",
        steps=tuple(steps),
    )
