"""Which command took which one back."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0014_stops_know_their_time_in_the_box")]

    operations = [
        migrations.AddField(
            "livecommand",
            "undone_by",
            models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undoes",
                to="strategy.livecommand",
            ),
        ),
    ]
