"""What ingestion reads, for its pages, the API and the other apps: one module per thing."""

from ingestion.queries.drivers import best_laps, drivers, drivers_search, races_of_driver
from ingestion.queries.events import events, search_events
from ingestion.queries.laps import (
    clean_laps_of,
    laps_of_race,
    laps_of_result,
    median_clean_lap_ms,
    sorted_laps_of,
)
from ingestion.queries.pace import DriverPace, pace_of_driver
from ingestion.queries.races import drivers_of_class, races, results_of_race

__all__ = [
    "DriverPace",
    "best_laps",
    "clean_laps_of",
    "drivers",
    "drivers_of_class",
    "drivers_search",
    "events",
    "laps_of_race",
    "laps_of_result",
    "median_clean_lap_ms",
    "pace_of_driver",
    "races",
    "races_of_driver",
    "results_of_race",
    "search_events",
    "sorted_laps_of",
]
