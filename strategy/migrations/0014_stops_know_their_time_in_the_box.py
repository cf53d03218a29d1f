"""How long the car stood in its box, apart from the way through the lane."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0013_races_are_told_afterwards")]

    operations = [
        migrations.AddField(
            "pitstop",
            "box_ms",
            models.PositiveIntegerField(blank=True, help_text="Stood in the box, ms.", null=True),
        ),
    ]
