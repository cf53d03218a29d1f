"""The shared cache table, a rate counter that waits for no disk, and an index for the queue."""

from django.core.management import call_command
from django.db import migrations


def make_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [
        ("racecontrol", "0001_people_jobs_tokens_audit"),
        ("django_q", "0018_task_success_index"),
    ]

    operations = [
        migrations.RunPython(make_cache_table, migrations.RunPython.noop),
        migrations.RunSQL(
            "ALTER TABLE racecontrol_ratewindow SET UNLOGGED",
            "ALTER TABLE racecontrol_ratewindow SET LOGGED",
        ),
        migrations.RunSQL(
            "CREATE INDEX ormq_key_lock ON django_q_ormq (key, lock)", "DROP INDEX ormq_key_lock"
        ),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP TABLE IF EXISTS racecontrol_cache"),
    ]
