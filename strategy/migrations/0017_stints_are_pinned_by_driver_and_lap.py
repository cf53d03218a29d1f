from django.db import migrations, models
from django.db.models import F


def pin_what_was_held(apps, schema_editor):
    """A stint held as it is keeps its driver and its stop."""
    stints = apps.get_model("strategy", "StintPlan").objects.filter(is_locked=True)
    stints.update(is_driver_pinned=True, pinned_lap=F("start_lap") + F("laps"))


def hold_what_is_pinned(apps, schema_editor):
    """Only what is pinned by driver and stop was held before; a single pin is lost."""
    stints = apps.get_model("strategy", "StintPlan").objects
    stints.filter(is_driver_pinned=True, pinned_lap__isnull=False).update(is_locked=True)


class Migration(migrations.Migration):
    dependencies = [("strategy", "0016_states_are_known_ones")]

    operations = [
        migrations.AddField(
            model_name="stintplan",
            name="is_driver_pinned",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="stintplan",
            name="pinned_lap",
            field=models.PositiveIntegerField(
                blank=True, help_text="Laps of the race driven when it stops.", null=True
            ),
        ),
        migrations.RunPython(pin_what_was_held, hold_what_is_pinned),
        migrations.RemoveField(model_name="stintplan", name="is_locked"),
    ]
