"""Who says they are which driver of the timing system."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from racecontrol.shared.names import format_name


class ProfileClaim(models.Model):
    """A racer claims to be a timed driver. A matching transponder settles it, else staff do."""

    class State(models.TextChoices):
        PENDING = "pending", "waiting for approval"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"
        WITHDRAWN = "withdrawn", "withdrawn"

    profile = models.ForeignKey(
        "coaching.RacerProfile", on_delete=models.CASCADE, related_name="claims"
    )
    driver = models.ForeignKey(
        "ingestion.Driver", on_delete=models.CASCADE, related_name="racer_claims"
    )
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    evidence = models.CharField(max_length=200, blank=True)
    requested_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["driver"], condition=Q(state="approved"), name="driver_claimed_once"
            ),
            models.UniqueConstraint(
                fields=["profile"],
                condition=Q(state__in=["pending", "approved"]),
                name="racer_one_claim",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.profile} is {format_name(self.driver.name)}"
