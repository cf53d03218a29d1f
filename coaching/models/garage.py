"""Who drives, and what: racer profiles and their vehicles."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class RacerProfile(models.Model):
    """A racer a person keeps logs for: mostly themselves, sometimes their children. One is the default."""

    class Experience(models.TextChoices):
        SPORTSMAN = "Sportsman", "Sportsman"
        INTERMEDIATE = "Intermediate", "Intermediate"
        PRO = "Pro", "Pro"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="racer_profiles"
    )
    name = models.CharField(max_length=120)
    transponder = models.CharField(max_length=20, blank=True)
    sponsors = models.CharField(max_length=500, blank=True)
    # Set by an approved claim only (services.claims).
    driver = models.ForeignKey(
        "ingestion.Driver",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="racer_profiles",
    )
    experience_level = models.CharField(
        max_length=12,
        choices=Experience,
        default=Experience.INTERMEDIATE,
        db_default=Experience.INTERMEDIATE,
    )
    driving_style = models.CharField(max_length=255, blank=True, default="", db_default="")
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-is_default", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="racer_name_once"),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(is_default=True),
                name="racer_one_default",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Vehicle(models.Model):
    """A car. `baseline_setup` maps parameter codes (`domain.scenario.PARAMETERS`) to what is fitted."""

    profile = models.ForeignKey(RacerProfile, on_delete=models.CASCADE, related_name="vehicles")
    brand = models.CharField(max_length=80)
    model = models.CharField(max_length=80)
    nickname = models.CharField(max_length=80, blank=True)
    class_name = models.CharField("class", max_length=120, blank=True)
    transponder = models.CharField(max_length=20, blank=True)
    baseline_setup = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["brand", "model", "nickname", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "brand", "model", "nickname"], name="vehicle_once"
            )
        ]

    def __str__(self) -> str:
        return self.nickname or f"{self.brand} {self.model}"
