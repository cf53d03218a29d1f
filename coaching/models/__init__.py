"""The tables of coaching: the racer's garage and run logs, and the athlete's missions."""

from coaching.models.changes import SetupChange, XFactorAudit
from coaching.models.garage import RacerProfile, Vehicle
from coaching.models.runs import Heat, LapFile, OrpScore, RunLog, Session

__all__ = [
    "Heat",
    "LapFile",
    "OrpScore",
    "RacerProfile",
    "RunLog",
    "Session",
    "SetupChange",
    "Vehicle",
    "XFactorAudit",
]
