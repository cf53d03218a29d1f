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
    """Four queries."""
    standing = [ProfileClaim.State.PENDING, ProfileClaim.State.APPROVED]
    claims = dict(
        ProfileClaim.objects.filter(profile__user=user, state__in=standing).values_list(
            "state", "driver_id"
        )
    )
    scores = OrpScore.objects.filter(session__profile__user=user, score__isnull=False)
    return RacerBeginning(
        has_event=bool(claims) or imports().filter(owner=user).exists(),
        is_claim_pending=ProfileClaim.State.PENDING in claims,
        driver_id=claims.get(ProfileClaim.State.APPROVED),
        has_score=scores.exists(),
        has_plan=plans_of(user).exists(),
    )


def athlete_beginning(user: Any) -> AthleteBeginning:
    """Five queries."""
    return AthleteBeginning(
        has_consent=has_consent(user),
        has_data=Connection.objects.filter(owner=user).exists()
        or AthleteUpload.objects.filter(owner=user).exists(),
        has_model=LlmAccount.objects.filter(owner=user).exists(),
        has_mission=Mission.objects.filter(owner=user).exists(),
    )
