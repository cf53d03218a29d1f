"""Missions and what belongs to them for good: transitions, rules by version, stage results."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.functional import cached_property

from coaching.domain.missions.rules import PointsSchema, StagePlan, read_plan, read_schema
from coaching.domain.missions.states import Dates, State
from racecontrol.shared.secrets import EncryptedJSONField, EncryptedTextField


class Mission(models.Model):
    """From the goal to the look back. Local dates and mornings are those of `tz`."""

    class Kind(models.TextChoices):
        ROAD_STAGE_RACE = "road_stage_race", "Stage race"
        GRAVEL_ULTRA = "gravel_ultra", "Gravel or ultra event"
        TT_SERIES = "tt_series", "Time-trial series"
        ONE_DAY = "one_day", "One-day event"

    class States(models.TextChoices):
        PREP = "PREP", "being prepared"
        TRAINING = "TRAINING", "training"
        EVENT_ACTIVE = "EVENT_ACTIVE", "event under way"
        MISSION_COMPLETE = "MISSION_COMPLETE", "complete"
        ARCHIVED = "ARCHIVED", "archived"

    RUNNING = (State.TRAINING, State.EVENT_ACTIVE)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="missions"
    )
    name = models.CharField(max_length=80)
    notes = EncryptedTextField(blank=True, default="")
    mission_type = models.CharField(max_length=20, choices=Kind)
    event_name = models.CharField(max_length=120)
    state = models.CharField(max_length=20, choices=States, default=States.PREP)
    version = models.PositiveIntegerField(default=1)
    tz = models.CharField(max_length=64)
    next_tz = models.CharField(max_length=64, blank=True)
    next_tz_on = models.DateField(null=True, blank=True)
    run_at = models.TimeField(default=time(5, 30))
    prep_start = models.DateField()
    event_start = models.DateField()
    event_end = models.DateField()
    auto_start = models.BooleanField(default=False)
    llm_goal_statement = EncryptedTextField(blank=True, default="")
    constraints = EncryptedJSONField(default=dict)
    rider_profile = EncryptedJSONField(default=dict)
    availability = EncryptedJSONField(default=dict)
    notifications = models.JSONField(default=dict)
    targets = models.JSONField(default=dict, blank=True)
    legacy_id = models.CharField(max_length=120, blank=True)
    is_demo = models.BooleanField(default=False)
    # The demonstration's own clock; None everywhere else.
    demo_now = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_on = models.DateField(null=True, blank=True)
    # Recordings whose stage was taken back: they do not score a stage again by themselves.
    unscored_activities = models.JSONField(default=list, blank=True)
    # When the scheduler must look next; recomputed after each run and each edit of zone or time.
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"],
                condition=Q(state__in=["TRAINING", "EVENT_ACTIVE"]),
                name="mission_one_running_per_owner",
            ),
            models.UniqueConstraint(
                fields=["owner", "legacy_id"],
                condition=~Q(legacy_id=""),
                name="mission_legacy_id_once",
            ),
            models.CheckConstraint(
                condition=Q(prep_start__lte=F("event_start")) & Q(event_start__lte=F("event_end")),
                name="mission_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(run_at__gte=time(4, 30)) & Q(run_at__lte=time(11, 0)),
                name="mission_run_at_exists_every_day",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in State]), name="mission_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def dates(self) -> Dates:
        return Dates(self.prep_start, self.event_start, self.event_end)

    @property
    def is_running(self) -> bool:
        return self.state in self.RUNNING

    @property
    def timezone(self) -> str:
        return self.tz

    def now(self, now: datetime) -> datetime:
        """The moment as this mission lives it: the demonstration's own clock, else the given."""
        return self.demo_now or now

    def today(self, now: datetime) -> date:
        return self.now(now).astimezone(ZoneInfo(self.tz)).date()

    @cached_property
    def current_rules(self) -> "EventRules":
        """The newest rules, read once per row; who makes newer ones puts them here."""
        return self.rules.order_by("-version").first()  # type: ignore[return-value]


def _state_words(state: str) -> str:
    return dict(Mission.States.choices).get(state, state)


class MissionTransition(models.Model):
    """One change of state: who, why, and on which local date."""

    mission = models.ForeignKey(Mission, on_delete=models.CASCADE, related_name="transitions")
    origin = models.CharField(max_length=20, blank=True)
    target = models.CharField(max_length=20)
    why = models.CharField(max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    local_date = models.DateField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.origin or 'new'} → {self.target}"

    @property
    def origin_words(self) -> str:
        """The state it left, in words for people; empty for a new mission."""
        return _state_words(self.origin)

    @property
    def target_words(self) -> str:
        return _state_words(self.target)


class EventRules(models.Model):
    """A version of a mission's points schema and stage plan; frozen once the event begins."""

    mission = models.ForeignKey(Mission, on_delete=models.CASCADE, related_name="rules")
    version = models.PositiveIntegerField()
    points_schema = models.JSONField()
    stage_plan = models.JSONField()
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    frozen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["mission", "version"]
        verbose_name_plural = "event rules"
        constraints = [
            models.UniqueConstraint(fields=["mission", "version"], name="event_rules_version_once")
        ]

    def __str__(self) -> str:
        return f"rules {self.version}"

    @property
    def schema(self) -> PointsSchema:
        return read_schema(self.points_schema)

    @property
    def plan(self) -> StagePlan:
        return read_plan(self.stage_plan)


class StageResult(models.Model):
    """One stage as ridden. Points are never stored but computed; `imported_points` is history."""

    class Source(models.TextChoices):
        MANUAL = "manual", "entered"
        ACTIVITY = "activity", "from an activity"
        IMPORT = "import", "imported"

    mission = models.ForeignKey(Mission, on_delete=models.CASCADE, related_name="stage_results")
    number = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(99)]
    )
    local_date = models.DateField()
    stage_type = models.CharField(max_length=24)
    ride_mode = models.CharField(max_length=24)
    source = models.CharField(max_length=10, choices=Source, default=Source.MANUAL)
    activity_ref = models.CharField(max_length=80, blank=True)
    imported_points = models.PositiveIntegerField(null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    assumed_tz = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["mission", "number"], name="stage_result_number_once"),
            models.UniqueConstraint(
                fields=["mission", "activity_ref"],
                condition=~Q(activity_ref=""),
                name="stage_result_activity_once",
            ),
        ]

    def __str__(self) -> str:
        return f"stage {self.number}"


class CheckIn(models.Model):
    """Half a minute in the morning: how the athlete feels, in their own numbers."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="check_ins"
    )
    local_date = models.DateField()
    # {"readiness": 0-100, "sleep_h": …, "soreness": 1-5, "energy": 1-5, "stress": 1-5, "resting_hr": …}
    values = EncryptedJSONField(default=dict)
    note = EncryptedTextField(blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-local_date"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "local_date"], name="check_in_once_a_day")
        ]

    def __str__(self) -> str:
        return f"check-in {self.local_date}"


class ConsentQuerySet(models.QuerySet):
    def standing(self) -> "ConsentQuerySet":
        """Not taken back, and given to the words in use now: others must be asked for anew."""
        current = Q()
        for purpose, wording in Consent.WORDING.items():
            current |= Q(purpose=purpose, wording=wording)
        return self.filter(current, withdrawn_at__isnull=True)


class Consent(models.Model):
    """What a person agreed to, in which wording, and until when."""

    # Raise a number when the words of that purpose change: then everybody is asked anew.
    WORDING = {"health": 1, "model": 1}

    class Purpose(models.TextChoices):
        HEALTH = "health", "store health data"
        MODEL = "model", "send daily facts to the language model"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consents"
    )
    purpose = models.CharField(max_length=10, choices=Purpose)
    wording = models.PositiveSmallIntegerField(default=1)
    host = models.CharField(max_length=200, blank=True)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "purpose"],
                condition=Q(withdrawn_at__isnull=True),
                name="consent_one_standing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}"


class MissionDraft(models.Model):
    """A mission in the making: the wizard's answers, what the model proposed, what was wrong."""

    class Status(models.TextChoices):
        ANSWERING = "answering", "answers"
        ASKED = "asked", "the model is writing"
        READY = "ready", "draft to read"
        FAILED = "failed", "no draft"
        SAVED = "saved", "saved"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mission_drafts"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.ANSWERING)
    answers = EncryptedJSONField(default=dict)
    proposal = EncryptedJSONField(null=True, blank=True)
    problems = EncryptedJSONField(default=dict)
    job = models.ForeignKey(
        "racecontrol.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    mission = models.ForeignKey(
        Mission, null=True, blank=True, on_delete=models.SET_NULL, related_name="drafts"
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        answers: dict[str, Any] = self.answers or {}
        return str(answers.get("event_name") or "new mission")
