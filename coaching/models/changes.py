"""What was changed on the car, and whether it helped."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from coaching.domain.laps import MOST_MS
from coaching.domain.xfactor import GAINS, STATES, SYMPTOMS


class SetupChange(models.Model):
    """One value of the setup, from old to new. `is_forced`: accepted in spite of `warnings`."""

    class Status(models.TextChoices):
        PENDING = "pending", "open"
        ACCEPTED = "accepted", "made"
        DENIED = "denied", "not made"

    class Result(models.TextChoices):
        FAILURE = "failure", "worse"
        NEUTRAL = "neutral", "no difference"
        SUCCESS = "success", "better"

    session = models.ForeignKey(
        "coaching.Session", on_delete=models.CASCADE, related_name="changes"
    )
    parameter = models.CharField(max_length=20)
    old_value = models.CharField(max_length=80, blank=True)
    new_value = models.CharField(max_length=80)
    reason = models.TextField(blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    warnings = models.JSONField(default=list, blank=True)
    is_forced = models.BooleanField(default=False)
    result = models.CharField(max_length=8, choices=Result, blank=True)
    lap_ms_before = models.PositiveIntegerField(null=True, blank=True)
    lap_ms_after = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["session", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(result="") | Q(status="accepted"), name="only_made_changes_are_rated"
            )
        ]

    def __str__(self) -> str:
        return f"{self.parameter}: {self.old_value or '–'} → {self.new_value}"


class XFactorAudit(models.Model):
    """The questions after running: did it help? Of one change, or (change null) of the whole session.

    The rating says whether the car got better; it is not the confidence that opens the ORP gate.
    """

    State = models.TextChoices("State", [(s.upper(), (s, s)) for s in STATES])

    session = models.ForeignKey("coaching.Session", on_delete=models.CASCADE, related_name="audits")
    change = models.ForeignKey(
        SetupChange, null=True, blank=True, on_delete=models.CASCADE, related_name="audits"
    )
    state = models.CharField(max_length=12, choices=State, default="idle")
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    symptom = models.CharField(max_length=40, blank=True, choices=[(s, s) for s in SYMPTOMS])
    gain = models.CharField(max_length=40, blank=True, choices=[(g, g) for g in GAINS])
    observation = models.TextField(blank=True)
    best_lap_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                condition=~Q(state__in=["complete", "cancelled"]),
                name="audit_one_open",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5),
                name="audit_rating_1_to_5",
            ),
            models.CheckConstraint(
                condition=(Q(symptom="") | Q(rating__lte=2)) & (Q(gain="") | Q(rating__gte=4)),
                name="audit_branch_fits_rating",
            ),
            models.CheckConstraint(
                condition=Q(best_lap_ms__isnull=True)
                | Q(best_lap_ms__gte=1, best_lap_ms__lt=MOST_MS),
                name="audit_best_lap_below_an_hour",
            ),
        ]

    def __str__(self) -> str:
        return f"audit {self.pk} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state not in ("complete", "cancelled")
