"""Endurance events, their starts, and who signed up with which hours."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils.functional import cached_property

from ingestion.models import Track
from ingestion.queries.tracks import find_track
from strategy.models.teams import Car, Team


class StrategyEvent(models.Model):
    """An endurance race a team hosts: length, lap, and the rules as checked JSON (`ruleset/1`)."""

    host = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="events")
    name = models.CharField(max_length=120)
    track = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    duration_ms = models.PositiveBigIntegerField()
    lap_ms = models.PositiveIntegerField(help_text="A typical lap, for the race clock.")
    regulations = models.JSONField(default=dict)
    # [[from, to, "N" | "W" | "X"]] in ms on the race clock; all else is a dry day
    conditions = models.JSONField(default=list)
    is_signup_open = models.BooleanField(default=True)
    # whoever holds the link may sign up; empty: only members of the host
    signup_token = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    # the role in the host of who asked, where strategy.access or a query gave this row; never kept
    your_role: str | None = None

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(duration_ms__gt=0, lap_ms__gt=0, duration_ms__lte=172_800_000 * 2)
                & Q(lap_ms__lte=F("duration_ms")),
                name="strategy_event_has_length",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def timing_track(self) -> Track | None:
        """The track of timing the typed words mean, if they mean one."""
        return find_track(self.track)


class EventInstance(models.Model):
    """One start of an event that is run at several times."""

    event = models.ForeignKey(StrategyEvent, on_delete=models.CASCADE, related_name="instances")
    name = models.CharField(max_length=80, blank=True)
    starts_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "starts_at"], name="event_instance_once")
        ]

    def __str__(self) -> str:
        return self.name or f"{self.starts_at:%Y-%m-%d %H:%M} UTC"


class EventParticipation(models.Model):
    """One person's way through one event, from interest to confirmed entry."""

    class Kind(models.TextChoices):
        INDIVIDUAL = "individual", "looks for a team"
        TEAM = "team_signup", "comes with a team"

    class Status(models.TextChoices):
        INTERESTED = "interested", "interested"
        SIGNED_UP = "signed_up", "signed up"
        ASSIGNED = "team_assigned", "in a team"
        ENTERED = "entered", "entered"
        CONFIRMED = "confirmed", "confirmed"
        WAITLIST = "waitlist", "on the waiting list"
        WITHDRAWN = "withdrawn", "withdrawn"
        TOOK_PART = "participated", "took part"

    # from -> where it may go
    MOVES = {
        Status.INTERESTED: {Status.SIGNED_UP, Status.WITHDRAWN},
        Status.SIGNED_UP: {Status.ASSIGNED, Status.WAITLIST, Status.WITHDRAWN, Status.INTERESTED},
        Status.WAITLIST: {Status.SIGNED_UP, Status.ASSIGNED, Status.WITHDRAWN},
        Status.ASSIGNED: {Status.ENTERED, Status.SIGNED_UP, Status.WITHDRAWN},
        Status.ENTERED: {Status.CONFIRMED, Status.WITHDRAWN, Status.SIGNED_UP},
        Status.CONFIRMED: {Status.TOOK_PART, Status.WITHDRAWN},
        Status.WITHDRAWN: {Status.SIGNED_UP, Status.INTERESTED},
        Status.TOOK_PART: set(),
    }

    event = models.ForeignKey(StrategyEvent, on_delete=models.CASCADE, related_name="signups")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="event_signups"
    )
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.INDIVIDUAL)
    status = models.CharField(max_length=14, choices=Status, default=Status.INTERESTED)
    preferred_car = models.ForeignKey(
        Car, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    may_spot = models.BooleanField(default=False)
    may_strategize = models.BooleanField(default=False)
    skill = models.IntegerField(default=0, help_text="Any rating; higher is faster.")
    category = models.CharField(
        max_length=20, blank=True, help_text="As the rules name it: Bronze."
    )
    no_night = models.BooleanField(default=False, help_text="Does not drive in the dark.")
    no_wet = models.BooleanField(default=False, help_text="Does not drive in the rain.")
    lap_ms = models.PositiveIntegerField(null=True, blank=True)
    wet_lap_ms = models.PositiveIntegerField(null=True, blank=True)
    timing_driver = models.ForeignKey(
        "ingestion.Driver", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    assigned_team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="event_entries"
    )
    assigned_car = models.ForeignKey(
        Car, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    assigned_instance = models.ForeignKey(
        EventInstance, null=True, blank=True, on_delete=models.SET_NULL, related_name="entries"
    )
    notes = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "user"], name="signup_once_per_event"),
            models.CheckConstraint(
                condition=~Q(status__in=["team_assigned", "entered", "confirmed"])
                | Q(assigned_team__isnull=False),
                name="signup_in_a_team_names_it",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "interested",
                        "signed_up",
                        "team_assigned",
                        "entered",
                        "confirmed",
                        "waitlist",
                        "withdrawn",
                        "participated",
                    ]
                ),
                name="signup_status_known",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["individual", "team_signup"]), name="signup_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["event", "status"], name="signup_event_status")]

    def __str__(self) -> str:
        return f"{self.user} at {self.event}"

    @property
    def free_ms(self) -> int:
        """How long the person can drive, all windows together."""
        spans = [w.ends_at - w.starts_at for w in self.windows.all()]
        return sum(round(span.total_seconds() * 1000) for span in spans)

    @property
    def next_states(self) -> list[tuple[str, str]]:
        """Where it may go from here: (value, words), in the order of the way."""
        allowed = self.MOVES[self.Status(self.status)]
        return [(s.value, str(s.label)) for s in self.Status if s in allowed]


class AvailabilityWindow(models.Model):
    """Hours a person can drive; windows of one signup never overlap."""

    signup = models.ForeignKey(EventParticipation, on_delete=models.CASCADE, related_name="windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="window_has_length"
            ),
            ExclusionConstraint(
                name="windows_do_not_overlap",
                expressions=[
                    (
                        Func(F("signup"), F("signup"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(F("starts_at"), F("ends_at"), Value("[)"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%Y-%m-%d %H:%M} UTC"


class FormationDraft(models.Model):
    """Teams as proposed and adjusted, before and after they became real; confirming can be undone."""

    event = models.ForeignKey(StrategyEvent, on_delete=models.CASCADE, related_name="formations")
    options = models.JSONField(default=dict)  # limits, weights, seconds
    teams = models.JSONField(default=list)  # [[signup id]]
    classic = models.JSONField(default=list)  # the snake draft, for comparison
    classic_score = models.FloatField(default=0)
    is_proven = models.BooleanField(default=False)
    seen = models.JSONField(default=dict)  # signup id -> version it was formed with
    version = models.PositiveIntegerField(default=1)
    made_teams = models.JSONField(default=list)  # ids of teams made by confirming
    job = models.ForeignKey(
        "racecontrol.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"teams of {self.event}"
