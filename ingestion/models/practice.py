"""Practice days: what LiveRC lists of them, what was read, who was recognised, what went wrong.

A practice day is an `Event` of kind practice_day and each of its sessions that was imported a
`Race`; the tables here hold what only practice has.
"""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class PracticeDay(models.Model):
    """The day's own figures, counted from our rows, with LiveRC's beside them (`source_…`).

    Until sessions are imported the figures are sums over the listing. Unknown drivers are nobody,
    spellings of a class are one class, sessions LiveRC took back are left out.
    """

    event = models.OneToOneField(
        "ingestion.Event", primary_key=True, on_delete=models.CASCADE, related_name="practice_day"
    )
    sessions = models.PositiveIntegerField(default=0)
    total_laps = models.PositiveIntegerField(default=0, help_text="Laps that count.")
    track_time_ms = models.PositiveBigIntegerField(default=0, help_text="Sum of the laps.")
    unique_drivers = models.PositiveIntegerField(default=0)
    unique_classes = models.PositiveIntegerField(default=0)
    first_started_at = models.DateTimeField(null=True, blank=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_ended_at = models.DateTimeField(null=True, blank=True)
    source_sessions = models.PositiveIntegerField(null=True, blank=True)
    source_total_laps = models.PositiveIntegerField(null=True, blank=True)
    source_track_time_ms = models.PositiveBigIntegerField(null=True, blank=True)
    source_unique_drivers = models.PositiveIntegerField(null=True, blank=True)
    source_unique_classes = models.PositiveIntegerField(null=True, blank=True)
    source_first_started_at = models.DateTimeField(null=True, blank=True)
    source_last_started_at = models.DateTimeField(null=True, blank=True)
    listing_hash = models.CharField(
        max_length=64, blank=True, help_text="Of what the overview said when last taken in."
    )
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When LiveRC was last asked whether anything changed."
    )
    has_drift = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-event__starts_on", "-pk"]
        indexes = [
            models.Index(fields=["archived_at"], name="practice_day_archived"),
            models.Index(
                fields=["checked_at"],
                name="practice_day_drift",
                condition=models.Q(has_drift=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.event)

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None


class PracticeSession(models.Model):
    """One session as the day's overview lists it, and how its import went.

    A session belongs to the day it started on; `listed_on` is the overview that showed it.
    `match_…` says why its laps stand under the driver they stand under.
    """

    class Method(models.TextChoices):
        TRANSPONDER_AND_NAME = "transponder_and_name", "transponder and name"
        NAME = "name", "name"
        NAME_AT_TRACK = "name_at_track", "name, at this track"
        TRANSPONDER = "transponder", "transponder"
        NEW = "new", "nobody known by this name"
        AMBIGUOUS = "ambiguous", "several could be meant"
        UNKNOWN = "unknown", "unknown driver"
        MANUAL = "manual", "said by a person"

    class Confidence(models.TextChoices):
        HIGH = "high", "high"
        MEDIUM = "medium", "medium"
        LOW = "low", "low"

    event = models.ForeignKey(
        "ingestion.Event", on_delete=models.CASCADE, related_name="practice_sessions"
    )
    race = models.OneToOneField(
        "ingestion.Race",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="practice_session",
    )
    source_session_id = models.CharField(max_length=40, unique=True)
    listed_on = models.DateField()
    driver_name = models.CharField(max_length=200)
    class_name = models.CharField(max_length=200)
    class_key = models.CharField(max_length=200)
    transponder = models.CharField(max_length=20, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    laps = models.PositiveIntegerField(default=0)
    length_ms = models.PositiveIntegerField(null=True, blank=True)
    fast_lap_ms = models.PositiveIntegerField(null=True, blank=True)
    avg_lap_ms = models.PositiveIntegerField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="LiveRC's end: the last crossing and some idle minutes."
    )
    valid_from_ms = models.PositiveIntegerField(null=True, blank=True)
    valid_to_ms = models.PositiveIntegerField(null=True, blank=True)
    match_method = models.CharField(max_length=24, choices=Method, blank=True)
    match_confidence = models.CharField(max_length=6, choices=Confidence, blank=True)
    match_evidence = models.JSONField(default=list, blank=True)
    matched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    matched_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0, help_text="Times its page was asked for.")
    missing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["started_at", "pk"]
        indexes = [
            models.Index(fields=["event", "started_at"], name="practice_session_of_day"),
            models.Index(
                fields=["failed_at"],
                name="practice_session_failed",
                condition=~models.Q(failure=""),
            ),
            models.Index(
                fields=["event"],
                name="practice_match_review",
                condition=models.Q(match_confidence="low"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.driver_name}, {self.class_name}"

    @property
    def is_imported(self) -> bool:
        return self.race is not None and self.race.state == "imported"

    @property
    def state(self) -> str:
        """removed, failed, imported or listed: what a person wants to know first."""
        if self.missing_since:
            return "removed"
        if self.failure:
            return "failed"
        return "imported" if self.is_imported else "listed"


class PracticeDrift(models.Model):
    """LiveRC was seen to differ from our rows of a day: what, when, and when that was mended."""

    event = models.ForeignKey(
        "ingestion.Event", on_delete=models.CASCADE, related_name="practice_drifts"
    )
    found_at = models.DateTimeField()
    ingested_at = models.DateTimeField(help_text="When the day had last been brought up to date.")
    new = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    session_ids = models.JSONField(default=dict, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-found_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event"],
                condition=models.Q(settled_at=None),
                name="practice_drift_one_open",
            )
        ]
        indexes = [models.Index(fields=["found_at"], name="practice_drift_found")]

    def __str__(self) -> str:
        return f"{self.new} new, {self.removed} removed, {self.changed} changed"


class PracticeRun(models.Model):
    """One discovery, import or look for drift: how it went, in numbers for metrics and alerts."""

    class Kind(models.TextChoices):
        DISCOVERY = "discovery", "discovery"
        IMPORT = "import", "import"
        CHECK = "check", "look for drift"

    class Outcome(models.TextChoices):
        RUNNING = "running", "under way"
        DONE = "done", "done"
        PARTIAL = "partial", "partly"
        FAILED = "failed", "failed"

    kind = models.CharField(max_length=10, choices=Kind)
    # Counters are told from runs: they go by being pruned into totals, never with their track.
    track = models.ForeignKey("ingestion.Track", on_delete=models.PROTECT, related_name="+")
    source_event_id = models.CharField(max_length=100, blank=True)
    first_day = models.DateField()
    last_day = models.DateField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    job = models.ForeignKey(
        "racecontrol.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.RUNNING)
    days = models.PositiveIntegerField(default=0)
    sessions = models.PositiveIntegerField(default=0)
    pages_from_store = models.PositiveIntegerField(default=0)
    pages_fetched = models.PositiveIntegerField(default=0)
    limits_met = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        indexes = [
            models.Index(fields=["kind", "-finished_at"], name="practice_run_kind"),
            models.Index(fields=["track", "kind", "-started_at"], name="practice_run_track"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.first_day}"


class PracticeRunTotal(models.Model):
    """What the runs that are kept no longer came to, so that what is counted of runs never shrinks."""

    kind = models.CharField(max_length=10, choices=PracticeRun.Kind)
    outcome = models.CharField(max_length=10)
    runs = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="From start to end, pauses included.")
    pages_from_store = models.PositiveBigIntegerField(default=0)
    pages_fetched = models.PositiveBigIntegerField(default=0)
    limits_met = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["kind", "outcome"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "outcome"], name="practice_run_total_of")
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.outcome}: {self.runs}"


class PracticeAlert(models.Model):
    """An alert rule and whether it is firing; what was mailed is not mailed again each time."""

    class Rule(models.TextChoices):
        DISCOVERY = "discovery_failures", "discoveries fail"
        IMPORT = "import_failures", "imports fail"
        DRIFT = "late_drift", "days change long after their import"

    rule = models.CharField(max_length=20, choices=Rule, unique=True)
    is_firing = models.BooleanField(default=False)
    since = models.DateTimeField(null=True, blank=True)
    says = models.CharField(max_length=300, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["rule"]

    def __str__(self) -> str:
        return self.get_rule_display()
