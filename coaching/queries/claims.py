"""Which timed drivers a person is; `drivers_of` is for the rooms below (settings.TIMING_DRIVERS_OF)."""

from typing import Any, Final

from coaching.models import ProfileClaim
from racecontrol.shared.jobs import Job

CLAIMED_KEY: Final = (
    "claimed:"  # and the racer's number: the job that logs what was imported before
)


def drivers_of(user_id: int) -> list[int]:
    """Ids of the timing drivers this person's claims were approved for; the default racer's first."""
    approved = ProfileClaim.objects.filter(
        profile__user_id=user_id, state=ProfileClaim.State.APPROVED
    )
    ordered = approved.order_by("-profile__is_default", "profile_id")
    return list(ordered.values_list("driver_id", flat=True))


def claim_of(user: Any, driver_id: int) -> ProfileClaim | None:
    """This person's open or approved claim to be the driver."""
    held = ProfileClaim.objects.filter(
        profile__user=user,
        driver_id=driver_id,
        state__in=[ProfileClaim.State.PENDING, ProfileClaim.State.APPROVED],
    )
    return held.select_related("profile", "driver").first()


def jobs_of_claims(user: Any) -> list[Job]:
    """Open jobs that log the laps of a claim which was just approved."""
    return list(Job.objects.filter(owner=user, key__startswith=CLAIMED_KEY, state__in=Job.OPEN)[:5])
