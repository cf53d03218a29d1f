"""Race strategies, their versions, and the stints of each version."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from racecontrol.shared.charts.looks import looks_of
from strategy.domain.stints.pins import StintMark
from strategy.models.events import EventInstance, StrategyEvent
from strategy.models.teams import Car, Team


class RaceStrategy(models.Model):
    """One way to run one race for one team. `version` counts every change; writers name the one they saw."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        ACTIVE = "active", "active"
        ARCHIVED = "archived", "archived"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="strategies")
    event = models.ForeignKey(StrategyEvent, on_delete=models.CASCADE, related_name="strategies")
    instance = models.ForeignKey(
        EventInstance, null=True, blank=True, on_delete=models.PROTECT, related_name="strategies"
    )
    car = models.ForeignKey(Car, on_delete=models.PROTECT, related_name="strategies")
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    is_locked = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    # [{user_id, name, lap_ms, wet_lap_ms, spread_ms, source, available_ms, …}]: the pace model, and
    # where each number is from (strategy.services.drivers)
    drivers = models.JSONField(default=list)
    # the team's own numbers, stricter than rules and car (strategy.services.problems.Wishes)
    wish_stint_laps = models.PositiveIntegerField(null=True, blank=True)
    wish_rest_s = models.PositiveIntegerField(null=True, blank=True)
    wish_pit_lane_s = models.FloatField(null=True, blank=True)
    wish_stint_fuel_ml = models.PositiveIntegerField(null=True, blank=True)
    wish_tyres = models.CharField(max_length=10, blank=True)
    # the whole problem as stintopt/1, built from event, car, rules and drivers; versions answer it
    problem = models.JSONField(default=dict)
    current = models.ForeignKey(
        "PlanVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    # the role in the team of who asked, where strategy.access or a query gave this row; never kept
    your_role: str | None = None

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "event", "name"], name="strategy_name_once_per_event"
            ),
            models.UniqueConstraint(
                fields=["team", "event", "instance"],
                condition=Q(status="active"),
                nulls_distinct=False,
                name="strategy_one_active",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "archived"]),
                name="strategy_status_known",
            ),
        ]
        indexes = [models.Index(fields=["event", "team"], name="strategy_event_team")]

    def __str__(self) -> str:
        return self.name

    def look_of(self, seat: int) -> int:
        """The look of a seat in charts: its driver's in every strategy of the team at this event."""
        return self._looks[seat] if seat < len(self._looks) else seat

    @cached_property
    def _looks(self) -> list[int]:
        rows = RaceStrategy.objects.filter(team=self.team_id, event=self.event_id).order_by("pk")
        before = (
            rows.exclude(pk=self.pk).filter(pk__lt=self.pk or 0).values_list("drivers", flat=True)
        )
        table = looks_of(_person(who) for drivers in [*before, self.drivers] for who in drivers)
        return [table[_person(who)] for who in self.drivers]


def _person(driver: dict[str, Any]) -> Any:
    return driver.get("user_id") or driver["name"]


class PlanVersion(models.Model):
    """A plan as somebody or the optimiser laid it; never changed, only followed by another."""

    class Origin(models.TextChoices):
        INITIAL = "initial", "first plan"
        OPTIMISED = "optimised", "optimiser"
        MANUAL = "manual", "by hand"
        IMPORTED = "imported", "imported"
        LIVE = "live", "on the wall"

    strategy = models.ForeignKey(RaceStrategy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    origin = models.CharField(max_length=10, choices=Origin)
    reason = models.CharField(max_length=200, blank=True)
    problem = models.JSONField(default=dict)  # as it was when the version was made
    z1_ms = models.BigIntegerField()
    z2_ms = models.BigIntegerField()
    z3_ms = models.BigIntegerField()
    bound_ms = models.BigIntegerField(null=True, blank=True)
    is_proven = models.BooleanField(default=False)
    broken_rules = models.PositiveIntegerField(default=0)
    # the version a change by hand was made to; undoing goes back to it
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["strategy", "number"], name="plan_version_once"),
            models.CheckConstraint(
                condition=Q(is_proven=False) | Q(bound_ms=models.F("z1_ms")),
                name="proven_means_bound_met",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class StintPlan(models.Model):
    """One stint of one version. Laps are numbered from 0; times are ms on the race clock."""

    class Status(models.TextChoices):
        PLANNED = "planned", "planned"
        READY = "ready", "ready"
        RUNNING = "in_progress", "in progress"
        COMPLETED = "completed", "completed"
        SKIPPED = "skipped", "skipped"
        ABORTED = "aborted", "aborted"

    strategy = models.ForeignKey(RaceStrategy, on_delete=models.CASCADE, related_name="stints")
    plan = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="stints")
    number = models.PositiveIntegerField()
    seat = models.PositiveSmallIntegerField(help_text="Place in the problem's list of drivers.")
    driver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="planned_stints",
    )
    start_lap = models.PositiveIntegerField()
    laps = models.PositiveIntegerField()
    planned_start_ms = models.PositiveBigIntegerField()
    planned_ms = models.PositiveBigIntegerField()
    stop_ms = models.PositiveIntegerField(default=0)
    fuel_in_ml = models.PositiveIntegerField()
    fuel_out_ml = models.PositiveIntegerField()
    tyres = models.CharField(max_length=4, choices=[("new", "new"), ("keep", "kept")])
    compound = models.PositiveSmallIntegerField(default=0)
    pit_instructions = models.JSONField(default=dict)
    # what is settled: no calculation gives the stint away or moves the stop that ends it
    is_driver_pinned = models.BooleanField(default=False)
    pinned_lap = models.PositiveIntegerField(
        null=True, blank=True, help_text="Laps of the race driven when it stops."
    )
    backup_seat = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Who drives if the planned one cannot, by seat."
    )
    actual_start_at = models.DateTimeField(null=True, blank=True)
    actual_end_at = models.DateTimeField(null=True, blank=True)
    actual_start_lap = models.PositiveIntegerField(null=True, blank=True)
    actual_laps = models.PositiveIntegerField(null=True, blank=True)
    actual_fuel_out_ml = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="stint_number_once"),
            models.UniqueConstraint(
                fields=["strategy"], condition=Q(status="in_progress"), name="one_stint_running"
            ),
            models.UniqueConstraint(
                fields=["strategy"], condition=Q(status="ready"), name="one_stint_ready"
            ),
            models.CheckConstraint(condition=Q(laps__gt=0), name="stint_has_laps"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "planned",
                        "ready",
                        "in_progress",
                        "completed",
                        "skipped",
                        "aborted",
                    ]
                ),
                name="stint_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["strategy", "number"], name="stint_strategy_number"),
            models.Index(fields=["driver", "status"], name="stint_driver_status"),
        ]

    def __str__(self) -> str:
        return f"stint {self.number}"

    @property
    def mark(self) -> StintMark:
        return StintMark(self.is_driver_pinned, self.pinned_lap, self.backup_seat)

    @property
    def is_locked(self) -> bool:
        """Held as it is: driver and stop are both pinned."""
        return self.mark.is_held
