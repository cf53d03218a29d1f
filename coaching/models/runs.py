"""What was driven: sessions, their heats, every lap, and the scores of them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from coaching.domain.laps import FLAGS, MOST_MS


class Session(models.Model):
    """A day's or an event's running of one car.

    `race_class` names the class of the timed event its laps come from, `synced_at` when they were last fetched from there.
    """

    class Kind(models.TextChoices):
        PRACTICE = "Practice", "Practice"
        QUALIFYING = "Qualifying", "Qualifying"
        MAIN = "Main", "Main"
        CLUB_RACE = "Club Race", "Club race"

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        ACTIVE = "active", "under way"
        CLOSED = "closed", "closed"

    class Size(models.TextChoices):
        SMALL = "Small", "small"
        MEDIUM = "Medium", "medium"
        LARGE = "Large", "large"

    class Traction(models.TextChoices):
        LOW = "Low", "low"
        MEDIUM = "Medium", "medium"
        HIGH = "High", "high"

    class Surface(models.TextChoices):
        DUSTY = "Dusty", "dusty"
        DRY = "Dry", "dry"
        WET = "Wet", "wet"
        MUDDY = "Muddy", "muddy"

    class Condition(models.TextChoices):
        SMOOTH = "Smooth", "smooth"
        BUMPY = "Bumpy", "bumpy"
        RUTTED = "Rutted", "rutted"

    profile = models.ForeignKey(
        "coaching.RacerProfile", on_delete=models.CASCADE, related_name="sessions"
    )
    vehicle = models.ForeignKey(
        "coaching.Vehicle",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="sessions",
    )
    name = models.CharField(max_length=120)
    session_type = models.CharField("type", max_length=12, choices=Kind, default=Kind.PRACTICE)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True)
    track = models.ForeignKey(
        "ingestion.Track",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="run_sessions",
    )
    track_name = models.CharField(max_length=160, blank=True)
    track_size = models.CharField(max_length=8, choices=Size, blank=True)
    traction = models.CharField(max_length=8, choices=Traction, blank=True)
    surface_type = models.CharField("surface", max_length=8, choices=Surface, blank=True)
    surface_condition = models.CharField(max_length=8, choices=Condition, blank=True)
    practice_rounds = models.PositiveSmallIntegerField(default=0, db_default=0)
    qualifying_rounds = models.PositiveSmallIntegerField(default=0, db_default=0)
    race_class = models.ForeignKey(
        "ingestion.RaceClass",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="run_sessions",
    )
    synced_at = models.DateTimeField(null=True, blank=True)
    setup = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=6, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-start_date", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date")),
                name="session_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(practice_rounds__lte=10), name="session_practice_rounds_0_to_10"
            ),
            models.CheckConstraint(
                condition=Q(qualifying_rounds__lte=6), name="session_qualifying_rounds_0_to_6"
            ),
        ]
        indexes = [
            models.Index(fields=["profile", "-start_date"], name="session_profile_start"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_closed(self) -> bool:
        return self.status == self.Status.CLOSED


class Heat(models.Model):
    """One run of a session: "Practice 1", "Q2", "A-Main". Its laps are never mixed with another's.

    `source_ref` names where it was read ("race:6304829/driver:346997", "practice:21289501").
    `stats_basis` and `published_consistency` are what the timing page printed for it.
    """

    class Kind(models.TextChoices):
        PRACTICE = "practice", "practice"
        QUALIFYING = "qualifying", "qualifying"
        RACE = "race", "race"

    class Basis(models.TextChoices):
        UNKNOWN = "", "not published"
        ALL = "all", "all laps"
        FROM_LAP_2 = "from_lap_2", "from lap 2"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="heats")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PRACTICE)
    order = models.PositiveIntegerField(default=0)
    source_ref = models.CharField(max_length=80, blank=True)
    stats_basis = models.CharField(max_length=10, choices=Basis, blank=True)
    published_consistency = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, blank=True
    )

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["session", "name"], name="heat_name_once"),
            models.UniqueConstraint(
                fields=["session", "source_ref"],
                condition=~Q(source_ref=""),
                name="heat_source_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RunLog(models.Model):
    """One lap, in driven order by `lap_number`. `source_ref` names the timing system's lap."""

    class Source(models.TextChoices):
        MANUAL = "manual", "typed"
        CSV = "csv", "file"
        LIVERC = "liverc", "LiveRC"

    Flag = models.TextChoices("Flag", [(flag.upper(), (flag, flag)) for flag in FLAGS])

    heat = models.ForeignKey(Heat, on_delete=models.CASCADE, related_name="laps")
    lap_number = models.PositiveIntegerField()
    lap_ms = models.PositiveIntegerField()
    confidence = models.PositiveSmallIntegerField(null=True, blank=True)
    flag = models.CharField(max_length=8, choices=Flag, blank=True)
    source = models.CharField(max_length=6, choices=Source, default=Source.MANUAL)
    source_ref = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["heat", "lap_number"]
        constraints = [
            models.UniqueConstraint(fields=["heat", "lap_number"], name="lap_number_once"),
            models.CheckConstraint(condition=Q(lap_number__gte=1), name="lap_number_from_1"),
            models.CheckConstraint(
                condition=Q(lap_ms__gte=1, lap_ms__lt=MOST_MS), name="lap_below_an_hour"
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=1, confidence__lte=5),
                name="lap_confidence_1_to_5",
            ),
            models.CheckConstraint(condition=Q(flag__in=["", *FLAGS]), name="lap_flag_known"),
        ]

    def __str__(self) -> str:
        return f"lap {self.lap_number}"


class OrpScore(models.Model):
    """The score of a heat, or (heat null) of a session, by one formula; written again when its inputs change.

    `inputs_hash` is the SHA-256 of all the formula was given: same hash and formula, same score.
    `score` is null where there is none, and `status` says why.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="scores")
    heat = models.ForeignKey(
        Heat, null=True, blank=True, on_delete=models.CASCADE, related_name="scores"
    )
    formula = models.CharField(max_length=4)
    inputs_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=20)
    score = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    laps = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    computed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["session", "heat", "formula"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "heat", "formula"],
                nulls_distinct=False,
                name="score_once_per_formula",
            )
        ]

    def __str__(self) -> str:
        return f"{self.formula} {self.status if self.score is None else self.score}"


class LapFile(models.Model):
    """An uploaded CSV of laps on its way into the log; the content goes once the job has read it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(
        Session, null=True, blank=True, on_delete=models.CASCADE, related_name="lap_files"
    )
    name = models.CharField(max_length=200)
    content = models.BinaryField(null=True)
    skip_bad = models.BooleanField(default=False)
    report = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
