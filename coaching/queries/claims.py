"""Which timed drivers a person is, for the rooms below (settings.TIMING_DRIVERS_OF)."""

from coaching.models import ProfileClaim


def drivers_of(user_id: int) -> list[int]:
    """Ids of the timing drivers this person's claims were approved for; the default racer's first."""
    approved = ProfileClaim.objects.filter(
        profile__user_id=user_id, state=ProfileClaim.State.APPROVED
    )
    ordered = approved.order_by("-profile__is_default", "profile_id")
    return list(ordered.values_list("driver_id", flat=True))
