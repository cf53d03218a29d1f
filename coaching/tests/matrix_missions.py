"""Objects of one owner for every address of the missions."""

from django.utils.timezone import now

from coaching.models import LlmExchange, MissionRun
from coaching.services import mission_drafts, reasoning_logs
from coaching.tests.mission_builders import make_mission

PAGES = (
    "mission", "mission_edit", "mission_move", "mission_clock", "mission_today",
    "mission_check_in", "mission_answer", "mission_run_now", "mission_calendar", "mission_board",
)  # fmt: skip


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
    pages = {f"coaching:{name}": of_mission for name in PAGES}
    at = "/api/v1/missions/{mission_id}"
    operations = [
        ("get", ""), ("patch", ""), ("post", "/start"), ("post", "/finish"), ("post", "/archive"),
        ("get", "/status"), ("get", "/history"), ("get", "/runs"), ("post", "/run-now"),
        ("put", "/check-in"), ("get", "/progress"),
    ]  # fmt: skip
    api = {f"api:{method} {at}{rest}": of_mission for method, rest in operations}
    api |= {
        f"api:get {at}/runs/{{on}}": of_mission | {"on": on},
        f"api:get {at}/runs/{{on}}/reasoning": of_mission | {"on": on},
        f"api:post {at}/runs/{{on}}/answer": of_mission | {"on": on},
        f"api:put {at}/stages/{{number}}": of_mission | {"number": 1},
        f"api:delete {at}/stages/{{number}}": of_mission | {"number": 1},
        "api:get /api/v1/missions/drafts/{draft_id}": {"draft_id": draft.pk},
        "api:post /api/v1/missions/drafts/{draft_id}/confirm": {"draft_id": draft.pk},
    }
    return (
        pages
        | api
        | {
            "coaching:mission_day": of_mission | {"on": on},
            "coaching:mission_reasoning": of_mission | {"on": on, "kind": "daily"},
            "coaching:mission_letter": of_mission | {"kind": "onboarding"},
            "coaching:mission_stage_remove": of_mission | {"number": 1},
            "coaching:mission_draft": {"draft_id": draft.pk, "step": "review"},
            "coaching:mission_discard": {"draft_id": draft.pk},
        }
    )
