"""Tracks and who likes them."""

import zoneinfo

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower, Now

from racecontrol.shared.search import words_of


class Track(models.Model):
    """One host of the timing site. The slug is its identity: it cannot be told from the name,
    and names repeat."""

    class ZoneOrigin(models.TextChoices):
        UNKNOWN = "", "not known"
        GUESSED = "guessed", "guessed from the address"
        SET = "set", "set by a person"

    class Status(models.IntegerChoices):
        OFFLINE = 0, "offline"
        PRACTICE = 1, "practice"
        RACING = 2, "racing"

    slug = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO code, such as AU.")
    timezone = models.CharField(max_length=64, blank=True, help_text="Such as Australia/Sydney.")
    timezone_origin = models.CharField(
        max_length=10, choices=ZoneOrigin, blank=True, default=ZoneOrigin.UNKNOWN
    )
    website = models.CharField(max_length=300, blank=True)
    logo_url = models.CharField(max_length=300, blank=True)
    status = models.PositiveSmallIntegerField(choices=Status, default=Status.OFFLINE)
    activity = models.CharField(
        max_length=300, blank=True, help_text="What the club says is on; free text."
    )
    has_video = models.BooleanField(default=False)
    is_featured = models.BooleanField(default=False)
    seen_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = [Lower("name"), "slug"]
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="track_slug_unique"),
            models.UniqueConstraint(Lower("slug"), name="track_slug_unique_any_case"),
        ]
        indexes = [
            models.Index(Lower("name"), "slug", name="track_name"),
            GinIndex(words_of("name", "slug", "city"), name="track_words"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone its wall clock is read in; UTC while nobody knows."""
        return zoneinfo.ZoneInfo(self.timezone or "UTC")


class FavouriteTrack(models.Model):
    """A track somebody wants on top of lists."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourite_tracks"
    )
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "track"], name="favourite_track_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} likes {self.track}"
