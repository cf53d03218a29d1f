"""Plans of signed-in people are theirs; a share link opens one to whoever holds it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runplans', '0001_run_plans'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='runplan',
            name='owner',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='run_plans', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='runplan',
            name='share_token',
            field=models.UUIDField(blank=True, null=True, unique=True),
        ),
        migrations.AddIndex(
            model_name='runplan',
            index=models.Index(fields=['owner', '-created_at', '-id'], name='idx_run_plans_owner'),
        ),
    ]
