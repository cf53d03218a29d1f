"""Events, their classes and their races. A practice day is an event, its sessions are races."""

import zoneinfo
from datetime import datetime

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from racecontrol.shared.search import words_of


class SessionType(models.TextChoices):
    RACE = "race", "race"
    PRACTICE = "practice", "practice"
    QUALIFYING = "qualifying", "qualifying"
    PRACTICEDAY = "practiceday", "practice day"


class Confidence(models.TextChoices):
    HIGH = "high", "high"
    MEDIUM = "medium", "medium"
    LOW = "low", "low"


class Event(models.Model):
    """A race meeting or a practice day. Days are local to the track."""

    class Kind(models.TextChoices):
        RACE = "race", "race event"
        PRACTICE_DAY = "practice_day", "practice day"

    class State(models.TextChoices):
        LISTED = "listed", "not imported"
        PARTIAL = "partial", "partly imported"
        IMPORTED = "imported", "imported"

    track = models.ForeignKey("ingestion.Track", on_delete=models.PROTECT, related_name="events")
    source_event_id = models.CharField(
        max_length=100,
        unique=True,
        help_text="The source's id; {track}-practice-{YYYY-MM-DD} for a practice day.",
    )
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.RACE)
    name = models.CharField(max_length=300)
    starts_on = models.DateField()
    ends_on = models.DateField()
    timezone = models.CharField(
        max_length=64, blank=True, help_text="The zone its wall clock was read in."
    )
    declared_entries = models.PositiveIntegerField(null=True, blank=True)
    declared_drivers = models.PositiveIntegerField(null=True, blank=True)
    declared_laps = models.PositiveIntegerField(null=True, blank=True)
    surface = models.CharField(
        max_length=100, blank=True, help_text="What the source calls the track."
    )
    state = models.CharField(max_length=10, choices=State, default=State.LISTED)
    parsed_hash = models.CharField(max_length=64, blank=True)
    last_ingested_at = models.DateTimeField(null=True, blank=True)
    drifted_at = models.DateTimeField(
        null=True, blank=True, help_text="When the source was last seen to differ from the rows."
    )
    missing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="event_ends_after_start",
            )
        ]
        indexes = [
            models.Index(fields=["track", "-starts_on"], name="event_track_day"),
            models.Index(fields=["kind", "-starts_on", "-id"], name="event_kind_day"),
            GinIndex(words_of("name"), name="event_words"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone or "UTC")


class RaceClass(models.Model):
    """A class of one event. `key` makes spellings one: '1/10 Buggy' and '1-10 buggy'."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="classes")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["event", "key"], name="race_class_once_per_event")
        ]
        indexes = [
            models.Index(fields=["key"], name="race_class_key"),
            GinIndex(words_of("name"), name="race_class_words"),
        ]

    def __str__(self) -> str:
        return self.name


class Race(models.Model):
    """One race, heat or practice session.

    `completed_at` is what the source says; `started_at` is completion less length for races and
    the first crossing for practice. `run_order` counts through the event from 1.
    """

    class Source(models.TextChoices):
        RACE = "race", "race page"
        PRACTICE = "practice", "practice session page"

    class State(models.TextChoices):
        LISTED = "listed", "not fetched"
        IMPORTED = "imported", "imported"
        EMPTY = "empty", "not run yet"
        FAILED = "failed", "failed"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="races")
    race_class = models.ForeignKey(RaceClass, on_delete=models.PROTECT, related_name="races")
    source = models.CharField(max_length=8, choices=Source, default=Source.RACE)
    source_race_id = models.CharField(max_length=40)
    round_label = models.CharField(max_length=100, blank=True)
    round_code = models.CharField(max_length=4, blank=True, help_text="M mains, Q qualifying.")
    round_number = models.PositiveSmallIntegerField(null=True, blank=True)
    race_number = models.PositiveIntegerField(null=True, blank=True)
    label = models.CharField(max_length=300)
    main = models.CharField(max_length=1, blank=True)
    leg = models.PositiveSmallIntegerField(null=True, blank=True)
    heat = models.PositiveSmallIntegerField(null=True, blank=True)
    heats = models.PositiveSmallIntegerField(null=True, blank=True)
    final = models.PositiveSmallIntegerField(null=True, blank=True, help_text="8: an eighth final.")
    branch = models.CharField(max_length=4, blank=True, help_text="Even or Odd.")
    run_order = models.PositiveIntegerField(default=0)
    completed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    length_ms = models.PositiveIntegerField(null=True, blank=True)
    length_laps = models.PositiveIntegerField(null=True, blank=True)
    session_type = models.CharField(max_length=12, choices=SessionType, null=True, blank=True)  # noqa: DJ001 - null is the old contract: not inferred, read as race
    session_type_confidence = models.CharField(max_length=6, choices=Confidence, blank=True)
    session_type_signals = models.JSONField(default=list, blank=True)
    session_type_override = models.CharField(max_length=12, choices=SessionType, blank=True)
    stats_basis = models.CharField(
        max_length=10, blank=True, help_text="Laps the published figures cover: all or from_lap_2."
    )
    state = models.CharField(max_length=8, choices=State, default=State.LISTED)
    failure = models.TextField(blank=True)
    parsed_hash = models.CharField(max_length=64, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the source last changed what it says of this race."
    )
    missing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["run_order", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_race_id"], name="race_source_id_unique"
            )
        ]
        indexes = [
            models.Index(fields=["event", "run_order"], name="race_event_order"),
            models.Index(fields=["started_at"], name="race_started"),
            GinIndex(
                words_of("label"),
                name="practice_session_words",
                condition=models.Q(source="practice"),
            ),
            models.Index(
                fields=["event"],
                name="race_session_type_review",
                condition=models.Q(session_type_confidence="low", session_type_override=""),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def kind(self) -> str:
        """What session it is: a person's word, else what was inferred, else race."""
        return self.session_type_override or self.session_type or SessionType.RACE

    @property
    def short_label(self) -> str:
        """The run without its class: "A2-Main", "Q2 Heat 1/3"; the label where it is neither."""
        if self.main:
            return f"{self.main}{self.leg or ''}-Main"
        if self.round_code == "Q" and self.round_number:
            heat = f" Heat {self.heat}/{self.heats}" if self.heat else ""
            return f"Q{self.round_number}{heat}"
        return self.label

    @property
    def run_kind(self) -> str:
        """practice, qualifying or race: what a person said or was inferred, else what the round says."""
        told = self.session_type_override or self.session_type
        if self.source == self.Source.PRACTICE or told in (
            SessionType.PRACTICE,
            SessionType.PRACTICEDAY,
        ):
            return SessionType.PRACTICE.value
        if told == SessionType.QUALIFYING or (not told and self.round_code == "Q"):
            return SessionType.QUALIFYING.value
        return SessionType.RACE.value

    @property
    def completed_local(self) -> datetime | None:
        """Completion on the track's wall clock."""
        return self.completed_at.astimezone(self.event.zone) if self.completed_at else None

    @property
    def started_local(self) -> datetime | None:
        return self.started_at.astimezone(self.event.zone) if self.started_at else None
