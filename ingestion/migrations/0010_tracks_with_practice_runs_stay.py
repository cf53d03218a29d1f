import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0009_names_are_found_without_accents"),
    ]

    operations = [
        migrations.AlterField(
            model_name="practicerun",
            name="track",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ingestion.track"
            ),
        ),
    ]
