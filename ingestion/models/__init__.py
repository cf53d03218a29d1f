"""What the timing system says, as tables. Times are whole milliseconds, moments are UTC."""

from ingestion.models.backfill import SessionTypeBackfill, SessionTypeChange
from ingestion.models.bumpups import BumpUp, OfficialBumpSlot
from ingestion.models.drivers import Driver, DriverAlias, DriverTransponder
from ingestion.models.events import Event, Race, RaceClass
from ingestion.models.fetching import FetchLog, HostBlock, ImportJob, StoredPage
from ingestion.models.practice import (
    PracticeAlert,
    PracticeDay,
    PracticeDrift,
    PracticeRun,
    PracticeRunTotal,
    PracticeSession,
)
from ingestion.models.results import Lap, RaceResult
from ingestion.models.tracks import FavouriteTrack, Track

__all__ = [
    "BumpUp",
    "Driver",
    "DriverAlias",
    "DriverTransponder",
    "Event",
    "FavouriteTrack",
    "FetchLog",
    "HostBlock",
    "ImportJob",
    "Lap",
    "OfficialBumpSlot",
    "PracticeAlert",
    "PracticeDay",
    "PracticeDrift",
    "PracticeRun",
    "PracticeRunTotal",
    "PracticeSession",
    "Race",
    "RaceClass",
    "RaceResult",
    "SessionTypeBackfill",
    "SessionTypeChange",
    "StoredPage",
    "Track",
]
