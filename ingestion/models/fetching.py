"""What was fetched from the timing site, how often, and where we must not ask for a while."""

import zlib

from django.db import models
from django.db.models.functions import Now

from racecontrol.shared.jobs import Job


class StoredPage(models.Model):
    """One content of one address, kept once: cache, provenance and source of re-parsing in one.

    `fetched_at` is when this content was first seen, `checked_at` when last confirmed;
    `parsed_hash` is of what was read from it, so cosmetic changes of the page are no change.
    """

    url = models.CharField(max_length=500)
    track_slug = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=20)
    cache_key = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField()
    body_sha256 = models.CharField(max_length=64)
    body = models.BinaryField()
    size = models.PositiveIntegerField(help_text="Bytes before compression.")
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    parsed_hash = models.CharField(max_length=64, blank=True)
    fetched_at = models.DateTimeField()
    checked_at = models.DateTimeField()
    fresh_until = models.DateTimeField()

    class Meta:
        ordering = ["-checked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["url", "body_sha256"], name="stored_page_once")
        ]
        indexes = [
            models.Index(fields=["cache_key", "-checked_at"], name="stored_page_key"),
            models.Index(fields=["kind", "-checked_at"], name="stored_page_kind"),
            models.Index(fields=["checked_at"], name="stored_page_age"),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def html(self) -> bytes:
        return zlib.decompress(self.body)


class FetchLog(models.Model):
    """One request that went out, retries included. Counting these is the request budget."""

    budget = models.CharField(max_length=64, help_text="The track's slug, or 'catalogue'.")
    url = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["budget", "at"], name="fetch_log_budget")]

    def __str__(self) -> str:
        return f"{self.budget} {self.status or '–'}"


class HostBlock(models.Model):
    """A host we leave alone until a moment: it asked for that, or took us for a robot."""

    class Reason(models.TextChoices):
        BOT_CHECK = "bot_check", "asked to prove we are human"
        RETRY_AFTER = "retry_after", "asked us to wait"

    host = models.CharField(max_length=200, unique=True)
    until = models.DateTimeField()
    reason = models.CharField(max_length=12, choices=Reason)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-until"]

    def __str__(self) -> str:
        return f"{self.host} until {self.until:%H:%M} UTC"


class ImportJob(Job):
    """The jobs that import, for a list of their own in the admin."""

    class Meta:
        proxy = True
        ordering = ["-created_at"]
        verbose_name = "import"
