"""Drivers sign up by an event's own link, without an invitation into the host's team."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0011_strategies_keep_the_teams_own_numbers")]

    operations = [
        migrations.AddField(
            "strategyevent",
            "signup_token",
            models.UUIDField(blank=True, editable=False, null=True, unique=True),
        ),
    ]
