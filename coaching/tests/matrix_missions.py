"""Objects of one owner for every address of the missions."""

from django.utils.timezone import now

from coaching.models import LlmExchange, MissionRun
from coaching.services import mission_drafts, reasoning_logs
from coaching.tests.mission_builders import make_mission
from racecontrol.testing.matrix import of_api

PAGES = (
    "mission", "mission_edit", "mission_move", "mission_clock", "mission_today",
    "mission_check_in", "mission_answer", "mission_run_now", "mission_calendar", "mission_board",
)  # fmt: skip
AT = "missions/{mission_id}"
OPERATIONS = (
    f"get|patch {AT}",
    *(f"post {AT}/{verb}" for verb in ("start", "finish", "archive", "run-now")),
    *(f"get {AT}/{thing}" for thing in ("status", "history", "runs", "progress")),
    f"put {AT}/check-in",
    f"get {AT}/runs/{{on}}",
    f"get {AT}/runs/{{on}}/reasoning",
    f"post {AT}/runs/{{on}}/answer",
    f"put|delete {AT}/stages/{{number}}",
    "get missions/drafts/{draft_id}",
    "post missions/drafts/{draft_id}/confirm",
)


def samples(owner):
    mission = make_mission(owner)
    on = mission.prep_start.isoformat()
    for kind in ("daily", "onboarding"):
        run = MissionRun.objects.create(
            mission=mission, local_date=on, kind=kind, tz=mission.tz, run_at=mission.run_at,
            due_at=now(), closes_at=now(), next_attempt_at=now(), status="missed",
        )  # fmt: skip
        LlmExchange.objects.create(
            owner=owner,
            mission=mission,
            run=run,
            purpose="daily",
            provider="scripted",
            outcome="ok",
        )
    reasoning_logs.write_missing(now=now())
    draft = mission_drafts.keep_answers(by=owner, draft_id=None, answers={"event_name": "Bay"})
    of_mission = {"mission_id": mission.pk}
    of_day, of_stage = of_mission | {"on": on}, of_mission | {"number": 1}
    return {
        **{f"coaching:{name}": of_mission for name in PAGES},
        "coaching:mission_day": of_day,
        "coaching:mission_reasoning": of_day | {"kind": "daily"},
        "coaching:mission_letter": of_mission | {"kind": "onboarding"},
        "coaching:mission_stage_remove": of_stage,
        "coaching:mission_draft": {"draft_id": draft.pk, "step": "review"},
        "coaching:mission_discard": {"draft_id": draft.pk},
        **of_api(OPERATIONS, **of_day, number=1, draft_id=draft.pk),
    }
