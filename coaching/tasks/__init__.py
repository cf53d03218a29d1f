"""What workers do for coaching; queued by these names."""

from coaching.tasks.athlete import look_after_uploads, read_athlete_upload
from coaching.tasks.connections import (
    give_back,
    look_at_ride,
    purge_provider_data,
    sync_connection,
    sync_connections,
    tell_reconnect,
    test_connection,
)
from coaching.tasks.garage import (
    claim_demo_driver,
    follow_session_type,
    import_lap_file,
    prune_lap_files,
    score_claimed,
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
    "follow_session_type",
    "give_back",
    "import_lap_file",
    "look_after_uploads",
    "look_at_ride",
    "prune_lap_files",
    "prune_prompts",
    "purge_provider_data",
    "read_athlete_upload",
    "report_missions",
    "run_mission_day",
    "score_claimed",
    "score_event",
    "send_mission_notice",
    "sync_connection",
    "sync_connections",
    "sync_session",
    "tell_reconnect",
    "test_connection",
    "test_llm_account",
    "tick",
]
