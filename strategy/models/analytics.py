"""Races as they were, measured: one report a race, one row a driver in it."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from strategy.models.live import LiveRun


class RaceReport(models.Model):
    """All measures of one finished race; computed anew whenever its log is corrected.

    `body` is the tree of `race-report/1`; the columns repeat what is compared across races.
    """

    run = models.OneToOneField(LiveRun, on_delete=models.CASCADE, related_name="report")
    body = models.JSONField()
    log_seen = models.CharField(max_length=64, help_text="Fingerprint of the log it is made from.")
    laps = models.PositiveIntegerField()
    finish_ms = models.PositiveBigIntegerField()
    driver_equality = models.FloatField()
    pit_efficiency = models.FloatField(null=True)
    pace_consistency_ms = models.FloatField(null=True)
    strategy_adherence = models.FloatField(null=True)
    loss_ms = models.BigIntegerField(null=True)
    burn_ml = models.FloatField(null=True, help_text="Used per lap, all laps.")
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-computed_at", "-pk"]

    def __str__(self) -> str:
        return f"report of {self.run}"


class DriverResult(models.Model):
    """One driver in one race. Dry and wet laps are on an empty tank and fresh tyres, as plans want."""

    report = models.ForeignKey(RaceReport, on_delete=models.CASCADE, related_name="drivers")
    seat = models.PositiveSmallIntegerField()
    driver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="race_results"
    )
    name = models.CharField(max_length=150)
    drive_ms = models.PositiveBigIntegerField()
    laps = models.PositiveIntegerField()
    stints = models.PositiveIntegerField()
    share = models.FloatField()
    clean_laps = models.PositiveIntegerField(default=0)
    median_ms = models.PositiveIntegerField(null=True)
    best_ms = models.PositiveIntegerField(null=True)
    consistency_ms = models.FloatField(null=True)
    to_plan_ms = models.FloatField(null=True)
    dry_ms = models.PositiveIntegerField(null=True)
    wet_ms = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["seat"]
        constraints = [
            models.UniqueConstraint(fields=["report", "seat"], name="driver_result_once")
        ]
        indexes = [models.Index(fields=["driver"], name="driver_result_driver")]

    def __str__(self) -> str:
        return f"{self.name} in {self.report}"
