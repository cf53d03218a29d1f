"""What workers do for coaching; queued by these names."""

from coaching.tasks.athlete import read_athlete_upload
from coaching.tasks.missions import (
    draft_mission,
    prune_prompts,
    run_mission_day,
    send_mission_notice,
    test_llm_account,
    tick,
)

__all__ = [
    "draft_mission",
    "prune_prompts",
    "read_athlete_upload",
    "run_mission_day",
    "send_mission_notice",
    "test_llm_account",
    "tick",
]
