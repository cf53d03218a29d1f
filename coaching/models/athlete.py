"""What the athlete's own data says: days, activities, and the files they came from."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from racecontrol.shared.secrets import EncryptedTextField

OWNER = {"on_delete": models.CASCADE}


def between(low: int, high: int) -> list:
    return [MinValueValidator(low), MaxValueValidator(high)]


class AthleteNumbers(models.Model):
    """What turns an activity into load; the athlete's own numbers, empty where unknown."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, related_name="athlete_numbers", **OWNER)
    threshold_w = models.PositiveSmallIntegerField(
        "Threshold power (W)",
        null=True,
        blank=True,
        validators=between(50, 600),
        help_text="The power you can hold for about an hour (FTP).",
    )
    resting_bpm = models.PositiveSmallIntegerField(
        "Resting heart rate", null=True, blank=True, validators=between(25, 120)
    )
    threshold_bpm = models.PositiveSmallIntegerField(
        "Threshold heart rate", null=True, blank=True, validators=between(80, 220)
    )
    max_bpm = models.PositiveSmallIntegerField(
        "Maximum heart rate", null=True, blank=True, validators=between(100, 240)
    )
    # Sources in the athlete's order; one is chosen per metric and day, never two added.
    source_order = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"numbers of {self.owner_id}"


class DailyMetric(models.Model):
    """One metric of one local day from one source. Kinds are never mixed: SDNN is not rMSSD."""

    class Metric(models.TextChoices):
        HRV_SDNN = "hrv_sdnn", "HRV (SDNN)"
        HRV_RMSSD = "hrv_rmssd", "HRV (rMSSD)"
        RESTING_HR = "resting_hr", "Resting heart rate"
        HEART_RATE = "heart_rate", "Mean heart rate"
        VO2MAX = "vo2max", "VO2max"
        ACTIVE_ENERGY = "active_energy", "Active energy"
        STEPS = "steps", "Steps"
        SLEEP = "sleep", "Sleep"
        READINESS = "readiness", "Readiness"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="daily_metrics", **OWNER)
    metric = models.CharField(max_length=20, choices=Metric)
    on = models.DateField(help_text="The athlete's local day; sleep belongs to the day of waking.")
    source = models.CharField(max_length=120)
    value = models.FloatField()
    unit = models.CharField(max_length=20)
    records = models.PositiveIntegerField(default=1)
    llm_allowed = models.BooleanField(default=True)
    upload = models.ForeignKey(
        "coaching.AthleteUpload", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["on", "metric", "source"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "metric", "on", "source"], name="daily_metric_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.on}"


class Activity(models.Model):
    """One training activity. `source` is the file kind or the service it came from."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="activities", **OWNER)
    source = models.CharField(max_length=120)
    external_id = models.CharField(max_length=60, blank=True, help_text="Its number at the source.")
    kind = models.CharField(max_length=60, blank=True)
    starts_at = models.DateTimeField()
    on = models.DateField(help_text="The athlete's local day.")
    elapsed_s = models.PositiveIntegerField()
    moving_s = models.PositiveIntegerField()
    distance_m = models.FloatField(null=True, blank=True)
    ascent_m = models.FloatField(null=True, blank=True)
    average_w = models.FloatField(null=True, blank=True)
    normalised_w = models.FloatField(null=True, blank=True)
    average_bpm = models.FloatField(null=True, blank=True)
    max_bpm = models.PositiveSmallIntegerField(null=True, blank=True)
    energy_kcal = models.FloatField(null=True, blank=True)
    effort = models.PositiveSmallIntegerField(
        "Perceived effort",
        null=True,
        blank=True,
        validators=between(1, 10),
        help_text="1 is nothing, 10 is all you had.",
    )
    llm_allowed = models.BooleanField(default=True)
    # Past this moment the row is dropped: what a provider's policy lets us hold for days only.
    keep_until = models.DateTimeField(null=True, blank=True, db_index=True)
    upload = models.ForeignKey(
        "coaching.AthleteUpload", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-starts_at", "-pk"]
        verbose_name_plural = "activities"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "source", "starts_at"], name="activity_once_per_source"
            ),
            models.UniqueConstraint(
                fields=["owner", "source", "external_id"],
                condition=~models.Q(external_id=""),
                name="activity_number_once_per_source",
            ),
        ]
        indexes = [models.Index(fields=["owner", "-on"], name="activity_owner_day")]

    def __str__(self) -> str:
        return f"{self.kind or 'activity'} {self.on}"


class AthleteUpload(models.Model):
    """A file an athlete brought. The file itself is deleted once it was read."""

    class Kind(models.TextChoices):
        APPLE = "apple", "Apple Health export"
        ACTIVITIES = "activities", "FIT, GPX or TCX"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "read"
        FAILED = "failed", "not usable"
        CANCELLED = "cancelled", "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="athlete_uploads", **OWNER)
    kind = models.CharField(max_length=12, choices=Kind)
    file_name = EncryptedTextField(blank=True, default="")
    stored_as = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    message = models.TextField(blank=True)
    problems = models.JSONField(default=list, blank=True)
    job = models.ForeignKey(
        "racecontrol.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"],
                condition=models.Q(state="waiting"),
                name="athlete_upload_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return (
            f"{self.get_kind_display()} {self.created_at:%Y-%m-%d}" if self.created_at else "upload"
        )

    @property
    def is_retryable(self) -> bool:
        """Did its reading break off, with the file still here?"""
        return self.state == self.State.FAILED and bool(self.stored_as)
