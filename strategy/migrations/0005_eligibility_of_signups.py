from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategy", "0004_formation_drafts_and_webhooks")]

    operations = [
        migrations.AddField(
            model_name="eventparticipation",
            name="category",
            field=models.CharField(
                blank=True, help_text="As the rules name it: Bronze.", max_length=20
            ),
        ),
        migrations.AddField(
            model_name="eventparticipation",
            name="no_night",
            field=models.BooleanField(default=False, help_text="Does not drive in the dark."),
        ),
        migrations.AddField(
            model_name="eventparticipation",
            name="no_wet",
            field=models.BooleanField(default=False, help_text="Does not drive in the rain."),
        ),
    ]
