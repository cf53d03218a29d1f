"""What runs by the clock: task name -> a cron line (UTC). `sync_setup` brings it into the database."""

CRON = {
    "racecontrol.tasks.check_the_day": "0 6 * * *",
    "racecontrol.tasks.prune": "17 3 * * *",
    "racecontrol.tasks.drop_exports": "29 * * * *",
    "ingestion.tasks.prune_pages": "47 3 * * *",
    "ingestion.tasks.prune_practice_runs": "51 3 * * *",
    "ingestion.tasks.check_practice_drift": "23 * * * *",
    "ingestion.tasks.watch_practice": "*/15 * * * *",
    "coaching.tasks.tick": "*/10 * * * *",
    "coaching.tasks.sync_connections": "*/15 * * * *",
    "coaching.tasks.look_after_uploads": "*/15 * * * *",
    "coaching.tasks.purge_provider_data": "11 * * * *",
    "coaching.tasks.prune_prompts": "41 3 * * *",
    "coaching.tasks.report_missions": "5 6 * * *",
    "coaching.tasks.prune_lap_files": "43 3 * * *",
    "strategy.tasks.prune": "37 3 * * *",
}
