"""/api/v1: teams, endurance events, signups, formations, strategies and stints."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from racecontrol.shared.paging import Paged, page_of
from strategy import access, queries
from strategy import schemas as s
from strategy.api.live import router as live_router
from strategy.models import Car, EventParticipation, FormationDraft, RaceStrategy, Team
from strategy.services import drivers, events, formation, plans, teams, what_if

router = Router(tags=["strategy"])
router.add_router("", live_router)
Limit = Query(50, ge=1, le=200)


def team_out(team: Team, user: Any) -> dict:
    return {
        "id": team.pk,
        "name": team.name,
        "club": team.club.name if team.club else "",
        "your_role": access.role_in(user, team.pk) or "",
        "members": [
            {"user_id": m.user_id, "name": str(m.user), "role": m.role}
            for m in queries.members_of(team)
        ],
        "cars": [car_out(car) for car in team.cars.all()],
    }


def car_out(car: Car) -> dict:
    return {"id": car.pk, "name": car.name} | {n: getattr(car, n) for n in teams.CAR_NUMBERS}


def signup_out(row: EventParticipation) -> dict:
    told = {"name", "windows", "pace", "next_statuses"}
    return {n: getattr(row, n) for n in s.SignupOut.model_fields if n not in told} | {
        "name": str(row.user),
        "windows": [{"starts_at": w.starts_at, "ends_at": w.ends_at} for w in row.windows.all()],
        "pace": drivers.pace_of(row),
        "next_statuses": sorted(EventParticipation.MOVES[EventParticipation.Status(row.status)]),
    }


def formation_out(draft: FormationDraft) -> dict:
    scores = formation.judge(draft) if draft.teams else []
    return {
        "id": draft.pk, "event_id": draft.event_id, "version": draft.version,
        "is_proven": draft.is_proven, "is_ready": bool(draft.teams),
        "is_confirmed": bool(draft.confirmed_at and not draft.undone_at),
        "score": sum(t.total for t in scores) / max(len(scores), 1),
        "classic_score": draft.classic_score, "job_id": draft.job_id,
        "teams": [
            {"signups": team, "total": t.total, "parts": t.parts, "weakest_ms": t.weakest_ms,
             "cover": t.cover}
            for team, t in zip(draft.teams, scores, strict=True)
        ],
    }  # fmt: skip


def strategy_out(row: RaceStrategy, *, whole: bool = True) -> dict:
    names = ("id", "team_id", "event_id", "name", "status", "is_locked", "version", "drivers")
    out = {n: getattr(row, n) for n in names} | {"current": row.current}
    if whole:
        out["versions"] = list(row.versions.all())
        out["stints"] = [
            {n: getattr(stint, n) for n in s.StintOut.model_fields if n != "driver"}
            | {"driver": row.drivers[stint.seat]["name"]}
            for stint in (queries.stints_of(row.current) if row.current else ())
        ]
    return out


@router.get("/teams", response=Paged[s.TeamOut])
def list_teams(request: HttpRequest, limit: int = Limit, cursor: str | None = None):
    page = page_of(queries.teams_of(request.user), limit=limit, cursor=cursor, order=("name", "pk"))
    return page | {"items": [team_out(team, request.user) for team in page["items"]]}


@router.post("/teams", response={201: s.TeamOut})
def create_team(request: HttpRequest, body: s.TeamIn):
    team = teams.create_team(name=body.name, club=body.club, by=request.user)
    return Status(201, team_out(team, request.user))


@router.get("/teams/{int:team_id}", response=s.TeamOut)
def read_team(request: HttpRequest, team_id: int):
    return team_out(access.team_for(request.user, team_id), request.user)


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
    return team_out(team, request.user)


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


def event_out(event: Any) -> dict:
    names = [n for n in s.EnduranceEventOut.model_fields if n != "instances"]
    return {n: getattr(event, n) for n in names} | {"instances": list(event.instances.all())}


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
    access.require(request.user, event.host_id)
    return [signup_out(row) for row in queries.signups_of(event)]


@router.put("/strategy-events/{int:event_id}/participations/mine", response=s.SignupOut)
def sign_up(request: HttpRequest, event_id: int, body: s.SignupIn):
    """Sign up, or change one's own signup; `base_version` guards against a second window."""
    values = body.dict(exclude={"windows"})
    spans = None if body.windows is None else [(w.starts_at, w.ends_at) for w in body.windows]
    row = events.sign_up(event_id=event_id, by=request.user, windows=spans, **values)
    return signup_out(row)


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
def list_strategies(request: HttpRequest, limit: int = Limit, cursor: str | None = None):
    page = page_of(queries.strategies_for(request.user), limit=limit, cursor=cursor)
    return page | {"items": [strategy_out(row, whole=False) for row in page["items"]]}


@router.post("/strategies", response={201: s.StrategyOut})
def create_strategy(request: HttpRequest, body: s.StrategyIn):
    values = body.dict(exclude={"driver_ids"})
    row = plans.create_strategy(user_ids=body.driver_ids, by=request.user, **values)
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
    values = body.dict(exclude={"versions"})
    trials = what_if.simulate(
        strategy_id=strategy_id, numbers=body.versions, by=request.user, **values
    )
    return [
        {
            "number": t.version.number,
            **{n: getattr(t.outcome, n) for n in (
                "mean_ms", "p10_ms", "p50_ms", "p90_ms", "worst_tenth_ms", "finishes", "runs_dry")},
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
