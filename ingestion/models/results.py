"""Results and laps."""

from django.db import models
from django.db.models.functions import Now


class RaceResult(models.Model):
    """One row of a race's results. Published figures stand as LiveRC prints them, in ms.

    `row_key` is the row's identity inside the race: the source's driver id, or name and place
    among equal names where there is none. `outcome` is inferred, and `outcome_reason` says from what.
    """

    class Outcome(models.TextChoices):
        FINISHED = "finished", "finished"
        DNF = "dnf", "did not finish (inferred)"
        DNS = "dns", "did not start (inferred)"

    class Basis(models.TextChoices):
        ALL = "all", "all laps"
        FROM_LAP_2 = "from_lap_2", "without lap 1"

    race = models.ForeignKey("ingestion.Race", on_delete=models.CASCADE, related_name="results")
    driver = models.ForeignKey("ingestion.Driver", on_delete=models.PROTECT, related_name="results")
    row_key = models.CharField(max_length=220)
    source_driver_id = models.CharField(max_length=40, blank=True)
    driver_name = models.CharField(max_length=200, help_text="As this page writes it.")
    transponder = models.CharField(max_length=20, blank=True)
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    car_number = models.PositiveIntegerField(null=True, blank=True)
    qual = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Grid slot.")
    grid = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Position at lap 0.")
    laps = models.PositiveIntegerField(default=0)
    total_ms = models.PositiveIntegerField(null=True, blank=True)
    behind_text = models.CharField(max_length=40, blank=True)
    behind_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="Gap to the car ahead on the same lap."
    )
    behind_laps = models.PositiveSmallIntegerField(null=True, blank=True)
    fast_lap_ms = models.PositiveIntegerField(null=True, blank=True)
    fast_lap_number = models.PositiveSmallIntegerField(null=True, blank=True)
    avg_lap_ms = models.PositiveIntegerField(null=True, blank=True)
    avg_top5_ms = models.PositiveIntegerField(null=True, blank=True)
    avg_top10_ms = models.PositiveIntegerField(null=True, blank=True)
    avg_top15_ms = models.PositiveIntegerField(null=True, blank=True)
    top2_consecutive_ms = models.PositiveIntegerField(null=True, blank=True)
    top3_consecutive_ms = models.PositiveIntegerField(null=True, blank=True)
    std_dev_ms = models.PositiveIntegerField(null=True, blank=True)
    consistency_pct = models.DecimalField(max_digits=7, decimal_places=3, null=True, blank=True)
    stats_basis = models.CharField(max_length=10, choices=Basis, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.FINISHED)
    outcome_reason = models.CharField(max_length=200, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = [models.F("position").asc(nulls_last=True), "pk"]
        constraints = [
            models.UniqueConstraint(fields=["race", "row_key"], name="result_row_once_per_race")
        ]
        indexes = [models.Index(fields=["driver", "race"], name="result_driver_race")]

    def __str__(self) -> str:
        return f"{self.position or '–'}. {self.driver_name}"


class Lap(models.Model):
    """One lap. Millions of rows: nothing but numbers, keyed by result and number, written by COPY.

    `crossed_at` and `is_valid` come from practice pages; races leave them at unknown and true.
    """

    pk = models.CompositePrimaryKey("result_id", "number")
    result = models.ForeignKey(
        RaceResult, on_delete=models.CASCADE, related_name="lap_rows", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    ms = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    crossed_at = models.DateTimeField(null=True, blank=True)
    is_valid = models.BooleanField(default=True, db_default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(ms__gt=0), name="lap_time_above_zero")
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.ms} ms"
