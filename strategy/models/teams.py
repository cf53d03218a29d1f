"""Clubs, teams, who belongs to them in which role, and their cars."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now

from racecontrol.shared.secrets import EncryptedTextField


class Role(models.TextChoices):
    OWNER = "owner", "owner"
    STRATEGIST = "strategist", "strategist"
    DRIVER = "driver", "driver"
    VIEWER = "viewer", "viewer"


class Club(models.Model):
    """What several teams belong to; nobody needs one."""

    name = models.CharField(max_length=80, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """People who race together and see each other's plans."""

    club = models.ForeignKey(
        Club, null=True, blank=True, on_delete=models.SET_NULL, related_name="teams"
    )
    name = models.CharField(max_length=80)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="race_teams"
    )
    created_at = models.DateTimeField(db_default=Now())
    # the role of who asked, where strategy.access or a query gave this row; never kept
    your_role: str | None = None

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person in one team, in one role."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.DRIVER)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[r.value for r in Role]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class Invitation(models.Model):
    """A way into a team: whoever holds the link; with an email only that person."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.DRIVER)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"invitation to {self.team}"

    @property
    def is_open(self) -> bool:
        return not self.revoked_at and not self.accepted_at and self.expires_at > now()


class Car(models.Model):
    """What the optimiser must know of a car. Volumes in ml, times in ms, wear in µs per lap²."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="cars")
    name = models.CharField(max_length=80)
    tank_ml = models.PositiveIntegerField(default=100_000)
    reserve_ml = models.PositiveIntegerField(default=2_000)
    burn_ml = models.PositiveIntegerField(default=3_000, help_text="A dry lap by day.")
    wet_burn_percent = models.PositiveSmallIntegerField(default=90)
    fuel_us_per_ml = models.PositiveIntegerField(default=27, help_text="Lap time per ml on board.")
    tyre_life_laps = models.PositiveIntegerField(default=60)
    tyre_deg_ms = models.PositiveIntegerField(default=25)
    tyre_deg2_us = models.PositiveIntegerField(default=300)
    tyre_cold_ms = models.PositiveIntegerField(default=3_500)
    tyre_wrong_ms = models.PositiveIntegerField(default=10_000)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["team", "name"], name="car_name_once_per_team"),
            models.CheckConstraint(
                condition=models.Q(
                    tank_ml__gt=models.F("reserve_ml"), burn_ml__gt=0, tyre_life_laps__gt=0
                ),
                name="car_can_drive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Webhook(models.Model):
    """An address told of changes in a team's plans (Discord-compatible); the secret signs the body."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=400)
    secret = EncryptedTextField()
    is_active = models.BooleanField(default=True)
    last_status = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "url"], name="webhook_once_per_team")
        ]

    def __str__(self) -> str:
        return self.url
