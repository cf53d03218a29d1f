"""Missions as JSON: the very services the pages call, with the same refusals."""

import json
from datetime import date
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.utils.timezone import now
from ninja import Query, Router, Status

from coaching.models import MissionRun
from coaching.queries import missions as read
from coaching.schemas.missions import (
    AnswerIn,
    AnswerOut,
    CheckInIn,
    CheckInOut,
    DraftIn,
    DraftOut,
    MissionChange,
    MissionFields,
    MissionLine,
    MissionOut,
    MissionQueuedOut,
    MoveIn,
    ProgressOut,
    RunDetail,
    RunNowIn,
    RunOut,
    StageIn,
    StatusOut,
    TransitionOut,
)
from coaching.services import (
    mission_days,
    mission_demo,
    mission_drafts,
    mission_results,
    mission_runs,
    missions,
    reasoning_logs,
)
from racecontrol.shared.paging import Paged, page_of

router = Router(tags=["missions"])
AT = "/missions/{int:mission_id}"


def mission_for(request: HttpRequest, mission_id: int):
    mission = read.mission_of(request.user, mission_id)
    return missions.settle(mission_id=mission.pk, now=now())


@router.get("/missions", response=Paged[MissionLine])
def list_missions(request: HttpRequest, limit: int = 50, cursor: str | None = None):
    return page_of(read.missions_of(request.user), limit=limit, cursor=cursor)


@router.post("/missions", response={201: MissionOut})
def create_mission(request: HttpRequest, body: MissionFields):
    """A mission in PREP from fields you chose yourself, without a draft."""
    return Status(201, missions.create_mission(by=request.user, data=body.given(), now=now()))


@router.post("/missions/drafts", response={202: DraftOut})
def ask_for_draft(request: HttpRequest, body: DraftIn):
    """Let the model propose a mission; read the draft until its status is ready or failed."""
    answers = json.loads(json.dumps(body.given(), cls=DjangoJSONEncoder))
    if mission_demo.is_for(request.user):
        answers["is_demo"] = True
    mission_drafts.check_answers(answers)
    draft = mission_drafts.keep_answers(by=request.user, draft_id=None, answers=answers)
    return Status(202, mission_drafts.ask_model(draft_id=draft.pk, by=request.user, now=now()))


@router.get("/missions/drafts/{int:draft_id}", response=DraftOut)
def read_draft(request: HttpRequest, draft_id: int):
    return read.draft_of(request.user, draft_id)


@router.post("/missions/drafts/{int:draft_id}/confirm", response={201: MissionOut})
def confirm_draft(request: HttpRequest, draft_id: int, body: MissionFields):
    """Save the mission as you edited it."""
    draft = read.draft_of(request.user, draft_id)
    return Status(
        201,
        mission_drafts.confirm(draft_id=draft.pk, by=request.user, data=body.given(), now=now()),
    )


@router.get(AT, response=MissionOut)
def read_mission(request: HttpRequest, mission_id: int):
    return mission_for(request, mission_id)


@router.patch(AT, response=MissionOut)
def change_mission(request: HttpRequest, mission_id: int, body: MissionChange):
    mission = read.mission_of(request.user, mission_id)
    data = body.given()
    version = data.pop("version", None)
    return missions.edit_mission(
        mission_id=mission.pk, by=request.user, data=data, now=now(), version=version
    )


def _move(request: HttpRequest, mission_id: int, name: str, why: str):
    mission = read.mission_of(request.user, mission_id)
    mission = missions.change_state(
        mission_id=mission.pk, name=name, by=request.user, now=now(), why=why
    )
    if mission.is_running:
        mission_runs.look_after(mission_id=mission.pk, now=now())
    return mission


@router.post(AT + "/start", response=MissionOut)
def start_mission(request: HttpRequest, mission_id: int):
    """409 with the list of what is allowed where it cannot start."""
    return _move(request, mission_id, "start", "")


@router.post(AT + "/finish", response=MissionOut)
def finish_mission(request: HttpRequest, mission_id: int, body: MoveIn):
    return _move(request, mission_id, "finish", body.why)


@router.post(AT + "/archive", response=MissionOut)
def archive_mission(request: HttpRequest, mission_id: int):
    return _move(request, mission_id, "archive", "")


@router.get(AT + "/status", response=StatusOut)
def mission_status(request: HttpRequest, mission_id: int):
    mission = mission_for(request, mission_id)
    return {
        "state": mission.state,
        "local_date": mission.today(now()),
        "allowed_moves": read.moves_of(mission),
        "editable": read.editable(mission),
        "today": read.todays_run(mission, now()),
        "runs": read.run_counts(mission),
    }


@router.get(AT + "/history", response=list[TransitionOut])
def mission_history(request: HttpRequest, mission_id: int):
    return mission_for(request, mission_id).transitions.select_related("by")


@router.get(AT + "/runs", response=Paged[RunOut])
def mission_runs_list(
    request: HttpRequest, mission_id: int, limit: int = 50, cursor: str | None = None
):
    mission = mission_for(request, mission_id)
    return page_of(read.runs_of(mission), limit=limit, cursor=cursor, order=("-local_date", "-pk"))


@router.get(AT + "/runs/{on}", response=RunDetail)
def read_run(request: HttpRequest, mission_id: int, on: date, kind: str = Query("daily")):
    """A run with its facts and everything that was sent for it."""
    return read.run_of(request.user, mission_id, on, kind)


@router.get(AT + "/runs/{on}/reasoning", response=dict[str, Any])
def read_reasoning(request: HttpRequest, mission_id: int, on: date, kind: str = Query("daily")):
    """The reasoning log of the run's last attempt: facts, prompts, answers, what the checks found."""
    return reasoning_logs.read(read.run_of(request.user, mission_id, on, kind))


@router.post(AT + "/run-now", response={202: MissionQueuedOut})
def run_now(request: HttpRequest, mission_id: int, body: RunNowIn):
    """Today's guidance at once, or once more (the old words stay as a revision)."""
    mission = read.mission_of(request.user, mission_id)
    run: MissionRun = mission_runs.run_now(
        mission_id=mission.pk, by=request.user, now=now(), is_mail_wanted=body.mail
    )
    return Status(202, run)


@router.post(AT + "/runs/{on}/answer", response=AnswerOut)
def answer_run(request: HttpRequest, mission_id: int, on: date, body: AnswerIn):
    return mission_days.respond(
        by=request.user, mission_id=mission_id, local_date=on, now=now(), **body.dict()
    )


@router.put(AT + "/check-in", response=CheckInOut)
def check_in(request: HttpRequest, mission_id: int, body: CheckInIn):
    """This morning's check-in; saying it again corrects it."""
    mission = mission_for(request, mission_id)
    data = {k: v for k, v in body.dict().items() if v is not None and k != "note"}
    return mission_days.check_in(
        by=request.user, data=data, note=body.note, now=now(), mission=mission
    )


@router.get(AT + "/progress", response=ProgressOut)
def mission_progress(request: HttpRequest, mission_id: int):
    """Points, bonuses and what is still reachable, computed from the stage rows."""
    return read.board(mission_for(request, mission_id), now())


@router.put(AT + "/stages/{int:number}", response=ProgressOut)
def record_stage(request: HttpRequest, mission_id: int, number: int, body: StageIn):
    """Enter or correct how a stage was ridden; answers with the new board."""
    mission = read.mission_of(request.user, mission_id)
    mission_results.record_stage(
        mission_id=mission.pk, number=number, by=request.user, now=now(), **body.dict()
    )
    return read.board(mission, now())


@router.delete(AT + "/stages/{int:number}", response=ProgressOut)
def remove_stage(request: HttpRequest, mission_id: int, number: int):
    mission = read.mission_of(request.user, mission_id)
    mission_results.remove_stage(mission_id=mission.pk, number=number, by=request.user, now=now())
    return read.board(mission, now())
