"""What workers do for coaching; queued by these names."""

from coaching.tasks.athlete import read_athlete_upload
from coaching.tasks.garage import (
    claim_demo_driver,
    import_lap_file,
    prune_lap_files,
    score_event,
    sync_session,
)
from coaching.tasks.missions import (
    draft_mission,
    prune_prompts,
    report_missions,
    run_mission_day,
    send_mission_notice,
    test_llm_account,
    tick,
)

__all__ = [
    "claim_demo_driver",
    "draft_mission",
    "import_lap_file",
    "prune_lap_files",
    "prune_prompts",
    "read_athlete_upload",
    "report_missions",
    "run_mission_day",
    "score_event",
    "send_mission_notice",
    "sync_session",
    "test_llm_account",
    "tick",
]
