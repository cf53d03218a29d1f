"""The table of FEATURE-001 with its defaults and indexes, as designed."""

import django.contrib.postgres.functions
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='RunPlan',
            fields=[
                ('id', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, primary_key=True, serialize=False)),
                ('title', models.TextField(blank=True, null=True)),
                ('objective', models.TextField(blank=True, null=True)),
                ('inputs', models.JSONField()),
                ('result', models.JSONField()),
                ('status', models.CharField(db_default='computed', max_length=20)),
                ('created_at', models.DateTimeField(db_default=models.Func(function='now', output_field=models.DateTimeField()))),
                ('updated_at', models.DateTimeField(db_default=models.Func(function='now', output_field=models.DateTimeField()))),
            ],
            options={
                'db_table': 'run_plans',
                'indexes': [
                    models.Index(fields=['created_at'], name='idx_run_plans_created_at'),
                    django.contrib.postgres.indexes.GinIndex(fields=['inputs'], name='idx_run_plans_inputs_gin'),
                    django.contrib.postgres.indexes.GinIndex(fields=['result'], name='idx_run_plans_result_gin'),
                ],
            },
        ),
    ]
