"""/api/v1 for hosts: invitations, webhooks, starts, who drives for whom, pairs, deleting."""

from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Status

from racecontrol.shared.paging import Paged, page_of
from strategy import access, queries
from strategy import schemas as common
from strategy.api import shapes
from strategy.api.base import Limit, router
from strategy.models import StrategyEvent
from strategy.schemas import boards as s
from strategy.services import events, hosting, news, pairs, teams


@router.patch("/teams/{int:team_id}", response=common.TeamOut)
def rename_team(request: HttpRequest, team_id: int, body: s.RenameIn):
    team = hosting.rename_team(team_id=team_id, name=body.name, by=request.user)
    return shapes.team_out(team, access.role_in(request.user, team_id))


@router.get("/teams/{int:team_id}/invitations", response=list[s.OpenInvitationOut])
def list_invitations(request: HttpRequest, team_id: int):
    """Open invitations, for owners; their links were told when they were made."""
    return queries.open_invitations_of(access.team_for(request.user, team_id, access.OWNERS))


@router.delete("/teams/{int:team_id}/invitations/{int:invitation_id}", response={204: None})
def revoke_invitation(request: HttpRequest, team_id: int, invitation_id: int):
    teams.revoke_invitation(team_id=team_id, invitation_id=invitation_id, by=request.user)
    return Status(204, None)


@router.post("/invitations/{uuid:token}/accept", response=s.JoinedOut)
def accept_invitation(request: HttpRequest, token: UUID):
    """Join the team whose link one holds."""
    team = teams.accept(token=token, by=request.user)
    return {"team_id": team.pk, "token": token}


@router.delete("/teams/{int:team_id}/cars/{int:car_id}", response={204: None})
def remove_car(request: HttpRequest, team_id: int, car_id: int):
    hosting.remove_car(team_id=team_id, car_id=car_id, by=request.user)
    return Status(204, None)


@router.get("/teams/{int:team_id}/webhooks", response=list[s.HookOut])
def list_webhooks(request: HttpRequest, team_id: int):
    return access.team_for(request.user, team_id, access.OWNERS).webhooks.order_by("pk")


@router.post("/teams/{int:team_id}/webhooks", response={201: s.NewHookOut})
def add_webhook(request: HttpRequest, team_id: int, body: s.HookIn):
    hook, secret = news.add_webhook(team_id=team_id, url=body.url, by=request.user)
    names = s.HookOut.model_fields
    return Status(201, {n: getattr(hook, n) for n in names} | {"secret": secret})


@router.delete("/teams/{int:team_id}/webhooks/{int:webhook_id}", response={204: None})
def remove_webhook(request: HttpRequest, team_id: int, webhook_id: int):
    news.remove_webhook(team_id=team_id, webhook_id=webhook_id, by=request.user)
    return Status(204, None)


@router.patch("/strategy-events/{int:event_id}", response=common.EnduranceEventOut)
def change_event(request: HttpRequest, event_id: int, body: s.EventPatchIn):
    """Name, track, sign-up open or closed; what is left out stays."""
    return shapes.event_out(hosting.change_event(event_id=event_id, by=request.user, **body.dict()))


def _link_out(request: HttpRequest, event: StrategyEvent) -> dict:
    token = event.signup_token
    path = token and reverse("strategy:signup-link", args=[token])
    return {"token": token, "url": request.build_absolute_uri(path) if path else ""}


@router.get("/strategy-events/{int:event_id}/link", response=s.SignupLinkOut)
def read_link(request: HttpRequest, event_id: int):
    """The link by which drivers sign up themselves; empty while there is none."""
    return _link_out(request, access.event_for(request.user, event_id, access.PLANNERS))


@router.post("/strategy-events/{int:event_id}/link", response=s.SignupLinkOut)
def renew_link(request: HttpRequest, event_id: int):
    """A new link; the one before stops to work."""
    return _link_out(request, hosting.set_link(event_id=event_id, is_on=True, by=request.user))


@router.delete("/strategy-events/{int:event_id}/link", response={204: None})
def withdraw_link(request: HttpRequest, event_id: int):
    hosting.set_link(event_id=event_id, is_on=False, by=request.user)
    return Status(204, None)


@router.get("/sign-up-links/{uuid:token}", response=common.EnduranceEventOut)
def event_of_link(request: HttpRequest, token: UUID):
    """The event whose link one holds."""
    return shapes.event_out(access.event_by_link(token))


@router.put("/sign-up-links/{uuid:token}/participation", response=common.SignupOut)
def sign_up_by_link(request: HttpRequest, token: UUID, body: common.SignupIn):
    """Sign up for the event whose link one holds, or change one's signup."""
    event = access.event_by_link(token)
    row = events.sign_up(event_id=event.pk, token=token, by=request.user, **body.values())
    return shapes.signup_out(row)


@router.delete("/strategy-events/{int:event_id}", response={204: None})
def delete_event(request: HttpRequest, event_id: int):
    hosting.delete_event(event_id=event_id, by=request.user)
    return Status(204, None)


@router.post("/strategy-events/{int:event_id}/starts", response={201: common.InstanceOut})
def add_start(request: HttpRequest, event_id: int, body: s.StartIn):
    return Status(201, hosting.add_start(event_id=event_id, by=request.user, **body.dict()))


@router.delete("/strategy-events/{int:event_id}/starts/{int:instance_id}", response={204: None})
def remove_start(request: HttpRequest, event_id: int, instance_id: int):
    hosting.remove_start(event_id=event_id, instance_id=instance_id, by=request.user)
    return Status(204, None)


@router.get("/strategy-events/{int:event_id}/formations", response=list[common.FormationOut])
def list_formations(request: HttpRequest, event_id: int):
    """The newest twenty proposals, for planners of the host."""
    event = access.event_for(request.user, event_id, access.PLANNERS)
    return shapes.formations_out(event, event.formations.all()[:20])


@router.get("/strategy-events/{int:event_id}/pairs", response=list[s.PairFitOut])
def pair_fits(
    request: HttpRequest,
    event_id: int,
    hours: float = Query(50, ge=0, le=100),
    car: float = Query(20, ge=0, le=100),
    skill: float = Query(15, ge=0, le=100),
    roles: float = Query(15, ge=0, le=100),
    most: int = Query(100, ge=1, le=1000),
):
    """How well any two signups fit under these weights, best first."""
    event = access.event_for(request.user, event_id, access.PLANNERS)
    return pairs.fits_of(event, weights=(hours, car, skill, roles))[:most]


@router.get("/participations", response=Paged[common.SignupOut])
def my_signups(request: HttpRequest, limit: int = Limit, cursor: str | None = None):
    """One's own signups, the newest first."""
    page = page_of(queries.signups_by(request.user), limit=limit, cursor=cursor)
    return page | {"items": [shapes.signup_out(row) for row in page["items"]]}


@router.get("/participations/{int:signup_id}", response=common.SignupOut)
def read_signup(request: HttpRequest, signup_id: int):
    """A signup, for the person and for members of the host."""
    return shapes.signup_out(access.signup_for(request.user, signup_id))


@router.put("/participations/{int:signup_id}/team", response=common.SignupOut)
def assign(request: HttpRequest, signup_id: int, body: s.AssignIn):
    """Put a person into a team of the event by hand, with start and car."""
    return shapes.signup_out(hosting.assign(signup_id=signup_id, by=request.user, **body.dict()))
