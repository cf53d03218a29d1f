"""Sessions, laps and scores as JSON. The very services the pages call."""

from typing import Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from coaching.domain.advice import advice_for
from coaching.domain.laps import RawLap
from coaching.domain.scenario import scenario_for
from coaching.models import OrpScore, Session
from coaching.queries import garage as queries
from coaching.schemas.garage import (
    BatchIn,
    ChangeDecision,
    ChangeIn,
    ChangeOut,
    ClaimIn,
    ClaimOut,
    CountOut,
    FiguresOut,
    HeatChange,
    HeatOut,
    LapChange,
    LapIn,
    OrpOut,
    ProfileIn,
    ProfileOut,
    RunLogLapOut,
    ScoreOut,
    SessionChange,
    SessionIn,
    SessionOut,
    SummaryOut,
    VehicleIn,
    VehicleOut,
)
from coaching.services import changes, claims, garage, laps, scores
from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.paging import Paged, page_of

router = Router(tags=["run logs"])
Formula = Literal["v1", "v2"]


@router.get("/racers", response=list[ProfileOut])
def list_racers(request: HttpRequest):
    return queries.profiles_of(request.user)


@router.post("/racers", response={201: ProfileOut})
def create_racer(request: HttpRequest, body: ProfileIn):
    return Status(201, garage.save_profile(by=request.user, **body.dict()))


@router.put("/racers/{int:profile_id}", response=ProfileOut)
def change_racer(request: HttpRequest, profile_id: int, body: ProfileIn):
    return garage.save_profile(by=request.user, profile_id=profile_id, **body.dict())


@router.post("/racers/{int:profile_id}/claim", response={201: ClaimOut})
def claim_driver(request: HttpRequest, profile_id: int, body: ClaimIn):
    """Say which timed driver a racer is: "approved" where a transponder settles it, else "pending".

    Once approved, what is imported of the driver (and was in the last year) is logged and scored.
    """
    return Status(
        201,
        claims.claim_driver(
            profile_id=profile_id,
            driver_id=body.driver_id,
            transponder=body.transponder,
            by=request.user,
        ),
    )


@router.delete("/racers/{int:profile_id}/claim", response={204: None})
def withdraw_claim(request: HttpRequest, profile_id: int):
    """The racer is not this driver; the laps in the log stay."""
    claims.withdraw_claim(profile_id=profile_id, by=request.user)
    return Status(204, None)


@router.get("/vehicles", response=list[VehicleOut])
def list_vehicles(request: HttpRequest):
    return queries.vehicles_of(request.user)


@router.post("/vehicles", response={201: VehicleOut})
def create_vehicle(request: HttpRequest, body: VehicleIn):
    return Status(201, garage.save_vehicle(by=request.user, **body.dict()))


@router.get("/sessions", response=Paged[SessionOut])
def list_sessions(request: HttpRequest, limit: int = 50, cursor: str | None = None):
    rows = Session.objects.filter(profile__user=request.user)
    return page_of(rows, limit=limit, cursor=cursor, order=("-start_date", "-pk"))


@router.post("/sessions", response={201: SessionOut})
def create_session(request: HttpRequest, body: SessionIn):
    values = body.dict()
    vehicle_id, profile_id = values.pop("vehicle_id"), values.pop("profile_id")
    vehicle = queries.vehicle_for(request.user, vehicle_id) if vehicle_id else None
    if vehicle and not profile_id:
        profile_id = vehicle.profile_id
    return Status(
        201,
        garage.create_session(by=request.user, profile_id=profile_id, vehicle=vehicle, **values),
    )


@router.get("/sessions/{int:session_id}", response=SessionOut)
def read_session(request: HttpRequest, session_id: int):
    return queries.session_for(request.user, session_id)


@router.patch("/sessions/{int:session_id}", response=SessionOut)
def change_session(request: HttpRequest, session_id: int, body: SessionChange):
    """Change the fields that are sent. `status` "active" starts or reopens, "closed" closes."""
    session = queries.session_for(request.user, session_id)
    values = body.dict(exclude_unset=True)
    status = values.pop("status", None)
    values = {
        name: value
        for name, value in values.items()
        if value is not None or name in ("end_date", "vehicle_id")
    }
    if "vehicle_id" in values:
        vehicle_id = values.pop("vehicle_id")
        values["vehicle"] = queries.vehicle_for(request.user, vehicle_id) if vehicle_id else None
    if status == "active" and session.is_closed:
        session = garage.reopen_session(session_id=session_id, by=request.user)
    if values:
        session = garage.change_session(session_id=session_id, by=request.user, **values)
    if status == "active" and session.status == Session.Status.DRAFT:
        session = garage.start_session(session_id=session_id, by=request.user)
    if status == "closed":
        session = garage.close_session(session_id=session_id, by=request.user)
    return session


@router.delete("/sessions/{int:session_id}", response={204: None})
def delete_session(request: HttpRequest, session_id: int):
    garage.delete_session(session_id=session_id, by=request.user)
    return Status(204, None)


@router.get("/sessions/{int:session_id}/laps", response=list[RunLogLapOut])
def read_laps(request: HttpRequest, session_id: int):
    """All laps as driven: heat after heat."""
    return queries.laps_of(queries.session_for(request.user, session_id))


@router.post("/sessions/{int:session_id}/laps", response={201: RunLogLapOut})
def add_lap(request: HttpRequest, session_id: int, body: LapIn):
    lap = laps.add_lap(
        session_id=session_id,
        by=request.user,
        heat_name=body.heat_name,
        kind=body.kind or "",
        lap=RawLap(body.lap_time, body.lap_number, body.confidence_rating, body.flag),
    )
    return Status(201, lap)


@router.post("/sessions/{int:session_id}/laps/batch", response={201: CountOut})
@router.post("/sessions/{int:session_id}/batch", response={201: CountOut}, include_in_schema=False)
def add_laps(request: HttpRequest, session_id: int, body: BatchIn):
    """All or nothing; `count` is how many were new. A wrong lap is named by its index in `fields`."""
    told = body.laps if body.laps is not None else body.lap_times
    rows = [
        RawLap(lap, None, body.confidence_rating)
        if isinstance(lap, float | str)
        else RawLap(
            lap.lap_time,
            lap.lap_number,
            body.confidence_rating if lap.confidence_rating is None else lap.confidence_rating,
            lap.flag,
        )
        for lap in told or []
    ]
    count = laps.add_laps(
        session_id=session_id,
        by=request.user,
        heat_name=body.heat_name,
        laps=rows,
        kind=body.kind or "",
        name="laps" if body.laps is not None else "lap_times",
    )
    return Status(201, {"count": count})


@router.delete("/sessions/{int:session_id}/laps", response=CountOut)
def delete_laps(request: HttpRequest, session_id: int, heat: str = Query("", max_length=100)):
    return {"count": laps.delete_laps(session_id=session_id, by=request.user, heat_name=heat)}


@router.patch("/sessions/{int:session_id}/laps/{int:lap_id}", response=RunLogLapOut)
def flag_lap(request: HttpRequest, session_id: int, lap_id: int, body: LapChange):
    return laps.flag_lap(session_id=session_id, lap_id=lap_id, by=request.user, flag=body.flag)


@router.delete("/sessions/{int:session_id}/laps/{int:lap_id}", response={204: None})
def delete_lap(request: HttpRequest, session_id: int, lap_id: int):
    """Take out one lap; the others keep their numbers."""
    laps.delete_lap(session_id=session_id, lap_id=lap_id, by=request.user)
    return Status(204, None)


@router.get("/sessions/{int:session_id}/heats/{path:heat_name}", response=HeatOut)
def read_heat(request: HttpRequest, session_id: int, heat_name: str):
    heat = queries.heat_named(queries.session_for(request.user, session_id), heat_name)
    return {"name": heat.name, "kind": heat.kind, "laps": heat.laps.select_related("heat")}


@router.patch("/sessions/{int:session_id}/heats/{path:heat_name}", response=HeatOut)
def change_heat(request: HttpRequest, session_id: int, heat_name: str, body: HeatChange):
    heat = queries.heat_named(queries.session_for(request.user, session_id), heat_name)
    heat = garage.change_heat(
        session_id=session_id,
        heat_id=heat.pk,
        by=request.user,
        kind=body.kind or "",
        confidence=body.confidence_rating,
    )
    return {"name": heat.name, "kind": heat.kind, "laps": heat.laps.select_related("heat")}


@router.get("/sessions/{int:session_id}/summary", response=SummaryOut)
def read_summary(request: HttpRequest, session_id: int):
    session = queries.session_for(request.user, session_id)
    overall, heats = queries.summary_of(session)
    return figures(overall) | {"session_id": session.pk, "heats": [figures(row) for row in heats]}


@router.get("/sessions/{int:session_id}/orp", response=OrpOut)
def read_orp(
    request: HttpRequest,
    session_id: int,
    formula: Formula = "v2",
    heat: str | None = Query(None, max_length=100),
    confidence: int | None = Query(None, ge=1, le=5),
    experience: str = Query("", max_length=50),
):
    """The score of one heat, or of the session: the lap-weighted mean of its heats.

    `confidence` and `experience` replace what was logged, for this answer only (one heat).
    """
    session = queries.session_for(request.user, session_id)
    if heat is None:
        if confidence is not None or experience:
            raise InvalidInput(
                "Name the heat to try another confidence or experience.",
                fields={"heat": ["Needed with confidence or experience."]},
            )
        rows = {score.heat_id: score for score in session.scores.filter(formula=formula)}
        if None not in rows:
            scores.score_session(session)
            rows[None] = session.scores.get(formula=formula, heat=None)
        each = [
            told(rows[row.pk], heat=row.name, session=session)
            for row in queries.heats_of(session)
            if row.pk in rows
        ]
        return told(rows[None], session=session) | {"session_id": session.pk, "heats": each}
    row = queries.heat_named(session, heat)
    if confidence is None and not experience:
        score = scores.score_heat(row)[formula]
        return told(score, heat=row.name, session=session) | {"session_id": session.pk}
    answer = scores.tried(row, formula=formula, confidence=confidence, experience=experience)
    return told(answer, heat=row.name, session=session) | {"session_id": session.pk}


@router.get("/sessions/{int:session_id}/changes", response=list[ChangeOut])
def read_changes(request: HttpRequest, session_id: int):
    return queries.session_for(request.user, session_id).changes.all()


@router.post("/sessions/{int:session_id}/changes", response={201: ChangeOut})
def propose_change(request: HttpRequest, session_id: int, body: ChangeIn):
    """Propose a setup change; `warnings` say what the scenario and the confidence have against it."""
    return Status(
        201, changes.propose_change(session_id=session_id, by=request.user, **body.dict())
    )


@router.post("/sessions/{int:session_id}/changes/{int:change_id}/decision", response=ChangeOut)
def decide_change(request: HttpRequest, session_id: int, change_id: int, body: ChangeDecision):
    return changes.decide_change(
        session_id=session_id,
        change_id=change_id,
        by=request.user,
        accept=body.status == "accepted",
        force=body.force,
        reason=body.reason,
    )


def figures(row: queries.Summary) -> dict:
    def seconds(ms: float | None) -> float | None:
        return None if ms is None else round(ms / 1000, 3)

    return FiguresOut(
        name=row.name,
        total_laps=row.laps,
        total_time=seconds(row.total_ms),
        best_lap=seconds(row.best_ms),
        worst_lap=seconds(row.worst_ms),
        average_lap=seconds(row.average_ms),
        spread=seconds(row.spread_ms),
    ).dict()


def told(score: OrpScore, *, session: Session, heat: str | None = None) -> dict:
    said: list[str] = []
    if heat and score.formula == "v2":
        scenario = scenario_for(
            practice_rounds=session.practice_rounds, qualifying_rounds=session.qualifying_rounds
        )
        said = advice_for(scores.read_v2(score.result), scenario=scenario)
    elif heat:
        said = [
            score.result[k] for k in ("recommendation", "reason", "message") if k in score.result
        ]
    return ScoreOut(
        formula=score.formula,
        heat=heat,
        status=score.status,
        score=score.score,
        low=score.low,
        high=score.high,
        laps=score.laps,
        inputs_hash=score.inputs_hash,
        result=score.result,
        advice=said,
    ).dict()
