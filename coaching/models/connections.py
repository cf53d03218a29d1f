"""Connections to an athlete's other services, what they gave beside numbers, and their limits."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from coaching.models.athlete import Activity
from racecontrol.shared.secrets import EncryptedJSONField, EncryptedTextField


class Connection(models.Model):
    """One person's permission at one provider. Tokens are sealed and never shown."""

    class Provider(models.TextChoices):
        STRAVA = "strava", "Strava"
        OURA = "oura", "Oura"
        INTERVALS = "intervals", "intervals.icu"

    class Status(models.TextChoices):
        ACTIVE = "active", "connected"
        NEEDS_RECONNECT = "needs_reconnect", "connect again"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connections"
    )
    provider = models.CharField(max_length=12, choices=Provider)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    account_id = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    is_api_key = models.BooleanField(default=False)
    access_token = EncryptedTextField()
    refresh_token = EncryptedTextField(blank=True, default="")
    # Kept for one more try: a provider that rotates may not have heard that we got the new one.
    previous_refresh_token = EncryptedTextField(blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(db_default=Now())
    # Everything up to this day is here; None until the first days are.
    synced_until = models.DateField(null=True, blank=True)
    last_sync_at = models.DateTimeField(null=True, blank=True)
    next_sync_at = models.DateTimeField(null=True, blank=True, db_index=True)
    failures = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(
        "racecontrol.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["provider"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "provider"], name="connection_once"),
            models.UniqueConstraint(
                fields=["provider", "account_id"], name="connection_account_of_one_person"
            ),
        ]

    def __str__(self) -> str:
        return self.get_provider_display()

    @property
    def needs_reconnect(self) -> bool:
        return self.status == self.Status.NEEDS_RECONNECT


class Revocation(models.Model):
    """A permission to give back; names no person, so that it outlives the account it came from."""

    provider = models.CharField(max_length=12, choices=Connection.Provider)
    token = EncryptedTextField()
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.get_provider_display()} permission to give back"


class ProviderLimit(models.Model):
    """What a provider said of the whole site's requests; every worker obeys it."""

    provider = models.CharField(max_length=12, choices=Connection.Provider, unique=True)
    # [[[limit, usage] per quarter hour], [per day]] as last told, for people to read.
    told = models.JSONField(default=list)
    told_at = models.DateTimeField(null=True, blank=True)
    resting_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.get_provider_display()


class ActivityDetail(models.Model):
    """What belongs to one activity besides its numbers. Title and note are for its owner's eyes."""

    activity = models.OneToOneField(
        Activity, on_delete=models.CASCADE, related_name="detail", primary_key=True
    )
    title = EncryptedTextField(blank=True, default="")
    note = EncryptedTextField(blank=True, default="")
    # Our names -> values at the same moments: {"time_s": [...], "watts": [...], "bpm": [...]}.
    curves = EncryptedJSONField(null=True, blank=True)
    curves_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"detail of {self.activity_id}"
