"""Drivers, the other names they go by, and their transponders."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from racecontrol.shared.search import words_of


class Driver(models.Model):
    """Somebody who raced or practised. Races know ids, practice knows names and transponders only.

    A driver merged into another keeps the row, so that links stay and a split can undo it.
    """

    source_driver_id = models.CharField(max_length=40, unique=True, null=True, blank=True)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged"
    )
    is_unknown = models.BooleanField(
        default=False, db_default=False, help_text="Stands for whoever drove without a name."
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_unknown"],
                condition=models.Q(is_unknown=True),
                name="driver_one_unknown",
            )
        ]
        indexes = [
            models.Index(fields=["name_key", "id"], name="driver_name_key"),
            GinIndex(words_of("name"), name="driver_words"),
        ]

    def __str__(self) -> str:
        return self.name


class DriverAlias(models.Model):
    """Another id or name of a driver. What carries it lands at `driver` from then on."""

    driver = models.ForeignKey(Driver, on_delete=models.CASCADE, related_name="aliases")
    merged_driver = models.ForeignKey(
        Driver, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    source_driver_id = models.CharField(max_length=40, unique=True, null=True, blank=True)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "pk"]
        verbose_name_plural = "driver aliases"
        indexes = [
            models.Index(fields=["name_key"], name="driver_alias_key"),
            GinIndex(words_of("name"), name="driver_alias_words"),
        ]

    def __str__(self) -> str:
        return self.name


class DriverTransponder(models.Model):
    """A transponder a driver was seen with. Several per driver are normal; text, as LiveRC writes."""

    driver = models.ForeignKey(Driver, on_delete=models.CASCADE, related_name="transponders")
    number = models.CharField(max_length=20)
    first_seen_on = models.DateField(null=True, blank=True)
    last_seen_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["driver", "number"], name="driver_transponder_once")
        ]
        indexes = [models.Index(fields=["number"], name="driver_transponder_number")]

    def __str__(self) -> str:
        return self.number
