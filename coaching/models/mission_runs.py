"""The runs of a mission: one row a local date and kind, what was sent, what was answered, mailed."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from coaching.models.missions import Mission
from racecontrol.shared.secrets import EncryptedJSONField, EncryptedTextField


class MissionRunQuerySet(models.QuerySet):
    def claimable(self, now: datetime) -> "MissionRunQuerySet":
        """Waiting, and its moment has come."""
        return self.filter(status__in=["queued", "retry"], next_attempt_at__lte=now)

    def orphaned(self, now: datetime) -> "MissionRunQuerySet":
        """Claimed by a worker whose lease ran out."""
        return self.filter(status="running", lease_until__lt=now)


class MissionRun(models.Model):
    """One piece of guidance. The row is the identity: a date cannot be run twice."""

    class Kind(models.TextChoices):
        DAILY = "daily", "daily guidance"
        ONBOARDING = "onboarding", "welcome letter"
        WRAPUP = "wrapup", "reflection"

    class Status(models.TextChoices):
        QUEUED = "queued", "waiting"
        RUNNING = "running", "being written"
        RETRY = "retry", "will be tried again"
        SUCCEEDED = "succeeded", "written"
        FAILED = "failed", "no guidance"
        SKIPPED_NO_DATA = "skipped_no_data", "skipped: no data"
        MISSED = "missed", "missed"
        CANCELLED = "cancelled", "cancelled"

    OPEN = (Status.QUEUED, Status.RUNNING, Status.RETRY)

    mission = models.ForeignKey(Mission, on_delete=models.CASCADE, related_name="runs")
    local_date = models.DateField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DAILY)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    tz = models.CharField(max_length=64)
    run_at = models.TimeField()
    due_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    # Failures by kind, which decide the next wait: {"model_down": 2, "bad_answer": 1}.
    failures = models.JSONField(default=dict)
    # How often a person asked anew; 1 is the scheduled run.
    attempt_no = models.PositiveIntegerField(default=1)
    # A re-run writes anew without a second mail, unless the person asks for one.
    is_notice_wanted = models.BooleanField(default=True)
    mission_state = models.CharField(max_length=20, blank=True)
    facts = EncryptedJSONField(null=True, blank=True)
    facts_at = models.DateTimeField(null=True, blank=True)
    limits = EncryptedJSONField(null=True, blank=True)
    guidance = EncryptedJSONField(null=True, blank=True)
    stage = models.JSONField(null=True, blank=True)
    prompt_version = models.CharField(max_length=40, blank=True)
    prompt_hash = models.CharField(max_length=64, blank=True)
    provider = models.CharField(max_length=12, blank=True)
    model = models.CharField(max_length=120, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = MissionRunQuerySet.as_manager()

    class Meta:
        ordering = ["-local_date", "-pk"]
        permissions = [("see_health", "May open health values and prompts (each look is logged)")]
        constraints = [
            models.UniqueConstraint(
                fields=["mission", "local_date", "kind"], name="mission_run_once_a_date"
            ),
            models.UniqueConstraint(
                fields=["mission", "kind"],
                condition=Q(kind__in=["onboarding", "wrapup"]),
                name="mission_run_one_letter_each",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "next_attempt_at"], name="mission_run_due"),
            models.Index(
                fields=["lease_until"], condition=Q(status="running"), name="mission_run_leases"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.local_date}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def is_scripted(self) -> bool:
        return self.provider == "scripted"


class RunRevision(models.Model):
    """Guidance that a re-run replaced; the past is kept."""

    run = models.ForeignKey(MissionRun, on_delete=models.CASCADE, related_name="revisions")
    attempt_no = models.PositiveIntegerField()
    guidance = EncryptedJSONField()
    applied_at = models.DateTimeField()
    replaced_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-attempt_no"]
        constraints = [
            models.UniqueConstraint(fields=["run", "attempt_no"], name="run_revision_once")
        ]

    def __str__(self) -> str:
        return f"revision {self.attempt_no}"


class ReasoningLog(models.Model):
    """The whole reasoning of one attempt of a run as one sealed file in the site's store."""

    run = models.ForeignKey(MissionRun, on_delete=models.CASCADE, related_name="reasoning_logs")
    attempt_no = models.PositiveIntegerField()
    stored_as = models.CharField(max_length=200)
    size = models.PositiveIntegerField(help_text="Bytes as they lie, sealed.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-attempt_no"]
        constraints = [
            models.UniqueConstraint(fields=["run", "attempt_no"], name="reasoning_log_once")
        ]

    def __str__(self) -> str:
        return f"reasoning {self.attempt_no}"


class RunResponse(models.Model):
    """What the athlete made of the guidance."""

    class Choice(models.TextChoices):
        DONE = "done", "done"
        ADJUSTED = "adjusted", "done differently"
        SKIPPED = "skipped", "skipped"

    run = models.OneToOneField(MissionRun, on_delete=models.CASCADE, related_name="response")
    choice = models.CharField(max_length=10, choices=Choice)
    note = EncryptedTextField(blank=True, default="")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.get_choice_display()


class MissionNotification(models.Model):
    """One message over one channel; the row is what keeps it from being sent twice."""

    class Status(models.TextChoices):
        QUEUED = "queued", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "not sent"
        UNCERTAIN = "uncertain", "perhaps not sent"

    mission = models.ForeignKey(Mission, on_delete=models.CASCADE, related_name="notices")
    run = models.ForeignKey(
        MissionRun, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    channel = models.CharField(max_length=12, default="email")
    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["status", "next_attempt_at"], name="mission_notice_due")]

    def __str__(self) -> str:
        return f"{self.channel} {self.kind}"


class LlmAccount(models.Model):
    """A person's own endpoint and key. The key is written, never read back: last four are shown."""

    class Status(models.TextChoices):
        UNTESTED = "untested", "not tested"
        GOOD = "good", "works"
        BAD = "bad", "does not work"

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="llm_account"
    )
    base_url = models.CharField(max_length=300)
    model = models.CharField(max_length=120)
    api_key = EncryptedTextField(blank=True, default="")
    key_last4 = models.CharField(max_length=4, blank=True)
    mode = models.CharField(max_length=12, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.UNTESTED)
    status_reason = models.CharField(max_length=300, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    tokens_per_day = models.PositiveIntegerField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.model} …{self.key_last4}"


class LlmExchange(models.Model):
    """One request to a model as it went: what was sent, what came, what it cost."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="llm_exchanges"
    )
    mission = models.ForeignKey(
        Mission, null=True, blank=True, on_delete=models.CASCADE, related_name="exchanges"
    )
    run = models.ForeignKey(
        MissionRun, null=True, blank=True, on_delete=models.CASCADE, related_name="exchanges"
    )
    purpose = models.CharField(max_length=20)
    attempt_no = models.PositiveIntegerField(default=1)
    provider = models.CharField(max_length=12)
    host = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=40)
    problems = EncryptedTextField(blank=True, default="")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    sent = EncryptedJSONField(null=True, blank=True)
    answer = EncryptedTextField(blank=True, default="")
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    cost_micro_usd = models.PositiveBigIntegerField(null=True, blank=True)
    ms = models.PositiveIntegerField(default=0)
    pruned_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["owner", "created_at"], name="llm_exchange_budget")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class ModelPrice(models.Model):
    """What a model costs, in micro-dollars per million tokens; entered by the operator."""

    model = models.CharField(max_length=120, unique=True)
    prompt_micro_usd = models.PositiveBigIntegerField()
    completion_micro_usd = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.model


class EndpointHealth(models.Model):
    """Failures in a row of one endpoint; after five it is left alone for ten minutes."""

    origin = models.CharField(max_length=300, unique=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "endpoint health"

    def __str__(self) -> str:
        return self.origin
