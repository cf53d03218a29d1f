"""A race as it happens: the run of a strategy, what was heard from the track, and who decided what.

Moments are ms since the green flag (`at_ms`), red flags included; laps count completed laps from 1.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from strategy.models.plans import PlanVersion, RaceStrategy


class Flag(models.TextChoices):
    """What neutralises a race."""

    YELLOW = "fcy", "full-course yellow"
    SAFETY_CAR = "sc", "safety car"
    RED = "red", "red flag"


class LiveRun(models.Model):
    """One race of one strategy. `version` counts the commands of people, not the laps of the feed."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled", "not started"
        GRID = "grid", "on the grid"
        RACING = "racing", "racing"
        FINISHED = "finished", "finished"

    STARTED = (State.RACING, State.FINISHED)

    strategy = models.OneToOneField(RaceStrategy, on_delete=models.CASCADE, related_name="run")
    # the plan before the start: what the race is held against afterwards
    first_plan = models.ForeignKey(
        PlanVersion, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=9, choices=State, default=State.SCHEDULED)
    version = models.PositiveIntegerField(default=1)
    green_at = models.DateTimeField(null=True, blank=True)
    finished_ms = models.PositiveBigIntegerField(null=True, blank=True)
    red_stops_clock = models.BooleanField(default=False)
    # a training race runs on its own time: as far as the feed has told, and on from there so fast
    is_training = models.BooleanField(default=False)
    speed = models.PositiveSmallIntegerField(default=1)
    # a race that was driven already: it is at the newest moment that was told, and counts
    is_retold = models.BooleanField(default=False)
    heard_ms = models.PositiveBigIntegerField(default=0)
    heard_at = models.DateTimeField(null=True, blank=True)
    # "seat:stint" -> [minutes before, expected ms]: which reminders went out
    reminded = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["scheduled", "grid"]) | Q(green_at__isnull=False),
                name="race_under_way_has_begun",
            ),
            models.CheckConstraint(
                condition=~Q(state="finished") | Q(finished_ms__isnull=False),
                name="finished_race_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["scheduled", "grid", "racing", "finished"]),
                name="race_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(is_training=True, is_retold=True), name="training_is_not_retold"
            ),
        ]

    def __str__(self) -> str:
        return f"race of {self.strategy}"

    @property
    def rate(self) -> int:
        """Race time per time on the wall."""
        return 0 if self.is_retold else self.speed if self.is_training else 1

    def moment(self, at_ms: int) -> datetime | None:
        """The wall-clock moment of a time of the race."""
        return self.green_at and self.green_at + timedelta(milliseconds=at_ms)


class LapEvent(models.Model):
    """What a timing bridge or a person told: a lap completed, into the pits, out of them.

    A source names each of its events by a key of its own; telling one twice changes nothing.
    """

    class Kind(models.TextChoices):
        LAP = "lap", "lap completed"
        PIT_IN = "pit_in", "into the pits"
        PIT_OUT = "pit_out", "out of the pits"
        ABORT = "abort", "stopped on track"

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="laps")
    source = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    kind = models.CharField(max_length=7, choices=Kind)
    lap = models.PositiveIntegerField(null=True, blank=True, help_text="Laps completed.")
    at_ms = models.PositiveBigIntegerField()
    lap_ms = models.PositiveIntegerField(null=True, blank=True)
    fuel_ml = models.PositiveIntegerField(null=True, blank=True)
    is_drive_through = models.BooleanField(default=False)
    is_void = models.BooleanField(default=False)
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["at_ms", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "source", "key"], name="lap_event_once"),
            models.CheckConstraint(
                condition=~Q(kind="lap") | Q(lap__isnull=False, lap__gt=0),
                name="completed_lap_has_a_number",
            ),
        ]
        indexes = [models.Index(fields=["run", "at_ms"], name="lap_event_run_at")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.at_ms}"


class FlagPeriod(models.Model):
    """A neutralised stretch of the race; open while `to_ms` is empty."""

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="flags")
    kind = models.CharField(max_length=3, choices=Flag)
    from_ms = models.PositiveBigIntegerField()
    to_ms = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["from_ms", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run"], condition=Q(to_ms__isnull=True), name="one_flag_out"
            ),
            models.CheckConstraint(
                condition=Q(to_ms__isnull=True) | Q(to_ms__gte=F("from_ms")),
                name="flag_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.from_ms}"


class PitStop(models.Model):
    """One visit to the pit lane: in and out, and what was done."""

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="stops")
    in_ms = models.PositiveBigIntegerField()
    out_ms = models.PositiveBigIntegerField(null=True, blank=True)
    lap = models.PositiveIntegerField(default=0, help_text="Laps completed when it began.")
    is_drive_through = models.BooleanField(default=False)
    fuel_added_ml = models.PositiveIntegerField(null=True, blank=True)
    tyres = models.CharField(max_length=4, blank=True, choices=[("new", "new"), ("keep", "kept")])
    compound = models.PositiveSmallIntegerField(null=True, blank=True)
    repair_ms = models.PositiveIntegerField(default=0)
    box_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Stood in the box, ms.")
    notes = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["in_ms", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "in_ms"], name="pit_stop_once"),
            models.CheckConstraint(
                condition=Q(out_ms__isnull=True) | Q(out_ms__gte=F("in_ms")),
                name="pit_stop_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"stop at lap {self.lap}"


class Penalty(models.Model):
    """What race control gave us, and when it was served."""

    class Kind(models.TextChoices):
        DRIVE_THROUGH = "drive_through", "drive-through"
        STOP_GO = "stop_go", "stop and go"
        TIME = "time", "time"
        LAPS = "laps", "laps"
        WARNING = "warning", "warning"

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="penalties")
    kind = models.CharField(max_length=13, choices=Kind)
    amount = models.PositiveIntegerField(default=0, help_text="ms, or laps.")
    reason = models.CharField(max_length=200, blank=True)
    given_ms = models.PositiveBigIntegerField()
    served_ms = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["given_ms", "pk"]
        verbose_name_plural = "penalties"

    def __str__(self) -> str:
        return self.get_kind_display()


class WeatherChange(models.Model):
    """From this moment on the track is wet, or dry again."""

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="weather")
    at_ms = models.PositiveBigIntegerField()
    is_wet = models.BooleanField()

    class Meta:
        ordering = ["at_ms", "pk"]
        constraints = [models.UniqueConstraint(fields=["run", "at_ms"], name="weather_change_once")]

    def __str__(self) -> str:
        return "wet" if self.is_wet else "dry"


class FuelReading(models.Model):
    """Fuel on board as somebody read it, at the end of a lap."""

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="readings")
    at_ms = models.PositiveBigIntegerField()
    lap = models.PositiveIntegerField()
    fuel_ml = models.PositiveIntegerField()

    class Meta:
        ordering = ["at_ms", "pk"]
        constraints = [models.UniqueConstraint(fields=["run", "at_ms"], name="fuel_reading_once")]

    def __str__(self) -> str:
        return f"{self.fuel_ml} ml after lap {self.lap}"


class LiveCommand(models.Model):
    """What a person did on the wall: the trail, and the memory that lets a command be sent twice.

    `touched` names what it changed ("stint:4.driver", "flag"); a later command that was based on an
    older version is refused only if it touches or depends on the same.
    """

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="commands")
    key = models.UUIDField(default=uuid.uuid4)
    name = models.CharField(max_length=40)
    base_version = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    at_ms = models.PositiveBigIntegerField(default=0)
    touched = models.JSONField(default=list)
    body = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    words = models.CharField(max_length=300)
    reason = models.CharField(max_length=300, blank=True)
    undone_by = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undoes"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["version", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "key"], name="live_command_once"),
            models.UniqueConstraint(fields=["run", "version"], name="live_version_once"),
        ]

    def __str__(self) -> str:
        return self.words


class LiveProposal(models.Model):
    """Ways on from a moment of the race, ranked; nothing changes until one is accepted."""

    run = models.ForeignKey(LiveRun, on_delete=models.CASCADE, related_name="proposals")
    base_version = models.PositiveIntegerField()
    at_ms = models.PositiveBigIntegerField()
    options = models.JSONField(default=list)
    # the rest of the race as it looked then, for judging the decision afterwards
    problem = models.JSONField(default=dict)
    job = models.ForeignKey(
        "racecontrol.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    accepted = models.PositiveSmallIntegerField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"ways on from {self.at_ms}"
