"""How a strategist begins, and a driver of a team: step by step, ticked off as it is done."""

from django.http import HttpRequest
from django.urls import reverse

from racecontrol.shared.first_steps import Journey, Step
from strategy.access import PLANNERS
from strategy.models import Membership
from strategy.queries.beginning import beginning_of


def strategist(request: HttpRequest) -> Journey:
    """From a team to an active plan; who drives for a team of others gives hours instead."""
    user = request.user
    own = Membership.objects.filter(user_id=user.pk).select_related("team").order_by("pk")
    memberships = list(own)
    plans = [row for row in memberships if row.role in PLANNERS]
    begun = beginning_of(user, [row.team_id for row in plans])
    teams = reverse("strategy:teams")
    team_step = Step("Make a team, or open the link somebody sent you", teams, bool(memberships))
    if memberships and not plans:
        event = begun.open_event_id
        url = reverse("strategy:signup", args=[event]) if event else reverse("strategy:home")
        note = "" if event or begun.has_signed_up else "no event asks for hours yet"
        steps = [team_step, Step("Sign up with your hours", url, begun.has_signed_up, note)]
    else:
        team = reverse("strategy:team", args=[plans[0].team_id]) if plans else teams
        event_url = _of(begun.event_id, "strategy:event", "strategy:event-new")
        plan_url = _of(begun.event_id, "strategy:strategy-new", "strategy:home")
        steps = [
            team_step,
            Step("Invite your drivers and add a car", team, begun.has_mates and begun.has_car),
            Step(
                "Make an endurance event",
                reverse("strategy:event-new") if plans else teams,
                begun.event_id is not None,
            ),
            Step("Collect everybody's hours", event_url if plans else teams, begun.has_hours),
            Step("Plan the stints", plan_url if plans else teams, begun.has_strategy),
        ]
    return Journey(
        key="strategist",
        title="You plan endurance races",
        icon="route",
        says="Drivers, hours and paces become stints that keep the rules, and the pit wall runs them.",
        steps=tuple(steps),
    )


def _of(event_id: int | None, name: str, otherwise: str) -> str:
    return reverse(name, args=[event_id]) if event_id else reverse(otherwise)
