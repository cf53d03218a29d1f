"""/api/v1: teams, endurance events, signups, formations, strategies and stints."""

from typing import Literal

from django.http import HttpRequest
from ninja import Query, Status

from racecontrol.shared.paging import Paged, page_of
from strategy import access, queries
from strategy import schemas as s
from strategy.api import boards, hosting
from strategy.api.analytics import router as analytics_router
from strategy.api.base import Limit, router
from strategy.api.live import router as live_router
from strategy.api.shapes import (
    car_out,
    event_out,
    formation_out,
    signup_out,
    strategy_out,
    team_out,
)
from strategy.models import FormationDraft, Role
from strategy.services import events, formation, plans, teams, what_if
from strategy.services.problems import Wishes

__all__ = ["boards", "hosting", "router"]
router.add_router("", live_router)
router.add_router("", analytics_router)


@router.get("/teams", response=Paged[s.TeamOut])
def list_teams(request: HttpRequest, limit: int = Limit, cursor: str | None = None):
    page = page_of(queries.teams_of(request.user), limit=limit, cursor=cursor, order=("name", "pk"))
    return page | {"items": [team_out(team, team.your_role) for team in page["items"]]}


@router.post("/teams", response={201: s.TeamOut})
def create_team(request: HttpRequest, body: s.TeamIn):
    team = teams.create_team(name=body.name, club=body.club, by=request.user)
    return Status(201, team_out(team, Role.OWNER))


@router.get("/teams/{int:team_id}", response=s.TeamOut)
def read_team(request: HttpRequest, team_id: int):
    team = access.team_for(request.user, team_id)
    return team_out(team, team.your_role)


@router.post("/teams/{int:team_id}/invitations", response={201: s.InvitationOut})
def invite(request: HttpRequest, team_id: int, body: s.InvitationIn):
    return Status(
        201, teams.invite(team_id=team_id, email=body.email, role=body.role, by=request.user)
    )


@router.patch("/teams/{int:team_id}/members/{int:user_id}", response=s.TeamOut)
def change_role(request: HttpRequest, team_id: int, user_id: int, body: s.RoleIn):
    """Another role; "" takes the person out of the team."""
    team = access.team_for(request.user, team_id)
    teams.change_role(team_id=team_id, user_id=user_id, role=body.role, by=request.user)
    return team_out(team, access.role_in(request.user, team_id))


@router.post("/teams/{int:team_id}/cars", response={201: s.CarOut})
def add_car(request: HttpRequest, team_id: int, body: s.CarIn):
    return Status(201, car_out(teams.save_car(team_id=team_id, by=request.user, **body.dict())))


@router.put("/teams/{int:team_id}/cars/{int:car_id}", response=s.CarOut)
def change_car(request: HttpRequest, team_id: int, car_id: int, body: s.CarIn):
    return car_out(teams.save_car(team_id=team_id, car_id=car_id, by=request.user, **body.dict()))


@router.get("/strategy-events", response=Paged[s.EnduranceEventOut])
def list_events(request: HttpRequest, limit: int = Limit, cursor: str | None = None):
    rows = queries.events_for(request.user).prefetch_related("instances")
    page = page_of(rows, limit=limit, cursor=cursor)
    return page | {"items": [event_out(event) for event in page["items"]]}


@router.post("/strategy-events", response={201: s.EnduranceEventOut})
def create_event(request: HttpRequest, body: s.EventIn):
    return Status(201, event_out(events.create_event(by=request.user, **body.dict())))


@router.get("/strategy-events/{int:event_id}", response=s.EnduranceEventOut)
def read_event(request: HttpRequest, event_id: int):
    return event_out(access.event_for(request.user, event_id))


@router.put("/strategy-events/{int:event_id}/rules", response=s.EnduranceEventOut)
def save_rules(request: HttpRequest, event_id: int, body: s.RulesIn):
    return event_out(events.save_rules(event_id=event_id, by=request.user, **body.dict()))


@router.get("/strategy-events/{int:event_id}/participations", response=list[s.SignupOut])
def list_signups(request: HttpRequest, event_id: int):
    """Everybody who signed up: for members of the host."""
    event = access.event_for(request.user, event_id)
    access.must_be(event.your_role)
    return [signup_out(row) for row in queries.signups_of(event)]


@router.put("/strategy-events/{int:event_id}/participations/mine", response=s.SignupOut)
def sign_up(request: HttpRequest, event_id: int, body: s.SignupIn):
    """Sign up, or change one's own signup; `base_version` guards against a second window."""
    return signup_out(events.sign_up(event_id=event_id, by=request.user, **body.values()))


@router.post("/participations/{int:signup_id}/status", response=s.SignupOut)
def move_signup(request: HttpRequest, signup_id: int, body: s.StrategyMoveIn):
    row = events.move(signup_id=signup_id, to=body.status, reason=body.reason, by=request.user)
    return signup_out(row)


@router.post("/strategy-events/{int:event_id}/formations", response={202: s.FormationOut})
def form_teams(request: HttpRequest, event_id: int, body: s.FormationIn):
    draft = formation.request_formation(event_id=event_id, options=body.dict(), by=request.user)
    return Status(202, formation_out(draft))


def _draft(request: HttpRequest, draft_id: int) -> FormationDraft:
    draft = FormationDraft.objects.select_related("event").filter(pk=draft_id).first()
    access.require(request.user, draft.event.host_id if draft else None, access.PLANNERS)
    assert draft is not None
    return draft


@router.get("/formations/{int:draft_id}", response=s.FormationOut)
def read_formation(request: HttpRequest, draft_id: int):
    return formation_out(_draft(request, draft_id))


@router.post("/formations/{int:draft_id}/move", response=s.FormationOut)
def move_person(request: HttpRequest, draft_id: int, body: s.FormationMoveIn):
    return formation_out(formation.move_person(draft_id=draft_id, by=request.user, **body.dict()))


@router.post("/formations/{int:draft_id}/confirm", response=s.FormationOut)
def confirm(request: HttpRequest, draft_id: int, body: s.BaseIn):
    return formation_out(
        formation.confirm(draft_id=draft_id, base_version=body.base_version, by=request.user)
    )


@router.post("/formations/{int:draft_id}/undo", response=s.FormationOut)
def undo(request: HttpRequest, draft_id: int, body: s.BaseIn):
    return formation_out(
        formation.undo(draft_id=draft_id, base_version=body.base_version, by=request.user)
    )


@router.get("/strategies", response=Paged[s.StrategyOut])
def list_strategies(
    request: HttpRequest,
    limit: int = Limit,
    cursor: str | None = None,
    event_id: int | None = Query(None, ge=1, le=2**63 - 1),
    team_id: int | None = Query(None, ge=1, le=2**63 - 1),
    status: Literal["draft", "active", "archived"] | None = None,
):
    """Strategies of one's teams, the newest first."""
    wanted = {"event_id": event_id, "team_id": team_id, "status": status}
    rows = queries.strategies_for(request.user).filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    page = page_of(rows, limit=limit, cursor=cursor)
    return page | {"items": [strategy_out(row, whole=False) for row in page["items"]]}


@router.post("/strategies", response={201: s.StrategyOut})
def create_strategy(request: HttpRequest, body: s.StrategyIn):
    values = body.dict(exclude={"driver_ids", "wishes"})
    row = plans.create_strategy(
        user_ids=body.driver_ids, wishes=Wishes(**body.wishes.dict()), by=request.user, **values
    )
    return Status(201, strategy_out(row))


@router.get("/strategies/{int:strategy_id}", response=s.StrategyOut)
def read_strategy(request: HttpRequest, strategy_id: int):
    return strategy_out(access.strategy_for(request.user, strategy_id))


@router.patch("/strategies/{int:strategy_id}", response=s.StrategyOut)
def set_state(request: HttpRequest, strategy_id: int, body: s.StateIn):
    return strategy_out(plans.set_state(strategy_id=strategy_id, by=request.user, **body.dict()))


@router.get("/strategies/{int:strategy_id}/check", response=s.CheckOut)
def check(request: HttpRequest, strategy_id: int, version: int | None = None):
    """Every rule the plan breaks, with measured value and limit."""
    row = access.strategy_for(request.user, strategy_id)
    chosen = plans.version_of(row, version) if version else None
    return plans.validate_plan(row, chosen)


@router.post("/strategies/{int:strategy_id}/optimise", response={202: s.QueuedJobOut})
def optimise(request: HttpRequest, strategy_id: int, body: s.OptimiseIn):
    job = plans.request_optimisation(strategy_id=strategy_id, by=request.user, **body.dict())
    return Status(202, {"job_id": job.pk})


@router.post("/strategies/{int:strategy_id}/use", response=s.StrategyOut)
def use_version(request: HttpRequest, strategy_id: int, body: s.UseIn):
    return strategy_out(plans.use_version(strategy_id=strategy_id, by=request.user, **body.dict()))


@router.post("/strategies/{int:strategy_id}/simulate", response=list[s.OutcomeOut])
def simulate(request: HttpRequest, strategy_id: int, body: s.SimulateIn):
    """Races of the versions named (else the current one) with the same luck."""
    values = body.dict(exclude={"versions", "wet_from_lap", "wet_to_lap"})
    rain = (body.wet_from_lap, body.wet_to_lap)
    trials = what_if.simulate(
        strategy_id=strategy_id, numbers=body.versions, by=request.user,
        wet=(rain[0] - 1, rain[1]) if rain[0] and rain[1] else None, **values,
    )  # fmt: skip
    return [
        {
            "number": t.version.number,
            **{n: getattr(t.outcome, n) for n in (
                "mean_ms", "p10_ms", "p50_ms", "p90_ms", "worst_tenth_ms", "laps_p10", "laps_p50",
                "laps_p90", "finishes", "runs_dry")},
            "lap_shares": t.outcome.lap_shares(),
            "beats_first": t.against.b_wins if t.against else None,
            "difference_ms": t.against.difference_ms if t.against else None,
            "low_ms": t.against.low_ms if t.against else None,
            "high_ms": t.against.high_ms if t.against else None,
        }
        for t in trials
    ]  # fmt: skip


@router.get("/strategies/{int:strategy_id}/stints", response=list[s.StintOut])
def list_stints(request: HttpRequest, strategy_id: int):
    return strategy_out(access.strategy_for(request.user, strategy_id))["stints"]


@router.post("/strategies/{int:strategy_id}/stints", response=s.StrategyOut)
def edit_stint(request: HttpRequest, strategy_id: int, body: s.EditIn):
    """One change by hand: move, split, merge, give, swap, tyres."""
    plans.edit_stint(strategy_id=strategy_id, by=request.user, **body.dict())
    return strategy_out(access.strategy_for(request.user, strategy_id))


@router.put("/strategies/{int:strategy_id}/plan", response=s.StrategyOut)
def import_plan(request: HttpRequest, strategy_id: int, body: s.StrategyImportIn):
    """Read a plan as exported (stintopt-plan/1) back in as a new version."""
    plans.import_plan(
        strategy_id=strategy_id, base_version=body.base_version, data=body.plan, by=request.user
    )
    return strategy_out(access.strategy_for(request.user, strategy_id))
