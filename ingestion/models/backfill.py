"""Runs that gave old races their session type, and what each run changed."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from ingestion.models.events import Confidence, SessionType


class SessionTypeBackfill(models.Model):
    """One run over the races that have no session type; `last_race_id` is how far it has come.

    `counts_before` and `counts_after` hold races per session type ("" for none) up to
    `upto_race_id`; `is_consistent` says whether they differ by exactly the rows of the trail.
    """

    class State(models.TextChoices):
        RUNNING = "running", "unfinished"
        DONE = "done", "done"
        ROLLING_BACK = "rolling_back", "being rolled back"
        ROLLED_BACK = "rolled_back", "rolled back"

    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    min_confidence = models.CharField(max_length=6, choices=Confidence)
    upto_race_id = models.BigIntegerField()
    last_race_id = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(help_text="Races without a type when the run began.")
    seen = models.PositiveIntegerField(default=0)
    conflicts = models.PositiveIntegerField(
        default=0, help_text="Signals that contradict each other: to the review queue."
    )
    below = models.PositiveIntegerField(default=0, help_text="Left alone: not sure enough.")
    overtaken = models.PositiveIntegerField(
        default=0, help_text="Changed by somebody else while the run looked at them."
    )
    counts_before = models.JSONField(default=dict)
    counts_after = models.JSONField(default=dict, blank=True)
    is_consistent = models.BooleanField(null=True, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    rolled_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(state__in=["running", "rolling_back"]),
                name="session_type_backfill_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"session types, run {self.pk}"


class SessionTypeChange(models.Model):
    """The trail of a run: what one race was taken for before and after. Millions of rows, no more
    than that; it outlives the race, so it holds the race's number and no constraint."""

    pk = models.CompositePrimaryKey("run_id", "race_id")
    run = models.ForeignKey(
        SessionTypeBackfill, on_delete=models.CASCADE, related_name="changes", db_index=False
    )
    race = models.ForeignKey(
        "ingestion.Race",
        on_delete=models.DO_NOTHING,
        related_name="session_type_changes",
        db_constraint=False,
        db_index=False,
    )
    before_type = models.CharField(max_length=12, choices=SessionType, blank=True)
    before_confidence = models.CharField(max_length=6, choices=Confidence, blank=True)
    after_type = models.CharField(max_length=12, choices=SessionType, blank=True)
    after_confidence = models.CharField(max_length=6, choices=Confidence, blank=True)
    changed_at = models.DateTimeField(db_default=Now())
    rolled_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["run_id", "race_id"]

    def __str__(self) -> str:
        return f"race {self.race_id}: {self.before_type or 'none'} → {self.after_type or 'none'}"
