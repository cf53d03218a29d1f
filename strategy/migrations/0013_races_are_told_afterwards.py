"""Races that were driven before anybody opened them on the wall."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("strategy", "0012_events_are_joined_by_link")]

    operations = [
        migrations.AddField("liverun", "is_retold", models.BooleanField(default=False)),
        migrations.AddConstraint(
            "liverun",
            models.CheckConstraint(
                condition=~Q(is_training=True, is_retold=True), name="training_is_not_retold"
            ),
        ),
    ]
