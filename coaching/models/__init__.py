"""The tables of coaching: the racer's garage and run logs, and the athlete's missions."""

from coaching.models.athlete import Activity, AthleteNumbers, AthleteUpload, DailyMetric
from coaching.models.changes import SetupChange, XFactorAudit
from coaching.models.claims import ProfileClaim
from coaching.models.connections import ActivityDetail, Connection, ProviderLimit, Revocation
from coaching.models.garage import RacerProfile, Vehicle
from coaching.models.mission_runs import (
    EndpointHealth,
    LlmAccount,
    LlmExchange,
    MissionNotification,
    MissionRun,
    ModelPrice,
    ReasoningLog,
    RunResponse,
    RunRevision,
)
from coaching.models.missions import (
    CheckIn,
    Consent,
    EventRules,
    Mission,
    MissionDraft,
    MissionTransition,
    StageResult,
)
from coaching.models.runs import Heat, LapFile, OrpScore, RunLog, Session

__all__ = [
    "Activity",
    "ActivityDetail",
    "AthleteNumbers",
    "AthleteUpload",
    "CheckIn",
    "Connection",
    "Consent",
    "DailyMetric",
    "EndpointHealth",
    "EventRules",
    "Heat",
    "LapFile",
    "LlmAccount",
    "LlmExchange",
    "Mission",
    "MissionDraft",
    "MissionNotification",
    "MissionRun",
    "MissionTransition",
    "ModelPrice",
    "OrpScore",
    "ProfileClaim",
    "ProviderLimit",
    "RacerProfile",
    "ReasoningLog",
    "Revocation",
    "RunLog",
    "RunResponse",
    "RunRevision",
    "Session",
    "SetupChange",
    "StageResult",
    "Vehicle",
    "XFactorAudit",
]
