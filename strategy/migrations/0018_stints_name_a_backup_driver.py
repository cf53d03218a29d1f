from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0017_stints_are_pinned_by_driver_and_lap")]

    operations = [
        migrations.AddField(
            model_name="stintplan",
            name="backup_seat",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Who drives if the planned one cannot, by seat.",
                null=True,
            ),
        ),
    ]
