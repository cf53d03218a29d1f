"""Teams: one's own, one team with people, invitations, cars and webhooks, and joining by link."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from racecontrol.shared.asking import ask_first
from racecontrol.shared.errors import NotFound, RaceError
from racecontrol.shared.htmx import answer
from racecontrol.shared.listing import Listing, WordsFilter
from strategy import access, queries
from strategy.forms import CarForm, InviteForm, TeamForm, WebhookForm, take_refusal
from strategy.models import Role, Team
from strategy.services import news, teams


@require_http_methods(["GET", "HEAD", "POST"])
def team_list(request: HttpRequest) -> HttpResponseBase:
    """One's own teams, and a form for another."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.create_team(by=request.user, **form.cleaned_data)
        except RaceError as refusal:
            take_refusal(form, refusal)
        else:
            return redirect("strategy:team", team.pk)
    found = Listing(
        request,
        queries.teams_of(request.user, words=request.GET.get("q", "")[:100]),
        name="teams",
        columns={"team": "name", "club": "club.name", "people": "size", "id": "pk"},
        order=("name", "pk"),
        filters=WordsFilter(request.GET),
        api="/api/v1/teams",
    )
    if found.wants_csv:
        return found.as_csv()
    context = {"found": found, "form": form}
    is_ok = found.is_ok and not form.errors
    return answer(request, page="strategy/teams.html", context=context, ok=is_ok)


def _context(request: HttpRequest, team: Team) -> dict:
    is_owner = team.your_role in access.OWNERS
    invitations = queries.open_invitations_of(team) if is_owner else []
    for row in invitations:
        row.link = request.build_absolute_uri(reverse("strategy:team-join", args=[row.token]))
    return {
        "team": team, "members": queries.members_of(team), "invitations": invitations,
        "cars": team.cars.all(), "is_owner": is_owner, "is_planner": team.your_role in access.PLANNERS,
        "hooks": team.webhooks.all() if is_owner else [], "roles": Role.choices,
    }  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def team_page(request: HttpRequest, team_id: int) -> HttpResponse:
    """One team; the forms on it say by `do` which of them was sent."""
    team = access.team_for(request.user, team_id)
    what = request.POST.get("do", "")
    forms = {
        "invite": InviteForm(request.POST if what == "invite" else None),
        "car": CarForm(request.POST if what == "car" else None),
        "hook": WebhookForm(request.POST if what == "hook" else None),
    }
    form = forms.get(what)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            _do(request, team_id, what, form.cleaned_data)
        except RaceError as refusal:
            take_refusal(form, refusal)
        else:
            return redirect("strategy:team", team_id)
    context = _context(request, team) | {f"{name}_form": f for name, f in forms.items()}
    ok = form is None or not form.errors
    return answer(request, page="strategy/team.html", context=context, ok=ok)


def _do(request: HttpRequest, team_id: int, what: str, data: dict) -> None:
    if what == "invite":
        row = teams.invite(team_id=team_id, by=request.user, **data)
        if row.email:
            link = request.build_absolute_uri(reverse("strategy:team-join", args=[row.token]))
            teams.send_invitation(invitation=row, link=link)
            messages.success(request, f"The invitation went to {row.email}.")
    elif what == "car":
        teams.save_car(team_id=team_id, by=request.user, **data)
    else:
        _, secret = news.add_webhook(team_id=team_id, url=data["url"], by=request.user)
        messages.success(request, f"Shown once: the webhook's signing secret is {secret}")


@require_POST
def change_role(request: HttpRequest, team_id: int, user_id: int) -> HttpResponse:
    role = request.POST.get("role", "")
    if not role and (asked := _asked_before_leaving(request, team_id, user_id)):
        return asked
    teams.change_role(team_id=team_id, user_id=user_id, role=role, by=request.user)
    if not role and user_id == request.user.pk:
        return redirect("strategy:teams")
    return redirect("strategy:team", team_id)


def _asked_before_leaving(request: HttpRequest, team_id: int, user_id: int) -> HttpResponse | None:
    team = access.team_for(request.user, team_id)
    row = team.memberships.select_related("user").filter(user=user_id).first()
    if row is None:
        raise NotFound("This person is not in the team.")
    is_self = user_id == request.user.pk
    return ask_first(
        request,
        f"Leave {team}?" if is_self else f"Take {row.user} out of {team}?",
        lost="Plans of the team can no longer be opened. Stints that name the driver stay.",
        yes="Leave" if is_self else "Take out",
        undo="An owner can invite again.",
    )


@require_POST
def revoke_invitation(request: HttpRequest, team_id: int, invitation_id: int) -> HttpResponse:
    access.team_for(request.user, team_id, access.OWNERS)
    if asked := ask_first(
        request,
        "Withdraw this invitation?",
        lost="Its link opens nothing any more.",
        yes="Withdraw",
        undo="Another invitation can be made.",
    ):
        return asked
    teams.revoke_invitation(team_id=team_id, invitation_id=invitation_id, by=request.user)
    return redirect("strategy:team", team_id)


@require_POST
def remove_webhook(request: HttpRequest, team_id: int, webhook_id: int) -> HttpResponse:
    access.team_for(request.user, team_id, access.OWNERS)
    if asked := ask_first(
        request,
        "Remove this webhook?",
        lost="Its address is no longer told of new plans.",
        yes="Remove",
        undo="It can be added again.",
    ):
        return asked
    news.remove_webhook(team_id=team_id, webhook_id=webhook_id, by=request.user)
    return redirect("strategy:team", team_id)


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: UUID) -> HttpResponse:
    """What the link opens: which team, and a button to join."""
    if request.method == "POST":
        team = teams.accept(token=token, by=request.user)
        messages.success(request, f"You are in {team}.")
        return redirect("strategy:team", team.pk)
    row = teams.invitation_of(token)
    return answer(request, page="strategy/join.html", context={"invitation": row})
