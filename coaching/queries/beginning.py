"""How far a person has come in coaching, as racer and as athlete."""

from dataclasses import dataclass
from typing import Any

from coaching.models import (
    AthleteUpload,
    Connection,
    LlmAccount,
    Mission,
    OrpScore,
    ProfileClaim,
)
from coaching.queries.missions import has_consent
from ingestion.queries.imports import imports
from racecontrol.shared.existing import which_exist
from runplans.queries import plans_of


@dataclass(frozen=True, slots=True)
class RacerBeginning:
    has_event: bool  # they brought one in, or are found in what others brought in
    is_claim_pending: bool
    driver_id: int | None
    has_score: bool
    has_plan: bool


@dataclass(frozen=True, slots=True)
class AthleteBeginning:
    has_consent: bool
    has_data: bool
    has_model: bool
    has_mission: bool


def racer_beginning(user: Any) -> RacerBeginning:
    """Two queries."""
    standing = [ProfileClaim.State.PENDING, ProfileClaim.State.APPROVED]
    claims = dict(
        ProfileClaim.objects.filter(profile__user=user, state__in=standing).values_list(
            "state", "driver_id"
        )
    )
    scores = OrpScore.objects.filter(session__profile__user=user, score__isnull=False)
    has = which_exist(user, event=imports().filter(owner=user), score=scores, plan=plans_of(user))
    return RacerBeginning(
        has_event=bool(claims) or has["event"],
        is_claim_pending=ProfileClaim.State.PENDING in claims,
        driver_id=claims.get(ProfileClaim.State.APPROVED),
        has_score=has["score"],
        has_plan=has["plan"],
    )


def athlete_beginning(user: Any) -> AthleteBeginning:
    """Two queries."""
    own = {
        "connection": Connection.objects.filter(owner=user),
        "upload": AthleteUpload.objects.filter(owner=user),
        "model": LlmAccount.objects.filter(owner=user),
        "mission": Mission.objects.filter(owner=user),
    }
    has = which_exist(user, **own)
    return AthleteBeginning(
        has_consent=has_consent(user),
        has_data=has["connection"] or has["upload"],
        has_model=has["model"],
        has_mission=has["mission"],
    )
