"""Who moved up from which main into which, how sure that is, and what people said about it."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from ingestion.domain.ladder import short_name


class BumpUpQuerySet(models.QuerySet):
    def standing(self):
        """Those that count: found and not doubted, or said by a person."""
        return self.filter(status__in=BumpUp.STANDING)

    def to_review(self):
        """Those a person should look at."""
        return self.filter(status=BumpUp.Status.FLAGGED)


class BumpUp(models.Model):
    """One driver's way from a lower main into a higher one.

    Detection writes rows and keeps them in step with the results; once a person has decided, it
    leaves status and confidence alone. `direct` counts the direct qualifiers of the target main,
    `beaten` those of them the driver finished in front of.
    """

    class Status(models.TextChoices):
        DETECTED = "detected", "detected"
        FLAGGED = "flagged", "to be looked at"
        CONFIRMED = "confirmed", "confirmed"
        REJECTED = "rejected", "rejected"
        MANUAL = "manual", "added by hand"

    class Confidence(models.TextChoices):
        OFFICIAL = "official", "official (heat sheet)"
        HIGH = "high", "high (finish and grid)"
        MEDIUM = "medium", "medium (finish only)"
        LOW = "low", "low"
        PERSON = "person", "said by a person"

    STANDING = (Status.DETECTED, Status.CONFIRMED, Status.MANUAL)
    DECIDED = (Status.CONFIRMED, Status.REJECTED, Status.MANUAL)

    event = models.ForeignKey(
        "ingestion.Event", on_delete=models.CASCADE, related_name="bump_ups", db_index=False
    )
    race_class = models.ForeignKey(
        "ingestion.RaceClass", on_delete=models.CASCADE, related_name="bump_ups"
    )
    driver = models.ForeignKey(
        "ingestion.Driver", on_delete=models.PROTECT, related_name="bump_ups", db_index=False
    )
    source_race = models.ForeignKey(
        "ingestion.Race", on_delete=models.CASCADE, related_name="bump_ups_out", db_index=False
    )
    target_race = models.ForeignKey(
        "ingestion.Race", on_delete=models.CASCADE, related_name="bump_ups_in"
    )
    source_position = models.PositiveSmallIntegerField(null=True, blank=True)
    source_slot = models.PositiveSmallIntegerField(null=True, blank=True)
    target_slot = models.PositiveSmallIntegerField(null=True, blank=True)
    target_position = models.PositiveSmallIntegerField(null=True, blank=True)
    target_laps = models.PositiveIntegerField(default=0)
    places = models.PositiveSmallIntegerField(
        default=0, help_text="How many moved up from the source main."
    )
    direct = models.PositiveSmallIntegerField(default=0)
    beaten = models.PositiveSmallIntegerField(default=0)
    moved_again = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="moved_before",
        help_text="The same driver's next step up.",
    )
    confidence = models.CharField(max_length=8, choices=Confidence)
    status = models.CharField(max_length=9, choices=Status, default=Status.DETECTED)
    doubts = models.JSONField(default=list, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = BumpUpQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source_race", "target_race", "driver"], name="bump_up_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(source_race=models.F("target_race")),
                name="bump_up_between_two_races",
            ),
        ]
        indexes = [
            models.Index(fields=["event", "status"], name="bump_up_event_status"),
            models.Index(fields=["driver", "-id"], name="bump_up_driver"),
            models.Index(fields=["status", "-id"], name="bump_up_status"),
        ]

    def __str__(self) -> str:
        return f"{self.driver}: {self.source_race} → {self.target_race}"

    @property
    def is_standing(self) -> bool:
        return self.status in self.STANDING

    @property
    def is_decided(self) -> bool:
        return self.status in self.DECIDED

    @property
    def source_name(self) -> str:
        """The lower main as people of the class call it: 'B-Main'."""
        return short_name(self.source_race.label)

    @property
    def target_name(self) -> str:
        return short_name(self.target_race.label)

    @property
    def is_dns(self) -> bool:
        """Moved up, but did not start the higher main."""
        return not self.target_laps


class OfficialBumpSlot(models.Model):
    """A grid slot the club's own heat sheet marks as filled from the main below."""

    race = models.ForeignKey(
        "ingestion.Race", on_delete=models.CASCADE, related_name="official_bump_slots"
    )
    slot = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["slot"]
        constraints = [
            models.UniqueConstraint(fields=["race", "slot"], name="official_bump_slot_once")
        ]

    def __str__(self) -> str:
        return f"slot {self.slot}"
