from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("coaching", "0007_reasoning_logs")]

    operations = [
        migrations.AddField(
            model_name="mission",
            name="unscored_activities",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
